//! Bodies the contract allows are read; every other one names what is wrong, and where.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{SessionEvents, agent_message, compact, new_session, session_events};
use crate::emulator::refusal::Refusal;

fn problems<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Vec<(Value, &'static str)> {
    match result.unwrap_err() {
        Refusal::Invalid(problems) => {
            problems.into_iter().map(|problem| (json!(problem.loc), problem.kind)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn sent(body: &Value) -> Vec<(Value, &'static str)> {
    problems(agent_message(body.to_string().as_bytes()))
}

fn created(body: &Value) -> Vec<(Value, &'static str)> {
    problems(new_session(body.to_string().as_bytes()))
}

fn with_content(content: &Value) -> Value {
    json!({"type": "user.message", "content": content})
}

#[test]
fn the_reference_bodies_are_read() {
    let body = json!({
        "type": "user.message",
        "content": [{"type": "text", "text": "Hi"}, {"type": "file", "file_id": "file_456"}],
        "metadata": {"ticket_id": "T-1042"},
        "session": {"name": "Ticket", "version_id": null, "metadata": {"a": "b"}, "tomorrow": 1},
    });
    let read = agent_message(body.to_string().as_bytes()).unwrap();
    assert_eq!(read.message.content.len(), 2);
    assert_eq!(read.message.metadata.unwrap().get(), r#"{"ticket_id":"T-1042"}"#);
    assert_eq!(read.session.name.as_deref(), Some("Ticket"));
    assert_eq!(read.session.metadata.unwrap()["a"], "b");
    let batch = json!({"events": [body, body]}).to_string();
    let read = session_events(batch.as_bytes()).unwrap();
    assert!(matches!(read, SessionEvents::Batch(events) if events.len() == 2));
    let read = session_events(body.to_string().as_bytes()).unwrap();
    assert!(matches!(read, SessionEvents::Message(_)));
}

#[test]
fn an_empty_body_creates_a_plain_session() {
    for body in ["", " \n", "{}", "null", r#"{"metadata": null, "secrets": null}"#] {
        assert!(new_session(body.as_bytes()).unwrap().name.is_none(), "{body:?}");
    }
}

#[test]
fn text_that_is_not_json_is_refused() {
    for body in [&b""[..], b"{", b"\xff", b"{\"a\": \"\\ud800\"}", b"{} x"] {
        assert_eq!(problems(agent_message(body)), [(json!(["body"]), "json_invalid")], "{body:?}");
    }
    for body in ["[]", "1", "\"text\"", "null"] {
        let found = problems(session_events(body.as_bytes()));
        assert_eq!(found, [(json!(["body"]), "type_wrong")], "{body}");
    }
}

#[test]
fn a_field_given_twice_is_refused() {
    let body = r#"{"type": "user.message", "content": [1],
        "content": [{"type": "text", "text": ""}]}"#;
    assert_eq!(problems(agent_message(body.as_bytes())), [(json!(["body"]), "json_invalid")]);
}

#[test]
fn content_must_be_a_list_of_known_blocks() {
    let missing = [(json!(["body", "content"]), "missing")];
    assert_eq!(sent(&json!({"type": "user.message"})), missing);
    assert_eq!(sent(&with_content(&Value::Null)), missing);
    assert_eq!(sent(&with_content(&json!([]))), [(json!(["body", "content"]), "value_empty")]);
    assert_eq!(sent(&with_content(&json!("hi"))), [(json!(["body", "content"]), "type_wrong")]);
    let blocks = json!([
        {"type": "text"}, {"type": "file", "file_id": ""}, {"type": "video"}, 7,
        {"text": "x"}, {"type": "text", "text": 1}, {"type": "text", "text": ""}
    ]);
    let expected = [
        (json!(["body", "content", 0, "text"]), "missing"),
        (json!(["body", "content", 1, "file_id"]), "value_empty"),
        (json!(["body", "content", 2, "type"]), "value_unknown"),
        (json!(["body", "content", 3]), "type_wrong"),
        (json!(["body", "content", 4, "type"]), "missing"),
        (json!(["body", "content", 5, "text"]), "type_wrong"),
    ];
    assert_eq!(sent(&with_content(&blocks)), expected);
}

#[test]
fn only_a_user_message_is_sent_to_an_agent_or_in_a_list() {
    let odd = json!({"type": "tool.result_submitted", "content": [{"type": "text", "text": ""}]});
    assert_eq!(sent(&odd), [(json!(["body", "type"]), "value_unknown")]);
    let list = json!({"events": [with_content(&json!([{"type": "text", "text": ""}])), odd]});
    let found = problems(session_events(list.to_string().as_bytes()));
    assert_eq!(found, [(json!(["body", "events", 1, "type"]), "value_unknown")]);
    let found = problems(session_events(br#"{"events": []}"#));
    assert_eq!(found, [(json!(["body", "events"]), "value_empty")]);
    let found = problems(session_events(br#"{"events": null}"#));
    assert_eq!(found, [(json!(["body", "events"]), "missing")]);
}

#[test]
fn metadata_has_the_type_the_contract_gives_it() {
    let mut body = with_content(&json!([{"type": "text", "text": ""}]));
    body["metadata"] = json!(["a"]);
    assert_eq!(sent(&body), [(json!(["body", "metadata"]), "type_wrong")]);
    body["metadata"] = json!({"any": [1, null]});
    body["session"] = json!({"metadata": {"tries": 3}});
    assert_eq!(sent(&body), [(json!(["body", "session", "metadata", "tries"]), "type_wrong")]);
}

#[test]
fn session_options_have_the_types_the_contract_gives_them() {
    let found = created(&json!({"name": 1, "internet_access": "yes", "llm_api_key": ""}));
    let expected = [
        (json!(["body", "name"]), "type_wrong"),
        (json!(["body", "llm_api_key"]), "value_empty"),
        (json!(["body", "internet_access"]), "type_wrong"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_bad_secret_is_refused_and_never_repeated() {
    for name in ["", "lower", "1A", "A-B", "A B", "Ä"] {
        let refusal = new_session(json!({"secrets": {name: "hush"}}).to_string().as_bytes());
        assert!(!format!("{refusal:?}").contains("hush"));
        assert_eq!(problems(refusal), [(json!(["body", "secrets"]), "name_invalid")], "{name:?}");
    }
    for value in [json!(""), json!(1), Value::Null] {
        let found = created(&json!({"secrets": {"TOKEN_1": value}}));
        assert_eq!(found, [(json!(["body", "secrets", "TOKEN_1"]), "value_empty")]);
    }
    let kept = new_session(br#"{"secrets": {"_T": "hush"}, "llm_api_key": "quiet"}"#).unwrap();
    assert!(!format!("{kept:?}").contains("hush") && !format!("{kept:?}").contains("quiet"));
}

#[test]
fn a_tool_result_may_be_null_but_not_missing() {
    let base = json!({"type": "tool.result_submitted", "message_id": "m", "tool_call_id": "c"});
    let found = problems(session_events(base.to_string().as_bytes()));
    assert_eq!(found, [(json!(["body", "result"]), "missing")]);
    let mut null = base.clone();
    null["result"] = Value::Null;
    let read = session_events(null.to_string().as_bytes()).unwrap();
    assert!(matches!(read, SessionEvents::ToolAnswer(answer) if answer.tool_call_id == "c"));
    let mut failed = base;
    failed["is_error"] = json!(true);
    let read = session_events(failed.to_string().as_bytes()).unwrap();
    assert!(matches!(read, SessionEvents::ToolAnswer(answer) if answer.message_id == "m"));
}

#[test]
fn free_json_keeps_its_text_but_for_the_layout() {
    let raw = "{ \"b\" :\r\n\t[ 1.50 , 123456789012345678901234567890 ],\"a\":\" \\\" \\\\\" }";
    let raw = RawValue::from_string(raw.to_owned()).unwrap();
    let expected = r#"{"b":[1.50,123456789012345678901234567890],"a":" \" \\"}"#;
    assert_eq!(compact(&raw).get(), expected);
}
