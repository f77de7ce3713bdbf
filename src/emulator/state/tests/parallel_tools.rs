//! Several calls at once, several waits in a turn, and what the script sees of the results.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, value};
use crate::emulator::external::{CallResults, ExternalCall};
use crate::emulator::script::{ScriptedAgent, Turn};

fn call(name: &str) -> ExternalCall {
    ExternalCall::new(name, json!({"of": name}))
}

fn playing(turn: Turn) -> Bench {
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    bench.message("msg_1");
    bench
}

#[test]
fn parallel_calls_are_requested_together_and_the_last_result_resumes() {
    let mut bench = playing(Turn::new().external_tools([call("a"), call("b")]).text("Done."));
    let requested = ["tool.call_requested a", "tool.call_requested b"];
    assert_eq!(bench.ledger("sess_1")[3..5], requested);
    assert_eq!(bench.ledger("sess_1")[5], "message.status_changed waiting_for_tool");
    let first = value(bench.submit("msg_1", "call_1_2", &json!({"result": "b's"})));
    assert_eq!(first["message"]["status"], "waiting_for_tool");
    bench.pass(1000);
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
    let items = bench.items("sess_1");
    assert_eq!([&items[1]["status"], &items[2]["status"]], ["requested", "completed"]);
    let last = value(bench.submit("msg_1", "call_1_1", &json!({"result": "a's"})));
    assert_eq!(last["message"]["status"], "running");
    let message = bench.message("msg_1");
    let parts = message["output"]["parts"].as_array().unwrap();
    let ids: Vec<&Value> =
        parts.iter().filter_map(|part| part.get("id").or(part.get("tool_call_id"))).collect();
    assert_eq!(ids, ["call_1_1", "call_1_2", "call_1_2", "call_1_1"]);
    let waits = bench.ledger("sess_1").iter().filter(|it| it.ends_with("waiting_for_tool")).count();
    assert_eq!(waits, 1);
}

#[test]
fn one_of_two_calls_times_out_and_the_other_is_still_awaited() {
    let quick = call("a").timeout(Duration::from_secs(5));
    let slow = call("b").timeout(Duration::from_secs(20));
    let mut bench = playing(Turn::new().external_tools([slow, quick]).text("Done."));
    bench.pass(5);
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
    assert_eq!(bench.items("sess_1")[2]["status"], "failed");
    assert_eq!(bench.state.next_due(), Some(Duration::from_secs(20)));
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    assert_eq!(bench.message("msg_1")["status"], "completed");
    assert_eq!(bench.state.next_due(), None);
}

#[test]
fn answering_one_call_keeps_the_alarm_of_the_other() {
    let limited = |name| call(name).timeout(Duration::from_secs(20));
    let mut bench = playing(Turn::new().external_tools([limited("a"), limited("b")]));
    bench.pass(5);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    assert_eq!(bench.state.next_due(), Some(Duration::from_secs(20)));
    bench.pass(15);
    let items = bench.items("sess_1");
    assert_eq!([&items[1]["status"], &items[2]["status"]], ["completed", "failed"]);
    assert_eq!(bench.message("msg_1")["status"], "completed");
}

#[test]
fn both_calls_time_out_at_once() {
    let limited = |name| call(name).timeout(Duration::from_secs(20));
    let mut bench = playing(Turn::new().external_tools([limited("a"), limited("b")]).text("."));
    bench.pass(20);
    assert_eq!(bench.message("msg_1")["status"], "completed");
    let failed =
        bench.ledger("sess_1").iter().filter(|it| it.starts_with("tool.call_failed")).count();
    assert_eq!(failed, 2);
}

#[test]
fn no_calls_are_no_wait() {
    let mut bench = playing(Turn::new().external_tools([]).text("Done."));
    assert_eq!(bench.message("msg_1")["status"], "completed");
    assert!(!bench.ledger("sess_1").iter().any(|it| it.ends_with("waiting_for_tool")));
}

fn priority(results: &CallResults) -> Turn {
    match results.of("lookup") {
        Some(ticket) if !ticket.is_error() => {
            Turn::reply(format!("It is {}.", ticket.value()["priority"].as_str().unwrap()))
        }
        Some(error) => Turn::reply(format!("No: {}", error.value())),
        None => Turn::reply("Not looked up."),
    }
}

