//! What came of the work, and the table that says so.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::Verdict;
use crate::measure::Memory;
use crate::settings::Settings;
use crate::work::{Kind, Trouble};

/// How many lines of a kind are printed of what went wrong.
const MOST_LINES: usize = 20;

#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<Kind, Count>,
    wrong: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    done: usize,
    unknown: usize,
    failed: usize,
    hung: usize,
}

/// What is left at the end of a run.
pub(crate) struct End {
    pub(crate) start: Memory,
    pub(crate) end: Memory,
    pub(crate) sockets: Option<usize>,
    pub(crate) verdict: Verdict,
}

impl Tally {
    /// Counts a piece of work; none is one that did not end.
    pub(crate) fn count(&self, kind: Kind, what: &str, outcome: Option<Result<(), Trouble>>) {
        let mut counts = self.lock();
        let count = counts.kinds.entry(kind).or_default();
        let wrong = match outcome {
            Some(Ok(())) => {
                count.done += 1;
                return;
            }
            Some(Err(Trouble::Unknown)) => {
                count.unknown += 1;
                return;
            }
            Some(Err(Trouble::Failed(why))) => {
                count.failed += 1;
                format!("failed: {} {what}: {why}", kind.name())
            }
            None => {
                count.hung += 1;
                format!("hung: {} {what}", kind.name())
            }
        };
        if counts.wrong.len() < MOST_LINES {
            counts.wrong.push(wrong);
        }
    }

    /// Prints the table, and returns whether all is well.
    pub(crate) fn report(&self, settings: &Settings, end: &End) -> Result<(), String> {
        let Settings { minutes, concurrency, seed, rate } = settings;
        println!("soak: {minutes} min, {concurrency} at once, seed {seed}, rate {rate}\n");
        let all = self.print_work();
        print_faults(&end.verdict);
        let Verdict { lost, duplicated, .. } = &end.verdict;
        print_end(end, all.hung);
        let counts = self.lock();
        for lines in [&counts.wrong, lost, duplicated] {
            lines.iter().take(MOST_LINES).for_each(|line| eprintln!("{line}"));
        }
        let judged = [
            ("lost", lost.len()),
            ("duplicated", duplicated.len()),
            ("hung", all.hung),
            ("failed", all.failed),
            ("sockets open", end.sockets.unwrap_or_default()),
            ("streams open at the service", end.verdict.open_streams),
            ("growth of memory", usize::from(!end.end.is_flat_since(end.start))),
            ("without any work done", usize::from(all.done == 0)),
        ];
        let wrong = judged.iter().filter(|(_, number)| *number > 0);
        let wrong: Vec<_> = wrong.map(|(what, number)| format!("{what}: {number}")).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("{}; seed {seed}", wrong.join(", "))) }
    }

    fn print_work(&self) -> Count {
        println!("{:<14}{:>9}{:>9}{:>9}{:>9}", "operation", "done", "unknown", "failed", "hung");
        let mut all = Count::default();
        for (kind, count) in &self.lock().kinds {
            print_count(&kind.name(), *count);
            all.done += count.done;
            all.unknown += count.unknown;
            all.failed += count.failed;
            all.hung += count.hung;
        }
        print_count("all", all);
        println!();
        all
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn print_count(name: &str, count: Count) {
    let Count { done, unknown, failed, hung } = count;
    println!("{name:<14}{done:>9}{unknown:>9}{failed:>9}{hung:>9}");
}

fn print_faults(verdict: &Verdict) {
    println!("{:<14}{:>9}", "fault", "met");
    let all = ("all".to_owned(), verdict.faults.values().sum());
    for (kind, times) in verdict.faults.clone().into_iter().chain([all]) {
        println!("{kind:<14}{times:>9}");
    }
    println!();
}

fn print_end(end: &End, hung: usize) {
    let End { start, end: now, sockets, verdict } = end;
    let line = |name: &str, value: String| println!("{name:<14}{value:>9}");
    let of = |name: &str, value: usize, what: &str| {
        println!("{name:<14}{value:>9}  {what}");
    };
    let held = format!(
        "of {} sessions, {} messages, {} tool calls, {} events delivered",
        verdict.sessions, verdict.messages, verdict.tool_calls, verdict.events
    );
    of("lost", verdict.lost.len(), &held);
    of("duplicated", verdict.duplicated.len(), "of the same");
    line("hung", hung.to_string());
    let mib = |bytes: usize| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    println!("{:<14}{:>9}  at the start, {} at the end", "heap", mib(start.heap), mib(now.heap));
    if let (Some(start), Some(now)) = (start.resident, now.resident) {
        println!("{:<14}{:>9}  at the start, {} at the end", "resident", mib(start), mib(now));
    }
    line("sockets", sockets.map_or("not told".to_owned(), |open| open.to_string()));
    line("streams", verdict.open_streams.to_string());
}
