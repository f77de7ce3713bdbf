//! Handlers and answers under way; they run only while the run itself is polled.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Aborted, abortable};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout};

use crate::error::Error;
use crate::events::Event;
use crate::ids::{MessageId, SessionId};
use crate::json::RawJson;
use crate::status::MessageStatus;
use crate::tools::attend::{Attended, Called, attend};
use crate::tools::book::{Book, News, Stand, news};
use crate::tools::deliver::answer;
use crate::tools::report::{ToolCallOutcome, ToolCallReport};
use crate::tools::request::ToolRequest;
use crate::tools::service::Service;
use crate::tools::set::{ToolSet, Unregistered};

/// How many calls wait for a free place before the stream is left unread.
const MOST_WAITING: usize = 64;
/// How many calls a message may have; no turn needs as many, and a server could send them for ever.
const MOST_CALLS: usize = 10_000;
/// How long a finished message waits for the replies to its last answers.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// The tool calls of one message, and all that is done about them.
pub(super) struct Crew {
    service: Arc<dyn Service>,
    session: SessionId,
    message: MessageId,
    tools: ToolSet,
    book: Book,
    queue: VecDeque<Called>,
    /// Calls without a handler, about which nothing was done yet.
    foreign: Vec<ToolRequest>,
    /// Whether the message waits for a tool.
    waits: bool,
    /// The number of the event that said so.
    newest_status: Option<u64>,
    attending: usize,
    work: FuturesUnordered<Pin<Box<dyn Future<Output = Done> + Send>>>,
    fatal: Option<Error>,
}

/// A piece of work that is done.
enum Done {
    /// A call was looked after.
    Attended(Attended),
    /// A call was answered elsewhere while its handler ran.
    Dropped(ToolRequest, Duration),
    /// An answer has arrived, or never will.
    Answered(ToolRequest, Duration, ToolCallOutcome),
}

impl Crew {
    pub(super) fn new(
        service: Arc<dyn Service>,
        tools: ToolSet,
        (session, message): (SessionId, MessageId),
    ) -> Self {
        Self {
            service,
            session,
            message,
            tools,
            book: Book::default(),
            queue: VecDeque::new(),
            foreign: Vec::new(),
            waits: false,
            newest_status: None,
            attending: 0,
            work: FuturesUnordered::new(),
            fatal: None,
        }
    }

    /// Returns what the history of these calls is asked of.
    pub(super) fn place(&self) -> (Arc<dyn Service>, SessionId) {
        (self.service.clone(), self.session.clone())
    }

