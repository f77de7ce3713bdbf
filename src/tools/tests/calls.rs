//! Which calls are answered: each once, and only those that are ours to answer.

use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, Told};
use crate::messages::Message;
use crate::tools::{ToolRequest, ToolSet, Unregistered};

/// A tool called `ours` that says so.
fn ours() -> ToolSet {
    ToolSet::new().on_raw("ours", |_: ToolRequest| async { Ok::<_, String>("done") })
}

#[tokio::test(start_paused = true)]
async fn a_finished_message_returns_at_once() {
    let fake = Fake::waiting_for(&["ours"]);
    fake.set_status("failed");
    assert_eq!(fake.run(ours()).await.unwrap().status.as_str(), "failed");
    assert_eq!(fake.asked(), ["message"]);
}

#[tokio::test(start_paused = true)]
async fn the_stream_is_attached_before_the_history_is_read() {
    let fake = Fake::waiting_for(&["ours"]);
    fake.completes(ours()).await;
    assert_eq!(fake.asked(), ["message", "stream", "events", "submit", "message"]);
    assert_eq!(fake.only_answer(), (false, json!("done")));
}

#[tokio::test(start_paused = true)]
async fn a_call_made_while_the_history_is_read_is_answered_from_the_stream() {
    let fake = Fake::waiting_for(&[]);
    let late = fake.clone();
    // Recorded after the list was made: the list does not have it.
    fake.lock().events_fault = Box::new(move |_| {
        let late = late.clone();
        tokio::spawn(async move {
            late.call("call_9", "ours");
            late.set_status("waiting_for_tool");
        });
        None
    });
    fake.completes(ours()).await;
    assert_eq!(fake.submitted()[0]["tool_call_id"], "call_9");
    assert_eq!(fake.submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_announced_twice_is_answered_once() {
    let fake = Fake::waiting_for(&["ours"]);
    let again = json!({
        "message_id": "msg_1", "tool_call_id": "call_1", "tool_name": "ours", "arguments": {},
    });
    fake.record("tool.call_requested", again.clone());
    fake.lock().then = "waiting_for_tool";
    let turn = fake.turn(ours());
    let run = tokio::spawn(turn.run(Duration::from_secs(600)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    fake.record("tool.call_requested", again);
    tokio::time::sleep(Duration::from_secs(60)).await;
    fake.set_status("completed");
    run.await.unwrap().unwrap();
    assert_eq!(fake.submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_of_several_rounds_are_answered_and_those_of_other_messages_are_not() {
    let fake = Fake::waiting_for(&["ours"]);
    fake.lock().then = "running";
    let run = tokio::spawn(fake.turn(ours()).run(Duration::from_secs(600)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let other = json!({"message_id": "msg_2", "tool_call_id": "call_7", "tool_name": "ours"});
    fake.record("tool.call_requested", other);
    fake.lock().then = "completed";
    fake.call("call_2", "ours");
    fake.call("call_3", "ours");
    fake.set_status("waiting_for_tool");
    run.await.unwrap().unwrap();
    let answered: Vec<_> =
        fake.submitted().iter().map(|body| body["tool_call_id"].clone()).collect();
    assert_eq!(answered, ["call_1", "call_2", "call_3"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_another_tool_is_left_pending_and_told_once() {
    let fake = Fake::waiting_for(&["theirs", "ours"]);
    let told = Told::default();
    let error = fake.run(told.by(ours())).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.last_seen::<Message>().unwrap().status.as_str(), "waiting_for_tool");
    assert_eq!(error.operation(), Some("tools.run"));
    assert_eq!(fake.submitted().len(), 1);
    assert_eq!(told.all(), ["theirs LeftPending", "ours Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_another_tool_is_answered_with_an_error_when_asked() {
    let fake = Fake::waiting_for(&["theirs"]);
    let told = Told::default();
    fake.completes(told.by(ours().unregistered(Unregistered::AnswerWithError))).await;
    assert_eq!(fake.only_answer(), (true, json!("there is no tool of this name")));
    assert_eq!(told.all(), ["theirs Unregistered"]);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_the_service_runs_itself_is_not_answered() {
    let fake = Fake::waiting_for(&[]);
    let told = Told::default();
    let tools = told.by(ours().unregistered(Unregistered::AnswerWithError));
    let run = tokio::spawn(fake.turn(tools).run(Duration::from_secs(600)));
    // The message does not wait for it.
    fake.call("call_1", "bash");
    tokio::time::sleep(Duration::from_secs(120)).await;
    fake.record("tool.call_completed", json!({"tool_call_id": "call_1", "tool_name": "bash"}));
    fake.call("call_2", "ours");
    fake.set_status("waiting_for_tool");
    tokio::time::sleep(Duration::from_secs(60)).await;
    fake.set_status("completed");
    run.await.unwrap().unwrap();
    assert_eq!(fake.submitted().len(), 1);
    assert_eq!(told.all(), ["ours Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_event_leaves_out_is_taken_from_the_transcript() {
    let fake = Fake::waiting_for(&[]);
    fake.lock().open.push("call_1".to_owned());
    fake.record("tool.call_requested", json!({"message_id": "msg_1", "tool_call_id": "call_1"}));
    fake.set_status("waiting_for_tool");
    let item = |id: &str, message: &str, name: &str| json!({"tool_call_id": id, "message_id": message, "tool_name": name, "arguments": {"n": 3}});
    fake.lock().transcript = vec![
        item("call_2", "msg_1", "x"),
        item("call_1", "msg_0", "y"),
        item("call_1", "msg_1", "ours"),
    ];
    let tools = ToolSet::new()
        .on_raw("ours", |call: ToolRequest| async move { Ok::<_, String>(call.arguments) });
    fake.completes(tools).await;
    assert_eq!(fake.only_answer(), (false, json!({"n": 3})));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_tool_nobody_names_is_one_without_a_handler() {
    let fake = Fake::waiting_for(&[]);
    fake.lock().open.push("call_1".to_owned());
    fake.record("tool.call_requested", json!({"message_id": "msg_1", "tool_call_id": "call_1"}));
    fake.set_status("waiting_for_tool");
    let told = Told::default();
    fake.completes(told.by(ours().unregistered(Unregistered::AnswerWithError))).await;
    assert_eq!(told.all(), [" Unregistered"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_with_calls_without_end_ends_the_run() {
    let fake = Fake::waiting_for(&[]);
    for number in 0..=10_000 {
        fake.call(&format!("call_{number}"), "theirs");
    }
    let error = fake.run(ours()).await.unwrap_err();
    assert!(error.to_string().contains("more than 10000 tool calls"), "{error}");
    assert_eq!(fake.submitted().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_full_of_calls_is_read_no_faster_than_they_are_answered() {
    let fake = Fake::waiting_for(&[]);
    let slow = |_: ToolRequest| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, String>(())
    };
    let tools = ToolSet::new().on_raw("slow", slow).concurrency(10);
    let run = tokio::spawn(fake.turn(tools).run(Duration::from_secs(600)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    (0..500).for_each(|number| fake.call(&format!("call_{number}"), "slow"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let read = fake.lock().read;
    assert!(read <= 2 + 10 + 64, "{read} events read");
    run.await.unwrap().unwrap();
    assert_eq!(fake.submitted().len(), 500);
}
