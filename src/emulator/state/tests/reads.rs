//! Lists, messages and transcripts.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, value};
use crate::emulator::body::new_session;
use crate::emulator::script::{ScriptedAgent, Turn};

#[test]
fn a_message_has_every_field_of_the_reference() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("a"));
    bench.pass(2);
    bench.send("sess_1", "b");
    let expected = json!({
        "id": "msg_2", "session_id": "sess_1", "sequence_number": 2,
        "parts": [{"type": "text", "text": "b"}], "metadata": null, "status": "completed",
        "attempt": 1, "output": {"parts": [{"type": "text", "text": "b"}]},
        "created_at": "2026-03-31T18:40:02Z", "completed_at": "2026-03-31T18:40:02Z",
    });
    assert_eq!(bench.message("msg_2"), expected);
    let list = value(bench.state.messages(bench.visit(), "sess_1"));
    assert_eq!(list, json!({"messages": [bench.message("msg_1"), expected]}));
}

#[test]
fn a_limit_keeps_the_first_events() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("a"));
    let all = bench.events("sess_1");
    let some = value(bench.state.events(bench.visit(), "sess_1", 2));
    assert_eq!(some, json!({"events": all[..2]}));
}

#[test]
fn sessions_are_found_by_all_of_the_metadata_asked_for() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    for metadata in [r#"{"a":"1","b":"2"}"#, r#"{"a":"1"}"#, r#"{}"#] {
        let options = new_session(format!(r#"{{"metadata":{metadata}}}"#).as_bytes()).unwrap();
        value(bench.state.create_session(bench.visit(), "agt_1", options));
    }
    let mut found = |wanted: &[(&str, &str)]| -> Vec<String> {
        let wanted: Vec<_> = wanted.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let answer = value(bench.state.sessions(bench.visit(), &wanted));
        let sessions = answer["sessions"].as_array().unwrap();
        sessions.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found(&[]), ["sess_1", "sess_2", "sess_3"]);
    assert_eq!(found(&[("a", "1")]), ["sess_1", "sess_2"]);
    assert_eq!(found(&[("a", "1"), ("b", "2")]), ["sess_1"]);
    assert!(found(&[("a", "1"), ("a", "2")]).is_empty());
    assert!(found(&[("c", "1")]).is_empty());
}

fn ticket_items() -> Value {
    json!([
        {"type": "user_message", "id": "sess_1:evt_1", "message_id": "msg_1",
            "content": [{"type": "text", "text": "Summarize this ticket."}],
            "created_at": "2026-03-31T18:40:00Z"},
        {"type": "tool_call", "id": "sess_1:evt_4", "message_id": "msg_1",
            "tool_call_id": "call_1_1", "tool_name": "lookup_ticket",
            "arguments": {"ticket_id": "T-1042"}, "status": "completed",
            "result": {"priority": "high"}, "is_error": false,
            "created_at": "2026-03-31T18:40:04Z", "completed_at": "2026-03-31T18:40:04Z"},
        {"type": "assistant_message", "id": "sess_1:evt_6", "message_id": "msg_1",
            "status": "completed",
            "content": [{"type": "text", "text": "This is a high-priority ticket."}],
            "created_at": "2026-03-31T18:40:09Z", "error_message": null},
    ])
}

#[test]
fn a_transcript_has_the_shape_of_the_reference() {
    let turn = Turn::new()
        .delay(Duration::from_secs(4))
        .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), json!({"priority": "high"}))
        .delay(Duration::from_secs(5))
        .text("This is a high-priority ticket.");
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("Summarize this ticket."));
    bench.pass(9);
    let transcript = bench.transcript("sess_1");
    let agent = json!({"id": "agt_1", "name": "support-agent", "active_version_id": "ver_1",
        "created_at": "2026-03-31T18:40:00Z", "deleted_at": null});
    assert_eq!(transcript["agent"], agent);
    assert_eq!(transcript["session"], bench.session("sess_1"));
    assert_eq!(transcript["timeline"], json!({"items": ticket_items()}));
}

#[test]
fn a_transcript_shows_turns_that_are_not_over_with_nothing_said_yet() {
    let turn = Turn::new()
        .text("early")
        .failed_tool_call("t", json!({}), json!("no"))
        .delay(Duration::from_secs(9));
    let mut bench = Bench::with_turns([turn]);
    bench.start(&body("a"));
    bench.send("sess_1", "b");
    let items = bench.items("sess_1");
    let kinds: Vec<&Value> = items.iter().map(|item| &item["type"]).collect();
    let expected =
        ["user_message", "tool_call", "assistant_message", "user_message", "assistant_message"];
    assert_eq!(kinds, expected);
    assert_eq!(items[1]["status"], "failed");
    assert_eq!(items[1]["is_error"], true);
    assert_eq!(items[1]["result"], "no");
    for (place, status) in [(2, "running"), (4, "queued")] {
        assert_eq!(items[place]["status"], status);
        assert_eq!(items[place]["content"], json!([]));
    }
}

#[test]
fn a_failed_turn_shows_its_error_as_text() {
    for (error, shown) in [
        (json!("boom"), json!("boom")),
        (json!({"message": "too busy", "code": 7}), json!("too busy")),
        (json!({"code": 7}), json!("{\"code\":7}")),
        (Value::Null, Value::Null),
    ] {
        let mut bench = Bench::with_turns([Turn::new().text("half").fail(error)]);
        bench.start(&body("a"));
        let item = bench.items("sess_1").pop().unwrap();
        assert_eq!((&item["status"], &item["error_message"]), (&json!("failed"), &shown));
        assert_eq!(item["content"], json!([{"type": "text", "text": "half"}]));
    }
}

#[test]
fn free_json_comes_back_as_it_was_sent_on_one_line() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let sent =
        "{\"type\":\"user.message\",\"metadata\":{\"z\": 1.50,\n \"a\":12345678901234567890123},
        \"content\":[{\"type\":\"text\",\"extra\":{},\"text\":\"x\"}]}";
    let sent = crate::emulator::body::agent_message(sent.as_bytes()).unwrap();
    bench.state.send_agent_message(bench.visit(), "agt_1", sent).unwrap();
    let answer = bench.state.message(bench.visit(), "msg_1").unwrap();
    assert!(answer.get().contains(r#""metadata":{"z":1.50,"a":12345678901234567890123}"#));
    assert!(answer.get().contains(r#"[{"type":"text","extra":{},"text":"x"}]"#));
    assert!(!answer.get().contains('\n'));
}
