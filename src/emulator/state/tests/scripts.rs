//! Agents as users script them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body};
use crate::emulator::script::{ScriptedAgent, Turn, TurnInput};

#[test]
fn the_last_of_several_turns_repeats_and_each_session_starts_anew() {
    let mut bench = Bench::with_turns([Turn::reply("one"), Turn::reply("two")]);
    bench.start(&body("a"));
    bench.send("sess_1", "b");
    bench.send("sess_1", "c");
    bench.start(&body("d"));
    let mut text = |id| bench.message(id)["output"]["parts"][0]["text"].clone();
    assert_eq!([text("msg_1"), text("msg_2"), text("msg_3")], ["one", "two", "two"]);
    assert_eq!(text("msg_4"), "one");
}

#[test]
fn an_agent_without_turns_completes_with_nothing_said() {
    let mut bench = Bench::with_turns([]);
    bench.start(&body("Hi"));
    assert_eq!(bench.message("msg_1")["output"], json!({"parts": []}));
}

#[test]
fn a_script_sees_what_the_user_sent() {
    let describe = |input: &TurnInput| {
        let told = json!([
            input.text(),
            input.content(),
            input.metadata(),
            input.session_id(),
            input.number()
        ]);
        Turn::reply(told.to_string())
    };
    let mut bench = Bench::new(ScriptedAgent::named("a").respond(describe));
    bench.start(&body("first"));
    let input = json!({"type": "user.message", "metadata": {"k": [1]}, "content": [
        {"type": "text", "text": "a"}, {"type": "file", "file_id": "f"}, {"type": "text", "text": "b"}
    ]});
    bench.start(&input);
    bench.send("sess_2", "c");
    let mut told = |id| -> Value {
        let text = bench.message(id)["output"]["parts"][0]["text"].as_str().unwrap().to_owned();
        serde_json::from_str(&text).unwrap()
    };
    let expected = json!(["a\nb", input["content"], {"k": [1]}, "sess_2", 1]);
    assert_eq!(told("msg_2"), expected);
    assert_eq!(told("msg_3")[2], Value::Null);
    assert_eq!(told("msg_3")[4], 2);
}

#[test]
fn a_script_that_panics_fails_its_message_only() {
    let script = |input: &TurnInput| match input.number() {
        1 => panic!("a bug in a user's script"),
        _ => Turn::reply("fine"),
    };
    let mut bench = Bench::new(ScriptedAgent::named("a").respond(script));
    bench.start(&body("Hi"));
    assert_eq!(bench.message("msg_1")["output"]["error"]["type"], "script_panicked");
    bench.send("sess_1", "again");
    assert_eq!(bench.message("msg_2")["status"], "completed");
}

#[test]
fn sessions_do_not_wait_for_each_other() {
    let slow = |input: &TurnInput| {
        let seconds = input.text().parse().unwrap();
        Turn::new().delay(Duration::from_secs(seconds)).text("done")
    };
    let mut bench = Bench::new(ScriptedAgent::named("a").respond(slow));
    for seconds in ["9", "1", "5"] {
        bench.start(&body(seconds));
    }
    bench.pass(5);
    let mut status = |id| bench.message(id)["status"].clone();
    assert_eq!(
        [status("msg_1"), status("msg_2"), status("msg_3")],
        ["running", "completed", "completed"]
    );
}

#[test]
fn an_endless_delay_is_no_harm() {
    let turn = Turn::new().delay(Duration::MAX).delay(Duration::MAX).text("never");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Hi"));
    bench.pass(1 << 40);
    assert_eq!(bench.message("msg_1")["status"], "running");
}
