//! How often a wait looks beside the stream; the clock is paused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::Instant;

use super::{Ends, Follow};
use crate::error::{ApiError, CallFacts, Error};
use crate::events::Event;
use crate::ids::MessageId;
use crate::poll::{Look, Patience, Watch, until_final};
use crate::retry::Delays;
use crate::stream::EventStream;
use crate::stream::source::{Chunks, Source, SourceFuture};

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// What the session's server does with every connection.
#[derive(Clone, Copy)]
enum Server {
    NeverAnswers,
    IsSilent,
    /// Another message's turns go by, with two events a second.
    IsBusyElsewhere,
    Refuses,
    EndsTheMessage,
}

impl Source for Server {
    fn open(&self, _: Option<&str>) -> SourceFuture<Box<dyn Chunks>> {
        let chunks: Box<dyn Chunks> = match self {
            Self::NeverAnswers => return Box::pin(std::future::pending()),
            Self::Refuses => return Box::pin(async { Err(refused()) }),
            Self::IsSilent => Box::new(Frames::new([])),
            Self::IsBusyElsewhere => Box::new(Frames::new((1..=1_200).map(|n| frame(n, "msg_2")))),
            Self::EndsTheMessage => Box::new(Frames::new([frame(1, "msg_1")])),
        };
        Box::pin(async { Ok(chunks) })
    }

    fn list(&self, _: u64) -> SourceFuture<Vec<Event>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn is_at_rest(&self, _: Option<u64>, _: Option<&MessageId>) -> SourceFuture<bool> {
        Box::pin(async { Ok(false) })
    }
}

fn refused() -> Error {
    let status = Some(StatusCode::FORBIDDEN);
    let facts = CallFacts { operation: "sessions.stream", status, ..CallFacts::default() };
    Error::Api(Box::new(ApiError { facts, text: String::new(), detail: None, excerpt: None }))
}

fn frame(number: u64, message: &str) -> Bytes {
    let data = format!(r#"{{"message_id":"{message}","status":"completed"}}"#);
    Bytes::from(format!(
        r#"data: {{"id":"evt_{number}","session_id":"s","sequence_number":{number},"type":"message.status_changed","data":{data},"created_at":"2026-04-21T18:40:00Z"}}{end}"#,
        end = "\n\n"
    ))
}

/// A frame every half second; then silence.
struct Frames {
    left: VecDeque<Bytes>,
    next: std::pin::Pin<Box<tokio::time::Sleep>>,
}

impl Frames {
    const PACE: Duration = Duration::from_millis(500);

    fn new(frames: impl IntoIterator<Item = Bytes>) -> Self {
        let next = Box::pin(tokio::time::sleep(Self::PACE));
        Self { left: frames.into_iter().collect(), next }
    }
}

impl Chunks for Frames {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.left.is_empty() {
            return Poll::Pending;
        }
        std::task::ready!(self.next.as_mut().poll(context));
        self.next.as_mut().reset(Instant::now() + Self::PACE);
        Poll::Ready(self.left.pop_front().map(Ok))
    }
}

/// A message that is never final, and the moments it was looked at.
struct Endless {
    follow: Follow,
    looks: Arc<Mutex<Vec<Duration>>>,
    started: Instant,
}

impl Watch for Endless {
    type Seen = ();

    async fn look(&mut self, _: Duration) -> Result<Look<()>, Error> {
        self.looks.lock().unwrap().push(self.started.elapsed());
        Ok(Look::Pending((), String::new()))
    }

    async fn pause(&mut self, delay: Duration) {
        self.follow.wait(delay, &"msg_1".parse().unwrap(), Ends::WhenTerminal).await;
    }
}

/// Waits ten minutes, and returns when it looked.
async fn looks(server: Server, delays: Delays) -> Vec<Duration> {
    let stream = EventStream::new(Box::new(server), 1 << 20);
    let looks = Arc::new(Mutex::new(Vec::new()));
    let follow = Follow::Stream(Box::new(stream));
    let watch = Endless { follow, looks: looks.clone(), started: Instant::now() };
    let patience = Patience { operation: "messages.wait", limit: TEN_MINUTES, delays };
    let error = until_final(patience, watch).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let looks = looks.lock().unwrap();
    looks.clone()
}

#[tokio::test(start_paused = true)]
async fn a_wait_looks_at_most_every_30_s_beside_a_stream_that_tells_nothing() {
    for server in [Server::NeverAnswers, Server::IsSilent, Server::IsBusyElsewhere] {
        let looks = looks(server, Delays::default_polling()).await;
        assert!(looks.len() <= 20, "{} looks in ten minutes", looks.len());
        let apart = looks.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(apart.min().unwrap() >= Duration::from_secs(30), "{looks:?}");
        assert!(looks.len() >= 19, "the safety net is there: {looks:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_interval_between_polls_is_kept_beside_the_stream() {
    let minutes = Delays::polling(Duration::from_secs(120), Duration::from_secs(120));
    let looks = looks(Server::IsSilent, minutes).await;
    assert!((5..=7).contains(&looks.len()), "{looks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_whose_stream_fails_for_good_polls_as_if_there_were_none() {
    let looks = looks(Server::Refuses, Delays::default_polling()).await;
    // At once, then after delays that grow from 250 ms to 5 s.
    assert!((120..=160).contains(&looks.len()), "{} looks", looks.len());
    let apart = looks.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(apart.max().unwrap() <= Duration::from_secs(6), "{looks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_lags_behind_the_stream_is_soon_repeated_also_at_an_interval_of_an_hour() {
    let hour = Delays::polling(Duration::from_secs(3600), Duration::from_secs(3600));
    let looks = looks(Server::EndsTheMessage, hour).await;
    assert!(looks[1] < Duration::from_secs(1), "told at once: {looks:?}");
    assert!(looks[2] < Duration::from_secs(2), "and again soon: {looks:?}");
    assert!((120..=160).contains(&looks.len()), "then at most every 5 s: {}", looks.len());
}
