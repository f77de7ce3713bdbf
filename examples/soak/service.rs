//! The other process: an emulator that goes wrong at random, and the judge of what became of it.

use std::io::{BufRead, stdin};
use std::time::Duration;

use dari::emulator::{Chaos, Emulator, ExternalCall, Fault, FaultKind, Route, ScriptedAgent, Turn};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::Outcome;
use crate::journal::{Entry, Ready, Verdict};
use crate::judge::{Books, Ledger};
use crate::settings::Settings;

/// How many entries of the journal lie between two faults that a client cannot know the end of.
const BETWEEN_HARMS: usize = 40;
/// The log of requests is not needed here, and would grow without end.
const BETWEEN_CLEARINGS: usize = 1_000;

pub(crate) fn serve(settings: &Settings) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let chaos = Chaos::seeded(settings.seed).rate(settings.rate);
    let silence = settings.is_long().then_some(FaultKind::StallStream);
    let emulator = Emulator::builder()
        .agent(agent())
        .heartbeat(Duration::from_millis(200))
        .inject_chaos(chaos.only(KINDS.into_iter().chain(silence)));
    let emulator = runtime.block_on(emulator.start())?;
    let (url, key) = (emulator.url().to_owned(), emulator.api_key().to_owned());
    let ready = Ready { url, key, agent: emulator.agent().to_string() };
    println!("{}", serde_json::to_string(&ready)?);
    let books = keep_books(&emulator, settings.seed)?;
    let verdict = runtime.block_on(judge(&emulator, &books))?;
    println!("{}", serde_json::to_string(&verdict)?);
    Ok(())
}

/// All that random faults are made of, but silent streams.
const KINDS: [FaultKind; 8] = [
    FaultKind::Status,
    FaultKind::Delay,
    FaultKind::CutBody,
    FaultKind::NoAnswer,
    FaultKind::Disconnect,
    FaultKind::EndStream,
    FaultKind::RepeatEvents,
    FaultKind::SkipEvents,
];

/// Reads the journal to its end, and does harm now and then.
fn keep_books(emulator: &Emulator, seed: u64) -> Outcome<Books> {
    let mut random = Rng::with_seed(seed);
    let mut books = Books::default();
    for (line, number) in stdin().lock().lines().zip(1..) {
        let entry = serde_json::from_str(&line?)?;
        if matches!(entry, Entry::End) {
            return Ok(books);
        }
        books.note(entry);
        if number % BETWEEN_HARMS == 0 && emulator.faults_left() < 3 {
            emulator.inject(harm(&mut random));
        }
        if number % BETWEEN_CLEARINGS == 0 {
            emulator.clear_requests();
        }
    }
    Err("the driving process is gone".into())
}

/// Returns a fault of a request that must not happen twice.
///
/// A keyed send survives it. Of any other the client has to say that it may have happened.
fn harm(random: &mut Rng) -> Fault {
    let routes = [
        Route::SendAgentMessage,
        Route::CreateSession,
        Route::SendEvents,
        Route::UploadFile,
        Route::CreateBatch,
    ];
    let fault = match random.u8(..6) {
        0 | 1 => Fault::no_answer(),
        2 => Fault::disconnect(),
        3 => Fault::status(500).carried_out(),
        4 => Fault::status(503),
        _ => Fault::garbage().carried_out(),
    };
    fault.on(random.choice(routes).unwrap_or(Route::SendEvents))
}

/// Reads the ledger without the crate, whose word is in doubt here.
async fn judge(emulator: &Emulator, books: &Books) -> Outcome<Verdict> {
    emulator.clear_faults();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let get = async |path: String| -> Outcome<Value> {
        let request = http.get(format!("{}{path}", emulator.url()));
        let reply = request.bearer_auth(emulator.api_key()).send().await?.error_for_status()?;
        Ok(serde_json::from_str(&reply.text().await?)?)
    };
    let mut ledger = Ledger::default();
    let list = get("/v1/sessions".to_owned()).await?;
    for session in list["sessions"].as_array().into_iter().flatten() {
        let id = session["id"].as_str().unwrap_or_default();
        let events = get(format!("/v1/sessions/{id}/events?limit=1000000")).await?;
        ledger.add(session, &events["events"]);
    }
    let mut verdict = books.judge(&ledger);
    let faults = emulator.fault_counts();
    verdict.faults = faults.iter().map(|(kind, times)| (kind.to_string(), *times)).collect();
    // The emulator notices soon after that a stream was closed, not at once.
    for _ in 0..500 {
        verdict.open_streams = emulator.open_streams();
        if verdict.open_streams == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(verdict)
}

/// Returns an agent that does what the message asks for: `TOKEN WHAT NUMBER`.
fn agent() -> ScriptedAgent {
    ScriptedAgent::named("soak-agent").respond(|input| {
        let text = input.text();
        let mut words = text.split(' ');
        let token = words.next().unwrap_or_default().to_owned();
        let what = words.next().unwrap_or_default();
        let number: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let turn = Turn::new().delay(Duration::from_millis(number * 5 % 60));
        match what {
            "tools" => ask(turn, &token, number),
            "file" => turn.file("out/report.txt", "x".repeat(2_000)).text(done(&token)),
            _ => turn
                .tool_call("look", json!({"at": token}), json!({"seen": number}))
                .delay(Duration::from_millis(number * 3 % 40))
                .text(done(&token)),
        }
    })
}

/// Adds external calls in two rounds, of which one in five is to fail.
fn ask(turn: Turn, token: &str, number: u64) -> Turn {
    let call = |n: u64| {
        let name = if n % 5 == 4 { "ext_fail" } else { "ext_echo" };
        ExternalCall::new(name, json!({"token": token, "n": n}))
    };
    let (last, reply) = (call(number), done(token));
    turn.external_tools((0..number).map(call)).then(move |_| {
        let reply = reply.clone();
        Turn::new().external_tools([last.clone()]).then(move |_| Turn::reply(reply.clone()))
    })
}

pub(crate) fn done(token: &str) -> String {
    format!("{token} is done")
}
