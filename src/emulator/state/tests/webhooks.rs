//! Webhooks without a socket: configuration, and what is handed over for delivery.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, refused, value};
use crate::emulator::body::{WebhookSettings, webhook_settings};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{ScriptedAgent, Turn};
use crate::emulator::state::webhooks::{Post, Subject};
use crate::emulator::state::{Answer, Organization, Outgoing, Visit};

const ALL: [&str; 6] = [
    "tool.call_requested",
    "session.completed",
    "session.failed",
    "batch.completed",
    "batch.failed",
    "batch.partial_failed",
];

fn settings(body: &Value) -> WebhookSettings {
    webhook_settings(body.to_string().as_bytes()).unwrap()
}

impl Bench {
    fn set_webhook(&mut self, event_types: &[&str], secret: &str) -> Value {
        let body = json!({"webhook_url": "http://127.0.0.1:1/hook", "event_types": event_types});
        let wish = (settings(&body), secret.into());
        value(self.state.set_webhook(self.visit(), "agt_1", wish))
    }

    fn outgoing(&mut self) -> Vec<Outgoing> {
        self.state.outgoing(self.visit()).0
    }

    /// What is handed over in short: its type, and its body.
    fn posted(&mut self) -> Vec<(&'static str, Value)> {
        let read = |it: &Outgoing| (it.kind, serde_json::from_str(&it.body).unwrap());
        self.outgoing().iter().map(read).collect()
    }
}

#[test]
fn the_secret_is_shown_when_it_is_new_and_never_again() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let empty = json!({"webhook_url": null, "signing_enabled": false, "event_types": []});
    assert_eq!(value(bench.state.webhook(bench.visit(), "agt_1")), empty);
    let shown = json!({"webhook_url": "http://127.0.0.1:1/hook", "signing_enabled": true,
        "event_types": ["session.failed"]});
    let with = |secret: &str| {
        let mut shown = shown.clone();
        shown["signing_secret"] = secret.into();
        shown
    };
    assert_eq!(bench.set_webhook(&["session.failed"], "whsec_a"), with("whsec_a"));
    assert_eq!(value(bench.state.webhook(bench.visit(), "agt_1")), shown);
    assert_eq!(bench.set_webhook(&["session.failed"], "whsec_b"), shown);
    let target = bench.state.webhook_target(0).unwrap();
    assert_eq!(target.secret.expose(), "whsec_a", "setting it again keeps the secret");
    let rotated = bench.state.rotate_secret(bench.visit(), "agt_1", "whsec_c".into());
    assert_eq!(value(rotated), with("whsec_c"));
    assert_eq!(bench.state.webhook_target(0).unwrap().secret.expose(), "whsec_c");
    assert_eq!(value(bench.state.clear_webhook(bench.visit(), "agt_1")), empty);
    assert_eq!(value(bench.state.clear_webhook(bench.visit(), "agt_1")), empty);
    let rotated = bench.state.rotate_secret(bench.visit(), "agt_1", "whsec_d".into());
    assert_eq!(refused(rotated), Refusal::NotFound("Webhook"));
    assert_eq!(bench.set_webhook(&["session.failed"], "whsec_e"), with("whsec_e"));
}

#[test]
fn a_webhook_without_types_gets_tool_calls_only() {
    let url = json!("https://hooks.example.com/dari?a=b");
    for body in [
        json!({"webhook_url": url}),
        json!({"webhook_url": url, "event_types": null}),
        json!({"webhook_url": url, "event_types": [], "tomorrow": 1}),
    ] {
        let read = settings(&body);
        assert_eq!((read.url, read.event_types), (url.as_str().unwrap().to_owned(), vec![ALL[0]]));
    }
    let twice = json!({"webhook_url": url, "event_types": ([ALL, ALL].concat())});
    assert_eq!(settings(&twice).event_types, ALL);
}

