//! The life of a turn.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, message, value};
use crate::emulator::script::{ScriptedAgent, Turn};
use crate::emulator::state::Arrival;

#[test]
fn a_send_is_answered_while_queued_and_over_at_the_next_look() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let sent = bench.start(&body("Hi"));
    assert_eq!(sent["message"], json!({"id": "msg_1", "status": "queued"}));
    assert_eq!(sent["session"]["status"], "running");
    assert_eq!(sent["session"]["last_message_status"], "queued");
    let message = bench.message("msg_1");
    assert_eq!(message["status"], "completed");
    assert_eq!(message["output"], json!({"parts": [{"type": "text", "text": "Hi"}]}));
    assert_eq!(bench.session("sess_1")["status"], "idle");
    assert_eq!(bench.session("sess_1")["last_message_status"], "completed");
}

const LEDGER: [&str; 10] = [
    "user.message msg_1",
    "session.status_changed running",
    "message.status_changed running",
    "tool.call_requested lookup",
    "tool.call_completed lookup",
    "tool.call_requested notify",
    "tool.call_failed notify",
    "assistant.message_completed msg_1",
    "message.status_changed completed",
    "session.status_changed idle",
];

#[test]
fn the_ledger_tells_a_turn_in_order() {
    let turn = Turn::new()
        .text("Looking.")
        .tool_call("lookup", json!({"id": 1}), json!({"priority": "high"}))
        .failed_tool_call("notify", json!({}), json!("no route"))
        .text("Done.");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    assert_eq!(bench.ledger("sess_1"), LEDGER);
    for (index, event) in bench.events("sess_1").iter().enumerate() {
        assert_eq!(event["sequence_number"], index + 1);
        assert_eq!(event["id"], format!("sess_1:evt_{}", index + 1));
        let about_message = !event["type"].as_str().unwrap().starts_with("session.");
        let expected = if about_message { Some("msg_1") } else { None };
        assert_eq!(event["message_id"].as_str(), expected);
    }
}

#[test]
fn events_carry_the_data_of_the_contract() {
    let turn = Turn::new()
        .tool_call("lookup", json!({"id": 1}), json!([2]))
        .failed_tool_call("notify", json!({}), json!("no route"))
        .text("Done.");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    let data: Vec<Value> = bench.events("sess_1").iter().map(|it| it["data"].clone()).collect();
    let expected = [
        json!({"content": [{"type": "text", "text": "Hi"}], "message_id": "msg_1"}),
        json!({"status": "running"}),
        json!({"message_id": "msg_1", "status": "running"}),
        json!({"message_id": "msg_1", "tool_call_id": "call_1_1", "tool_name": "lookup",
            "arguments": {"id": 1}}),
        json!({"tool_call_id": "call_1_1", "tool_name": "lookup", "result": [2],
            "is_error": false}),
        json!({"message_id": "msg_1", "tool_call_id": "call_1_2", "tool_name": "notify",
            "arguments": {}}),
        json!({"tool_call_id": "call_1_2", "tool_name": "notify", "result": "no route",
            "is_error": true}),
        json!({"message_id": "msg_1", "content": [{"type": "text", "text": "Done."}]}),
        json!({"message_id": "msg_1", "status": "completed"}),
        json!({"status": "idle"}),
    ];
    assert_eq!(data, expected);
}

#[test]
fn the_output_holds_text_calls_and_results_in_order() {
    let turn = Turn::new()
        .text("I'll look.")
        .tool_call("bash", json!({"command": "ls"}), json!("README.md\n"))
        .failed_tool_call("bash", json!({"command": "rm"}), json!({"code": 1}))
        .text("Done.");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    let expected = json!([
        {"type": "text", "text": "I'll look."},
        {"type": "tool_call", "id": "call_1_1", "name": "bash", "arguments": {"command": "ls"}},
        {"type": "tool_result", "tool_call_id": "call_1_1", "tool_name": "bash",
            "content": [{"type": "text", "text": "README.md\n"}], "is_error": false},
        {"type": "tool_call", "id": "call_1_2", "name": "bash", "arguments": {"command": "rm"}},
        {"type": "tool_result", "tool_call_id": "call_1_2", "tool_name": "bash",
            "content": [{"type": "text", "text": "{\"code\":1}"}], "is_error": true},
        {"type": "text", "text": "Done."},
    ]);
    assert_eq!(bench.message("msg_1")["output"]["parts"], expected);
}

