//! Faults on request: what a service, or the way to it, does wrong when it is told to.

mod body;
mod chaos;
mod events;
mod kind;
mod perform;
mod plan;
mod route;
mod settings;

use std::ops::Range;
use std::time::Duration;

use serde_json::json;

pub use chaos::Chaos;
pub use kind::FaultKind;
pub(super) use plan::Faults;
pub use route::Route;

/// What a proxy says instead of the service; nothing of it is JSON.
const PAGE: &str = "<!doctype html>\n<title>Down for maintenance</title>\n<h1>Back soon</h1>\n";

/// Something that goes wrong with a request.
///
/// A request has at most one fault: the first that was injected, matches and has times left. Faults
/// stand before the check of the key, as a proxy before the service would.
///
/// | constructor | what the client sees | carried out |
/// |---|---|---|
/// | [`status`](Self::status), [`reply`](Self::reply), [`garbage`](Self::garbage) | another answer | no, unless [`carried_out`](Self::carried_out) |
/// | [`disconnect`](Self::disconnect) | a closed connection | no |
/// | [`no_answer`](Self::no_answer) | the same | yes |
/// | [`delay`](Self::delay) | the answer, late | yes, at once |
/// | [`cut_body_after`](Self::cut_body_after) | the beginning of the answer | yes |
/// | [`end_stream_after`](Self::end_stream_after), [`stall_stream_after`](Self::stall_stream_after), [`repeat_events`](Self::repeat_events), [`skip_events`](Self::skip_events) | a stream that is not as it should be | - |
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use dari::emulator::{Emulator, Fault, FaultKind, Route};
///
/// let emulator = Emulator::start().await?;
/// let client = emulator.client()?;
/// let session = client.sessions().create(&emulator.agent()).await?;
///
/// // The send is carried out, and its answer is lost: the client repeats it under the same key.
/// emulator.inject(Fault::no_answer().on(Route::SendEvents));
/// let sent = client.messages().send(&session.id, "Hello").with_meta().await?;
/// assert_eq!(sent.meta.attempts, 2);
/// assert_eq!(client.messages().list(&session.id).await?.messages.len(), 1);
///
/// assert_eq!(emulator.faults_left(), 0);
/// assert_eq!(emulator.requests()[1].fault(), Some(FaultKind::NoAnswer));
///
/// // The second request for the messages gets an answer of your own making.
/// let odd = Fault::reply(200, "application/json", r#"{"messages": "none"}"#);
/// emulator.inject(odd.on(Route::ListMessages).after(1));
/// client.messages().list(&session.id).await?;
/// let error = client.messages().list(&session.id).await.unwrap_err();
/// assert!(matches!(error, dari::Error::Decode(_)));
///
/// // What else there is.
/// emulator.inject(Fault::disconnect().on(Route::GetSession));
/// emulator.inject(Fault::delay(Duration::from_secs(2)).on(Route::GetTranscript));
/// emulator.inject(Fault::cut_body_after(20).on(Route::GetMessage));
/// emulator.inject(Fault::end_stream_after(3));
/// emulator.inject(Fault::skip_events(1..2));
/// emulator.inject(Fault::status(502).carried_out().on(Route::SendEvents));
/// emulator.inject(Fault::repeat_events(0..2));
/// emulator.inject(Fault::stall_stream_after(5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing goes wrong until the fault is injected"]
pub struct Fault {
    act: Act,
    route: Route,
    skip: usize,
    times: usize,
}

/// What is done to one request.
#[derive(Clone, Debug)]
pub(super) struct Act {
    effect: Effect,
    retry_after: Option<u64>,
    carried_out: bool,
}

#[derive(Clone, Debug)]
enum Effect {
    Reply { status: u16, content_type: String, body: String },
    Delay(Duration),
    CutBody(usize),
    Close,
    Stream(StreamEffect),
}

/// What is done to the events of a stream, which are counted from 0.
#[derive(Clone, Debug)]
enum StreamEffect {
    End(usize),
    Stall(usize),
    Repeat(Range<usize>),
    Skip(Range<usize>),
    /// Leaves out one event from this one on, as soon as another follows at once.
    ///
    /// So a client can see that one is missing.
    SkipOne(usize),
}

impl Fault {
    /// Returns a refusal with this status and a JSON detail.
    ///
    /// A status outside 200 to 599 counts as 500.
    pub fn status(status: u16) -> Self {
        let body = json!({"detail": format!("Injected fault: status {status}")}).to_string();
        Self::reply(status, "application/json", body)
    }

