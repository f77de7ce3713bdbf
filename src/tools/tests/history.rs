//! What the ledger shows of the past, and what a run makes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::fake::{Fake, Told, api, broken};
use crate::tools::{ToolRequest, ToolSet, Unregistered};

/// A tool that counts how often it runs.
fn counted() -> (ToolSet, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let tools = ToolSet::new().on_raw("tool", move |_: ToolRequest| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, String>(()) }
    });
    (tools, runs)
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_answered_before_are_left_alone() {
    for event in ["tool.result_submitted", "tool.call_completed", "tool.call_failed"] {
        let (fake, told) = (Fake::waiting_for(&["tool", "tool", "tool"]), Told::default());
        fake.answer("call_2", event);
        let (tools, runs) = counted();
        fake.completes(told.by(tools)).await;
        assert_eq!(runs.load(Ordering::SeqCst), 2, "{event}");
        let answered: Vec<_> =
            fake.submitted().iter().map(|body| body["tool_call_id"].clone()).collect();
        assert_eq!(answered, ["call_1", "call_3"], "{event}");
        assert_eq!(told.all(), ["tool Succeeded", "tool Succeeded"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_its_message_ends_only_a_call_made_before_it() {
    let fake = Fake::waiting_for(&[]);
    let anonymous = json!({"tool_call_id": "call_1", "tool_name": "tool"});
    // It belongs to an older message, whose call had the same id.
    fake.record("tool.call_completed", anonymous);
    fake.call("call_1", "tool");
    fake.call("call_2", "tool");
    fake.set_status("waiting_for_tool");
    fake.lock().open.retain(|id| id != "call_2");
    fake.record("tool.call_completed", json!({"tool_call_id": "call_2"}));
    // Slow enough for the stream to bring both endings again while it is at work.
    let slow = |_: ToolRequest| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, String>(())
    };
    fake.completes(ToolSet::new().on_raw("tool", slow)).await;
    assert_eq!(fake.submitted()[0]["tool_call_id"], "call_1");
    assert_eq!(fake.submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_before_the_history_is_known() {
    let fake = Fake::waiting_for(&["tool"]);
    let answering = fake.clone();
    let (tools, runs) = counted();
    let before = runs.clone();
    fake.lock().events_fault = Box::new(move |number| {
        assert_eq!(before.load(Ordering::SeqCst), 0);
        (number < 12).then(|| if number % 2 == 0 { api(503, "") } else { broken() })
    });
    let start = Instant::now();
    fake.completes(tools).await;
    assert!(start.elapsed() > Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!((runs.load(Ordering::SeqCst), answering.submitted().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_history_that_cannot_be_read_ends_the_run() {
    for status in [401, 403, 404, 422] {
        let fake = Fake::waiting_for(&["tool"]);
        fake.lock().events_fault = Box::new(move |_| Some(api(status, "no")));
        let (tools, runs) = counted();
        let error = fake.run(tools).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_history_is_asked_for_whole() {
    let fake = Fake::waiting_for(&[]);
    for number in 0..9_500 {
        fake.record("note", json!({"number": number}));
    }
    fake.call("call_1", "tool");
    fake.set_status("waiting_for_tool");
    let (tools, _) = counted();
    fake.completes(tools).await;
    let lists = fake.asked().iter().filter(|asked| **asked == "events").count();
    // 1,000 and 8,000 do not cover it.
    assert_eq!((lists, fake.submitted().len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_is_not_taken_for_one_when_the_stream_replays_it() {
    let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
    fake.lock().then = "running";
    fake.answer("call_1", "tool.result_submitted");
    // The service runs this one itself.
    fake.call("call_2", "bash");
    let tools = counted().0.unregistered(Unregistered::AnswerWithError);
    let run = tokio::spawn(fake.turn(told.by(tools)).run(Duration::from_secs(600)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((fake.submitted().len(), told.all().len()), (0, 0));
    fake.set_status("completed");
    run.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_goes_on_waits_no_more_where_no_event_says_so() {
    let (fake, told) = (Fake::waiting_for(&[]), Told::default());
    // The ledger has no statuses: only the message tells.
    fake.lock().ledger.truncate(1);
    fake.lock().status = "waiting_for_tool";
    let tools = counted().0.unregistered(Unregistered::AnswerWithError);
    let run = tokio::spawn(fake.turn(told.by(tools)).run(Duration::from_secs(600)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    fake.lock().status = "running";
    tokio::time::sleep(Duration::from_secs(60)).await;
    // The service runs this one itself.
    fake.call("call_1", "bash");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((fake.submitted().len(), told.all().len()), (0, 0));
    fake.set_status("completed");
    run.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_before_the_point_to_follow_from_is_found_in_the_history() {
    let fake = Fake::waiting_for(&["tool"]);
    let mut turn = fake.turn(counted().0);
    turn.after = Some("4@evt_4".parse().unwrap());
    assert_eq!(fake.lock().ledger.len(), 4);
    turn.run(Duration::from_secs(60)).await.unwrap();
    assert_eq!(fake.submitted().len(), 1);
}
