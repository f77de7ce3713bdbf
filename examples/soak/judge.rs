//! Holds the journal against the service's own ledger: what is not there, and what is there twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::journal::{Entry, Fate, Through, Verdict};

/// The journal, sorted.
#[derive(Debug, Default)]
pub(crate) struct Books {
    sent: BTreeMap<String, Fate>,
    created: BTreeMap<String, Fate>,
    handled: HashMap<(String, String), usize>,
    tools_done: Vec<(String, String)>,
    delivered: Vec<(String, Vec<String>, Through)>,
}

/// What the service has.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    events: HashMap<String, Vec<Value>>,
    /// How many messages have this token.
    sent: BTreeMap<String, usize>,
    /// How many sessions have it.
    created: BTreeMap<String, usize>,
}

impl Ledger {
    /// Adds a session and its events, as the service lists them.
    pub(crate) fn add(&mut self, session: &Value, events: &Value) {
        let events = events.as_array().cloned().unwrap_or_default();
        if let Some(token) = session["metadata"]["soak"].as_str() {
            *self.created.entry(token.to_owned()).or_default() += 1;
        }
        for event in events.iter().filter(|event| event["type"] == "user.message") {
            let text = event["data"]["content"][0]["text"].as_str().unwrap_or_default();
            let token = text.split(' ').next().unwrap_or_default();
            *self.sent.entry(token.to_owned()).or_default() += 1;
        }
        self.events.insert(text(&session["id"]).to_owned(), events);
    }

    fn events(&self, session: &str) -> &[Value] {
        self.events.get(session).map_or(&[], Vec::as_slice)
    }
}

impl Books {
    pub(crate) fn note(&mut self, entry: Entry) {
        match entry {
            Entry::Sent { token, fate } => drop(self.sent.insert(token, fate)),
            Entry::Created { token, fate } => drop(self.created.insert(token, fate)),
            Entry::Handled { session, call } => {
                *self.handled.entry((session, call)).or_default() += 1;
            }
            Entry::ToolsDone { session, message } => self.tools_done.push((session, message)),
            Entry::Delivered { session, events, through } => {
                self.delivered.push((session, events, through));
            }
            Entry::End => {}
        }
    }

    pub(crate) fn judge(&self, ledger: &Ledger) -> Verdict {
        let mut verdict = Verdict {
            sessions: ledger.events.len(),
            messages: ledger.sent.values().sum(),
            ..Verdict::default()
        };
        once("message", &self.sent, &ledger.sent, &mut verdict);
        once("session", &self.created, &ledger.created, &mut verdict);
        for (session, message) in &self.tools_done {
            self.judge_tools((session, message), ledger.events(session), &mut verdict);
        }
        for (session, delivered, through) in &self.delivered {
            let events = ledger.events(session);
            judge_delivery((session, delivered), (events, through), &mut verdict);
        }
        verdict
    }

    /// Each call was handled once, and has one answer, which is its handler's.
    fn judge_tools(
        &self,
        (session, message): (&str, &str),
        events: &[Value],
        verdict: &mut Verdict,
    ) {
        let of_message = |kind: &'static str| {
            events.iter().filter(move |it| it["type"] == kind && it["message_id"] == message)
        };
        for requested in of_message("tool.call_requested") {
            let (asked, call) = (&requested["data"], &requested["data"]["tool_call_id"]);
            let place = format!("call {} of {message} in {session}", text(call));
            let mut answers = of_message("tool.result_submitted").map(|answer| &answer["data"]);
            let mut answers = answers.by_ref().filter(|answer| answer["tool_call_id"] == *call);
            let first = answers.next();
            if !first.is_some_and(|answer| is_answer_to(asked, answer)) {
                verdict.lost.push(format!("{place}: the answer is {first:?}"));
            }
            if answers.next().is_some() {
                verdict.duplicated.push(format!("{place}: two answers"));
            }
            match self.handled.get(&(session.to_owned(), text(call).to_owned())) {
                None => verdict.lost.push(format!("{place}: no handler ran")),
                Some(1) => {}
                Some(times) => {
                    verdict.duplicated.push(format!("{place}: its handler ran {times} times"));
                }
            }
            verdict.tool_calls += 1;
        }
    }
}

/// Each of these happened once if it is said to have happened, else at most once or not at all.
fn once(
    what: &str,
    said: &BTreeMap<String, Fate>,
    there: &BTreeMap<String, usize>,
    verdict: &mut Verdict,
) {
    for (token, fate) in said {
        let times = there.get(token).copied().unwrap_or_default();
        match (fate, times) {
            (Fate::Done, 0) => verdict.lost.push(format!("{what} {token}: it is not there")),
            (Fate::Refused, 1..) => {
                verdict.duplicated.push(format!("{what} {token}: it is there, though refused"));
            }
            _ => {}
        }
    }
    // Whatever was said of it: of one that hung nothing was.
    for (token, times) in there.iter().filter(|(_, times)| **times > 1) {
        verdict.duplicated.push(format!("{what} {token}: it is there {times} times"));
    }
}

fn is_answer_to(asked: &Value, answer: &Value) -> bool {
    let failed = answer["is_error"] == true;
    match asked["tool_name"].as_str() {
        Some("ext_fail") => failed,
        _ => !failed && answer["result"] == asked["arguments"],
    }
}

/// What was delivered is what the ledger has: all of it, once, and in order.
fn judge_delivery(
    (session, delivered): (&str, &[String]),
    (events, through): (&[Value], &Through),
    verdict: &mut Verdict,
) {
    let end = match through {
        Through::All => events.len(),
        Through::Anywhere => delivered.len(),
        Through::Message(id) => events.iter().position(|it| ends(it, id)).map_or(0, |at| at + 1),
    };
    let expected: Vec<&str> = events.iter().take(end).map(|event| text(&event["id"])).collect();
    let mut seen = HashSet::new();
    for id in delivered.iter().filter(|id| !seen.insert(id.as_str())) {
        verdict.duplicated.push(format!("event {id} of {session}: delivered again"));
    }
    for id in expected.iter().filter(|id| !seen.contains(*id)) {
        verdict.lost.push(format!("event {id} of {session}: not delivered ({through:?})"));
    }
    let known: HashSet<&str> = expected.iter().copied().collect();
    for id in seen.iter().filter(|id| !known.contains(*id)) {
        verdict.duplicated.push(format!("event {id} of {session}: nothing like it ({through:?})"));
    }
    if seen.len() == delivered.len() && seen == known && *delivered != *expected {
        verdict.lost.push(format!("the order of the events of {session}: {delivered:?}"));
    }
    verdict.events += delivered.len();
}

fn ends(event: &Value, message: &str) -> bool {
    event["type"] == "message.status_changed"
        && event["message_id"] == message
        && (event["data"]["status"] == "completed" || event["data"]["status"] == "failed")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