#[test]
fn a_webhook_that_could_never_be_is_refused() {
    let cases = [
        (json!([]), vec!["body"]),
        (json!({}), vec!["webhook_url"]),
        (json!({"webhook_url": null}), vec!["webhook_url"]),
        (json!({"webhook_url": 1}), vec!["webhook_url"]),
        (json!({"webhook_url": ""}), vec!["webhook_url"]),
        (json!({"webhook_url": "/hook"}), vec!["webhook_url"]),
        (json!({"webhook_url": "hooks.example.com/dari"}), vec!["webhook_url"]),
        (json!({"webhook_url": "ftp://hooks.example.com/"}), vec!["webhook_url"]),
        (json!({"webhook_url": "http://"}), vec!["webhook_url"]),
        (json!({"webhook_url": "http://me@127.0.0.1/"}), vec!["webhook_url"]),
        (json!({"webhook_url": "http://:hush@127.0.0.1/"}), vec!["webhook_url"]),
        (json!({"webhook_url": "http://127.0.0.1/", "event_types": "a"}), vec!["event_types"]),
        (
            json!({"webhook_url": "x", "event_types": ["session.completed", "session.begun", 1]}),
            vec!["webhook_url", "1", "2"],
        ),
    ];
    for (body, places) in cases {
        let refusal = webhook_settings(body.to_string().as_bytes()).unwrap_err();
        let Refusal::Invalid(problems) = refusal else { panic!("{refusal:?}") };
        let last = |loc: &[Value]| loc.last().unwrap().to_string().trim_matches('"').to_owned();
        let found: Vec<String> = problems.iter().map(|problem| last(&problem.loc)).collect();
        assert_eq!(found, places, "{body}");
        let said = json!(problems).to_string();
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn an_external_call_is_delivered_and_one_of_the_agents_own_is_not() {
    let turn = Turn::new()
        .tool_call("own", json!({}), json!(1))
        .external_tool("lookup", json!({"id": 1}))
        .text("Done.");
    let mut bench = Bench::with_turns([turn]);
    bench.set_webhook(&ALL[..1], "whsec_a");
    bench.pass(2);
    bench.start(&body("Hi"));
    assert_eq!(bench.state.next_due(), Some(Duration::from_secs(2)), "a turn waits to be played");
    let expected = json!({
        "id": "webhook_1", "type": "tool.call_requested", "created_at": "2026-03-31T18:40:02Z",
        "agent_id": "agt_1", "session_id": "sess_1", "message_id": "msg_1",
        "data": {"message_id": "msg_1", "tool_call_id": "call_1_2", "tool_name": "lookup",
            "arguments": {"id": 1}}
    });
    assert_eq!(bench.posted(), [("tool.call_requested", expected)]);
    assert!(bench.posted().is_empty(), "what is handed over is gone");
    value(bench.submit("msg_1", "call_1_2", &json!({"result": 1})));
    assert!(bench.posted().is_empty(), "the end of the session was not asked for");
    assert_eq!(bench.message("msg_1")["status"], "completed");
}

#[test]
fn the_end_of_a_session_is_delivered_with_its_metadata_once_no_message_is_left() {
    let slow = Turn::new().delay(Duration::from_secs(1));
    let turns = [slow, Turn::reply("two"), Turn::new().fail(json!({"a": 1}))];
    let mut bench = Bench::with_turns(turns);
    bench.set_webhook(&ALL, "whsec_a");
    let mut first = body("a");
    first["session"] = json!({"metadata": {"team": "x"}});
    bench.start(&first);
    bench.send("sess_1", "b");
    assert!(bench.posted().is_empty());
    bench.pass(1);
    let [(kind, completed)] = &bench.posted()[..] else { panic!("one delivery") };
    assert_eq!(*kind, "session.completed");
    let data = json!({"message_id": "msg_2", "status": "completed", "metadata": {"team": "x"}});
    assert_eq!([&completed["data"], &completed["message_id"]], [&data, &json!("msg_2")]);
    bench.send("sess_1", "c");
    let [(kind, failed)] = &bench.posted()[..] else { panic!("one delivery") };
    assert_eq!(*kind, "session.failed");
    let data = json!({"message_id": "msg_3", "status": "failed", "metadata": {"team": "x"},
        "error": {"a": 1}});
    assert_eq!([&failed["data"], &failed["id"]], [&data, &json!("webhook_2")]);
}

#[test]
fn turns_go_on_by_the_clock_only_while_a_webhook_is_set() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("a"));
    assert_eq!(bench.state.outgoing(bench.visit()).1, None);
    assert_eq!(bench.state.next_due(), Some(Duration::ZERO), "nobody has asked yet");
    bench.set_webhook(&ALL, "whsec_a");
    bench.send("sess_1", "b");
    let (outgoing, due) = bench.state.outgoing(bench.visit());
    assert_eq!((outgoing.len(), due), (1, None));
    value(bench.state.clear_webhook(bench.visit(), "agt_1"));
    bench.send("sess_1", "c");
    assert!(bench.outgoing().is_empty());
    bench.message("msg_3");
    assert!(bench.outgoing().is_empty(), "there is nobody to deliver to");
    assert!(bench.state.webhook_target(0).is_none());
}

