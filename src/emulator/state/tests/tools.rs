//! External tools: a message waits for its application and goes on with the result.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, refused, value};
use crate::emulator::external::ExternalCall;
use crate::emulator::refusal::Refusal;
use crate::emulator::script::Turn;
use crate::emulator::state::{Organization, Visit};

fn lookup() -> Turn {
    Turn::new().text("Looking.").external_tool("lookup", json!({"id": 1})).text("Done.")
}

fn waiting(turn: Turn) -> Bench {
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
    bench
}

fn limited(seconds: u64) -> Turn {
    let call = ExternalCall::new("lookup", json!({})).timeout(Duration::from_secs(seconds));
    Turn::new().external_tools([call]).text("Done.")
}

const ANSWERED: [&str; 10] = [
    "user.message msg_1",
    "session.status_changed running",
    "message.status_changed running",
    "tool.call_requested lookup",
    "message.status_changed waiting_for_tool",
    "tool.result_submitted msg_1",
    "tool.call_completed lookup",
    "message.status_changed running",
    "assistant.message_completed msg_1",
    "message.status_changed completed",
];

#[test]
fn a_message_waits_for_its_tool_and_goes_on_with_the_result() {
    let mut bench = waiting(lookup());
    bench.pass(1 << 30);
    let open = bench.message("msg_1");
    assert_eq!((&open["status"], &open["output"]), (&json!("waiting_for_tool"), &Value::Null));
    let session = bench.session("sess_1");
    assert_eq!(
        [&session["status"], &session["last_message_status"]],
        ["running", "waiting_for_tool"]
    );
    assert_eq!(bench.state.next_due(), None);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": {"priority": "high"}})));
    assert_eq!(bench.message("msg_1")["status"], "completed");
    assert_eq!(bench.ledger("sess_1")[..10], ANSWERED);
    let parts = json!([
        {"type": "text", "text": "Looking."},
        {"type": "tool_call", "id": "call_1_1", "name": "lookup", "arguments": {"id": 1}},
        {"type": "tool_result", "tool_call_id": "call_1_1", "tool_name": "lookup",
            "content": [{"type": "text", "text": r#"{"priority":"high"}"#}], "is_error": false},
        {"type": "text", "text": "Done."},
    ]);
    assert_eq!(bench.message("msg_1")["output"]["parts"], parts);
}

#[test]
fn the_answer_to_a_result_is_its_event_with_the_running_message() {
    let mut bench = waiting(lookup());
    let answer = value(bench.submit("msg_1", "call_1_1", &json!({"result": [1]})));
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["event", "message", "session"]);
    assert_eq!(answer["message"], json!({"id": "msg_1", "status": "running"}));
    assert_eq!(answer["session"]["last_message_status"], "running");
    let expected = json!({
        "id": "sess_1:evt_6", "session_id": "sess_1", "sequence_number": 6,
        "message_id": "msg_1", "type": "tool.result_submitted", "source": "user",
        "actor": {"type": "user", "id": "org_1"},
        "data": {"message_id": "msg_1", "tool_call_id": "call_1_1", "result": [1],
            "is_error": false},
        "created_at": "2026-03-31T18:40:00Z"
    });
    assert_eq!(answer["event"], expected);
    assert_eq!(bench.events("sess_1")[5], expected);
}

#[test]
fn a_call_is_requested_in_the_transcript_until_it_has_a_result() {
    let mut bench = waiting(lookup());
    let open = bench.items("sess_1")[1].clone();
    assert_eq!(
        [&open["type"], &open["status"], &open["tool_call_id"], &open["is_error"]],
        [&json!("tool_call"), &json!("requested"), &json!("call_1_1"), &json!(false)]
    );
    assert_eq!([&open["result"], &open["completed_at"]], [&Value::Null, &Value::Null]);
    assert_eq!(bench.items("sess_1")[2]["status"], "waiting_for_tool");
    bench.pass(7);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": {"a": [null]}})));
    let closed = bench.items("sess_1")[1].clone();
    assert_eq!(
        [&closed["status"], &closed["result"]],
        [&json!("completed"), &json!({"a": [null]})]
    );
    assert_eq!(closed["completed_at"], "2026-03-31T18:40:07Z");
}

#[test]
fn an_error_fails_the_call_and_the_turn_goes_on() {
    let mut bench = waiting(lookup());
    value(bench.submit("msg_1", "call_1_1", &json!({"result": "no route", "is_error": true})));
    let message = bench.message("msg_1");
    assert_eq!(message["status"], "completed");
    let result = &message["output"]["parts"][2];
    assert_eq!(
        (&result["content"][0]["text"], &result["is_error"]),
        (&json!("no route"), &json!(true))
    );
    let item = bench.items("sess_1")[1].clone();
    assert_eq!(
        [&item["status"], &item["result"], &item["is_error"]],
        [&json!("failed"), &json!("no route"), &json!(true)]
    );
    let ended = bench.events("sess_1")[6].clone();
    assert_eq!(ended["type"], "tool.call_failed");
    let data = json!({"tool_call_id": "call_1_1", "tool_name": "lookup", "result": "no route",
        "is_error": true});
    assert_eq!(ended["data"], data);
}

#[test]
fn only_an_error_may_leave_the_result_out() {
    let mut bench = waiting(lookup());
    for fields in [json!({}), json!({"is_error": false}), json!({"is_error": null})] {
        assert_eq!(refused(bench.submit("msg_1", "call_1_1", &fields)).status(), 422);
    }
    value(bench.submit("msg_1", "call_1_1", &json!({"is_error": true})));
    let data = bench.events("sess_1")[5]["data"].clone();
    let expected = json!({"message_id": "msg_1", "tool_call_id": "call_1_1", "is_error": true});
    assert_eq!(data, expected);
    assert_eq!(bench.message("msg_1")["output"]["parts"][2]["content"], json!([]));
}

#[test]
fn null_is_a_result_and_numbers_keep_their_digits() {
    for result in ["null", "12345678901234567890.10", r#"{"z":1e2,"a":[0.10]}"#] {
        let mut bench = waiting(lookup());
        let text = format!(
            r#"{{"type": "tool.result_submitted", "message_id": "msg_1",
                "tool_call_id": "call_1_1", "result": {}}}"#,
            result.replace(':', " : ")
        );
        let read = super::session_events(text.as_bytes()).unwrap();
        let super::SessionEvents::ToolAnswer(answer) = read else { panic!("{read:?}") };
        bench.state.submit_tool_result(bench.visit(), "sess_1", answer).unwrap();
        let events = bench.state.events(bench.visit(), "sess_1", usize::MAX).unwrap();
        assert_eq!(events.get().matches(&format!(r#""result":{result},"#)).count(), 2, "{events}");
        let transcript = bench.state.transcript(bench.visit(), "sess_1").unwrap();
        assert!(transcript.get().contains(&format!(r#""result":{result},"#)), "{transcript}");
        let seen = &bench.message("msg_1")["output"]["parts"][2]["content"][0]["text"];
        assert_eq!(seen, result);
    }
}

#[test]
fn unknown_calls_are_not_found_and_answered_ones_conflict() {
    let mut bench =
        waiting(Turn::new().tool_call("own", json!({}), json!(1)).external_tool("x", json!({})));
    bench.send("sess_1", "next");
    let size = bench.events("sess_1").len();
    let result = json!({"result": 1});
    let cases = [
        ("msg_9", "call_1_2", 404),
        ("msg_1", "call_9", 404),
        ("msg_1", "", 404),
        ("msg_2", "call_1_2", 404),
        ("msg_1", "call_1_1", 409),
    ];
    for (message, call, status) in cases {
        assert_eq!(refused(bench.submit(message, call, &result)).status(), status, "{call}");
    }
    assert_eq!(bench.events("sess_1").len(), size);
    value(bench.submit("msg_1", "call_1_2", &result));
    for fields in [&result, &json!({"result": 2}), &json!({"is_error": true})] {
        assert_eq!(refused(bench.submit("msg_1", "call_1_2", fields)).status(), 409);
    }
    let submitted =
        bench.ledger("sess_1").iter().filter(|it| it.starts_with("tool.result")).count();
    assert_eq!(submitted, 1);
}

#[test]
fn a_tool_that_misses_its_time_is_an_error_for_the_agent() {
    let mut bench = waiting(limited(30));
    assert_eq!(bench.state.next_due(), Some(Duration::from_secs(30)));
    bench.pass(29);
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
    bench.pass(1);
    let message = bench.message("msg_1");
    assert_eq!(message["status"], "completed");
    assert_eq!(message["completed_at"], "2026-03-31T18:40:30Z");
    let item = bench.items("sess_1")[1].clone();
    assert_eq!(
        (&item["status"], &item["result"]["type"]),
        (&json!("failed"), &json!("tool_timeout"))
    );
    assert!(!bench.ledger("sess_1").contains(&"tool.result_submitted msg_1".to_owned()));
    assert_eq!(refused(bench.submit("msg_1", "call_1_1", &json!({"result": 1}))).status(), 409);
}

#[test]
fn a_result_at_the_very_moment_is_too_late_and_one_before_is_not() {
    let mut bench = waiting(limited(30));
    bench.now = Duration::from_secs(30) - Duration::from_nanos(1);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    bench.pass(1);
    assert_eq!(bench.items("sess_1")[1]["status"], "completed");
    let mut bench = waiting(limited(30));
    bench.now = Duration::from_secs(30);
    assert_eq!(refused(bench.submit("msg_1", "call_1_1", &json!({"result": 1}))).status(), 409);
}

#[test]
fn an_answered_call_leaves_no_alarm_behind() {
    let pause = Duration::from_secs(100);
    let call = ExternalCall::new("lookup", json!({})).timeout(Duration::from_secs(30));
    let mut bench = waiting(Turn::new().external_tools([call]).delay(pause).text("Done."));
    bench.pass(10);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    assert_eq!(bench.message("msg_1")["status"], "running");
    assert_eq!(bench.state.next_due(), Some(Duration::from_secs(110)));
    bench.pass(99);
    assert_eq!(bench.message("msg_1")["status"], "running");
    bench.pass(1);
    assert_eq!(bench.message("msg_1")["status"], "completed");
}

#[test]
fn a_strangers_result_changes_nothing() {
    let mut bench = waiting(lookup());
    let text = br#"{"type": "tool.result_submitted", "message_id": "msg_1",
        "tool_call_id": "call_1_1", "result": 1}"#;
    let super::SessionEvents::ToolAnswer(answer) = super::session_events(text).unwrap() else {
        panic!("another form");
    };
    let visit = Visit { organization: Organization::Stranger, now: Duration::ZERO };
    let answer = bench.state.submit_tool_result(visit, "sess_1", answer);
    assert_eq!(refused(answer), Refusal::Forbidden);
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
}