#[test]
fn a_delayed_turn_goes_on_when_its_time_has_come() {
    let pause = Duration::from_secs(5);
    let turn = Turn::new().delay(pause).tool_call("t", json!({}), json!(1)).delay(pause).text("a");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    let running = bench.message("msg_1");
    assert_eq!(running["status"], "running");
    assert_eq!((&running["output"], &running["completed_at"]), (&Value::Null, &Value::Null));
    assert_eq!(bench.state.next_due(), Some(pause));
    bench.pass(4);
    assert_eq!(bench.events("sess_1").len(), 3);
    bench.pass(1);
    assert_eq!(bench.events("sess_1").len(), 5);
    assert_eq!(bench.message("msg_1")["output"], Value::Null);
    bench.pass(5);
    assert_eq!(bench.message("msg_1")["status"], "completed");
    assert_eq!(bench.state.next_due(), None);
}

#[test]
fn what_happens_is_stamped_with_its_due_time_in_whole_seconds() {
    let turn = Turn::new().delay(Duration::from_secs(5)).text("a");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    bench.pass(100);
    let message = bench.message("msg_1");
    assert_eq!(message["created_at"], "2026-03-31T18:40:00Z");
    assert_eq!(message["completed_at"], "2026-03-31T18:40:05Z");
    assert_eq!(bench.events("sess_1").last().unwrap()["created_at"], "2026-03-31T18:40:05Z");
}

#[test]
fn a_busy_session_queues_messages_and_takes_them_in_order() {
    let turn = || Turn::new().delay(Duration::from_secs(10));
    let mut bench = Bench::with_turns([turn().text("one"), turn().text("two")]);
    bench.start(&body("first"));
    bench.pass(1);
    let second = bench.send("sess_1", "second");
    assert_eq!(second["message"]["status"], "queued");
    assert_eq!(second["session"]["last_message_id"], "msg_2");
    bench.pass(5);
    assert_eq!(bench.message("msg_1")["status"], "running");
    assert_eq!(bench.message("msg_2")["status"], "queued");
    assert_eq!(bench.session("sess_1")["last_message_status"], "queued");
    bench.pass(5);
    assert_eq!(bench.message("msg_1")["output"]["parts"][0]["text"], "one");
    assert_eq!(bench.session("sess_1")["last_message_status"], "running");
    bench.pass(10);
    assert_eq!(bench.message("msg_2")["output"]["parts"][0]["text"], "two");
}

#[test]
fn a_session_is_idle_only_after_its_last_message() {
    let mut bench = Bench::with_turns([Turn::new().delay(Duration::from_secs(10))]);
    bench.start(&body("first"));
    bench.send("sess_1", "second");
    bench.pass(20);
    let statuses = bench.ledger("sess_1");
    let of_session = statuses.iter().filter(|it| it.starts_with("session."));
    assert_eq!(of_session.count(), 2, "{statuses:?}");
}

#[test]
fn a_failed_turn_keeps_its_error_and_the_session_goes_on() {
    let failing = Turn::new().text("I tried.").fail(json!({"message": "overloaded"})).text("no");
    let mut bench = Bench::with_turns([failing, Turn::reply("better")]);
    bench.start(&body("Hi"));
    bench.send("sess_1", "again");
    let failed = bench.message("msg_1");
    assert_eq!(failed["status"], "failed");
    let output = json!({"parts": [{"type": "text", "text": "I tried."}],
        "error": {"message": "overloaded"}});
    assert_eq!(failed["output"], output);
    assert_eq!(failed["completed_at"], "2026-03-31T18:40:00Z");
    assert_eq!(bench.message("msg_2")["status"], "completed");
    let ledger = bench.ledger("sess_1");
    assert!(ledger.contains(&"message.status_changed failed".to_owned()));
    assert!(!ledger.contains(&"assistant.message_completed msg_1".to_owned()));
}

#[test]
fn a_turn_that_fails_at_once_has_an_output_without_parts() {
    let mut bench = Bench::with_turns([Turn::new().fail(json!("boom"))]);
    bench.start(&body("Hi"));
    assert_eq!(bench.message("msg_1")["output"], json!({"error": "boom"}));
}

#[test]
fn the_change_count_rises_with_every_change_and_only_then() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let session = bench.create();
    let before = bench.state.changes();
    bench.session(&session);
    assert_eq!(bench.state.changes(), before);
    let arrival = Arrival { message: message("Hi"), key: None };
    value(bench.state.send_message(bench.visit(), &session, arrival));
    let sent = bench.state.changes();
    assert!(sent > before);
    bench.session(&session);
    assert!(bench.state.changes() > sent);
}
