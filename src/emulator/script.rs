//! What agents do in their turns, scripted in Rust.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::cost::Decimal;
use super::external::{ExternalCall, Then};
use super::fault::Fault;

/// An agent that follows a script instead of a model.
///
/// ```
/// use std::time::Duration;
/// use dari::emulator::{ScriptedAgent, Turn};
/// use serde_json::json;
///
/// let replying = ScriptedAgent::named("support-agent").respond(|input| {
///     Turn::new()
///         .delay(Duration::from_millis(50))
///         .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), json!({"priority": "high"}))
///         .text(format!("You wrote: {}", input.text()))
/// });
/// let fixed = ScriptedAgent::named("greeter").turns([Turn::reply("Hello."), Turn::reply("Again?")]);
/// ```
#[derive(Clone)]
pub struct ScriptedAgent {
    name: String,
    script: Script,
    /// What a behaviour file wants to go wrong in the whole emulator.
    faults: Vec<Fault>,
}

/// One turn: what an agent does with one message.
///
/// The steps happen in the order they were added. A turn without a delay is over at the next
/// request the emulator receives, or right after it where a webhook is set, but never within the
/// answer to the send.
#[derive(Clone, Debug, Default)]
#[must_use = "a turn does nothing until an agent plays it"]
pub struct Turn {
    steps: Vec<Step>,
}

/// The user's message that opened a turn.
#[derive(Clone, Debug)]
pub struct TurnInput {
    pub(super) content: Vec<Value>,
    pub(super) metadata: Option<Value>,
    pub(super) session_id: String,
    pub(super) number: u64,
}

/// One thing an agent does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Text(String),
    File(String, Bytes),
    Tool(ToolStep),
    /// Calls requested together; the application answers them.
    External(Vec<ExternalCall>),
    Then(Then),
    Delay(Duration),
    Cost(Decimal),
    Fail(Value),
}

/// A tool the agent calls and runs itself.
#[derive(Clone, Debug)]
pub(super) struct ToolStep {
    pub(super) name: String,
    pub(super) arguments: Value,
    pub(super) outcome: Result<Value, Value>,
}

#[derive(Clone)]
enum Script {
    Echo,
    Respond(Arc<dyn Fn(&TurnInput) -> Turn + Send + Sync>),
    Turns(Vec<Turn>),
}

impl ScriptedAgent {
    /// Returns an agent that repeats the user's text.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, ScriptedAgent};
    ///
    /// let parrot = ScriptedAgent::echo().renamed("parrot");
    /// let emulator = Emulator::builder().agent(parrot).start().await?;
    /// assert_eq!(emulator.client()?.agents().list().await?.agents[0].name, "parrot");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn echo() -> Self {
        Self::named("echo-agent")
    }

    /// Returns an agent of this name; it echoes until scripted.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), script: Script::Echo, faults: Vec::new() }
    }

    /// Returns the agent with a function that plays each turn.
    ///
    /// The function runs on the emulator's thread, once a turn, when the turn starts. If it panics,
    /// the message fails; if it blocks, it holds up every answer and the drop of the emulator: use
    /// [`Turn::delay`] to let time pass.
    #[must_use]
    pub fn respond(mut self, script: impl Fn(&TurnInput) -> Turn + Send + Sync + 'static) -> Self {
        self.script = Script::Respond(Arc::new(script));
        self
    }

    /// Returns the agent with fixed turns, in order.
    ///
    /// Each session starts with the first; the last one repeats.
    #[must_use]
    pub fn turns(mut self, turns: impl IntoIterator<Item = Turn>) -> Self {
        self.script = Script::Turns(turns.into_iter().collect());
        self
    }

    /// Returns the agent under another name.
    #[must_use]
    pub fn renamed(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(super) fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    pub(super) fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the steps of the turn that answers `input`.
    pub(super) fn play(&self, input: &TurnInput) -> Vec<Step> {
        let turn = match &self.script {
            Script::Echo => Turn::reply(input.text()),
            Script::Respond(script) => catch_unwind(AssertUnwindSafe(|| script(input)))
                .unwrap_or_else(|_| Turn::new().fail(panicked())),
            Script::Turns(turns) => {
                let index = usize::try_from(input.number).unwrap_or(usize::MAX).saturating_sub(1);
                turns.get(index).or(turns.last()).cloned().unwrap_or_default()
            }
        };
        turn.steps
    }
}

impl fmt::Debug for ScriptedAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedAgent").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Turn {
    /// Returns a turn that says and does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a turn that answers with this text.
    pub fn reply(text: impl Into<String>) -> Self {
        Self::new().text(text)
    }

    /// Returns the turn with a text part added.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.step(Step::Text(text.into()))
    }

    /// Returns the turn with a tool call that succeeds.
    ///
    /// `arguments` should be a JSON object, as the contract has it; other JSON is passed on as it is.
    /// A result that is a string becomes the text of the tool result, any other JSON is written out.
    pub fn tool_call(self, name: impl Into<String>, arguments: Value, result: Value) -> Self {
        self.step(Step::Tool(ToolStep { name: name.into(), arguments, outcome: Ok(result) }))
    }

    /// Returns the turn with a tool call that fails.
    ///
    /// The turn goes on: the error is what the model was told. End a turn with [`Turn::fail`].
    ///
    /// ```
    /// use dari::emulator::Turn;
    /// use serde_json::json;
    ///
    /// let turn = Turn::new()
    ///     .failed_tool_call("lookup", json!({"id": "T-9"}), json!({"message": "no such ticket"}))
    ///     .text("There is no T-9.");
    /// ```
    pub fn failed_tool_call(self, name: impl Into<String>, arguments: Value, error: Value) -> Self {
        self.step(Step::Tool(ToolStep { name: name.into(), arguments, outcome: Err(error) }))
    }

    /// Returns the turn with a file written to the session's workspace.
    ///
    /// The path is relative to `/workspace`; a file of the same path is replaced. It stands in the
    /// archive as it is given, also one that nobody should unpack.
    ///
    /// ```
    /// use dari::emulator::Turn;
    ///
    /// let turn = Turn::new().file("out/report.md", "# Report\n").text("It is in out/report.md.");
    /// ```
    pub fn file(self, path: impl Into<String>, contents: impl Into<Bytes>) -> Self {
        self.step(Step::File(path.into(), contents.into()))
    }

    /// Returns the turn with a pause before what comes next.
    pub fn delay(self, pause: Duration) -> Self {
        self.step(Step::Delay(pause))
    }

    /// Returns the turn with an end in failure.
    ///
    /// `error` becomes `output.error`. Steps added after this one never happen.
    pub fn fail(self, error: Value) -> Self {
        self.step(Step::Fail(error))
    }

    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

impl TurnInput {
    /// Returns the text blocks, joined by line breaks.
    #[must_use]
    pub fn text(&self) -> String {
        let blocks = self.content.iter().filter(|block| block.get("type") == Some(&json!("text")));
        let texts: Vec<&str> =
            blocks.filter_map(|block| block.get("text").and_then(Value::as_str)).collect();
        texts.join("\n")
    }

    /// Returns the content blocks as JSON.
    #[must_use]
    pub fn content(&self) -> &[Value] {
        &self.content
    }

    /// Returns the metadata sent with the message.
    #[must_use]
    pub fn metadata(&self) -> Option<&Value> {
        self.metadata.as_ref()
    }

    /// Returns the id of the session.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Returns which turn of the session this is, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// Returns the error of a message whose script panicked.
pub(super) fn panicked() -> Value {
    json!({"type": "script_panicked", "message": "the agent's script panicked"})
}
