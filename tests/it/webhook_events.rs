//! What a webhook delivers: six types with typed views, the rest kept whole, nothing refused for being new.

use dari::webhooks::{
    WebhookError, WebhookEvent, WebhookEventKind, WebhookSigner, WebhookVerifier,
};
use dari::{WebhookEventType, WebhookId};
use serde_json::{Value, json};

use crate::round_trip::assert_round_trip;

fn event(json: &Value) -> WebhookEvent {
    serde_json::from_value(json.clone()).unwrap()
}

/// Returns what a verifier says of a body that is well signed.
fn refusal(body: &str) -> String {
    let (_, value) = WebhookSigner::new("whsec_1").unwrap().sign(body.as_bytes());
    let verifier = WebhookVerifier::new("whsec_1").unwrap();
    let error = verifier.verify_signature(value.to_str().unwrap(), body.as_bytes()).unwrap_err();
    assert!(matches!(error, WebhookError::Body { .. }), "{error:?}");
    error.to_string()
}

fn tool_call() -> Value {
    json!({
        "id": "wh_1", "type": "tool.call_requested", "created_at": "2026-04-21T18:40:00Z",
        "agent_id": "agt_1", "session_id": "sess_1", "message_id": "msg_1",
        "data": {"tool_call_id": "call_1", "tool_name": "lookup_ticket",
                 "arguments": {"ticket_id": "T-1042"}},
    })
}

