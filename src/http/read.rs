//! Reads replies: bodies under a ceiling, values, errors; the key never comes out.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::client::{Client, Inner};
use crate::error::{ApiError, CallFacts, DecodeError, Error, one_line};
use crate::http::Reply;
use crate::json::{Misfit, compact, read, readable};
use crate::request::Request;

/// How long the body of an error may take before its status is reported without it.
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(5);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Reads the body of a reply as a `T`; a failure names the field and where it stands.
///
/// A reply without a body is read like `null`, which only a value that says nothing can be.
pub(crate) fn decode<T: DeserializeOwned>(
    client: &Client,
    request: &Request,
    reply: &Reply,
) -> Result<T, Error> {
    if let (true, Ok(value)) = (reply.body.is_empty(), serde_json::from_str("null")) {
        return Ok(value);
    }
    read(&reply.body).map_err(|misfit| misread(client.inner(), request, reply, misfit))
}

/// Returns the error for a body that did not fit.
fn misread(inner: &Inner, request: &Request, reply: &Reply, misfit: Misfit) -> Error {
    let Misfit { path, reason, is_known } = misfit;
    let reason = if reply.body.is_empty() { "it is empty".to_owned() } else { reason };
    let (path, reason, body) = match request.confidential {
        false => (path, reason, &*reply.body),
        true => {
            let reason = "it does not fit, and may hold a secret".to_owned();
            (if is_known { path } else { String::new() }, reason, &b""[..])
        }
    };
    undecodable(inner, reply.facts.clone(), &Unreadable { path, reason, body })
}

pub(super) struct Unreadable<'a> {
    pub(super) path: String,
    pub(super) reason: String,
    pub(super) body: &'a [u8],
}

pub(super) fn undecodable(inner: &Inner, facts: CallFacts, what: &Unreadable<'_>) -> Error {
    Error::Decode(Box::new(DecodeError {
        facts,
        path: one_line(&inner.scrub(&what.path), inner.limits.excerpt),
        reason: one_line(&inner.scrub(&what.reason), inner.limits.excerpt),
        excerpt: inner.excerpt(what.body),
    }))
}

/// Why a body did not come whole.
pub(super) enum Broken {
    Off(reqwest::Error),
    TooLarge,
}

pub(super) async fn read_body(
    response: &mut reqwest::Response,
    limit: usize,
) -> Result<Bytes, Broken> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(Broken::TooLarge);
    }
    let Some(first) = response.chunk().await.map_err(Broken::Off)? else {
        return Ok(Bytes::new());
    };
    let mut whole: Option<BytesMut> = None;
    let mut length = first.len();
    while let Some(chunk) = response.chunk().await.map_err(Broken::Off)? {
        length = length.saturating_add(chunk.len());
        if length > limit {
            return Err(Broken::TooLarge);
        }
        whole.get_or_insert_with(|| BytesMut::from(&*first)).extend_from_slice(&chunk);
    }
    if length > limit {
        return Err(Broken::TooLarge);
    }
    Ok(whole.map_or(first, BytesMut::freeze))
}

/// A reply with a status of refusal.
pub(super) struct Refusal {
    pub(super) response: reqwest::Response,
    pub(super) body: Vec<u8>,
}

impl Refusal {
    /// Reads what there is of the body; whatever happens to it, the status counts.
    pub(super) async fn read_body(&mut self, limit: usize, time_left: Duration) {
        let Self { response, body } = self;
        let read = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                let room = limit.saturating_sub(body.len());
                body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if body.len() >= limit {
                    break;
                }
            }
        };
        // Running out of patience leaves what has come so far.
        let _patience = timeout(ERROR_BODY_PATIENCE.min(time_left), read).await;
    }
}

impl Inner {
    pub(super) fn request_id(&self, headers: &HeaderMap) -> Option<Box<str>> {
        let text = headers.get(REQUEST_ID)?.to_str().ok()?;
        Some(one_line(&self.scrub(text), 128).into_boxed_str())
    }

    /// Takes the key out of what a server said: one that echoes it must not put it into a log.
    pub(crate) fn scrub(&self, text: &str) -> String {
        text.replace(self.key.expose(), "[key]")
    }

    fn excerpt(&self, body: &[u8]) -> String {
        let shown = body.get(..self.limits.excerpt).unwrap_or(body);
        let mut text = self.scrub(&unescaped(&String::from_utf8_lossy(shown)));
        // A key that the cut has split is not found: of its beginning nothing may stay.
        let key = self.key.expose();
        let split = (1..key.len()).rev().find(|end| text.ends_with(key.get(..*end).unwrap_or(key)));
        text.truncate(text.len() - split.filter(|_| shown.len() < body.len()).unwrap_or_default());
        one_line(&text, self.limits.excerpt)
    }

    /// Keeps values that repeat the key out of `Debug`.
    pub(crate) fn hide_echoes(&self, headers: &mut HeaderMap) {
        let key = self.key.expose();
        for value in headers.values_mut() {
            if String::from_utf8_lossy(value.as_bytes()).contains(key) {
                value.set_sensitive(true);
            }
        }
    }

    pub(super) fn api_error(&self, facts: CallFacts, body: &[u8]) -> Error {
        let text = std::str::from_utf8(body).ok();
        let json = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        // An escaped spelling of the key shows only once the JSON is parsed: show none of it.
        let echoes = |json: &Value| compact(json).contains(self.key.expose());
        let (mut json, body) =
            if json.as_ref().is_some_and(echoes) { (None, &b""[..]) } else { (json, body) };
        let detail = json.as_mut().and_then(|json| json.get_mut("detail")).map(Value::take);
        let said = json.as_ref().filter(|json| json.is_object() || json.is_array());
        let text = detail.as_ref().or(said).map(readable).unwrap_or_default();
        Error::Api(Box::new(ApiError {
            facts,
            text: one_line(&text, 2 * self.limits.excerpt),
            excerpt: detail.is_none().then(|| self.excerpt(body)),
            detail,
        }))
    }
}

/// Returns text with JSON's escapes of ASCII undone, so that an escaped key is found.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u00");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                plain.push(code.into());
                plain.push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                plain.push_str("\\u00");
                plain.push_str(part);
            }
        }
    }
    plain.replace("\\/", "/")
}
