//! Batches, and how their items and they themselves come along.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, refused, value};
use crate::emulator::body::{new_batch, webhook_settings};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{ScriptedAgent, Turn, TurnInput};
use crate::emulator::state::{Answer, Organization, Visit};

/// Each message says what its turn does: seconds of delay, or `fail`.
fn bench() -> Bench {
    Bench::new(ScriptedAgent::named("a").respond(|input: &TurnInput| match input.text().parse() {
        Ok(seconds) => Turn::new().delay(Duration::from_secs(seconds)).text("done"),
        Err(_) => Turn::new().fail(json!({"message": "overloaded"})),
    }))
}

fn item(text: &str) -> Value {
    json!({"agent_id": "agt_1", "metadata": {"text": text},
        "message": {"content": [{"type": "text", "text": text}]}})
}

fn of_no_version(text: &str) -> Value {
    let mut item = item(text);
    item["version_id"] = json!("ver_9");
    item
}

impl Bench {
    fn create_batch(&mut self, key: &str, items: &[Value]) -> Answer {
        let visit = self.visit();
        self.create_batch_as(visit, key, items)
    }

    fn create_batch_as(&mut self, visit: Visit, key: &str, items: &[Value]) -> Answer {
        let body = json!({"idempotency_key": key, "items": items}).to_string();
        self.state.create_batch(visit, new_batch(body.as_bytes()).unwrap())
    }

    fn batch(&mut self, id: &str) -> Value {
        value(self.state.batch(self.visit(), id))
    }

    /// The status of a batch, and of each of its items.
    fn statuses(&mut self, id: &str) -> String {
        let batch = self.batch(id);
        let items = batch["sessions"].as_array().unwrap().iter();
        let items: Vec<_> = items.map(|item| item["status"].as_str().unwrap()).collect();
        format!("{}: {}", batch["status"].as_str().unwrap(), items.join(" "))
    }
}

#[test]
fn a_batch_goes_from_queued_to_its_end_as_its_items_do() {
    let mut bench = bench();
    let created = value(bench.create_batch("", &[item("1"), item("3")]));
    assert_eq!(created["status"], "queued");
    assert_eq!(created["counts"], json!({"queued": 2, "running": 0, "completed": 0, "failed": 0}));
    assert_eq!(bench.statuses("batch_1"), "running: running running");
    bench.pass(1);
    assert_eq!(bench.statuses("batch_1"), "running: completed running");
    bench.pass(2);
    assert_eq!(bench.statuses("batch_1"), "completed: completed completed");
    let expected = json!({"index": 1, "session_id": "sess_2", "status": "completed",
        "last_message_status": "completed", "agent_id": "agt_1", "version_id": "ver_1",
        "llm_id": null, "metadata": {"text": "3"},
        "transcript_url": "/v1/sessions/sess_2/transcript", "error": null});
    assert_eq!(bench.batch("batch_1")["sessions"][1], expected);
}

#[test]
fn the_webhook_is_told_once_how_a_batch_has_ended() {
    let mut bench = bench();
    let settings = json!({"webhook_url": "http://127.0.0.1:9/",
        "event_types": ["batch.completed", "batch.failed", "batch.partial_failed"]});
    let settings = webhook_settings(settings.to_string().as_bytes()).unwrap();
    bench.state.set_webhook(bench.visit(), "agt_1", (settings, "whsec_1".into())).unwrap();
    for items in [
        vec![item("1"), item("2")],
        vec![item("fail"), of_no_version("1")],
        vec![of_no_version("1")],
        vec![item("1"), item("fail")],
    ] {
        bench.create_batch("", &items).unwrap();
    }
    bench.pass(3);
    bench.pass(1);
    value(bench.create_batch("k", &[item("0")]));
    bench.pass(1);
    bench.batch("batch_5");
    value(bench.create_batch("k", &[item("1")]));
    bench.send("sess_1", "0");
    bench.pass(1);
    let told: Vec<_> = bench.state.outgoing(bench.visit()).0;
    let mut told: Vec<_> = told
        .iter()
        .map(|news| {
            let body: Value = serde_json::from_str(&news.body).unwrap();
            assert_eq!(body["type"], news.kind);
            let id = body["batch_id"].as_str().unwrap();
            assert_eq!(body["data"], bench.batch(id), "with each item's metadata");
            format!("{id} {}", news.kind)
        })
        .collect();
    told.sort();
    let expected = [
        "batch_1 batch.completed",
        "batch_2 batch.failed",
        "batch_3 batch.failed",
        "batch_4 batch.partial_failed",
        "batch_5 batch.completed",
    ];
    assert_eq!(told, expected, "a repeat or a later message ends nothing again");
}