    /// Returns an answer of your own making.
    ///
    /// A status outside 200 to 599 counts as 500; a content type that cannot be a header is left out.
    pub fn reply(status: u16, content_type: impl Into<String>, body: impl Into<String>) -> Self {
        let (content_type, body) = (content_type.into(), body.into());
        Self::new(Effect::Reply { status, content_type, body })
    }

    /// Returns a page of HTML with status 200.
    pub fn garbage() -> Self {
        Self::reply(200, "text/html; charset=utf-8", PAGE)
    }

    /// Returns an answer that comes late.
    ///
    /// The request is carried out at once, and the answer is as of then.
    pub fn delay(time: Duration) -> Self {
        Self::new(Effect::Delay(time))
    }

    /// Returns an answer that breaks off after so many bytes.
    ///
    /// What its head promised does not come: the connection is closed, before the last byte of the
    /// body at the latest. A body without bytes is left as it is.
    pub fn cut_body_after(bytes: usize) -> Self {
        Self::new(Effect::CutBody(bytes))
    }

    /// Returns a request carried out and never answered.
    ///
    /// The connection is closed without a byte.
    pub fn no_answer() -> Self {
        Self::disconnect().carried_out()
    }

    /// Returns a request that is neither carried out nor answered.
    ///
    /// The connection is closed without a byte, so the client cannot tell this from
    /// [`no_answer`](Self::no_answer).
    pub fn disconnect() -> Self {
        Self::new(Effect::Close)
    }

    /// Returns a stream whose body ends after so many events.
    ///
    /// It is a clean end, as of a proxy that limits the time of a connection. For one in the middle
    /// of an event, use [`cut_body_after`](Self::cut_body_after).
    pub fn end_stream_after(events: usize) -> Self {
        Self::on_stream(StreamEffect::End(events))
    }

    /// Returns a stream that is silent after so many events.
    ///
    /// It stays open and sends nothing more, heartbeats included, until the client leaves.
    pub fn stall_stream_after(events: usize) -> Self {
        Self::on_stream(StreamEffect::Stall(events))
    }

    /// Returns a stream that sends some events twice.
    ///
    /// `events` are places on the connection, from 0: `1..3` sends the second and the third again
    /// after the third.
    pub fn repeat_events(events: Range<usize>) -> Self {
        Self::on_stream(StreamEffect::Repeat(events))
    }

    /// Returns a stream that leaves some events out.
    ///
    /// `events` are places on the connection, from 0: `1..3` leaves out the second and the third. A
    /// client can see that only once a later event has come.
    pub fn skip_events(events: Range<usize>) -> Self {
        Self::on_stream(StreamEffect::Skip(events))
    }

    /// Sets what it happens to; the default is any request.
    ///
    /// A fault of streams happens to streams only, whatever the route.
    pub fn on(mut self, route: Route) -> Self {
        self.route = route;
        self
    }

    /// Sets how many matching requests come first; the default is 0.
    ///
    /// They are counted from the moment of injection, those with another fault included.
    pub fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Sets how often it happens; the default is once.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Adds `Retry-After` to the answer, in seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.act.retry_after = Some(seconds);
        self
    }

    /// Has the request carried out all the same.
    pub fn carried_out(mut self) -> Self {
        self.act.carried_out = true;
        self
    }

    /// Returns whether there is a request that it could happen to.
    pub(super) fn can_happen(&self) -> bool {
        !matches!(self.act.effect, Effect::Stream(_)) || self.route.may_be_a_stream()
    }

    fn new(effect: Effect) -> Self {
        let act = Act { effect, retry_after: None, carried_out: false };
        Self { act, route: Route::Any, skip: 0, times: 1 }
    }

    fn on_stream(effect: StreamEffect) -> Self {
        Self::new(Effect::Stream(effect)).on(Route::StreamEvents)
    }
}

impl Act {
    pub(super) fn kind(&self) -> FaultKind {
        match &self.effect {
            Effect::Reply { status: 200..300, .. } => FaultKind::Garbage,
            Effect::Reply { .. } => FaultKind::Status,
            Effect::Delay(_) => FaultKind::Delay,
            Effect::CutBody(_) => FaultKind::CutBody,
            Effect::Close if self.carried_out => FaultKind::NoAnswer,
            Effect::Close => FaultKind::Disconnect,
            Effect::Stream(StreamEffect::End(_)) => FaultKind::EndStream,
            Effect::Stream(StreamEffect::Stall(_)) => FaultKind::StallStream,
            Effect::Stream(StreamEffect::Repeat(_)) => FaultKind::RepeatEvents,
            Effect::Stream(StreamEffect::Skip(_) | StreamEffect::SkipOne(_)) => {
                FaultKind::SkipEvents
            }
        }
    }
}
