//! The program `dari-emulator`, started by a test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use dari::Client;

use super::raw::PATIENCE;

/// The program at work; dropping it kills it.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    pub(crate) url: String,
}

impl Program {
    /// Starts the program on a free port and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = command(&["--port", "0"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let mut program = Self { child, lines, url: String::new() };
        let line = program.line();
        program.url = line.strip_prefix("dari-emulator listening on ").unwrap().to_owned();
        assert!(program.url.starts_with("http://127.0.0.1:"), "{line}");
        program
    }

    /// Takes over a program whose output is read elsewhere.
    pub(crate) fn of(child: Child, url: &str) -> Self {
        Self { child, lines: channel().1, url: url.to_owned() }
    }

    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of output")
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder("dari_emulator_key").base_url(&*self.url).build().unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the end; returns the code and the lines not read yet.
    #[cfg(unix)]
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(2)),
            }
            assert!(Instant::now() < deadline, "it does not stop");
        };
        (status.code(), self.lines.iter().collect())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dari-emulator"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A behaviour in a file of its own, which goes with it.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new(name: &str, json: &serde_json::Value) -> Self {
        let name = format!("dari-emulator-{}-{name}.json", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, json.to_string()).unwrap();
        Self(path)
    }

    pub(crate) fn agent(&self, name: &str) -> String {
        format!("{name}={}", self.0.display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}