#[test]
fn a_delivery_that_was_given_up_stands_in_the_ledger_of_its_session() {
    let mut bench = Bench::with_turns([Turn::new().external_tool("lookup", json!({}))]);
    bench.set_webhook(&ALL, "whsec_a");
    bench.start(&body("Hi"));
    let delivery = bench.outgoing().remove(0);
    bench.pass(9);
    let before = bench.state.changes();
    bench.state.delivery_failed(bench.visit(), &delivery, (3, "the answer was 500"));
    assert!(bench.state.changes() > before, "streams hear of it");
    let event = bench.events("sess_1").pop().unwrap();
    let data = json!({"webhook_id": "webhook_1", "event_type": "tool.call_requested",
        "attempts": 3, "error": "the answer was 500"});
    assert_eq!(
        [&event["type"], &event["data"], &event["source"], &event["message_id"]],
        [&json!("webhook.delivery_failed"), &data, &json!("system"), &json!("msg_1")]
    );
    assert_eq!(event["created_at"], "2026-03-31T18:40:09Z");
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
}

#[test]
fn what_is_about_no_session_is_delivered_too_and_fails_without_a_trace() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.set_webhook(&["batch.failed"], "whsec_a");
    let post = |kind| Post {
        kind,
        at: Duration::ZERO,
        subject: Subject { batch_id: Some("batch_1".to_owned()), ..Subject::default() },
        data: super::super::ledger::written(&json!({"metadata": {"a": 1}})),
    };
    bench.state.post(0, &post("batch.completed"));
    bench.state.post(7, &post("batch.failed"));
    bench.state.post(0, &post("batch.failed"));
    let delivery = bench.outgoing().remove(0);
    let expected = json!({"id": "webhook_1", "type": "batch.failed", "agent_id": "agt_1",
        "created_at": "2026-03-31T18:40:00Z", "batch_id": "batch_1",
        "data": {"metadata": {"a": 1}}});
    assert_eq!(serde_json::from_str::<Value>(&delivery.body).unwrap(), expected);
    bench.state.delivery_failed(bench.visit(), &delivery, (1, "refused"));
    assert!(bench.outgoing().is_empty());
}

#[test]
fn the_webhook_of_another_organization_is_nobodys_business() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.set_webhook(&ALL, "whsec_a");
    let stranger = Visit { organization: Organization::Stranger, now: Duration::ZERO };
    let wish = || (settings(&json!({"webhook_url": "http://127.0.0.1/"})), "whsec_b".into());
    for (visit, id, expected) in [
        (stranger, "agt_1", Refusal::Forbidden),
        (bench.visit(), "agt_2", Refusal::NotFound("Agent")),
    ] {
        let state = &mut bench.state;
        let answers: [Answer; 4] = [
            state.webhook(visit, id),
            state.set_webhook(visit, id, wish()),
            state.clear_webhook(visit, id),
            state.rotate_secret(visit, id, "whsec_c".into()),
        ];
        answers.into_iter().for_each(|answer| assert_eq!(refused(answer), expected));
    }
    assert_eq!(bench.state.webhook_target(0).unwrap().secret.expose(), "whsec_a");
    assert!(!format!("{:?}", bench.state).contains("whsec_a"));
}
