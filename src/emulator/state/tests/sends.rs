//! New sessions and new messages.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, message, refused, value};
use crate::emulator::body::{SessionEvents, new_session, session_events};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::ScriptedAgent;
use crate::emulator::state::{Answer, Arrival, Organization, Visit};

fn batch(bench: &mut Bench, session: &str, texts: &[&str]) -> Value {
    let list: Vec<Value> = texts.iter().map(|text| body(text)).collect();
    let read = session_events(json!({"events": list}).to_string().as_bytes()).unwrap();
    let SessionEvents::Batch(messages) = read else { panic!("{read:?}") };
    value(bench.state.send_batch(bench.visit(), session, messages))
}

fn keyed(bench: &mut Bench, session: &str, key: &str) -> Value {
    let arrival = Arrival { message: message(key), key: Some(key.to_owned()) };
    value(bench.state.send_message(bench.visit(), session, arrival))
}

#[test]
fn the_answer_to_an_agent_message_has_the_shape_of_the_reference() {
    let mut bench = Bench::new(ScriptedAgent::named("support-agent"));
    let mut request = body("Summarize this ticket.");
    request["metadata"] = json!({"ticket_id": "T-1042"});
    request["session"] = json!({"name": "Ticket T-1042", "metadata": {"team": "a"}});
    let expected = json!({
        "event": {
            "id": "sess_1:evt_1", "session_id": "sess_1", "sequence_number": 1,
            "message_id": "msg_1", "type": "user.message", "source": "user",
            "actor": {"type": "user", "id": "org_1"},
            "data": {"content": request["content"], "metadata": {"ticket_id": "T-1042"},
                "message_id": "msg_1"},
            "created_at": "2026-03-31T18:40:00Z"
        },
        "message": {"id": "msg_1", "status": "queued"},
        "session": {
            "id": "sess_1", "name": "Ticket T-1042", "agent_id": "agt_1", "version_id": "ver_1",
            "storage_binding_id": null, "internet_access": false, "llm_id": null,
            "status": "running", "last_message_id": "msg_1", "last_message_status": "queued",
            "created_at": "2026-03-31T18:40:00Z", "metadata": {"team": "a"}
        }
    });
    assert_eq!(bench.start(&request), expected);
}

#[test]
fn a_new_session_is_idle_and_keeps_its_options() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let options = json!({"name": "N", "storage_binding_id": "sb_1", "llm_id": "medium",
        "internet_access": true, "version_id": "ver_1", "metadata": {"a": "b"},
        "secrets": {"TOKEN": "hush"}, "llm_api_key": "quiet"});
    let options = new_session(options.to_string().as_bytes()).unwrap();
    let answer = bench.state.create_session(bench.visit(), "agt_1", options).unwrap();
    assert!(!answer.get().contains("hush") && !answer.get().contains("quiet"));
    let expected = json!({"id": "sess_1", "name": "N", "agent_id": "agt_1", "version_id": "ver_1",
        "storage_binding_id": "sb_1", "internet_access": true, "llm_id": "medium",
        "status": "idle", "last_message_id": null, "last_message_status": null,
        "created_at": "2026-03-31T18:40:00Z", "metadata": {"a": "b"}});
    assert_eq!(value(Ok(answer)), expected);
    assert!(bench.events("sess_1").is_empty());
}

#[test]
fn a_version_that_does_not_exist_creates_nothing() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let options = new_session(br#"{"version_id": "ver_9"}"#).unwrap();
    let answer = bench.state.create_session(bench.visit(), "agt_1", options);
    assert_eq!(refused(answer), Refusal::NotFound("Version"));
    assert_eq!(value(bench.state.sessions(bench.visit(), &[])), json!({"sessions": []}));
}

#[test]
fn a_list_of_events_is_stored_in_the_order_sent_without_a_gap() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let session = bench.create();
    let answer = batch(&mut bench, &session, &["a", "b", "c"]);
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    let events = answer["events"].as_array().unwrap();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], index + 1);
        assert_eq!(event["message_id"], format!("msg_{}", index + 1));
        assert_eq!(event["data"]["content"][0]["text"], ["a", "b", "c"][index]);
    }
    assert_eq!(bench.events(&session)[..3], events[..]);
    let texts = ["msg_1", "msg_2", "msg_3"].map(|id| bench.message(id)["output"].clone());
    assert_eq!(texts.map(|output| output["parts"][0]["text"].clone()), ["a", "b", "c"]);
}

#[test]
fn the_same_key_in_the_same_session_creates_nothing_again() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let session = bench.create();
    let first = keyed(&mut bench, &session, "k1");
    let size = bench.events(&session).len();
    bench.pass(60);
    assert_eq!(keyed(&mut bench, &session, "k1"), first);
    assert_eq!(bench.events(&session).len(), size);
    let other_key = keyed(&mut bench, &session, "k2");
    assert_eq!(other_key["message"]["id"], "msg_2");
    let other_session = bench.create();
    let elsewhere = keyed(&mut bench, &other_session, "k1");
    assert_eq!(elsewhere["message"]["id"], "msg_3");
}

#[test]
fn messages_without_a_key_are_each_their_own() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let session = bench.create();
    assert_eq!(bench.send(&session, "same")["message"]["id"], "msg_1");
    assert_eq!(bench.send(&session, "same")["message"]["id"], "msg_2");
}

#[test]
fn what_does_not_exist_is_not_found_whoever_asks() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("Hi"));
    for organization in [Organization::Owner, Organization::Stranger] {
        let visit = Visit { organization, now: Duration::ZERO };
        for id in [
            "",
            "sess_0",
            "sess_2",
            "sess_01",
            "sess_+1",
            "SESS_1",
            "sess_1 ",
            "msg_1",
            "sess_99999999999999999999999",
        ] {
            assert_eq!(refused(bench.state.session(visit, id)), Refusal::NotFound("Session"));
        }
        let missing = refused(bench.state.message(visit, "msg_2"));
        assert_eq!(missing, Refusal::NotFound("Message"));
        let missing = refused(bench.state.agent_sessions(visit, "agt_2"));
        assert_eq!(missing, Refusal::NotFound("Agent"));
    }
}

#[test]
fn another_organization_sees_and_changes_nothing() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("Hi"));
    let visit = Visit { organization: Organization::Stranger, now: Duration::ZERO };
    let arrival = Arrival { message: message("Hi"), key: None };
    let state = &mut bench.state;
    let answers: [Answer; 8] = [
        state.session(visit, "sess_1"),
        state.messages(visit, "sess_1"),
        state.events(visit, "sess_1", 1),
        state.transcript(visit, "sess_1"),
        state.message(visit, "msg_1"),
        state.agent_sessions(visit, "agt_1"),
        state.send_message(visit, "sess_1", arrival),
        state.create_session(visit, "agt_1", new_session(b"").unwrap()),
    ];
    for answer in answers {
        assert_eq!(refused(answer), Refusal::Forbidden);
    }
    assert_eq!(value(state.sessions(visit, &[])), json!({"sessions": []}));
    let mine = value(bench.state.sessions(bench.visit(), &[]));
    assert_eq!(mine["sessions"].as_array().unwrap().len(), 1);
}