    /// Returns whether there is room for more calls.
    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < MOST_WAITING
    }

    /// Does what can be done now; returns the error that ends the run, if there is one.
    ///
    /// That is the service taking no answer of this key, or a message with calls without end.
    #[inline]
    pub(super) fn poll_work(&mut self, context: &mut Context<'_>) -> Option<Error> {
        while self.fatal.is_none() {
            let Poll::Ready(Some(done)) = self.work.poll_next_unpin(context) else { break };
            match done {
                Done::Attended(attended) => {
                    self.attending -= 1;
                    self.attended(attended);
                }
                Done::Dropped(request, duration) => {
                    self.attending -= 1;
                    self.close(request, duration, ToolCallOutcome::AnsweredElsewhere);
                }
                Done::Answered(request, duration, outcome) => {
                    self.close(request, duration, outcome);
                }
            }
            self.act();
        }
        self.fatal.take()
    }

    /// Drops what is not needed any more, and learns what became of the answers under way.
    pub(super) async fn finish(&mut self) {
        self.queue.clear();
        self.foreign.clear();
        self.book.drop_running();
        let done = poll_fn(|context| {
            let ended = self.poll_work(context).is_some();
            if ended || self.work.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        });
        // The message is final: nothing but a report is lost with an answer that takes longer.
        let _patience = timeout(LAST_PATIENCE, done).await;
    }

    /// Returns whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.work.is_empty()
    }

    /// Takes note of an event; returns the message's status, if it tells that.
    #[inline]
    pub(super) fn note(&mut self, event: &Event) -> Option<MessageStatus> {
        match news(event, &self.message) {
            News::None => {}
            News::Answered(id) => self.book.answered(&id),
            News::AnsweredIfKnown(id) => {
                self.book.answered_if_known(&id, event.sequence_number);
            }
            News::Requested(called) => self.requested(called, event.sequence_number),
            News::Status(status) => {
                // Replays come as well, and say what has long been over.
                // One without a number cannot be placed: what the message itself says counts then.
                if event.sequence_number.is_some() && event.sequence_number >= self.newest_status {
                    self.newest_status = event.sequence_number;
                    self.waits = status == MessageStatus::WaitingForTool;
                }
                return Some(status);
            }
        }
        None
    }

    /// Takes the message's own word on whether it waits for a tool, where no event has told.
    pub(super) fn message_says(&mut self, status: &MessageStatus) {
        if self.newest_status.is_none() {
            self.waits = *status == MessageStatus::WaitingForTool;
        }
    }

    /// Acts on what was noted: starts what there is room for, and settles what has no handler.
    #[inline]
    pub(super) fn act(&mut self) {
        while self.attending < self.tools.concurrency {
            let Some(called) = self.queue.pop_front() else { break };
            if self.book.is_waiting(&called.id) {
                self.attend(called);
            }
        }
        if self.waits {
            std::mem::take(&mut self.foreign).into_iter().for_each(|call| self.settle(call));
        }
    }

    fn requested(&mut self, called: Called, number: Option<u64>) {
        if !self.book.open(&called.id, number) {
            return;
        }
        if self.book.calls() > MOST_CALLS {
            let what = format!("the message has more than {MOST_CALLS} tool calls");
            self.fatal = Some(Error::stream(what, None));
        }
        match &called.name {
            Some(name) if self.tools.handler(name).is_none() => {
                let request = called.request(&self.session, &self.message);
                self.put_aside(request);
            }
            _ => self.queue.push_back(called),
        }
    }

    fn put_aside(&mut self, mut request: ToolRequest) {
        // Nobody here reads them, and they may be large.
        request.arguments = RawJson::empty_object();
        self.book.set(&request.tool_call_id, Stand::Foreign);
        self.foreign.push(request);
    }

    /// Deals with a call that has no handler, unless it has been answered meanwhile.
    #[inline]
    fn settle(&mut self, request: ToolRequest) {
        if !self.book.is_foreign(&request.tool_call_id) {
            return;
        }
        match self.tools.unregistered {
            Unregistered::LeavePending => {
                self.close(request, Duration::ZERO, ToolCallOutcome::LeftPending);
            }
            Unregistered::AnswerWithError => {
                self.answer(request, Duration::ZERO, Err(ToolCallOutcome::Unregistered));
            }
        }
    }

    #[inline]
    fn attend(&mut self, called: Called) {
        let place = (self.session.clone(), self.message.clone());
        let request = called.request(&self.session, &self.message);
        let attend = attend(self.service.clone(), self.tools.clone(), (called, place));
        let (attending, handle) = abortable(attend);
        self.book.set(&request.tool_call_id, Stand::Running(handle));
        self.attending += 1;
        self.work.push(Box::pin(async move {
            let started = Instant::now();
            match attending.await {
                Ok(attended) => Done::Attended(attended),
                Err(Aborted) => Done::Dropped(request, started.elapsed()),
            }
        }));
    }

    #[inline]
    fn answer(
        &mut self,
        request: ToolRequest,
        duration: Duration,
        given: Result<RawJson, ToolCallOutcome>,
    ) {
        self.book.set(&request.tool_call_id, Stand::Answering);
        let service = self.service.clone();
        self.work.push(Box::pin(async move {
            let outcome = answer(&*service, &request, given).await;
            Done::Answered(request, duration, outcome)
        }));
    }

    #[inline]
    fn attended(&mut self, attended: Attended) {
        match attended {
            Attended::Ran(request, duration, given) => self.answer(request, duration, given),
            Attended::Foreign(request) => self.put_aside(request),
            // The next history brings it again.
            Attended::Unknown(request, error) if error.is_retryable() => {
                self.book.forget(&request.tool_call_id);
            }
            Attended::Unknown(request, error)
                if error.is_unauthorized() || error.is_forbidden() =>
            {
                self.close(request, Duration::ZERO, ToolCallOutcome::Undelivered(error));
            }
            Attended::Unknown(request, error) => self.unreadable(request, error.to_string()),
            Attended::Unreadable(request, why) => self.unreadable(request, why),
        }
    }

    #[inline]
    fn unreadable(&mut self, request: ToolRequest, why: String) {
        self.answer(request, Duration::ZERO, Err(ToolCallOutcome::Unreadable(why)));
    }

    fn close(&mut self, request: ToolRequest, duration: Duration, outcome: ToolCallOutcome) {
        self.book.set(&request.tool_call_id, Stand::Closed);
        let ToolRequest { session_id, message_id, tool_call_id, tool_name, .. } = request;
        let report =
            ToolCallReport { session_id, message_id, tool_call_id, tool_name, duration, outcome };
        self.tools.tell(&report);
        match report.outcome {
            ToolCallOutcome::Undelivered(error)
                if error.is_unauthorized() || error.is_forbidden() =>
            {
                self.fatal = Some(error);
            }
            _ => {}
        }
    }
}
