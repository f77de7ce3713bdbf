//! What comes in goes out again: samples, the unknown, and what is refused.

use dari::{
    ContentBlock, EventList, Message, MessageList, MessageStatus, NewEvent, NewSession, Part,
    SentEvents, SentMessage, Session, Transcript, TranscriptItem, UploadedFile,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::support::sample;

/// Drops nulls outside free JSON, which the contract holds equal to absent fields.
fn without_nulls(value: &mut Value) {
    const FREE: [&str; 5] = ["arguments", "result", "data", "metadata", "error"];
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            let fields = fields.iter_mut().filter(|(name, _)| !FREE.contains(&name.as_str()));
            fields.for_each(|(_, value)| without_nulls(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

pub(crate) fn assert_round_trip<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let typed: T = serde_json::from_str(text).unwrap();
    let mut expected: Value = serde_json::from_str(text).unwrap();
    let mut encoded: Value = serde_json::from_str(&serde_json::to_string(&typed).unwrap()).unwrap();
    without_nulls(&mut expected);
    without_nulls(&mut encoded);
    assert_eq!(encoded, expected);
    typed
}

fn refusal<T: DeserializeOwned>(body: &Value) -> String {
    let text = body.to_string();
    let mut json = serde_json::Deserializer::from_str(&text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut json).err();
    error.expect("a broken body was accepted").to_string()
}

fn message(parts: &Value) -> Value {
    json!({
        "id": "msg_1", "session_id": "sess_1", "sequence_number": 1, "parts": [],
        "status": "completed", "attempt": 1, "output": {"parts": parts},
        "created_at": "2026-04-21T18:40:00Z",
    })
}

#[test]
fn every_reference_reply_decodes_and_encodes_back() {
    let message: Message = assert_round_trip(&sample("get-message.response"));
    assert_eq!(message.sequence_number, 4);
    let list: MessageList = assert_round_trip(&sample("list-session-messages.response"));
    assert_eq!(list.messages.len(), 1);
    let sent: SentMessage = assert_round_trip(&sample("send-agent-message.response"));
    assert_eq!(sent.message.status, MessageStatus::Queued);
    let events: SentEvents = assert_round_trip(&sample("send-session-events.response"));
    assert_eq!(events.events[0].sequence_number, None);
    let events: EventList = assert_round_trip(&sample("send-session-events.response"));
    assert_eq!(events.events.len(), 1);
    let transcript: Transcript = assert_round_trip(&sample("get-session-transcript.response"));
    assert_eq!(transcript.items().len(), 3);
    assert_round_trip::<Session>(&sample("create-session.response"));
    let file: UploadedFile = assert_round_trip(&sample("upload-file.response"));
    assert!(file.size_bytes == Some(512) && file.extra.is_empty());
}

#[test]
fn nothing_known_ends_up_among_the_extra_fields() {
    let message: Message = serde_json::from_str(&sample("get-message.response")).unwrap();
    assert!(message.extra.is_empty(), "{:?}", message.extra);
    let transcript: Transcript =
        serde_json::from_str(&sample("get-session-transcript.response")).unwrap();
    let (agent, session) = (transcript.agent.as_ref(), transcript.session.as_ref());
    assert!(agent.unwrap().extra.is_empty() && session.unwrap().extra.is_empty());
    for item in transcript.items() {
        match item {
            TranscriptItem::UserMessage(item) => assert!(item.extra.is_empty()),
            TranscriptItem::AssistantMessage(item) => assert!(item.extra.is_empty()),
            TranscriptItem::ToolCall(item) => {
                assert!(item.extra.is_empty());
                assert_eq!(item.arguments.as_ref().unwrap().get(), r#"{ "ticket_id": "T-1042" }"#);
            }
            _ => panic!("{item:?}"),
        }
    }
}

#[test]
fn a_request_is_encoded_as_the_reference_shows() {
    let events: Value = serde_json::from_str(&sample("send-session-events.request")).unwrap();
    let content = [
        "Summarize this ticket and draft a reply.".into(),
        ContentBlock::file("file_456".parse().unwrap()),
    ];
    let event = NewEvent::user_message(content).metadata("ticket_id", "T-1042");
    assert_eq!(serde_json::to_value(&event).unwrap(), events["events"][0]);
    let single: Value = serde_json::from_str(&sample("send-session-event.request")).unwrap();
    assert_eq!(serde_json::to_value(NewEvent::user_message("Continue.")).unwrap(), single);
    let session = NewSession::new().name("Ticket T-1042");
    assert_eq!(serde_json::to_value(session).unwrap(), json!({"name": "Ticket T-1042"}));
}

#[test]
fn every_session_option_reaches_the_wire() {
    let session = NewSession::new()
        .name("n")
        .storage_binding_id("stb_1")
        .secret("TOKEN_1", "s3cret")
        .llm_api_key("llm")
        .deny_internet()
        .llm_id("medium")
        .version_id("ver_1".parse().unwrap())
        .metadata("team", "support");
    let expected = json!({
        "name": "n", "storage_binding_id": "stb_1", "secrets": {"TOKEN_1": "s3cret"},
        "llm_api_key": "llm", "internet_access": false, "llm_id": "medium",
        "version_id": "ver_1", "metadata": {"team": "support"},
    });
    assert_eq!(serde_json::to_value(&session).unwrap(), expected);
    let shown = format!("{session:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("\"llm\""), "{shown}");
}

#[test]
fn what_tomorrow_brings_survives_the_round_trip() {
    let mut body = message(&json!([
        {"type": "thought", "depth": 3, "of": {"a": [1.10, null]}},
        {"type": "text", "text": "hi", "lang": "en"},
        {"type": "tool_result", "tool_call_id": "", "tool_name": "t", "is_error": true,
         "content": [{"type": "audio", "url": null}]},
    ]));
    body["status"] = json!("paused");
    body["cost"] = json!({"usd": "0.10", "none": null});
    let typed: Message = assert_round_trip(&body.to_string());
    assert_eq!(typed.status.as_str(), "paused");
    assert_eq!(typed.extra.get("cost").unwrap().get(), r#"{"none":null,"usd":"0.10"}"#);
    let parts = &typed.output.as_ref().unwrap().parts;
    let Part::Unknown(thought) = &parts[0] else { panic!("{parts:?}") };
    assert_eq!(thought.kind(), "thought");
    assert_eq!(thought.json().parse::<Value>().unwrap(), body["output"]["parts"][0]);

    let items = json!({"timeline": {"items": [
        {"type": "plan", "steps": [1]},
        {"type": "tool_call", "status": "paused", "result": null, "is_error": false, "retries": 2},
        {"type": "assistant_message", "content": []},
    ], "more": true}});
    let transcript: Transcript = serde_json::from_str(&items.to_string()).unwrap();
    let mut encoded = serde_json::to_value(&transcript).unwrap();
    assert_eq!(encoded, items);
    without_nulls(&mut encoded);
}

#[test]
fn a_type_that_comes_last_is_read_like_one_that_comes_first() {
    let first = r#"{"type":"tool_call","id":"c","name":"n","arguments":{"a": [1, "x"]},"new":1}"#;
    let last = r#"{"id":"c","name":"n","arguments":{"a": [1, "x"]},"new":1,"type":"tool_call"}"#;
    let middle = r#"{"id":"c","name":"n","type":"tool_call","arguments":{"a": [1, "x"]},"new":1}"#;
    let part: Part = serde_json::from_str(first).unwrap();
    assert_eq!(serde_json::from_str::<Part>(last).unwrap(), part);
    assert_eq!(serde_json::from_str::<Part>(middle).unwrap(), part);
    assert_eq!(serde_json::from_reader::<_, Part>(last.as_bytes()).unwrap(), part);
    assert_eq!(serde_json::from_value::<Part>(serde_json::from_str(last).unwrap()).unwrap(), part);
    let escaped = first.replace("type", "t\\u0079pe").replace("tool_call", "tool\\u005fcall");
    assert_eq!(serde_json::from_str::<Part>(&escaped).unwrap(), part);
    let unknown: Part = serde_json::from_str(r#"{"a": 1, "type": "new", "b": 2}"#).unwrap();
    assert_eq!(serde_json::to_value(unknown).unwrap(), json!({"type": "new", "a": 1, "b": 2}));
}

#[test]
fn a_known_type_with_a_broken_body_names_field_and_place() {
    for (part, named) in [
        (r#"{"type": "text"}"#, "output.parts[1]: missing field `text`"),
        (r#"{"type": "text", "text": 3}"#, "output.parts[1].text: invalid type: integer `3`"),
        (r#"{"text": 3, "type": "text"}"#, "output.parts[1]: text: invalid type: integer `3`"),
        (r#"{"text": "x"}"#, "output.parts[1]: missing field `type`"),
        (r#"{"type": 7, "text": "x"}"#, "output.parts[1].type: invalid type: integer `7`"),
        (
            r#"{"type": "tool_call", "id": "c", "name": "n", "arguments": "ls"}"#,
            "output.parts[1].arguments: invalid type: expected a JSON object",
        ),
        (
            r#"{"type": "tool_call", "id": "c", "arguments": {}}"#,
            "output.parts[1]: missing field `name`",
        ),
        (
            r#"{"type": "tool_result", "tool_name": "t"}"#,
            "output.parts[1]: missing field `tool_call_id`",
        ),
        (
            r#"{"type": "tool_result", "tool_call_id": "c", "content": [{"type": "file", "file_id": ""}]}"#,
            "output.parts[1].content[0].file_id: invalid file id: it is empty",
        ),
        (r#""text""#, "output.parts[1]: invalid type: string \"text\", expected an object"),
        (r#"["text", "x"]"#, "output.parts[1]: invalid type: sequence, expected an object"),
    ] {
        let body = message(&json!([])).to_string();
        let body =
            body.replace(r#"{"parts":[]}"#, &format!(r#"{{"parts":[{{"type":"new"}},{part}]}}"#));
        let mut json = serde_json::Deserializer::from_str(&body);
        let error = serde_path_to_error::deserialize::<_, Message>(&mut json).unwrap_err();
        assert!(error.to_string().starts_with(named), "{part}: {error}");
    }
}

#[test]
fn a_broken_object_names_its_field() {
    for (change, named) in [
        (json!({"id": ""}), "id: invalid message id: it is empty"),
        (json!({"session_id": ".."}), "session_id: invalid session id"),
        (json!({"sequence_number": "4"}), "sequence_number: invalid type"),
        (json!({"sequence_number": -1}), "sequence_number: invalid value"),
        (json!({"metadata": "x"}), "metadata: invalid type: expected a JSON object"),
        (json!({"created_at": "yesterday"}), "created_at: invalid time"),
        (json!({"status": null}), "status: invalid type: null"),
    ] {
        let mut body = message(&json!([]));
        let fields = change.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let error = refusal::<Message>(&body);
        assert!(error.starts_with(named), "{change}: {error}");
    }
    let session = json!({"id": "s", "agent_id": "a", "metadata": {"count": 3}});
    assert!(refusal::<Session>(&session).starts_with("metadata.count: invalid type: integer"));
}

#[test]
fn both_reply_forms_of_a_send_are_read() {
    let list: Value = serde_json::from_str(&sample("send-session-events.response")).unwrap();
    let queued: dari::QueuedMessage = serde_json::from_value(list.clone()).unwrap();
    assert_eq!(
        (queued.message.id.as_str(), queued.message.status),
        ("msg_123", MessageStatus::Queued)
    );
    let single =
        json!({"event": list["events"][0], "message": {"id": "msg_123", "status": "running"}});
    let queued: dari::QueuedMessage = serde_json::from_value(single.clone()).unwrap();
    assert_eq!(queued.message.status, MessageStatus::Running);
    let sent: SentEvents = serde_json::from_value(single).unwrap();
    assert_eq!(sent.events.len(), 1);
    assert!(
        refusal::<dari::QueuedMessage>(&json!({"events": []})).contains("missing field `event`")
    );
    assert!(refusal::<SentEvents>(&json!({})).contains("missing field `events`"));
}
