//! A session in memory, as a run of tools sees it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::{ApiError, CallFacts, Error, TransportError};
use crate::events::{Event, NewToolResult};
use crate::ids::{MessageId, SessionId};
use crate::messages::Message;
use crate::sessions::SubmittedToolResult;
use crate::stream::EventStream;
use crate::stream::source::{Chunks, Source, SourceFuture};
use crate::tools::service::{Answer, Service};
use crate::tools::turn::Turn;
use crate::tools::{ToolCallReport, ToolSet};
use crate::transcript::ToolCallItem;

/// The session `sess_1` with the message `msg_1`, shared with the test.
#[derive(Clone)]
pub(super) struct Fake(Arc<Mutex<Inner>>);

/// What the stream does when it is opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Streams {
    Live,
    Refused,
    NeverOpen,
}

type Fault = Box<dyn FnMut(usize) -> Option<Error> + Send>;

pub(super) struct Inner {
    pub(super) status: &'static str,
    pub(super) ledger: Vec<Value>,
    pub(super) open: Vec<String>,
    /// What was asked, in order.
    pub(super) asked: Vec<&'static str>,
    /// The body of every submission, refused ones too.
    pub(super) submitted: Vec<Value>,
    pub(super) streams: Streams,
    /// Faults of submissions, histories and looks, by how many came before.
    pub(super) submit_fault: Fault,
    pub(super) events_fault: Fault,
    pub(super) message_fault: Fault,
    pub(super) transcript_fault: Fault,
    pub(super) transcript: Vec<Value>,
    /// The status once no call is open.
    pub(super) then: &'static str,
    /// How many events were taken from streams.
    pub(super) read: usize,
    wakers: Vec<Waker>,
}

impl Fake {
    /// Returns a session whose message waits for these calls, each a name.
    pub(super) fn waiting_for(names: &[&str]) -> Self {
        let fake = Self(Arc::new(Mutex::new(Inner {
            status: "queued",
            ledger: Vec::new(),
            open: Vec::new(),
            asked: Vec::new(),
            submitted: Vec::new(),
            streams: Streams::Live,
            submit_fault: Box::new(|_| None),
            events_fault: Box::new(|_| None),
            message_fault: Box::new(|_| None),
            transcript_fault: Box::new(|_| None),
            transcript: Vec::new(),
            then: "completed",
            read: 0,
            wakers: Vec::new(),
        })));
        fake.record("user.message", json!({"content": [], "message_id": "msg_1"}));
        fake.set_status("running");
        for (number, name) in names.iter().enumerate() {
            fake.call(&format!("call_{}", number + 1), name);
        }
        if !names.is_empty() {
            fake.set_status("waiting_for_tool");
        }
        fake
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Calls a tool with `{"n": 1}`.
    pub(super) fn call(&self, id: &str, name: &str) {
        self.lock().open.push(id.to_owned());
        let call = json!({
            "message_id": "msg_1", "tool_call_id": id, "tool_name": name, "arguments": {"n": 1},
        });
        self.record("tool.call_requested", call);
    }

    pub(super) fn set_status(&self, status: &'static str) {
        self.lock().status = status;
        let data = json!({"message_id": "msg_1", "status": status});
        self.record("message.status_changed", data);
    }

    /// Adds an event to the ledger, which the stream delivers.
    pub(super) fn record(&self, event_type: &str, data: impl Into<Value>) {
        let (mut inner, data) = (self.lock(), data.into());
        let number = inner.ledger.len() + 1;
        inner.ledger.push(json!({
            "id": format!("evt_{number}"), "session_id": "sess_1", "sequence_number": number,
            "type": event_type, "data": data, "created_at": "2026-04-21T18:40:00Z",
        }));
        inner.wakers.drain(..).for_each(Waker::wake);
    }

    /// Ends a call as the service does, and the message with the last.
    pub(super) fn answer(&self, id: &str, event_type: &str) {
        self.record(event_type, json!({"tool_call_id": id, "message_id": "msg_1"}));
        let then = {
            let mut inner = self.lock();
            inner.open.retain(|open| open != id);
            inner.open.is_empty().then_some(inner.then)
        };
        if let Some(then) = then {
            self.set_status(then);
        }
    }

    pub(super) fn turn(&self, tools: ToolSet) -> Turn {
        let service = Arc::new(self.clone());
        Turn { service, message: "msg_1".parse().unwrap(), tools, after: None }
    }

    /// Runs tools for ten minutes at most.
    pub(super) async fn run(&self, tools: ToolSet) -> Result<Message, Error> {
        self.turn(tools).run(std::time::Duration::from_secs(600)).await
    }

    /// Runs tools until the message is completed.
    pub(super) async fn completes(&self, tools: ToolSet) {
        assert_eq!(self.run(tools).await.unwrap().status.as_str(), "completed");
    }

    pub(super) fn submitted(&self) -> Vec<Value> {
        self.lock().submitted.clone()
    }

    /// Returns the one submission: whether it is an error, and its result.
    #[track_caller]
    pub(super) fn only_answer(&self) -> (bool, Value) {
        let submitted = self.submitted();
        assert_eq!(submitted.len(), 1, "{submitted:?}");
        (submitted[0]["is_error"].as_bool().unwrap(), submitted[0]["result"].clone())
    }

    pub(super) fn asked(&self) -> Vec<&'static str> {
        self.lock().asked.clone()
    }
}

