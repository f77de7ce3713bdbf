//! What an agent does, and what goes wrong, from a JSON file.

mod faults;
mod steps;
mod template;

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::external::CallResults;
use super::script::{ScriptedAgent, Turn, TurnInput};
use faults::FaultEntry;
use steps::Step;
use template::Known;

/// The name of an agent whose behaviour does not give one.
const DEFAULT_NAME: &str = "scripted-agent";

/// A behaviour that cannot be used, and where it is wrong.
///
/// `Display` is one line, such as ``support.json: turns[0][1].tool_call.nmae: unknown field `nmae`,
/// expected one of ...``.
#[derive(Debug)]
pub struct BehaviourError {
    file: Option<PathBuf>,
    place: String,
    reason: String,
    source: Option<io::Error>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected an object")]
struct Behaviour {
    name: Option<String>,
    turns: Option<Turns>,
    #[serde(default)]
    faults: Vec<FaultEntry>,
}

#[derive(Deserialize)]
#[serde(try_from = "Vec<Vec<Step>>")]
struct Turns(Vec<Vec<Step>>);

impl ScriptedAgent {
    /// Returns an agent with the behaviour in this JSON text.
    ///
    /// The [guide](crate::emulator::guide) has the format. The faults in it happen in the whole
    /// emulator that the agent is given to.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, ScriptedAgent};
    ///
    /// let agent = ScriptedAgent::from_json(
    ///     r#"{
    ///         "name": "support-agent",
    ///         "turns": [[
    ///             {"delay_ms": 20},
    ///             {"tool_call": {"name": "lookup", "arguments": {"id": "T-1"}, "result": {"priority": "high"}}},
    ///             {"text": "You said: {{input}}"}
    ///         ]],
    ///         "faults": [{"status": 503, "retry_after": 0, "on": "get_message"}]
    ///     }"#,
    /// )?;
    /// let emulator = Emulator::builder().agent(agent).start().await?;
    /// let client = emulator.client()?;
    /// let sent = client.agents().send_message(&emulator.agent(), "Hello").await?;
    /// let message = client.messages().wait(&sent.message.id).await?;
    /// assert_eq!(message.text(), "You said: Hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or a field is unknown, missing or wrong: the error names its place.
    pub fn from_json(text: &str) -> Result<Self, BehaviourError> {
        read(text, DEFAULT_NAME)
    }

    /// Returns an agent with the behaviour in this file.
    ///
    /// Without a `name` in it, the agent has the file's name without its extension.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, and as [`from_json`](Self::from_json) has it.
    ///
    /// ```no_run
    /// use dari::emulator::ScriptedAgent;
    ///
    /// let agent = ScriptedAgent::from_file("tests/support.json")?;
    /// # Ok::<(), dari::emulator::BehaviourError>(())
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BehaviourError> {
        let path = path.as_ref();
        let named = |error| BehaviourError { file: Some(path.to_owned()), ..error };
        let text = fs::read_to_string(path).map_err(|error| named(BehaviourError::io(error)))?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        read(&text, stem.as_deref().unwrap_or(DEFAULT_NAME)).map_err(named)
    }
}

impl BehaviourError {
    /// Returns the field that is wrong, such as `turns[0][1].text`.
    ///
    /// Empty for the file as a whole.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    fn io(error: io::Error) -> Self {
        let reason = "cannot be read".to_owned();
        Self { file: None, place: String::new(), reason, source: Some(error) }
    }
}

impl fmt::Display for BehaviourError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}: ", file.display())?,
            None => f.write_str("behaviour: ")?,
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.reason)
    }
}

impl Error for BehaviourError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

impl Behaviour {
    fn into_agent(self, default_name: &str) -> ScriptedAgent {
        let agent = ScriptedAgent::named(self.name.as_deref().unwrap_or(default_name));
        let faults = self.faults.into_iter().map(|entry| entry.0).collect();
        let agent = agent.with_faults(faults);
        match self.turns {
            None => agent,
            Some(turns) => agent.respond(move |input| turns.turn(input)),
        }
    }
}

impl Turns {
    /// Returns the turn that answers `input`; the last one repeats.
    fn turn(&self, input: &TurnInput) -> Turn {
        let place = usize::try_from(input.number()).unwrap_or(usize::MAX).saturating_sub(1);
        let steps = self.0.get(place).or(self.0.last()).map(Vec::as_slice).unwrap_or_default();
        // Steps behind an external call wait for its results, in which they may have a part.
        let first = steps.iter().position(Step::is_external).map_or(steps.len(), |at| at + 1);
        let (now, later) = steps.split_at_checked(first).unwrap_or((steps, &[]));
        let turn = play(now, input, &CallResults { results: Vec::new() });
        later.iter().cloned().fold(turn, |turn, step| {
            let input = input.clone();
            turn.then(move |results| play(std::slice::from_ref(&step), &input, results))
        })
    }
}

impl TryFrom<Vec<Vec<Step>>> for Turns {
    type Error = &'static str;

    fn try_from(turns: Vec<Vec<Step>>) -> Result<Self, Self::Error> {
        if turns.is_empty() { Err("must hold a turn, or be left out") } else { Ok(Self(turns)) }
    }
}

fn play(steps: &[Step], input: &TurnInput, results: &CallResults) -> Turn {
    let known = Known { input, results };
    steps.iter().fold(Turn::new(), |turn, step| step.add_to(turn, &known))
}

fn read(text: &str, default_name: &str) -> Result<ScriptedAgent, BehaviourError> {
    let wrong = |place: String, reason: String| {
        let place = if place == "." { String::new() } else { place };
        BehaviourError { file: None, place, reason, source: None }
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let behaviour = serde_path_to_error::deserialize::<_, Behaviour>(&mut json)
        .map_err(|error| wrong(error.path().to_string(), error.inner().to_string()))?;
    json.end().map_err(|error| wrong(String::new(), error.to_string()))?;
    Ok(behaviour.into_agent(default_name))
}

#[cfg(test)]
mod tests;
