//! Triages 100 tickets, ten sessions at a time, with a progress bar and a summary.
//!
//! Runs against an emulator of its own that loses some requests and answers. With `DARI_API_KEY` and
//! an agent's id as argument, the same calls go to the address in `DARI_API_URL`.

#[path = "terminal/mod.rs"]
mod terminal;

use std::io::{self, IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

use dari::emulator::{Chaos, Emulator, Fault, Route, ScriptedAgent, Turn};
use dari::{AgentId, Client, Message, MessageId, NewSession, SessionId};
use futures_util::{StreamExt, stream};
use serde_json::json;
use terminal::{Paint, Tone, one_line};

const TICKETS: usize = 100;
const AT_ONCE: usize = 10;
/// How often a ticket is sent when it certainly did not arrive.
const TRIES: usize = 3;
const ROWS: usize = 12;

/// What became of a ticket.
struct Row {
    ticket: String,
    outcome: Result<Reply, String>,
    seconds: f64,
}

struct Reply {
    tool_calls: usize,
    text: String,
    cost: Option<f64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(agent) = std::env::args().nth(1) {
        return fan_out(&Client::from_env()?, &agent.parse()?).await;
    }
    let emulator = Emulator::builder()
        .agent(triage_agent())
        .inject(Fault::no_answer().on(Route::SendAgentMessage).after(20))
        .inject(Fault::disconnect().on(Route::SendAgentMessage).after(40))
        .inject_chaos(Chaos::seeded(1).rate(0.03))
        .start()
        .await?;
    println!("no agent given, so one is emulated at {}\n", emulator.url());
    fan_out(&emulator.client()?, &emulator.agent()).await?;
    // From the service's side: whatever was lost on the way, each ticket is there once.
    emulator.clear_faults();
    let sessions = emulator.client()?.sessions().list().await?.sessions.len();
    println!("{sessions} sessions at the service for {TICKETS} tickets");
    if sessions == TICKETS { Ok(()) } else { Err("a ticket was lost or sent twice".into()) }
}

async fn fan_out(client: &Client, agent: &AgentId) -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    // Marks the sessions of this run, so that one can be found whose answer was lost.
    let run = format!("run-{:08x}", fastrand::u32(..));
    let tickets = (1..=TICKETS).map(|number| format!("T-{}", 1000 + number));
    let mut work = stream::iter(tickets)
        .map(|ticket| triage(client, agent, (run.clone(), ticket)))
        .buffer_unordered(AT_ONCE);
    let mut rows: Vec<Row> = Vec::new();
    let mut bar = Bar { draws: stdout().is_terminal(), started };
    bar.show(&rows)?;
    while let Some(row) = work.next().await {
        rows.push(row);
        bar.show(&rows)?;
    }
    print_table(&mut rows);
    print_summary(&rows, started.elapsed());
    Ok(())
}

/// Works on one ticket; what goes wrong with it does not stop the others.
async fn triage(client: &Client, agent: &AgentId, (run, ticket): (String, String)) -> Row {
    let started = Instant::now();
    let outcome = async {
        let (session, message) = send_once(client, agent, (&run, &ticket)).await?;
        let wait = client.messages().wait(&message).timeout(Duration::from_secs(300));
        let message = wait.poll_interval(Duration::from_millis(250)).await?.into_completed()?;
        Ok(reply(client, &session, &message).await)
    };
    let outcome = outcome.await.map_err(|error| match &error {
        dari::Error::Failed(failed) => failed.text().to_owned(),
        _ => error.to_string(),
    });
    Row { ticket, outcome, seconds: started.elapsed().as_secs_f64() }
}

/// Starts the session of a ticket, once.
///
/// A session has no key of idempotency. If the answer is lost, the run and the ticket in its
/// metadata tell whether it was started; only if not, it is tried again.
async fn send_once(
    client: &Client,
    agent: &AgentId,
    (run, ticket): (&str, &str),
) -> dari::Result<(SessionId, MessageId)> {
    let mut tries = 1;
    loop {
        let session = NewSession::new().name(ticket).metadata("run", run);
        let session = session.metadata("ticket", ticket);
        let text = format!("Triage {ticket}.");
        let error = match client.agents().send_message(agent, text).session(session).await {
            Ok(sent) => return Ok((sent.session.id, sent.message.id)),
            Err(error) => error,
        };
        if !error.may_have_happened() {
            return Err(error);
        }
        let found =
            client.sessions().list().metadata("run", run).metadata("ticket", ticket).await?;
        let found = found.into_iter().find_map(|it| Some((it.id, it.last_message_id?)));
        match found {
            Some(started) => return Ok(started),
            None if tries == TRIES => return Err(error),
            None => tries += 1,
        }
    }
}

