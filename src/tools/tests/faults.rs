//! Streams that fail, looks that fail, and the limit of the whole run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fake::{Fake, Streams, api, broken};
use crate::error::{CallFacts, Error};
use crate::messages::Message;
use crate::tools::{ToolRequest, ToolSet};

fn tool() -> ToolSet {
    ToolSet::new().on_raw("tool", |_: ToolRequest| async { Ok::<_, String>(()) })
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_calls_are_found_by_polling() {
    for streams in [Streams::Refused, Streams::NeverOpen] {
        let fake = Fake::waiting_for(&["tool"]);
        fake.lock().streams = streams;
        fake.lock().then = "running";
        let start = Instant::now();
        let run = tokio::spawn(fake.turn(tool()).run(Duration::from_secs(600)));
        sleep(Duration::from_secs(60)).await;
        assert_eq!(fake.submitted().len(), 1, "{streams:?}");
        fake.lock().then = "completed";
        fake.call("call_2", "tool");
        fake.set_status("waiting_for_tool");
        run.await.unwrap().unwrap();
        assert_eq!(fake.submitted().len(), 2);
        assert!(start.elapsed() < Duration::from_secs(75), "{streams:?}: {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_a_second_call_is_found_while_a_handler_runs() {
    let fake = Fake::waiting_for(&["slow"]);
    fake.lock().streams = Streams::Refused;
    let slow = |_: ToolRequest| async {
        sleep(Duration::from_secs(100)).await;
        Ok::<_, String>(())
    };
    let run = tokio::spawn(fake.turn(tool().on_raw("slow", slow)).run(Duration::from_secs(600)));
    sleep(Duration::from_secs(10)).await;
    fake.call("call_2", "tool");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(fake.submitted().len(), 1);
    run.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_stream_never_tells_of_is_found_within_the_safety_net() {
    let fake = Fake::waiting_for(&[]);
    let run = tokio::spawn(fake.turn(tool()).run(Duration::from_secs(600)));
    sleep(Duration::from_secs(1)).await;
    // In the list, but behind the place where the stream stands.
    let call = fake.lock().ledger.len();
    fake.call("call_1", "tool");
    let event = fake.lock().ledger.remove(call);
    fake.lock().ledger.insert(0, event);
    fake.lock().status = "waiting_for_tool";
    let start = Instant::now();
    run.await.unwrap().unwrap();
    assert_eq!(fake.submitted().len(), 1);
    assert!(start.elapsed() <= Duration::from_secs(36), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_run_looks_rarely() {
    let fake = Fake::waiting_for(&[]);
    let error = fake.turn(tool()).run(Duration::from_secs(59)).await.unwrap_err();
    assert!(error.is_timeout());
    // A running message that the stream tells of needs no second history.
    assert_eq!(fake.asked(), ["message", "stream", "events", "message"]);
}

#[tokio::test(start_paused = true)]
async fn handlers_go_on_while_looks_fail_and_the_server_asks_for_time() {
    let fake = Fake::waiting_for(&["tool"]);
    fake.lock().streams = Streams::Refused;
    let busy = || {
        let asked = Some(Duration::from_secs(50));
        let Error::Api(mut error) = api(429, "busy") else { unreachable!() };
        error.facts = CallFacts { retry_after: asked, ..error.facts };
        Error::Api(error)
    };
    fake.lock().message_fault = Box::new(move |number| {
        (1..4).contains(&number).then(|| if number == 1 { busy() } else { broken() })
    });
    let ended = Arc::new(AtomicUsize::new(0));
    let count = ended.clone();
    let slow = move |_: ToolRequest| {
        let count = count.clone();
        async move {
            sleep(Duration::from_secs(10)).await;
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(())
        }
    };
    let run =
        tokio::spawn(fake.turn(ToolSet::new().on_raw("tool", slow)).run(Duration::from_secs(600)));
    sleep(Duration::from_secs(15)).await;
    assert_eq!((ended.load(Ordering::SeqCst), fake.submitted().len()), (1, 1));
    run.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_there_ends_the_run() {
    let fake = Fake::waiting_for(&["tool"]);
    fake.lock().message_fault = Box::new(|_| Some(api(404, "Message not found")));
    assert!(fake.run(tool()).await.unwrap_err().is_not_found());
    assert_eq!(fake.asked(), ["message"]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_bounds_everything_and_tells_the_last_state() {
    let hangs = ToolSet::new()
        .on_raw("tool", |_: ToolRequest| std::future::pending::<Result<(), String>>())
        .timeout(Duration::MAX);
    for streams in [Streams::Live, Streams::Refused, Streams::NeverOpen] {
        let fake = Fake::waiting_for(&["tool"]);
        fake.lock().streams = streams;
        let start = Instant::now();
        let error = fake.turn(hangs.clone()).run(Duration::from_secs(3)).await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::from_secs(3), "{streams:?}");
        let last = error.last_seen::<Message>().unwrap();
        assert_eq!(last.status.as_str(), "waiting_for_tool");
        assert!(
            error.to_string().starts_with("tools.run: nothing final within 3s, last seen: msg_1")
        );
    }
}
