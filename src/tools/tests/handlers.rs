//! What handlers do, and what the model is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::fake::{Fake, Told};
use crate::tools::{ToolRequest, ToolSet};

#[derive(Deserialize)]
struct Arguments {
    n: u32,
}

/// A value that cannot be encoded, one way or another.
struct Bad {
    panics: bool,
}

impl Serialize for Bad {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        assert!(!self.panics, "no JSON today");
        Err(serde::ser::Error::custom("it has no JSON form"))
    }
}

/// Returns what the model is told by the only tool, and the outcome.
async fn told_by(tools: ToolSet) -> (Value, String) {
    let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
    fake.completes(told.by(tools)).await;
    let (is_error, result) = fake.only_answer();
    assert!(is_error, "{result}");
    let [outcome] = &told.all()[..] else { panic!() };
    (result, outcome.strip_prefix("tool ").unwrap().to_owned())
}

async fn typed(arguments: Arguments) -> Result<Value, String> {
    Ok(json!({"twice": 2 * arguments.n}))
}

#[tokio::test(start_paused = true)]
async fn a_typed_handler_gets_its_arguments_and_gives_a_result() {
    let fake = Fake::waiting_for(&["tool"]);
    fake.completes(ToolSet::new().on("tool", typed)).await;
    assert_eq!(fake.only_answer(), (false, json!({"twice": 2})));
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_have_no_result() {
    let fake = Fake::waiting_for(&["tool"]);
    fake.completes(ToolSet::new().on("tool", |_: Arguments| async { Ok::<_, String>(()) })).await;
    assert_eq!(fake.submitted()[0].get("result"), Some(&Value::Null));
    assert_eq!(fake.only_answer(), (false, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_raw_handler_gets_the_whole_call() {
    let fake = Fake::waiting_for(&["tool"]);
    let tools = ToolSet::new().on_raw("tool", |call: ToolRequest| async move {
        let ids = [call.session_id.as_str(), call.message_id.as_str(), call.tool_call_id.as_str()];
        Ok::<_, String>(json!([ids, call.tool_name, call.parse::<Arguments>().unwrap().n]))
    });
    fake.completes(tools).await;
    assert_eq!(fake.only_answer(), (false, json!([["sess_1", "msg_1", "call_1"], "tool", 1])));
}

#[tokio::test(start_paused = true)]
async fn arguments_that_do_not_fit_tell_the_model_which_field_is_wrong() {
    #[derive(Deserialize)]
    struct Other {
        #[allow(dead_code, reason = "only read from JSON")]
        n: String,
    }
    let tools = ToolSet::new().on("tool", |_: Other| async { Ok::<_, String>("reached") });
    let (told, outcome) = told_by(tools).await;
    assert_eq!(
        told,
        "the arguments do not fit at `n`: invalid type: integer `1`, expected a string"
    );
    assert_eq!(outcome, "BadArguments");
}

#[tokio::test(start_paused = true)]
async fn a_handlers_error_is_told_to_the_model() {
    let tools =
        ToolSet::new().on("tool", |_: Arguments| async { Err::<(), _>("no such ticket: T-1") });
    assert_eq!(told_by(tools).await, (json!("no such ticket: T-1"), "Failed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_encoded_is_told_to_the_model() {
    let bad = |panics| {
        ToolSet::new()
            .on("tool", move |_: Arguments| async move { Ok::<_, String>(Bad { panics }) })
    };
    let (told, outcome) = told_by(bad(false)).await;
    assert_eq!(told, "the tool's result cannot be encoded as JSON: it has no JSON form");
    assert_eq!(outcome, "Failed");
    let (told, outcome) = told_by(bad(true)).await;
    assert_eq!((told, &*outcome), (json!("the tool failed unexpectedly"), "Panicked"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_wherever_it_happens_is_an_error_result_without_its_text() {
    async fn later(_: Arguments) -> Result<(), String> {
        sleep(Duration::from_secs(1)).await;
        panic!("the password is {}", 1234)
    }
    #[allow(clippy::unused_async, reason = "a handler is one")]
    async fn at_once(_: ToolRequest) -> Result<(), String> {
        panic!("at once")
    }
    fn before(_: ToolRequest) -> std::future::Ready<Result<(), String>> {
        panic!("before there is a future")
    }
    for tools in [
        ToolSet::new().on("tool", later),
        ToolSet::new().on_raw("tool", at_once),
        ToolSet::new().on_raw("tool", before),
    ] {
        let (told, outcome) = told_by(tools).await;
        assert_eq!((told, &*outcome), (json!("the tool failed unexpectedly"), "Panicked"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_dropped_and_the_model_told() {
    async fn hangs(_: ToolRequest) -> Result<(), String> {
        std::future::pending().await
    }
    let start = Instant::now();
    let (told, outcome) = told_by(ToolSet::new().on_raw("tool", hangs)).await;
    assert_eq!(told, "the tool gave no result within 120s");
    assert_eq!((&*outcome, start.elapsed().as_secs()), ("TimedOut", 120));
    let start = Instant::now();
    let tools = ToolSet::new().on_raw("tool", hangs).timeout(Duration::from_secs(3));
    assert_eq!(told_by(tools).await.0, "the tool gave no result within 3s");
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_the_call_its_duration_and_its_outcome() {
    let fake = Fake::waiting_for(&["tool"]);
    let reports = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = reports.clone();
    let tools = ToolSet::new().on("tool", |_: Arguments| async {
        sleep(Duration::from_millis(250)).await;
        Ok::<_, String>(1)
    });
    let tools = tools.observe(move |call| {
        assert!(call.outcome.is_success());
        let ids = format!("{} {} {}", call.session_id, call.message_id, call.tool_call_id);
        seen.lock().unwrap().push((ids, call.tool_name.clone(), call.duration));
    });
    fake.completes(tools).await;
    let expected =
        ("sess_1 msg_1 call_1".to_owned(), "tool".to_owned(), Duration::from_millis(250));
    assert_eq!(*reports.lock().unwrap(), [expected]);
}

/// Counts how many of it there are, and were at most.
struct Counter(Arc<(AtomicUsize, AtomicUsize)>);

impl Counter {
    fn new(counts: &Arc<(AtomicUsize, AtomicUsize)>) -> Self {
        let now = counts.0.fetch_add(1, Ordering::SeqCst) + 1;
        counts.1.fetch_max(now, Ordering::SeqCst);
        Self(counts.clone())
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A tool that takes a second, and counts how often it is at work.
fn counting(counts: &Arc<(AtomicUsize, AtomicUsize)>) -> ToolSet {
    let counts = counts.clone();
    ToolSet::new().on_raw("tool", move |_: ToolRequest| {
        let counts = counts.clone();
        async move {
            let _at_work = Counter::new(&counts);
            sleep(Duration::from_secs(1)).await;
            Ok::<_, String>(())
        }
    })
}

#[tokio::test(start_paused = true)]
async fn handlers_run_side_by_side_up_to_the_limit() {
    for (limit, most, seconds) in
        [(None, 8, 3), (Some(3), 3, 7), (Some(0), 1, 20), (Some(99), 20, 1)]
    {
        let fake = Fake::waiting_for(&["tool"; 20]);
        let counts = Arc::default();
        let mut tools = counting(&counts);
        if let Some(limit) = limit {
            tools = tools.concurrency(limit);
        }
        let start = Instant::now();
        fake.completes(tools).await;
        assert_eq!(counts.1.load(Ordering::SeqCst), most, "limit {limit:?}");
        assert_eq!(start.elapsed().as_secs(), seconds, "limit {limit:?}");
        assert_eq!(fake.submitted().len(), 20);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_is_ignored() {
    let fake = Fake::waiting_for(&["tool", "tool"]);
    let tools = ToolSet::new().on("tool", typed).observe(|call| panic!("{}", call.outcome));
    fake.completes(tools).await;
    assert_eq!(fake.submitted().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_run_drops_the_handlers() {
    let fake = Fake::waiting_for(&["tool"; 5]);
    let counts = Arc::default();
    let run = fake.turn(counting(&counts)).run(Duration::from_secs(600));
    assert!(tokio::time::timeout(Duration::from_millis(500), run).await.is_err());
    assert_eq!((counts.0.load(Ordering::SeqCst), counts.1.load(Ordering::SeqCst)), (0, 5));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.submitted(), [Value::Null; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_elsewhere_drops_the_handler() {
    for event in ["tool.result_submitted", "tool.call_completed", "tool.call_failed"] {
        let (fake, told) = (Fake::waiting_for(&["tool", "tool"]), Told::default());
        let counts = Arc::default();
        let run = tokio::spawn(fake.turn(told.by(counting(&counts))).run(Duration::from_secs(60)));
        sleep(Duration::from_millis(500)).await;
        assert_eq!(counts.0.load(Ordering::SeqCst), 2);
        fake.answer("call_1", event);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(counts.0.load(Ordering::SeqCst), 1, "{event}");
        run.await.unwrap().unwrap();
        assert_eq!(fake.submitted().len(), 1);
        assert_eq!(told.all(), ["tool AnsweredElsewhere", "tool Succeeded"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_message_drops_the_handlers() {
    let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
    let counts = Arc::default();
    let run = tokio::spawn(fake.turn(told.by(counting(&counts))).run(Duration::from_secs(60)));
    sleep(Duration::from_millis(500)).await;
    fake.set_status("failed");
    assert_eq!(run.await.unwrap().unwrap().status.as_str(), "failed");
    assert_eq!(counts.0.load(Ordering::SeqCst), 0);
    assert_eq!(told.all(), ["tool AnsweredElsewhere"]);
}
