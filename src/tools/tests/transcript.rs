//! What an event leaves out, and a transcript that does not have it, or not yet.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{Fake, Told, api};
use crate::tools::{ToolRequest, ToolSet};

fn echo() -> ToolSet {
    ToolSet::new()
        .on_raw("ours", |call: ToolRequest| async move { Ok::<_, String>(call.arguments) })
}

/// Returns a session whose only call is told with no more than this.
fn called_with(mut data: Value) -> Fake {
    let fake = Fake::waiting_for(&[]);
    fake.lock().open.push("call_1".to_owned());
    data["message_id"] = json!("msg_1");
    data["tool_call_id"] = json!("call_1");
    fake.record("tool.call_requested", data);
    fake.set_status("waiting_for_tool");
    fake
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_transcript_lists_late_is_looked_for_again() {
    for data in [json!({}), json!({"tool_name": "ours"})] {
        let fake = called_with(data);
        let late = fake.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let item =
                json!({"tool_call_id": "call_1", "tool_name": "ours", "arguments": {"n": 3}});
            late.lock().transcript = vec![item];
        });
        fake.completes(echo()).await;
        assert_eq!(fake.only_answer(), (false, json!({"n": 3})));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_listed_without_arguments_has_none() {
    let fake = called_with(json!({"tool_name": "ours"}));
    fake.lock().transcript = vec![json!({"tool_call_id": "call_1", "tool_name": "ours"})];
    fake.completes(echo()).await;
    assert_eq!(fake.only_answer(), (false, json!({})));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_arguments_that_is_never_listed_is_an_error_to_the_model() {
    let (fake, told) = (called_with(json!({"tool_name": "ours"})), Told::default());
    fake.completes(told.by(echo())).await;
    assert_eq!(fake.only_answer(), (true, json!("the call could not be read")));
    assert_eq!(told.all(), ["ours Unreadable"]);
}

#[tokio::test(start_paused = true)]
async fn a_transcript_that_cannot_be_read_is_asked_again_and_then_told_to_the_model() {
    let (fake, told) = (called_with(json!({})), Told::default());
    fake.lock().transcript_fault = Box::new(|_| Some(api(404, "no")));
    fake.completes(told.by(echo())).await;
    assert_eq!(fake.only_answer(), (true, json!("the call could not be read")));
    assert_eq!(told.all(), [" Unreadable"]);
    let asked = fake.asked();
    assert_eq!(asked.iter().filter(|asked| **asked == "transcript").count(), 6);
}
