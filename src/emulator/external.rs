//! External tools in a script: calls that the application answers, and what the agent sees of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::script::{Step, Turn, panicked};

/// A call of a tool that the application runs (contract §6).
///
/// ```
/// use std::time::Duration;
/// use dari::emulator::{ExternalCall, Turn};
/// use serde_json::json;
///
/// let ticket = ExternalCall::new("lookup_ticket", json!({"ticket_id": "T-1042"}))
///     .output_schema(json!({"type": "object", "required": ["priority"]}))
///     .timeout(Duration::from_secs(30));
/// let weather = ExternalCall::new("weather", json!({"city": "Oslo"}));
/// let turn = Turn::new().external_tools([ticket, weather]).text("Both are in.");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a call happens when an agent plays a turn that has it"]
pub struct ExternalCall {
    pub(super) name: String,
    pub(super) arguments: Value,
    pub(super) schema: Option<Value>,
    pub(super) timeout: Option<Duration>,
}

/// The results of a turn's tool calls so far.
///
/// [`Turn::then`] hands them to the script, as a model would see them.
#[derive(Clone, Debug)]
pub struct CallResults {
    pub(super) results: Vec<CallResult>,
}

/// The result of one tool call, or its error.
#[derive(Clone, Debug)]
pub struct CallResult {
    pub(super) tool_call_id: String,
    pub(super) tool_name: String,
    pub(super) value: Value,
    pub(super) is_error: bool,
}

/// What a script does once the results are there.
#[derive(Clone)]
pub(super) struct Then(Arc<dyn Fn(&CallResults) -> Turn + Send + Sync>);

impl ExternalCall {
    /// Returns a call of any result that waits without limit.
    ///
    /// `arguments` should be a JSON object, as the contract has it; other JSON is passed on as it is.
    pub fn new(name: impl Into<String>, arguments: Value) -> Self {
        Self { name: name.into(), arguments, schema: None, timeout: None }
    }

    /// Returns the call with a schema for its result.
    ///
    /// A result that does not fit is refused with 422 and the message keeps waiting; an error result
    /// is not checked. Of JSON Schema the emulator knows `type`, `properties`, `required`,
    /// `additionalProperties`, `items`, `enum` and `const`, and `true` and `false` as schemas; it
    /// does not look at any other keyword.
    pub fn output_schema(mut self, schema: Value) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Returns the call with the tool's own time limit.
    ///
    /// Once it has passed, the agent gets a timeout error and the turn goes on.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }
}

impl Turn {
    /// Returns the turn with a call that the application answers.
    ///
    /// The message is `waiting_for_tool` until `tool.result_submitted` brings a result or an error.
    ///
    /// ```
    /// use dari::emulator::Turn;
    /// use serde_json::json;
    ///
    /// let turn = Turn::new()
    ///     .external_tool("lookup_ticket", json!({"ticket_id": "T-1042"}))
    ///     .text("I have seen the ticket.");
    /// ```
    pub fn external_tool(self, name: impl Into<String>, arguments: Value) -> Self {
        self.external_tools([ExternalCall::new(name, arguments)])
    }

    /// Returns the turn with calls that are requested together.
    ///
    /// The turn goes on when all of them are answered, in whatever order.
    pub fn external_tools(self, calls: impl IntoIterator<Item = ExternalCall>) -> Self {
        self.step(Step::External(calls.into_iter().collect()))
    }

    /// Returns the turn with steps that depend on results.
    ///
    /// The function gets the results of all calls of the turn so far. The steps of the turn it
    /// returns come next, then those added after this one. It runs on the emulator's thread, as
    /// [`ScriptedAgent::respond`](super::ScriptedAgent::respond) does.
    ///
    /// ```
    /// use dari::emulator::Turn;
    /// use serde_json::json;
    ///
    /// let turn = Turn::new()
    ///     .external_tool("lookup_ticket", json!({"ticket_id": "T-1042"}))
    ///     .then(|results| match results.of("lookup_ticket") {
    ///         Some(ticket) if !ticket.is_error() => {
    ///             Turn::reply(format!("Its priority is {}.", ticket.value()["priority"]))
    ///         }
    ///         _ => Turn::reply("I could not look it up."),
    ///     });
    /// ```
    pub fn then(self, script: impl Fn(&CallResults) -> Turn + Send + Sync + 'static) -> Self {
        self.step(Step::Then(Then(Arc::new(script))))
    }
}

impl CallResults {
    /// Returns the newest result of the tool with this name.
    #[must_use]
    pub fn of(&self, tool_name: &str) -> Option<&CallResult> {
        self.results.iter().rev().find(|result| result.tool_name == tool_name)
    }

    /// Returns the result of the call with this id.
    #[must_use]
    pub fn of_call(&self, tool_call_id: &str) -> Option<&CallResult> {
        self.results.iter().find(|result| result.tool_call_id == tool_call_id)
    }

    /// Returns all results, in the order of the calls.
    #[must_use]
    pub fn all(&self) -> &[CallResult] {
        &self.results
    }
}

impl CallResult {
    /// Returns the id of the call.
    #[must_use]
    pub fn tool_call_id(&self) -> &str {
        &self.tool_call_id
    }

    /// Returns the name of the tool.
    #[must_use]
    pub fn tool_name(&self) -> &str {
        &self.tool_name
    }

    /// Returns the result or the error; null when nothing was said.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns whether the call failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.is_error
    }
}

impl Then {
    /// Returns the steps that follow from these results.
    pub(super) fn steps(&self, results: &CallResults) -> Vec<Step> {
        let turn = catch_unwind(AssertUnwindSafe(|| (self.0)(results)));
        turn.unwrap_or_else(|_| Turn::new().fail(panicked())).into_steps()
    }
}

impl fmt::Debug for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Then(..)")
    }
}
