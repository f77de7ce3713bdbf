//! How soon a wait returns once a message is done, and how many requests that takes.
//!
//! All waits run at the same time in one process, each on a session of its own of one emulator, so
//! that a whole run takes about 80 s. `-- --rounds 10` makes ten waits of each kind.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Client, MessageId, MessageStatus, SentMessage};
use dari_benches::Failure;
use dari_benches::options::Options;
use tokio::time::{sleep, sleep_until};

const DEFAULT_ROUNDS: usize = 300;
/// About how long turns take, in milliseconds; each is drawn from 0.7 to 1.3 times that.
const LENGTHS: [u64; 4] = [100, 1_000, 10_000, 60_000];

/// A way to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    /// `messages().wait(..)`.
    Polling,
    /// `messages().wait(..).after(..)`.
    Following,
    /// `messages().get(..)` in a loop with this pause, in seconds.
    Fixed(u64),
}

const WAYS: [Way; 4] = [Way::Polling, Way::Following, Way::Fixed(1), Way::Fixed(5)];

/// What one wait came to.
#[derive(Clone, Debug)]
struct Outcome {
    /// From the end of the turn to the return of the wait.
    late: Duration,
    message: MessageId,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Options::from_args(DEFAULT_ROUNDS)?;
    let agent = ScriptedAgent::named("worker").respond(|input| {
        let length = input.metadata().and_then(|it| it["ms"].as_u64()).unwrap_or_default();
        Turn::new().delay(Duration::from_millis(length)).text("Done.")
    });
    let emulator = Emulator::builder().agent(agent).start().await?;
    let mut waits = Vec::new();
    for round in 0..options.rounds {
        for length in LENGTHS {
            for way in WAYS {
                // Spread, so that the waits do not keep step with each other.
                let start = Duration::from_millis(((round * 16 + waits.len()) * 13 % 5_000) as u64);
                let length = length * fastrand::u64(700..1300) / 1000;
                let wait = wait(emulator.client()?, emulator.agent(), way, (start, length));
                waits.push((way, tokio::spawn(wait)));
            }
        }
    }
    let mut outcomes: HashMap<(Way, u64), Vec<Outcome>> = HashMap::new();
    for (at, (way, wait)) in waits.into_iter().enumerate() {
        let length = LENGTHS[at / WAYS.len() % LENGTHS.len()];
        let outcome = wait.await?.map_err(|failure| failure.to_string())?;
        outcomes.entry((way, length)).or_default().push(outcome);
    }
    report(&emulator, &outcomes);
    Ok(())
}

async fn wait(
    client: Client,
    agent: dari::AgentId,
    way: Way,
    (start, length): (Duration, u64),
) -> dari::Result<Outcome> {
    sleep(start).await;
    let sent = client.agents().send_message(&agent, "Work.").metadata("ms", length).await?;
    // The turn began when the send was recorded, less than a loopback's round trip ago.
    let end = Instant::now() + Duration::from_millis(length);
    let limit = Duration::from_secs(300);
    match way {
        Way::Polling => drop(client.messages().wait(&sent.message.id).timeout(limit).await?),
        Way::Following => {
            let wait = client.messages().wait(&sent.message.id).after(&sent.event);
            drop(wait.timeout(limit).await?);
        }
        Way::Fixed(seconds) => fixed(&client, &sent, Duration::from_secs(seconds)).await?,
    }
    let late = Instant::now().saturating_duration_since(end);
    Ok(Outcome { late, message: sent.message.id })
}

async fn fixed(client: &Client, sent: &SentMessage, pause: Duration) -> dari::Result<()> {
    let mut next = tokio::time::Instant::now();
    loop {
        let message = client.messages().get(&sent.message.id).await?;
        if matches!(message.status, MessageStatus::Completed | MessageStatus::Failed) {
            return Ok(());
        }
        next += pause;
        sleep_until(next).await;
    }
}

fn report(emulator: &Emulator, outcomes: &HashMap<(Way, u64), Vec<Outcome>>) {
    let mut gets: HashMap<String, usize> = HashMap::new();
    for request in emulator.requests().iter().filter(|request| request.method() == "GET") {
        if let Some(id) = request.path().strip_prefix("/v1/messages/") {
            *gets.entry(id.to_owned()).or_default() += 1;
        }
    }
    println!(
        "{:>8}  {:<20} {:>14} {:>11} {:>14}",
        "turn", "way", "median late ms", "max late ms", "gets of a wait"
    );
    let mut figures = HashMap::new();
    for length in LENGTHS {
        for way in WAYS {
            let outcomes = &outcomes[&(way, length)];
            let mut late: Vec<_> = outcomes.iter().map(|it| it.late.as_secs_f64() * 1e3).collect();
            late.sort_by(f64::total_cmp);
            let (median, most) = (late[late.len() / 2], late[late.len() - 1]);
            let asked: usize = outcomes.iter().map(|it| gets[it.message.as_str()]).sum();
            let asked = asked as f64 / outcomes.len() as f64;
            let turn = format!("{} s", length as f64 / 1e3);
            println!("{turn:>8}  {:<20} {median:>14.1} {most:>11.1} {asked:>14.1}", way.name());
            figures.insert((way, length), (median, asked));
        }
    }
    println!();
    print_ratios(&figures);
}

fn print_ratios(figures: &HashMap<(Way, u64), (f64, f64)>) {
    for length in LENGTHS {
        let seconds = length as f64 / 1e3;
        let [polling, following, every_1s, every_5s] = WAYS.map(|way| figures[&(way, length)]);
        println!("ratio waiting/{seconds}s/after-median-ms {:.1}", following.0);
        println!("ratio waiting/{seconds}s/after-gets {:.1}", following.1);
        println!("ratio waiting/{seconds}s/polling-gets-to-1s {:.2}", polling.1 / every_1s.1);
        println!("ratio waiting/{seconds}s/polling-late-to-5s {:.2}", polling.0 / every_5s.0);
    }
}

impl Way {
    fn name(self) -> String {
        match self {
            Self::Polling => "wait".to_owned(),
            Self::Following => "wait, after".to_owned(),
            Self::Fixed(seconds) => format!("every {seconds} s"),
        }
    }
}