#[test]
fn a_tool_call_has_what_an_answer_needs() {
    let event = event(&tool_call());
    assert_eq!(event.session_id().unwrap(), "sess_1");
    let WebhookEventKind::ToolCallRequested(call) = event.kind() else { panic!("{event:?}") };
    assert_eq!(call.message_id.unwrap(), "msg_1", "it stands beside the data");
    assert_eq!(call.tool_call_id.unwrap(), "call_1");
    assert_eq!(call.tool_name.unwrap(), "lookup_ticket");
    assert_eq!(call.arguments.unwrap().get(), r#"{"ticket_id":"T-1042"}"#);
}

#[test]
fn every_type_has_its_view() {
    let of = |event_type: &str, data: Value| {
        event(&json!({"id": "wh_1", "type": event_type, "data": data})).kind()
    };
    let session = json!({"session_id": "s", "message_id": "m", "metadata": {"team": "support"}});
    for event_type in ["session.completed", "session.failed"] {
        let (WebhookEventKind::SessionCompleted(view) | WebhookEventKind::SessionFailed(view)) =
            of(event_type, session.clone())
        else {
            panic!("{event_type}")
        };
        assert_eq!(
            (view.session_id.unwrap(), view.message_id.unwrap()),
            ("s".parse().unwrap(), "m".parse().unwrap())
        );
        assert_eq!(view.metadata.unwrap()["team"], "support");
    }
    let batch = json!({"batch_id": "batch_1", "metadata": {"run": 7}});
    for event_type in ["batch.completed", "batch.failed", "batch.partial_failed"] {
        let (WebhookEventKind::BatchCompleted(view)
        | WebhookEventKind::BatchFailed(view)
        | WebhookEventKind::BatchPartialFailed(view)) = of(event_type, batch.clone())
        else {
            panic!("{event_type}")
        };
        assert_eq!(view.batch_id.unwrap(), "batch_1");
        assert_eq!(view.metadata.unwrap().get(), r#"{"run":7}"#);
    }
    let null = || Value::Null;
    assert!(matches!(of("session.failed", null()), WebhookEventKind::SessionFailed(_)));
    assert!(matches!(of("batch.failed", null()), WebhookEventKind::BatchFailed(_)));
    assert!(matches!(of("batch.partial_failed", null()), WebhookEventKind::BatchPartialFailed(_)));
    assert_eq!(of("agent.published", batch), WebhookEventKind::Other);
}

#[test]
fn ids_are_found_beside_the_data_and_inside_it() {
    let names = ["agent_id", "session_id", "message_id", "batch_id"];
    let ids = |event: &WebhookEvent| {
        let text = |id: Option<String>| id.unwrap_or_default();
        [
            text(event.agent_id().map(Into::into)),
            text(event.session_id().map(Into::into)),
            text(event.message_id().map(Into::into)),
            text(event.batch_id().map(Into::into)),
        ]
    };
    let (time, later) = ("2026-04-21T18:40:00Z", "2026-04-21T18:40:01+00:00");
    for (n, name) in names.iter().enumerate() {
        let expected: [String; 4] =
            std::array::from_fn(|m| if m == n { "x_1".to_owned() } else { String::new() });
        let beside = json!({"id": "w", "type": "t", *name: "x_1", "data": {}});
        let inside = json!({"id": "w", "type": "t", "data": {*name: "x_1", "other": 1}});
        let both = json!({"id": "w", "type": "t", *name: "x_1", "data": {*name: "x_2"}});
        let odd = json!({"id": "w", "type": "t", *name: 7, "data": {*name: "x_1"}});
        for json in [beside, inside, both, odd] {
            assert_eq!(ids(&event(&json)), expected, "{json}");
        }
    }
    let beside = json!({"id": "w", "type": "t", "created_at": time, "data": {"created_at": later}});
    assert_eq!(event(&beside).created_at().unwrap().to_string(), time);
    let inside = json!({"id": "w", "type": "t", "created_at": null, "data": {"created_at": later}});
    assert_eq!(event(&inside).created_at().unwrap().to_string(), "2026-04-21T18:40:01Z");
}

#[test]
fn an_id_that_does_not_fit_is_missing_and_is_kept() {
    let odd = json!({
        "id": "wh_1", "type": "session.completed", "created_at": 1776796800,
        "session_id": {"id": "sess_1"}, "message_id": "..", "agent_id": [], "batch_id": false,
        "data": {"metadata": {"count": 3}, "session_id": ""},
    });
    let event: WebhookEvent = assert_round_trip(&odd.to_string());
    assert_eq!((event.created_at(), event.agent_id(), event.session_id()), (None, None, None));
    assert_eq!((event.message_id(), event.batch_id()), (None, None));
    let WebhookEventKind::SessionCompleted(view) = event.kind() else { panic!("{event:?}") };
    assert_eq!((view.session_id, view.message_id, view.metadata), (None, None, None));
}

#[test]
fn an_event_encodes_back_to_itself() {
    let event: WebhookEvent = assert_round_trip(&tool_call().to_string());
    assert!(event.extra.is_empty(), "{:?}", event.extra);
    let new = json!({
        "type": "agent.published", "data": [1.10, {"a": null}], "id": "wh_2",
        "version_id": "ver_1", "attempt": {"n": 3, "of": null},
    });
    let event: WebhookEvent = assert_round_trip(&new.to_string());
    assert_eq!(event.event_type.as_str(), "agent.published");
    assert!(matches!(event.event_type, WebhookEventType::Unknown(_)));
    assert_eq!(event.data.get(), r#"[1.1,{"a":null}]"#);
    assert_eq!(event.extra.get("version_id").unwrap().get(), "\"ver_1\"");
    assert_eq!(event.kind(), WebhookEventKind::Other);
}

#[test]
fn an_event_without_data_is_an_event() {
    let event = event(&json!({"id": "wh_1", "type": "session.completed", "session_id": "sess_1"}));
    assert!(event.data.is_null());
    assert_eq!(event.session_id().unwrap(), "sess_1");
}

#[test]
fn an_envelope_without_identity_is_refused_by_the_name_of_the_field() {
    for (body, line) in [
        ("", "webhook: cannot read the body: EOF while parsing a value"),
        ("{", "webhook: cannot read the body: EOF while parsing an object"),
        ("[]", "webhook: cannot read the body: invalid type: sequence, expected"),
        ("null", "webhook: cannot read the body: invalid type: null, expected"),
        (r#"{"type": "t", "data": {}}"#, "webhook: cannot read the body: missing field `id`"),
        (r#"{"id": "w", "data": {}}"#, "webhook: cannot read the body: missing field `type`"),
        (
            r#"{"id": "", "type": "t"}"#,
            "webhook: cannot read the body at id: invalid webhook id: it is empty",
        ),
        (
            r#"{"id": 7, "type": "t"}"#,
            "webhook: cannot read the body at id: invalid type: integer `7`",
        ),
        (
            r#"{"id": "w", "type": null}"#,
            "webhook: cannot read the body at type: invalid type: null",
        ),
        (
            r#"{"id": "w", "id": "x", "type": "t"}"#,
            "webhook: cannot read the body at id: duplicate field `id`",
        ),
        (r#"{"id": "w", "type": "t"} {}"#, "webhook: cannot read the body: trailing characters"),
        ("\u{feff}{}", "webhook: cannot read the body: expected value"),
    ] {
        let refused = refusal(body);
        assert!(refused.starts_with(line), "{body}: {refused}");
    }
}

#[test]
fn what_a_broken_body_says_stays_on_one_short_line() {
    let long = json!({"id": "a\nb".repeat(5_000), "type": "t"}).to_string();
    let path = json!({"id": 1, "type": "t", "x".repeat(5_000): 1}).to_string();
    for body in [long, path, format!(r#"{{"id": {}"#, "[".repeat(100_000))] {
        let line = refusal(&body);
        assert!(line.len() < 700 && !line.contains('\n'), "{line}");
    }
}

#[test]
fn deep_and_large_data_is_kept_without_being_parsed() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let body = format!(r#"{{"id": "w", "type": "session.failed", "data": {deep}}}"#);
    let event: WebhookEvent = serde_json::from_str(&body).unwrap();
    assert_eq!(event.data.get().len(), 200_000);
    assert_eq!(event.session_id(), None);
    assert!(matches!(event.kind(), WebhookEventKind::SessionFailed(_)));
}

#[test]
fn an_id_tells_a_second_delivery_from_a_first() {
    let mut seen = std::collections::HashSet::<WebhookId>::new();
    assert!(seen.insert(event(&tool_call()).id));
    assert!(!seen.insert(event(&tool_call()).id));
}
