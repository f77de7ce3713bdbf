//! The tools of an application, by name, and how they are run.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json::RawJson;
use crate::tools::report::{ToolCallOutcome, ToolCallReport};
use crate::tools::request::ToolRequest;

/// The application's tools, each a handler under its name.
///
/// Make it once and use it for every run; a clone costs nothing.
///
/// ```
/// use std::time::Duration;
/// use dari::{ToolRequest, ToolSet, Unregistered};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct LookupTicket { ticket_id: String }
/// #[derive(Serialize)]
/// struct Ticket { priority: &'static str }
///
/// async fn lookup_ticket(args: LookupTicket) -> Result<Ticket, String> {
///     match args.ticket_id.as_str() {
///         "T-1042" => Ok(Ticket { priority: "high" }),
///         other => Err(format!("there is no ticket {other}")),
///     }
/// }
///
/// let tools = ToolSet::new()
///     .on("lookup_ticket", lookup_ticket)
///     .on_raw("echo", |call: ToolRequest| async move { Ok::<_, String>(call.arguments) })
///     .timeout(Duration::from_secs(20))
///     .concurrency(2)
///     .unregistered(Unregistered::AnswerWithError)
///     .observe(|call| eprintln!("{} {:?}: {}", call.tool_name, call.duration, call.outcome));
/// ```
#[derive(Clone)]
#[must_use = "tools do nothing until they are run"]
pub struct ToolSet {
    handlers: BTreeMap<Arc<str>, Handler>,
    pub(super) timeout: Duration,
    pub(super) concurrency: usize,
    pub(super) unregistered: Unregistered,
    observer: Option<Observer>,
}

/// What happens to a call of a tool that has no handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unregistered {
    /// It is left to another process.
    #[default]
    LeavePending,
    /// The model is told that there is no such tool.
    AnswerWithError,
}

type Observer = Arc<dyn Fn(&ToolCallReport) + Send + Sync>;
pub(super) type Handler = Arc<dyn Fn(ToolRequest) -> Handling + Send + Sync>;
pub(super) type Handling = Pin<Box<dyn Future<Output = Result<RawJson, ToolCallOutcome>> + Send>>;

impl ToolSet {
    /// Returns a set without tools.
    pub fn new() -> Self {
        Self {
            handlers: BTreeMap::new(),
            timeout: Duration::from_secs(120),
            concurrency: 8,
            unregistered: Unregistered::default(),
            observer: None,
        }
    }

    /// Adds a tool whose arguments are read as the handler's own type.
    ///
    /// Arguments that do not fit never reach it: the model is told which field is wrong. What it
    /// returns is encoded as JSON; its error is told to the model as text. A name that is taken gets
    /// the new handler.
    pub fn on<A, F, R, T, E>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: fmt::Display,
    {
        let handler = Arc::new(handler);
        self.with(name, move |request: ToolRequest| {
            let handler = handler.clone();
            // All of it is in the future, so that a panic anywhere is caught where that is polled.
            Box::pin(async move {
                let running = match request.parse() {
                    Ok(arguments) => handler(arguments),
                    Err(error) => return Err(ToolCallOutcome::BadArguments(error.to_string())),
                };
                encode(running.await)
            })
        })
    }

    /// Adds a tool that gets the whole call.
    ///
    /// The call's id is the key to make a side effect happen once, should a process die between the
    /// effect and the answer. [`ToolRequest::parse`] reads the arguments.
    pub fn on_raw<F, R, T, E>(self, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(ToolRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: fmt::Display,
    {
        let handler = Arc::new(handler);
        self.with(name, move |request| {
            let handler = handler.clone();
            Box::pin(async move { encode(handler(request).await) })
        })
    }

    /// Sets how long a handler may run. Default 120 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how many handlers of a run may be at work at once. Default 8; 0 counts as 1.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = handlers.max(1);
        self
    }

    /// Sets what happens to calls of other tools. Default: they are left pending.
    ///
    /// Either way it happens once the message waits for a tool: until then the call may be of a tool
    /// that the service runs itself. An agent that calls its own tools and external ones at the same
    /// time makes the message wait with both open: a call of the service's own may then be taken for
    /// one of nobody's, so leave calls pending there.
    pub fn unregistered(mut self, what: Unregistered) -> Self {
        self.unregistered = what;
        self
    }

    /// Calls `observer` with each call that a run is done with.
    ///
    /// It is called between the polls of the handlers, so it must not block. Should it panic, the
    /// panic is caught and ignored: the run and its calls go on.
    pub fn observe(mut self, observer: impl Fn(&ToolCallReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    pub(super) fn handler(&self, name: &str) -> Option<Handler> {
        self.handlers.get(name).cloned()
    }

    pub(super) fn tell(&self, report: &ToolCallReport) {
        if let Some(observer) = &self.observer {
            // Nobody is left to be told, and the calls must not suffer from it.
            let _panic = catch_unwind(AssertUnwindSafe(|| observer(report)));
        }
    }

    fn with<F>(mut self, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(ToolRequest) -> Handling + Send + Sync + 'static,
    {
        self.handlers.insert(name.into().into(), Arc::new(handler));
        self
    }
}

impl Default for ToolSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ToolSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolSet")
            .field("tools", &self.handlers.keys())
            .field("timeout", &self.timeout)
            .field("concurrency", &self.concurrency)
            .field("unregistered", &self.unregistered)
            .finish_non_exhaustive()
    }
}

fn encode<T: Serialize, E: fmt::Display>(given: Result<T, E>) -> Result<RawJson, ToolCallOutcome> {
    let value = given.map_err(|error| ToolCallOutcome::Failed(error.to_string()))?;
    let unencodable = |error| format!("the tool's result cannot be encoded as JSON: {error}");
    RawJson::new(&value).map_err(|error| ToolCallOutcome::Failed(unencodable(error)))
}
