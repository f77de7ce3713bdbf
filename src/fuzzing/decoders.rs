//! Everything that is decoded: from bytes to the type, to bytes, and to the same again.

use std::fmt::{Debug, Display};
use std::str::{FromStr, from_utf8};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json::Misfit;
use crate::{
    Actor, Agent, AgentList, AgentVersionDetails, AgentVersions, Batch, BatchSession, ContentBlock,
    Cost, Cursor, Event, EventList, FinalizedSnapshot, Message, MessageId, MessageList, Output,
    Part, PublishedVersion, QueuedMessage, RawJson, ReservedSnapshot, SentEvents, SentMessage,
    Session, SessionList, SourceManifest, SubmittedToolResult, ToolCallId, Transcript,
    TranscriptItem, UploadedFile, UsdAmount, WebhookConfig,
};

/// Decodes JSON as the type that the first byte names.
pub fn decoders(data: &[u8]) {
    let [kind, json @ ..] = data else { return };
    match kind {
        b'A' => same(json, |agent: &Agent| drop(agent.name.clone())),
        b'B' => same(json, |_: &Batch| ()),
        b'C' => same(json, |block: &ContentBlock| drop(format!("{block:?}"))),
        b'D' => same(json, |_: &AgentVersionDetails| ()),
        b'E' => same(json, |event: &Event| drop(event.kind())),
        b'F' => same(json, |_: &UploadedFile| ()),
        b'G' => same(json, |_: &SourceManifest| ()),
        b'H' => same(json, |_: &FinalizedSnapshot| ()),
        b'I' => same(json, |_: &BatchSession| ()),
        b'J' => same(json, |json: &RawJson| drop(json.readable())),
        b'K' => same(json, |_: &WebhookConfig| ()),
        b'L' => same(json, |_: &MessageList| ()),
        b'M' => same(json, read_message),
        b'N' => same(json, |_: &EventList| ()),
        b'O' => same(json, |_: &Output| ()),
        b'P' => same(json, |_: &Part| ()),
        b'Q' => same(json, |_: &SentMessage| ()),
        b'R' => same(json, |_: &ReservedSnapshot| ()),
        b'S' => same(json, |_: &Session| ()),
        b'T' => same(json, |transcript: &Transcript| drop(transcript.to_markdown())),
        b'U' => same(json, read_amount),
        b'V' => same(json, |_: &AgentVersions| ()),
        b'W' => same(json, |_: &PublishedVersion| ()),
        b'X' => same(json, |_: &TranscriptItem| ()),
        b'Y' => same(json, |_: &SentEvents| ()),
        b'Z' => same(json, |_: &SubmittedToolResult| ()),
        b'a' => same(json, |_: &AgentList| ()),
        b'c' => same(json, |_: &Cost| ()),
        b'i' => same(json, |_: &ToolCallId| ()),
        b'l' => same(json, |_: &SessionList| ()),
        b'q' => same(json, |_: &QueuedMessage| ()),
        b'o' => same(json, |_: &Actor| ()),
        _ => texts(json),
    }
}

fn read_message(message: &Message) {
    let exchanges = message.tool_calls();
    assert!(exchanges.len() <= message.output.as_ref().map_or(0, |output| output.parts.len()));
    drop((message.text(), message.error().map(|error| error.text().into_owned())));
    drop(message.clone().into_completed());
}

fn read_amount(amount: &UsdAmount) {
    assert!(amount.as_str().parse::<f64>().is_ok(), "{amount}");
    assert_eq!(amount, &amount.clone());
}

/// Decodes, encodes and decodes again.
fn same<T>(json: &[u8], read: impl Fn(&T))
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let whole = crate::json::read::<T>(json);
    if from_utf8(json).is_ok() {
        let bytes = serde_json::from_slice::<T>(json);
        assert_eq!(bytes.is_ok(), whole.is_ok(), "text and bytes differ");
    }
    let value = match whole {
        Ok(value) => value,
        Err(misfit) => return misplaced(&misfit, json),
    };
    read(&value);
    let encoded = serde_json::to_vec(&value).expect("what was decoded can be encoded");
    let again: T = serde_json::from_slice(&encoded).expect("what was encoded can be decoded");
    assert_eq!(again, value);
    assert_eq!(serde_json::to_vec(&again).unwrap(), encoded, "encoded again it is other bytes");
}

/// What a body is refused for is said in a bounded text.
fn misplaced(misfit: &Misfit, json: &[u8]) {
    // A name may be escaped, and a byte that is no text becomes a character of three.
    assert!(misfit.path.len() <= 3 * json.len() + 128 * 8, "{} bytes", misfit.path.len());
    assert!(!misfit.reason.is_empty());
}

fn texts(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    parsed::<Cursor>(text);
    parsed::<MessageId>(text);
    parsed::<UsdAmount>(text);
    times(text);
}

/// Parses a text, writes it, and parses that.
fn parsed<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let written = value.to_string();
    let again: T = written.parse().expect("what was written can be parsed");
    assert_eq!(again, value);
    assert_eq!(again.to_string(), written);
}

fn times(text: &str) {
    let json = serde_json::to_string(text).unwrap();
    let read = |json: &str| crate::time::deserialize(&mut serde_json::Deserializer::from_str(json));
    let Ok(time) = read(&json) else { return };
    let mut written = Vec::new();
    crate::time::serialize(&time, &mut serde_json::Serializer::new(&mut written)).unwrap();
    assert_eq!(read(from_utf8(&written).unwrap()).unwrap(), time);
}