#[test]
fn a_script_goes_on_with_what_the_tool_said() {
    let turn = || Turn::new().external_tool("lookup", json!({})).then(priority).text("Bye.");
    let mut bench = playing(turn());
    value(bench.submit("msg_1", "call_1_1", &json!({"result": {"priority": "high"}})));
    let message = bench.message("msg_1");
    let parts = message["output"]["parts"].as_array().unwrap();
    let texts: Vec<&Value> = parts.iter().filter_map(|part| part.get("text")).collect();
    assert_eq!(texts, ["It is high.", "Bye."]);
    let mut bench = playing(turn());
    value(bench.submit("msg_1", "call_1_1", &json!({"is_error": true, "result": {"a": 1}})));
    assert_eq!(bench.message("msg_1")["output"]["parts"][2]["text"], r#"No: {"a":1}"#);
}

#[test]
fn a_script_sees_all_calls_of_its_turn_by_name_and_id() {
    let turn = Turn::new()
        .tool_call("own", json!({}), json!(1))
        .external_tools([call("x"), call("x")])
        .then(|results| {
            let ids: Vec<_> = results.all().iter().map(|it| it.tool_call_id()).collect();
            let told = json!([
                ids,
                results.of("own").unwrap().value(),
                results.of("x").unwrap().value(),
                results.of_call("call_1_2").unwrap().value(),
                results.of("y").is_none(),
                results.all()[1].tool_name()
            ]);
            Turn::reply(told.to_string())
        });
    let mut bench = playing(turn);
    value(bench.submit("msg_1", "call_1_3", &json!({"result": "second"})));
    value(bench.submit("msg_1", "call_1_2", &json!({"result": "first"})));
    let text = bench.message("msg_1")["output"]["parts"][6]["text"].clone();
    let told: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    let ids = json!(["call_1_1", "call_1_2", "call_1_3"]);
    assert_eq!(told, json!([ids, 1, "second", "first", true, "x"]));
}

#[test]
fn a_script_may_ask_again_after_a_result() {
    let turn = Turn::new().external_tool("a", json!({})).then(|results| {
        let next = results.of("a").unwrap().value().clone();
        Turn::new().external_tool("b", next).then(priority)
    });
    let mut bench = playing(turn);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": {"page": 2}})));
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
    assert_eq!(bench.items("sess_1")[2]["arguments"], json!({"page": 2}));
    value(bench.submit("msg_1", "call_1_2", &json!({"result": null})));
    assert_eq!(bench.message("msg_1")["output"]["parts"][4]["text"], "Not looked up.");
}

#[test]
fn a_script_that_panics_on_a_result_fails_its_message() {
    let turn = Turn::new().external_tool("a", json!({})).then(|_| panic!("a bug")).text("no");
    let mut bench = playing(turn);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    let message = bench.message("msg_1");
    assert_eq!(
        (&message["status"], &message["output"]["error"]["type"]),
        (&json!("failed"), &json!("script_panicked"))
    );
    assert_eq!(bench.session("sess_1")["status"], "idle");
}

#[test]
fn a_message_may_fail_after_its_tool() {
    let turn = Turn::new().external_tool("a", json!({})).fail(json!("overloaded"));
    let mut bench = playing(turn);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    let message = bench.message("msg_1");
    assert_eq!(message["status"], "failed");
    assert_eq!(message["output"]["parts"].as_array().unwrap().len(), 2);
}

#[test]
fn a_waiting_session_queues_and_others_go_on() {
    let script = |input: &crate::emulator::script::TurnInput| match input.text().as_str() {
        "tool" => Turn::new().external_tool("a", json!({})),
        text => Turn::reply(text),
    };
    let mut bench = Bench::new(ScriptedAgent::named("a").respond(script));
    bench.start(&body("tool"));
    bench.send("sess_1", "next");
    bench.start(&body("elsewhere"));
    bench.pass(60);
    let mut statuses = |ids: [&str; 3]| ids.map(|id| bench.message(id)["status"].clone());
    let ids = ["msg_1", "msg_2", "msg_3"];
    assert_eq!(statuses(ids), ["waiting_for_tool", "queued", "completed"]);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": 1})));
    let mut statuses = |ids: [&str; 3]| ids.map(|id| bench.message(id)["status"].clone());
    assert_eq!(statuses(ids), ["completed", "completed", "completed"]);
}
