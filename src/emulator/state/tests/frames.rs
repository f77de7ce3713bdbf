//! The ledger as frames of a stream.

use std::time::Duration;

use serde_json::json;

use super::{Bench, body, value};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{ScriptedAgent, Turn};

#[test]
fn frames_hold_the_events_as_the_list_shows_them() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("one\ntwo\r\nthree\u{2028}four"));
    let frames = bench.state.frames(bench.visit(), "sess_1", 0).unwrap();
    let events = bench.events("sess_1");
    assert_eq!((frames.next, frames.due), (events.len(), None));
    let list = bench.state.events(bench.visit(), "sess_1", 99).unwrap();
    let mut written: Vec<&str> = frames.text.split("\n\n").collect();
    assert_eq!(written.pop(), Some(""));
    assert_eq!(written.len(), events.len());
    for (frame, event) in written.iter().zip(events) {
        let lines: Vec<&str> = frame.split('\n').collect();
        assert_eq!(lines.len(), 3, "{frame}");
        assert_eq!(lines[0], format!("id: {}", event["id"].as_str().unwrap()));
        assert_eq!(lines[1], format!("event: {}", event["type"].as_str().unwrap()));
        assert!(list.get().contains(lines[2].strip_prefix("data: ").unwrap()));
        assert!(!frame.contains('\r'));
    }
}

#[test]
fn a_look_performs_what_is_due_and_tells_when_to_look_again() {
    let turn = Turn::new().delay(Duration::from_secs(5)).text("a");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    let early = bench.state.frames(bench.visit(), "sess_1", 0).unwrap();
    assert_eq!((early.next, early.due), (3, Some(Duration::from_secs(5))));
    let none = bench.state.frames(bench.visit(), "sess_1", early.next).unwrap();
    assert_eq!((none.text.as_str(), none.next), ("", 3));
    bench.pass(5);
    let late = bench.state.frames(bench.visit(), "sess_1", early.next).unwrap();
    assert_eq!((late.next, late.due), (6, None));
    assert!(late.text.starts_with("id: sess_1:evt_4\n"));
}

#[test]
fn a_stream_goes_on_after_an_event_it_knows_and_else_starts_over() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("Hi"));
    let mut place = |last| bench.state.resume(bench.visit(), "sess_1", last).unwrap();
    assert_eq!(place(None), 0);
    assert_eq!(place(Some("sess_1:evt_1")), 1);
    assert_eq!(place(Some("sess_1:evt_6")), 6);
    for unknown in ["", "evt_1", "sess_1:evt_7", "sess_2:evt_1"] {
        assert_eq!(place(Some(unknown)), 0);
    }
    let missing = bench.state.resume(bench.visit(), "sess_2", None);
    assert_eq!(missing.unwrap_err(), Refusal::NotFound("Session"));
}

#[test]
fn a_long_ledger_is_handed_out_in_pieces() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let big = "x".repeat(10_000);
    bench.start(&json!({"type": "user.message", "content": [{"type": "text", "text": big}]}));
    for _ in 0..10 {
        bench.send("sess_1", &big);
    }
    let total = value(bench.state.events(bench.visit(), "sess_1", 999));
    let total = total["events"].as_array().unwrap().len();
    let (mut from, mut pieces) = (0, 0);
    while from < total {
        let frames = bench.state.frames(bench.visit(), "sess_1", from).unwrap();
        assert!(frames.text.len() < 100_000 && frames.next > from);
        from = frames.next;
        pieces += 1;
    }
    assert!(pieces > 3, "{pieces}");
}
