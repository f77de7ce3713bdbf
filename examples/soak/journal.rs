//! What the client's side says it did, line by line, and what the judge makes of it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// One thing the client's side knows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// A message with this token was sent.
    Sent { token: String, fate: Fate },
    /// A session with this token in its metadata was created.
    Created { token: String, fate: Fate },
    /// A handler ran for a tool call.
    Handled { session: String, call: String },
    /// The tools of a message were run until it was finished.
    ToolsDone { session: String, message: String },
    /// A session's events were delivered in this order, from the first one on.
    Delivered { session: String, events: Vec<String>, through: Through },
    /// There is nothing more to come: judge.
    End,
}

/// What the client says of a request that must happen once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// It happened.
    Done,
    /// It may have happened.
    Unknown,
    /// It did not happen.
    Refused,
}

/// How far a delivery had to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Through {
    /// The end of this message.
    Message(String),
    /// The last event there is.
    All,
    /// Wherever it stopped.
    Anywhere,
}

/// What the service has, held against the journal.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) lost: Vec<String>,
    pub(crate) duplicated: Vec<String>,
    pub(crate) faults: BTreeMap<String, usize>,
    pub(crate) open_streams: usize,
    pub(crate) sessions: usize,
    pub(crate) messages: usize,
    pub(crate) tool_calls: usize,
    pub(crate) events: usize,
}

/// What the service tells when it is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) agent: String,
}

/// The service in a process of its own, so that memory and sockets here are the client's alone.
///
/// The journal is kept there as well.
pub(crate) struct Service {
    process: Child,
    journal: Mutex<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Service {
    pub(crate) fn start(settings: &Settings) -> io::Result<(Self, Ready)> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--service", &serde_json::to_string(settings)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the service has no pipes");
        let journal = Mutex::new(process.stdin.take().ok_or_else(missing)?);
        let answers = BufReader::new(process.stdout.take().ok_or_else(missing)?).lines();
        let mut service = Self { process, journal, answers };
        let ready = service.answer()?;
        Ok((service, ready))
    }

    /// Writes an entry down. Should that fail, the service is gone, which its verdict will tell.
    pub(crate) fn note(&self, entry: &Entry) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let line = serde_json::to_string(entry).unwrap_or_default() + "\n";
        let _gone = journal.write_all(line.as_bytes());
    }

    /// Ends the service, and returns its verdict.
    pub(crate) fn verdict(mut self) -> io::Result<Verdict> {
        self.note(&Entry::End);
        let verdict = self.answer()?;
        self.process.wait()?;
        Ok(verdict)
    }

    fn answer<T: for<'a> Deserialize<'a>>(&mut self) -> io::Result<T> {
        let line = self.answers.next().ok_or_else(|| io::Error::other("the service is gone"))??;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}
