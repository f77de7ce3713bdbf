//! The place of an error, beside what a decoder that tracks it says.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Misfit, read};
use crate::{EventList, MessageList, Session, Transcript};

fn misfit<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> (String, String) {
    let Misfit { path, reason, .. } = read::<T>(json.as_bytes()).unwrap_err();
    (path, reason)
}

fn tracked<T: DeserializeOwned>(json: &str) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    let path = error.path().to_string();
    Some(if path == "." { String::new() } else { path })
}

fn messages() -> Value {
    json!({"messages": [{
        "id": "msg_1", "session_id": "sess_1", "sequence_number": 1, "status": "completed",
        "parts": [{"type": "text", "text": "a \"quoted\" one, with ] and } in it"}],
        "metadata": {"a": [1, {"b": null}]}, "attempt": 1,
        "output": {"parts": [
            {"type": "text", "text": "\\"},
            {"type": "tool_call", "id": "c", "name": "bash", "arguments": {"command": "ls"}},
            {"type": "tool_result", "tool_call_id": "c", "tool_name": "bash",
             "content": [{"type": "text", "text": "x"}], "is_error": false},
        ]},
        "created_at": "2026-04-21T18:40:00Z", "completed_at": null,
    }]})
}

#[test]
fn the_field_is_named_wherever_it_stands() {
    let list = written(&messages(), Tag::First).replace("\"id\":\"c\"", "\n\"id\":7");
    let (path, reason) = misfit::<MessageList>(&list);
    assert_eq!(path, "messages[0].output.parts[1].id");
    assert_eq!(reason, "invalid type: integer `7`, expected a string at line 2 column 6");
    assert!(
        reason.starts_with("invalid type: integer `7`, expected a string at line "),
        "{reason}"
    );
    for (json, expected) in [
        (r#"{"id": "sess_1"}"#, ""),
        (r#"{"id": 7, "agent_id": "a"}"#, "id"),
        (r#"{"id": "sess_1", "agent_id": {"x": 1}}"#, "agent_id"),
        (r#"{"id": "sess_1", "agent_id": "a", "created_at": "noon"}"#, "created_at"),
        (r#"{"id": "sess_1", "agent_id": "a"} more"#, ""),
        (r#"{"id": "sess_1", "agent_id"#, ""),
        (r#"{"\u0069d": [], "agent_id": "a"}"#, "id"),
        ("[]", ""),
        ("", ""),
    ] {
        assert_eq!(misfit::<Session>(json).0, expected, "{json}");
    }
}

#[test]
fn free_json_that_is_no_object_is_found_as_the_last_field_too() {
    for json in [
        r#"{"type":"tool_call","id":"c","name":"n","arguments":[1]}"#,
        r#"{"type":"tool_call","id":"c","arguments":[1],"name":"n"}"#,
    ] {
        assert_eq!(misfit::<crate::Part>(json).0, "arguments", "{json}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_found() {
    let Misfit { path, reason, .. } = read::<Session>(b"{\"id\": \"a\xff\"}").unwrap_err();
    assert_eq!((&*path, &*reason), ("id", "invalid UTF-8 behind byte 9"));
}

#[test]
fn a_hostile_text_is_walked_in_the_end() {
    for json in ["[".repeat(100_000), "{\"a\":".repeat(100_000), "]}\",:\\".repeat(1000)] {
        assert!(read::<Session>(json.as_bytes()).is_err());
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Tag {
    First,
    Last,
}

/// Writes JSON with each `type` at the head or the end of its object.
fn written(value: &Value, tag: Tag) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| written(item, tag)).collect();
            format!("[ {} ]", items.join(" , "))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| (*name == "type") == (tag == Tag::Last));
            let field = |(name, value)| format!("{}:{}", json!(name), written(value, tag));
            let fields: Vec<_> = fields.into_iter().map(field).collect();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}

/// Puts another value at the nth place of a document; returns whether there is one.
fn spoil(value: &mut Value, nth: &mut usize, with: &Value) -> bool {
    if *nth == 0 {
        *value = with.clone();
        return true;
    }
    *nth -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| spoil(item, nth, with)),
        Value::Object(fields) => fields.values_mut().any(|field| spoil(field, nth, with)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn the_place_is_the_one_a_tracking_decoder_finds(
        nth in 0_usize..40, kind in 0_usize..6, tag in 0_usize..2,
    ) {
        let with = [json!(null), json!(-1), json!("x"), json!([1]), json!({"y": 1}), json!(true)];
        let mut list = messages();
        spoil(&mut list, &mut { nth }, &with[kind]);
        let text = written(&list, [Tag::First, Tag::Last][tag]);
        let found = read::<MessageList>(text.as_bytes()).err().map(|misfit| misfit.path);
        prop_assert_eq!(found, tracked::<MessageList>(&text), "{}", text);
    }

    #[test]
    fn no_text_is_too_odd_for_it(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = read::<EventList>(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = read::<Transcript>(format!("{{\"agent\":{text}").as_bytes());
    }
}

#[test]
fn free_json_without_end_is_followed_so_far_and_no_deeper() {
    let deep = |inside: &str, end: &str| {
        let inner = "[".repeat(100_000) + inside + &"]".repeat(100_000);
        format!(r#"{{"id": "sess_1", "x": {inner}{end}"#)
    };
    let (path, _) = misfit::<Session>(&deep("", ", \"agent_id\": 7}"));
    assert_eq!(path, "agent_id");
    for broken in [deep("{\"a\": nul", ""), deep("\"", "")] {
        let (path, _) = misfit::<Session>(&broken);
        assert!(path.starts_with("x[0][0]") && path.len() < 500, "{} bytes", path.len());
    }
}