async fn reply(client: &Client, session: &SessionId, message: &Message) -> Reply {
    // What it cost may be known later only: then the sum leaves it out.
    let cost = client.costs().session(session).await.ok();
    Reply {
        tool_calls: message.tool_calls().len(),
        text: message.text().into_owned(),
        cost: cost.map(|cost| cost.total_cost_usd.to_f64_lossy()),
    }
}

/// A bar on a terminal; in a file, a line now and then.
struct Bar {
    draws: bool,
    started: Instant,
}

impl Bar {
    fn show(&mut self, rows: &[Row]) -> io::Result<()> {
        const WIDTH: usize = 30;
        let (done, failed) = (rows.len(), rows.iter().filter(|row| row.outcome.is_err()).count());
        let seconds = self.started.elapsed().as_secs_f64();
        let state = format!("{done:>3} of {TICKETS}, {failed} failed, {seconds:.1} s");
        if self.draws {
            let full = done * WIDTH / TICKETS;
            let bar = "█".repeat(full) + &"░".repeat(WIDTH - full);
            let end = if done == TICKETS { "\n\n" } else { "" };
            print!("\r\x1b[K{bar} {state}{end}");
        } else if done > 0 && done % 10 == 0 {
            println!("{state}");
        }
        stdout().flush()
    }
}

/// Prints the failed tickets, then the slowest ones.
fn print_table(rows: &mut [Row]) {
    let paint = Paint::for_stdout();
    rows.sort_by(|a, b| {
        let failed_first = b.outcome.is_err().cmp(&a.outcome.is_err());
        failed_first.then(b.seconds.total_cmp(&a.seconds))
    });
    println!("{:<8}{:<11}{:>7}{:>7}  reply", "ticket", "outcome", "seconds", "tools");
    for Row { ticket, outcome, seconds } in rows.iter().take(ROWS) {
        // Padded before it is painted: colours have no width on the screen, but in a string.
        let (tone, word, tools, text) = match outcome {
            Ok(reply) => (Tone::Good, "completed", reply.tool_calls.to_string(), &reply.text),
            Err(error) => (Tone::Bad, "failed", "-".to_owned(), error),
        };
        let word = paint.tone(tone, &format!("{word:<11}"));
        println!("{ticket:<8}{word}{seconds:>7.2}{tools:>7}  {}", one_line(text, 45));
    }
    let more = rows.len().saturating_sub(ROWS);
    println!("{}\n", paint.tone(Tone::Aside, &format!("and {more} more")));
}

fn print_summary(rows: &[Row], wall: Duration) {
    let mut seconds: Vec<f64> = rows.iter().map(|row| row.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let replies: Vec<&Reply> = rows.iter().filter_map(|row| row.outcome.as_ref().ok()).collect();
    let costs: Vec<f64> = replies.iter().filter_map(|reply| reply.cost).collect();
    let line = |name: &str, value: String| println!("{name:<12}{value}");
    line("completed", replies.len().to_string());
    line("failed", (rows.len() - replies.len()).to_string());
    line("tool calls", replies.iter().map(|reply| reply.tool_calls).sum::<usize>().to_string());
    line("wall time", format!("{:.1} s", wall.as_secs_f64()));
    line("a ticket", format!("p50 {:.2} s, p95 {:.2} s", at(&seconds, 50), at(&seconds, 95)));
    let sum: f64 = costs.iter().sum();
    line("cost", format!("{sum:.4} USD, {} of {} known\n", costs.len(), replies.len()));
}

/// Returns the value that so many percent of the sorted values do not exceed.
fn at(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

fn triage_agent() -> ScriptedAgent {
    ScriptedAgent::named("triage-agent").respond(|input| {
        let text = input.text();
        let ticket = text.trim_start_matches("Triage ").trim_end_matches('.');
        let number: u64 = ticket.trim_start_matches("T-").parse().unwrap_or_default();
        let turn = Turn::new().delay(Duration::from_millis(50 + number * 37 % 400)).tool_call(
            "lookup_ticket",
            json!({"ticket_id": ticket}),
            json!({"open": true}),
        );
        match number % 7 {
            0 if number % 5 == 0 => turn.fail(json!({"message": "the model is overloaded"})),
            1 => turn
                .tool_call("lookup_customer", json!({"of": ticket}), json!({"tier": "enterprise"}))
                .text(format!("{ticket} is urgent: an enterprise customer waits."))
                .cost("0.0123"),
            _ => turn.text(format!("{ticket} can wait: a question about an invoice.")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=100_u32).map(f64::from).collect();
        assert_eq!((at(&values, 50), at(&values, 95), at(&values, 100)), (50.0, 95.0, 100.0));
        assert_eq!((at(&[7.0], 50), at(&[], 95)), (7.0, 0.0));
    }
}
