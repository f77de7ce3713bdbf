//! Mixed work through random faults, for as long as you like; afterwards the service is asked.
//!
//!     soak [--minutes 1] [--concurrency 32] [--seed N] [--rate 0.1]
//!
//! The emulator runs in a process of its own and goes wrong with the share of requests that `rate`
//! says. What the client says it did is written down there, and held against the emulator's own
//! ledger at the end: lost is what is said to have happened and is not there, or was not delivered;
//! duplicated is what is there or was delivered twice, or was said to have been refused and is there.
//! `unknown` is work given up for a request that may have happened, as the client said itself.
//!
//! It exits with 1 if anything was lost, duplicated, hung or failed, if memory grew, or if a socket
//! or stream is still open once the client is dropped.

mod journal;
mod judge;
mod measure;
mod service;
mod settings;
mod tally;
mod work;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use journal::Service;
use measure::{Memory, sockets};
use settings::{Settings, Task, task};
use tally::{End, Tally};
use work::{Kind, Worker};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// No piece of work may take longer, whatever it meets: every wait in it ends before.
const LIMIT: Duration = Duration::from_secs(180);
/// The share of the time before memory is measured first, at most 30 s.
const WARM_UP: f64 = 0.2;

fn main() -> ExitCode {
    let outcome = task().and_then(|task| match task {
        Task::Serve(settings) => service::serve(&settings),
        Task::Drive(settings) => drive(&settings),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nsoak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn drive(settings: &Settings) -> Outcome {
    let tally = Arc::new(Tally::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let end = runtime.block_on(soak(settings, &tally))?;
    Ok(tally.report(settings, &end)?)
}

async fn soak(settings: &Settings, tally: &Arc<Tally>) -> Outcome<End> {
    let (service, ready) = Service::start(settings)?;
    let service = Arc::new(service);
    // The runtime may have some of its own.
    let before = sockets();
    let worker = Arc::new(Worker::new(&service, &ready, settings.seed)?);
    let begin = Instant::now();
    let warm_up = settings.duration().mul_f64(WARM_UP).min(Duration::from_secs(30));
    work_until(begin + warm_up, (&worker, tally), settings).await?;
    // Nothing is at work now, nor will be at the end.
    let start = Memory::now();
    work_until(begin + settings.duration(), (&worker, tally), settings).await?;
    let end = Memory::now();
    drop(worker);
    let sockets = left_open(before).await;
    let service = Arc::into_inner(service).ok_or("something still holds the journal")?;
    Ok(End { start, end, sockets, verdict: service.verdict()? })
}

/// Works in so many lanes until it is time.
async fn work_until(
    time: Instant,
    (worker, tally): (&Arc<Worker>, &Arc<Tally>),
    settings: &Settings,
) -> Outcome {
    let mut lanes = JoinSet::new();
    for _ in 0..settings.concurrency {
        let (worker, tally) = (worker.clone(), tally.clone());
        lanes.spawn(async move {
            while Instant::now() < time {
                let token = worker.token();
                let mut random = Rng::with_seed(seed_of(&token));
                let kind = random.choice(Kind::ALL).unwrap_or(Kind::Turn);
                let work = Box::pin(worker.work(kind, &token, &mut random));
                let outcome = timeout(LIMIT, work).await.ok();
                let place = worker.place(&token).unwrap_or_default();
                tally.count(kind, &format!("{token} ({place})"), outcome);
            }
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended?;
    }
    Ok(())
}

/// Returns how many sockets the client has left open; its connections close soon after it is gone.
async fn left_open(before: Option<usize>) -> Option<usize> {
    let before = before?;
    for _ in 0..500 {
        if sockets()? <= before {
            return Some(0);
        }
        sleep(Duration::from_millis(10)).await;
    }
    Some(sockets()?.saturating_sub(before))
}

/// Returns a number that belongs to this word, so that a piece of work is the same for a seed.
fn seed_of(token: &str) -> u64 {
    token.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