#[test]
fn an_item_fails_alone_whether_it_starts_or_not() {
    let mut bench = bench();
    let batches = [
        (
            vec![item("1"), of_no_version("1"), item("fail")],
            "partial_failed: completed failed failed",
        ),
        (vec![item("fail"), of_no_version("1")], "failed: failed failed"),
        (vec![of_no_version("1")], "failed: failed"),
    ];
    for (n, (items, expected)) in batches.iter().enumerate() {
        value(bench.create_batch("", items));
        bench.pass(1);
        bench.statuses(&format!("batch_{}", n + 1));
        bench.pass(1);
        assert_eq!(bench.statuses(&format!("batch_{}", n + 1)), *expected);
    }
    let batch = bench.batch("batch_1");
    let unstarted = json!({"index": 1, "session_id": null, "status": "failed",
        "last_message_status": null, "agent_id": "agt_1", "version_id": "ver_9", "llm_id": null,
        "metadata": {"text": "1"}, "transcript_url": null, "error": "Version not found"});
    assert_eq!(batch["sessions"][1], unstarted);
    assert_eq!(batch["sessions"][2]["error"], "overloaded");
    assert_eq!(batch["sessions"][2]["last_message_status"], "failed");
    assert_eq!(batch["counts"], json!({"queued": 0, "running": 0, "completed": 1, "failed": 2}));
}

#[test]
fn an_item_keeps_its_status_when_its_session_goes_on() {
    let mut bench = bench();
    value(bench.create_batch("", &[item("fail")]));
    bench.statuses("batch_1");
    bench.send("sess_1", "0");
    assert_eq!(bench.message("msg_2")["status"], "completed");
    let item = bench.batch("batch_1")["sessions"][0].clone();
    assert_eq!(
        (&item["status"], &item["last_message_status"]),
        (&json!("failed"), &json!("completed"))
    );
}

#[test]
fn the_same_key_gives_the_first_batch_as_it_stands_now() {
    let mut bench = bench();
    value(bench.create_batch("k", &[item("0")]));
    bench.pass(1);
    bench.statuses("batch_1");
    let again = value(bench.create_batch("k", &[item("5"), item("6")]));
    assert_eq!((&again["batch_id"], &again["status"]), (&json!("batch_1"), &json!("completed")));
    assert_eq!(value(bench.create_batch("other", &[item("0")]))["batch_id"], "batch_2");
    for expected in ["batch_3", "batch_4"] {
        assert_eq!(value(bench.create_batch("", &[item("0")]))["batch_id"], expected);
    }
    let sessions = value(bench.state.sessions(bench.visit(), &[]));
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 4);
}

#[test]
fn a_key_is_of_its_organization_and_so_is_a_batch() {
    let mut bench = bench();
    value(bench.create_batch("k", &[item("0")]));
    let stranger = Visit { organization: Organization::Stranger, now: Duration::ZERO };
    assert_eq!(refused(bench.create_batch_as(stranger, "k", &[item("0")])), Refusal::Forbidden);
    assert_eq!(refused(bench.state.batch(stranger, "batch_1")), Refusal::Forbidden);
    for visit in [stranger, bench.visit()] {
        let mut unknown = item("0");
        unknown["agent_id"] = json!("agt_9");
        let answer = bench.create_batch_as(visit, "new", &[unknown]);
        assert_eq!(refused(answer), Refusal::NotFound("Agent"));
        for id in ["batch_2", "batch_01", "batch_0", "sess_1", ""] {
            assert_eq!(refused(bench.state.batch(visit, id)), Refusal::NotFound("Batch"));
        }
    }
}
