//! What becomes of an answer on its way to the service.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::fake::{Fake, Told, api, broken, unconnected};
use crate::error::Error;
use crate::tools::{ToolRequest, ToolSet};

fn tool() -> ToolSet {
    ToolSet::new().on_raw("tool", |_: ToolRequest| async { Ok::<_, String>("done") })
}

/// Returns the outcome of the only call when its submissions fail like this.
async fn outcome<F>(fault: F) -> (Vec<String>, usize)
where
    F: FnMut(usize) -> Option<Error> + Send + 'static,
{
    let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
    fake.lock().submit_fault = Box::new(fault);
    let run = fake.run(told.by(tool())).await;
    // Only an answer that has arrived ends this message.
    assert_eq!(run.is_ok(), fake.lock().open.is_empty(), "{run:?}");
    (told.all(), fake.submitted().len())
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_repeated_until_the_service_has_it() {
    let start = Instant::now();
    let failing =
        |number| (number < 6).then(|| if number % 2 == 0 { broken() } else { api(503, "") });
    assert_eq!(outcome(failing).await, (vec!["tool Succeeded".to_owned()], 7));
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_behind_a_lost_reply_is_our_own_answer() {
    let fake = Fake::waiting_for(&["tool"]);
    let told = Told::default();
    let taken = fake.clone();
    fake.lock().submit_fault = Box::new(move |number| {
        let taken = taken.clone();
        // It was recorded, and then the reply was lost.
        let lost = move || {
            tokio::spawn(async move { taken.answer("call_1", "tool.result_submitted") });
            broken()
        };
        (number == 0).then(lost)
    });
    fake.lock().then = "running";
    let run = tokio::spawn(fake.turn(told.by(tool())).run(Duration::from_secs(60)));
    tokio::time::sleep(Duration::from_secs(10)).await;
    fake.set_status("completed");
    run.await.unwrap().unwrap();
    assert_eq!((told.all(), fake.submitted().len()), (vec!["tool Succeeded".to_owned()], 2));
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_last_answer_is_told_before_the_message_is_returned() {
    let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
    let taken = fake.clone();
    fake.lock().submit_fault = Box::new(move |number| {
        let taken = taken.clone();
        (number == 0).then(move || {
            tokio::spawn(async move { taken.answer("call_1", "tool.result_submitted") });
            broken()
        })
    });
    fake.completes(told.by(tool())).await;
    assert_eq!(told.all(), ["tool Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_on_the_first_attempt_is_somebody_elses_answer() {
    let told = outcome(|_| Some(api(409, "answered"))).await;
    assert_eq!(told, (vec!["tool AnsweredElsewhere".to_owned()], 5));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_early_is_repeated() {
    for status in [404, 409] {
        let early = move |number| (number < 2).then(|| api(status, "not waiting"));
        assert_eq!(outcome(early).await, (vec!["tool Succeeded".to_owned()], 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_on_a_call_that_the_history_ends_is_not_doubted() {
    let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
    let other = fake.clone();
    fake.lock().submit_fault = Box::new(move |_| {
        let other = other.clone();
        tokio::spawn(async move { other.answer("call_1", "tool.result_submitted") });
        Some(api(409, "answered"))
    });
    fake.lock().then = "waiting_for_tool";
    assert!(fake.run(told.by(tool())).await.is_err());
    // The first may be refused before the other's answer shows.
    assert!(fake.submitted().len() <= 2, "{:?}", fake.submitted());
    assert_eq!(told.all(), ["tool AnsweredElsewhere"]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_the_schema_refuses_becomes_an_error_that_says_why() {
    for status in [400, 413, 422] {
        let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
        let refusal = move |number| (number == 0).then(|| api(status, "result: not an object"));
        fake.lock().submit_fault = Box::new(refusal);
        fake.completes(told.by(tool())).await;
        let answers = fake.submitted();
        assert_eq!(
            (&answers[0]["result"], &answers[0]["is_error"]),
            (&json!("done"), &json!(false))
        );
        let told_to_the_model = "the tool's result was refused: result: not an object";
        assert_eq!(answers[1]["result"], told_to_the_model);
        assert_eq!((&answers[1]["is_error"], answers.len()), (&json!(true), 2));
        assert_eq!(told.all(), ["tool Refused"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_refused_as_well_is_given_up() {
    let told = outcome(|_| Some(api(422, "no"))).await;
    assert_eq!(told, (vec!["tool Undelivered".to_owned()], 3));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_refused_is_told_in_short() {
    for status in [400, 413, 422] {
        let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
        fake.lock().submit_fault =
            Box::new(move |number| (number == 0).then(|| api(status, "too long")));
        let failing = |_: ToolRequest| async { Err::<(), _>("a very long story ".repeat(9_999)) };
        fake.completes(told.by(ToolSet::new().on_raw("tool", failing))).await;
        let answers = fake.submitted();
        assert_eq!((&answers[1]["result"], answers.len()), (&json!("the tool failed"), 2));
        assert_eq!(answers[1]["is_error"], true);
        assert_eq!(told.all(), ["tool Failed"]);
    }
}

/// Returns the outcome of a call whose submissions fail like this before a conflict.
async fn conflict_behind(faults: Vec<Error>) -> Vec<String> {
    let mut faults = faults.into_iter();
    outcome(move |_| Some(faults.next().unwrap_or_else(|| api(409, "answered")))).await.0
}

#[tokio::test(start_paused = true)]
async fn a_conflict_behind_a_refused_connection_is_somebody_elses_answer() {
    assert_eq!(conflict_behind(vec![unconnected()]).await, ["tool AnsweredElsewhere"]);
    assert_eq!(conflict_behind(vec![api(429, "")]).await, ["tool AnsweredElsewhere"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_stays_lost_behind_a_request_to_slow_down() {
    let Error::Api(mut slow) = api(429, "") else { unreachable!() };
    slow.facts.lost = true;
    assert_eq!(conflict_behind(vec![Error::Api(slow)]).await, ["tool Succeeded"]);
    assert_eq!(conflict_behind(vec![broken(), unconnected()]).await, ["tool Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_call_that_is_not_there_is_given_up() {
    let told = outcome(|_| Some(api(404, "Tool call not found"))).await;
    assert_eq!(told, (vec!["tool Undelivered".to_owned()], 5));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_ends_the_run() {
    for status in [401, 403] {
        let (fake, told) = (Fake::waiting_for(&["tool"]), Told::default());
        fake.lock().submit_fault = Box::new(move |_| Some(api(status, "no")));
        let start = Instant::now();
        let error = fake.run(told.by(tool())).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(told.all(), ["tool Undelivered"]);
    }
}
