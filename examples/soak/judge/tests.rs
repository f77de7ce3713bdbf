use super::{Books, Ledger};
use crate::journal::{Entry, Fate, Through, Verdict};
use serde_json::{Value, json};

/// Returns a session with one message, "a", whose tools were called twice.
fn ledger() -> Ledger {
    let event = |id: &str, kind: &str, data: Value| json!({"id": id, "type": kind, "message_id": "msg_1", "data": data});
    let call = |id: &str, name: &str| {
        let data = json!({"tool_call_id": id, "tool_name": name, "arguments": {"n": id}});
        event(&format!("called {id}"), "tool.call_requested", data)
    };
    let answer = |id: &str, result: Value, is_error: bool| {
        let data = json!({"tool_call_id": id, "result": result, "is_error": is_error});
        event(&format!("answered {id}"), "tool.result_submitted", data)
    };
    let content = json!({"content": [{"type": "text", "text": "a tools 2"}]});
    let events = json!([
        event("first", "user.message", content),
        call("1", "ext_echo"),
        call("2", "ext_fail"),
        answer("2", json!("no"), true),
        answer("1", json!({"n": "1"}), false),
        event("end", "message.status_changed", json!({"status": "completed"})),
        event("last", "session.status_changed", json!({"status": "idle"})),
    ]);
    let mut ledger = Ledger::default();
    ledger.add(&json!({"id": "sess_1", "metadata": {"soak": "s"}}), &events);
    ledger
}

fn judged(entries: Vec<Entry>) -> Verdict {
    let mut books = Books::default();
    entries.into_iter().for_each(|entry| books.note(entry));
    books.judge(&ledger())
}

fn delivered(events: &[&str], through: Through) -> Verdict {
    let events = events.iter().map(ToString::to_string).collect();
    judged(vec![Entry::Delivered { session: "sess_1".to_owned(), events, through }])
}

fn sent(token: &str, fate: Fate) -> Entry {
    Entry::Sent { token: token.to_owned(), fate }
}

const ALL: [&str; 7] = ["first", "called 1", "called 2", "answered 2", "answered 1", "end", "last"];

#[track_caller]
fn assert_found(verdict: &Verdict, lost: usize, duplicated: usize) {
    assert_eq!((verdict.lost.len(), verdict.duplicated.len()), (lost, duplicated), "{verdict:#?}");
}

#[test]
fn a_send_is_there_once_if_it_is_said_to_be() {
    assert_found(&judged(vec![sent("a", Fate::Done), sent("b", Fate::Refused)]), 0, 0);
    assert_found(&judged(vec![sent("a", Fate::Unknown), sent("b", Fate::Unknown)]), 0, 0);
    assert_found(&judged(vec![sent("a", Fate::Refused), sent("b", Fate::Done)]), 1, 1);
    let created = |token: &str| Entry::Created { token: token.to_owned(), fate: Fate::Done };
    assert_found(&judged(vec![created("s"), created("t")]), 1, 0);
}

#[test]
fn what_is_there_twice_is_found_whatever_was_said_of_it() {
    let mut ledger = ledger();
    let again = json!([{"type": "user.message", "data": {"content": [{"text": "a turn 0"}]}}]);
    ledger.add(&json!({"id": "sess_2", "metadata": {"soak": "s"}}), &again);
    assert_found(&Books::default().judge(&ledger), 0, 2);
}

#[test]
fn events_are_delivered_all_once_and_in_order() {
    let message = || Through::Message("msg_1".to_owned());
    assert_found(&delivered(&ALL, Through::All), 0, 0);
    assert_found(&delivered(&ALL[..6], message()), 0, 0);
    assert_found(&delivered(&ALL[..3], Through::Anywhere), 0, 0);
    assert_found(&delivered(&ALL[..4], message()), 2, 0);
    assert_found(&delivered(&ALL, message()), 0, 1);
    assert_found(&delivered(&ALL[1..], Through::All), 1, 0);
    assert_found(&delivered(&[&ALL[..], &ALL[3..4]].concat(), Through::All), 0, 1);
    let mut shuffled = ALL;
    shuffled.swap(1, 2);
    assert_found(&delivered(&shuffled, Through::All), 1, 0);
    assert_found(&delivered(&ALL[1..3], Through::Anywhere), 1, 1);
}

#[test]
fn a_tool_call_is_handled_and_answered_once() {
    let done = || Entry::ToolsDone { session: "sess_1".to_owned(), message: "msg_1".to_owned() };
    let handled =
        |call: &str| Entry::Handled { session: "sess_1".to_owned(), call: call.to_owned() };
    let verdict = judged(vec![handled("1"), handled("2"), done()]);
    assert_found(&verdict, 0, 0);
    assert_eq!(verdict.tool_calls, 2);
    assert_found(&judged(vec![handled("1"), done()]), 1, 0);
    assert_found(&judged(vec![handled("1"), handled("2"), handled("2"), done()]), 0, 1);
}

#[test]
fn an_answer_that_is_missing_or_is_not_the_handlers_is_lost() {
    let mut books = Books::default();
    for call in ["1", "2"] {
        books.note(Entry::Handled { session: "sess_1".to_owned(), call: call.to_owned() });
    }
    books.note(Entry::ToolsDone { session: "sess_1".to_owned(), message: "msg_1".to_owned() });
    let mut ledger = ledger();
    let events = ledger.events.get_mut("sess_1").unwrap();
    events[4]["data"]["result"] = json!({"n": "another"});
    assert_found(&books.judge(&ledger), 1, 0);
    let events = ledger.events.get_mut("sess_1").unwrap();
    let again = events[3].clone();
    events.remove(4);
    events.push(again);
    assert_found(&books.judge(&ledger), 1, 1);
}
