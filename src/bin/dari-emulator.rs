//! The emulator as a program, so that a client in any language can be tried against it.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dari::emulator::{Emulator, EmulatorBuilder, ReceivedRequest, ScriptedAgent};
use lexopt::prelude::{Long, Short, Value, ValueExt};

const HELP: &str = "\
Answers the Dari API on a loopback port, for tests without an account.

Usage: dari-emulator [OPTIONS]

Options:
  --port PORT               the port on 127.0.0.1; 0 is any free one [default: 8787]
  --api-key KEY             the key to accept [default: dari_emulator_key]
  --agent NAME[=BEHAVIOUR]  an agent, and a JSON file of what it does; without one it repeats what
                            it is told; may be given again: the first is agt_1, the next agt_2
                            [default: one agent that repeats what it is told]
  --max-file-bytes N        refuse a larger file with 413 [default: 33554432]
  --print-requests          print a line for every request: method, path, status, fault
  -h, --help                print this text
  -V, --version             print the version

When it is ready it prints one line with its address. It stops at Ctrl-C or SIGTERM, and forgets
everything.";

const DEFAULT_PORT: u16 = 8787;

/// What the command line asks for.
enum Command {
    Print(String),
    Run(Box<EmulatorBuilder>),
}

/// Why the program ends early.
enum Failure {
    /// The command line, or a file it names, is wrong.
    Usage(String),
    /// The machine does not let it run.
    System(String),
}

fn main() -> ExitCode {
    let outcome = match command(lexopt::Parser::from_env()) {
        Ok(Command::Print(text)) => {
            print(&text).map_err(|error| Failure::System(error.to_string()))
        }
        Ok(Command::Run(builder)) => run(*builder),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "dari-emulator: {failure}");
            failure.exit_code()
        }
    }
}

fn command(mut arguments: lexopt::Parser) -> Result<Command, Failure> {
    // Nobody can ask the program for them, and it may run for days.
    let mut builder = Emulator::builder().port(DEFAULT_PORT).requests_kept(0);
    while let Some(argument) = arguments.next()? {
        builder = match argument {
            Short('h') | Long("help") => return Ok(Command::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                return Ok(Command::Print(
                    concat!("dari-emulator ", env!("CARGO_PKG_VERSION")).to_owned(),
                ));
            }
            Long("port") => builder.port(arguments.value()?.parse()?),
            Long("api-key") => builder.api_key(key(arguments.value()?.string()?)?),
            Long("agent") => builder.agent(agent(&arguments.value()?.string()?)?),
            Long("max-file-bytes") => builder.max_file_bytes(arguments.value()?.parse()?),
            Long("print-requests") => builder.on_answer(print_request),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected().into()),
        };
    }
    Ok(Command::Run(Box::new(builder)))
}

fn key(text: String) -> Result<String, Failure> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = "--api-key takes printable ASCII without spaces, and at least one character";
        return Err(Failure::Usage(reason.to_owned()));
    }
    Ok(text)
}

fn agent(text: &str) -> Result<ScriptedAgent, Failure> {
    let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
    if name.is_empty() {
        return Err(Failure::Usage(format!("--agent takes NAME or NAME=BEHAVIOUR, not `{text}`")));
    }
    let Some(file) = file else {
        return Ok(ScriptedAgent::named(name));
    };
    match ScriptedAgent::from_file(file) {
        Ok(agent) => Ok(agent.renamed(name)),
        Err(error) => Err(Failure::Usage(chain(&error))),
    }
}

fn run(builder: EmulatorBuilder) -> Result<(), Failure> {
    let system = |what: &str, error: io::Error| Failure::System(format!("{what}: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| system("cannot start", error))?;
    runtime.block_on(async {
        // Before the line that says it is ready: whoever reads it may stop the program at once.
        let stopped = stop_signal().map_err(|error| system("cannot listen for signals", error))?;
        let emulator = builder.start().await.map_err(|error| system("cannot serve", error))?;
        let line = format!("dari-emulator listening on {}", emulator.url());
        print(&line).map_err(|error| system("cannot print the address", error))?;
        stopped.await;
        end(emulator);
        Ok(())
    })
}

/// Ends the emulator, but waits no longer than 1 s.
///
/// A line that nobody reads can hold up its thread; then the process ends without it.
fn end(emulator: Emulator) {
    let (ended, end) = mpsc::channel::<()>();
    thread::spawn(move || {
        drop(emulator);
        drop(ended);
    });
    let _ = end.recv_timeout(Duration::from_secs(1));
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(poll_fn(move |context| {
        let stopped =
            interrupt.poll_recv(context).is_ready() || terminate.poll_recv(context).is_ready();
        if stopped { Poll::Ready(()) } else { Poll::Pending }
    }))
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Neither headers, which hold the key, nor bodies, queries or tokens of uploads are shown.
fn print_request(request: &ReceivedRequest) {
    let is_upload = request.path().starts_with("/uploads/");
    let path = if is_upload { "/uploads/{token}" } else { request.path() };
    let status = request.status().map_or_else(|| "-".to_owned(), |status| status.to_string());
    let fault = request.fault().map_or_else(String::new, |fault| format!(" {fault}"));
    // Whoever read the lines may have gone: that is no reason to stop serving.
    let _ = print(&format!("{} {path} {status}{fault}", request.method()));
}

/// Prints a line at once.
fn print(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

/// Returns an error and its sources on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(chain).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::System(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(reason) => write!(f, "{reason} (see --help)"),
            Self::System(reason) => f.write_str(reason),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}