impl Inner {
    fn count(&mut self, what: &'static str) -> usize {
        self.asked.push(what);
        self.asked.iter().filter(|asked| **asked == what).count() - 1
    }

    fn message(&self) -> Message {
        let message = json!({
            "id": "msg_1", "session_id": "sess_1", "sequence_number": 1, "parts": [],
            "status": self.status, "attempt": 1, "created_at": "2026-04-21T18:40:00Z",
        });
        read(&message)
    }
}

impl Service for Fake {
    fn message(&self) -> Answer<Message> {
        let mut inner = self.lock();
        let number = inner.count("message");
        let answer = match (inner.message_fault)(number) {
            Some(error) => Err(error),
            None => Ok(inner.message()),
        };
        Box::pin(async { answer })
    }

    fn events(&self, _: &SessionId, limit: u64) -> Answer<Vec<Event>> {
        let mut inner = self.lock();
        let number = inner.count("events");
        let answer = match (inner.events_fault)(number) {
            Some(error) => Err(error),
            None => Ok(inner.ledger.iter().take(limit as usize).map(read).collect()),
        };
        Box::pin(async { answer })
    }

    fn tool_calls(&self, _: &SessionId) -> Answer<Vec<ToolCallItem>> {
        let mut inner = self.lock();
        let number = inner.count("transcript");
        let answer = match (inner.transcript_fault)(number) {
            Some(error) => Err(error),
            None => Ok(inner.transcript.iter().map(read).collect()),
        };
        Box::pin(async { answer })
    }

    fn submit(&self, _: &SessionId, result: NewToolResult) -> Answer<SubmittedToolResult> {
        let fake = self.clone();
        Box::pin(async move {
            let body = serde_json::to_value(&result).unwrap();
            let id = body["tool_call_id"].as_str().unwrap().to_owned();
            {
                let mut inner = fake.lock();
                let number = inner.count("submit");
                inner.submitted.push(body);
                if let Some(error) = (inner.submit_fault)(number) {
                    return Err(error);
                }
                if !inner.open.contains(&id) {
                    return Err(api(409, "this call has an answer"));
                }
            }
            fake.answer(&id, "tool.result_submitted");
            Ok(SubmittedToolResult::default())
        })
    }

    fn stream(&self, _: &SessionId) -> EventStream {
        EventStream::new(Box::new(self.clone()), 1 << 20)
    }
}

impl Source for Fake {
    fn open(&self, last_event_id: Option<&str>) -> SourceFuture<Box<dyn Chunks>> {
        let mut inner = self.lock();
        inner.count("stream");
        let next = last_event_id.map_or(0, |id| id.trim_start_matches("evt_").parse().unwrap());
        match inner.streams {
            Streams::Refused => Box::pin(async { Err(api(403, "no streams here")) }),
            Streams::NeverOpen => Box::pin(std::future::pending()),
            Streams::Live => {
                let frames = Frames { fake: self.clone(), next };
                Box::pin(async { Ok(Box::new(frames) as Box<dyn Chunks>) })
            }
        }
    }

    fn list(&self, _: u64) -> SourceFuture<Vec<Event>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn is_at_rest(&self, _: Option<u64>, _: Option<&MessageId>) -> SourceFuture<bool> {
        Box::pin(async { Ok(false) })
    }
}

/// The ledger from one event on, and whatever is added to it.
struct Frames {
    fake: Fake,
    next: usize,
}

impl Chunks for Frames {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let mut inner = self.fake.lock();
        let Some(event) = inner.ledger.get(self.next) else {
            inner.wakers.push(context.waker().clone());
            return Poll::Pending;
        };
        self.next += 1;
        let id = event["id"].as_str().unwrap();
        let frame = Bytes::from(format!("id: {id}\ndata: {event}\n\n"));
        inner.read += 1;
        Poll::Ready(Some(Ok(frame)))
    }
}

/// Returns what the service refuses with.
pub(super) fn api(status: u16, text: &str) -> Error {
    let status = Some(StatusCode::from_u16(status).unwrap());
    let facts = CallFacts { operation: "fake", status, ..CallFacts::default() };
    let text = text.to_owned();
    Error::Api(Box::new(ApiError { facts, text, detail: None, excerpt: None }))
}

/// Returns a reply that broke off.
pub(super) fn broken() -> Error {
    let facts = CallFacts { operation: "fake", lost: true, ..CallFacts::default() };
    let what = "the reply broke off";
    Error::Transport(Box::new(TransportError { facts, what, timed_out: false, source: None }))
}

/// Returns a connection that could not be made.
pub(super) fn unconnected() -> Error {
    let Error::Transport(mut error) = broken() else { unreachable!() };
    error.facts.lost = false;
    Error::Transport(error)
}

fn read<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

/// The outcomes that a set of tools has told, each as `name Outcome`.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub(super) fn by(&self, tools: ToolSet) -> ToolSet {
        let told = self.0.clone();
        tools.observe(move |call: &ToolCallReport| {
            let outcome = format!("{:?}", call.outcome);
            let outcome = outcome.split('(').next().unwrap_or_default();
            told.lock().unwrap().push(format!("{} {outcome}", call.tool_name));
        })
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}
