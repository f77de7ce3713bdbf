//! Calls that meet a fault: what is repeated, what may have happened, and what did.

use std::time::{Duration, Instant};

use dari::emulator::{Fault, FaultKind, Route};
use dari::{Error, NewEvent, RetryPolicy};

use super::Scene;

const OK: (Option<FaultKind>, Option<u16>) = (None, Some(200));
const SENT: (Option<FaultKind>, Option<u16>) = (None, Some(202));

#[tokio::test]
async fn a_status_is_met_as_often_as_it_was_asked_for() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::status(503).on(Route::GetSession).times(2));
    let call = scene.client.sessions().get(&scene.session).with_meta();
    assert_eq!(call.await.unwrap().meta.attempts, 3);
    let fault = (Some(FaultKind::Status), Some(503));
    assert_eq!(scene.met(), [fault, fault, OK]);
    assert_eq!(scene.emulator.faults_left(), 0);
}

#[tokio::test]
async fn a_retry_after_is_sent_and_waited_for() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::status(503).retry_after(1).on(Route::GetSession));
    let begun = Instant::now();
    scene.client.sessions().get(&scene.session).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));

    scene.emulator.inject(Fault::status(429).retry_after(3600));
    let error = scene.client.sessions().get(&scene.session).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(error.is_rate_limited() && error.to_string().contains("Injected fault: status 429"));
}

#[tokio::test]
async fn a_refusal_is_not_carried_out_unless_it_was_asked_for() {
    let scene = Scene::new().await;
    let create = || scene.client.sessions().create(&"agt_1".parse().unwrap()).into_future();
    scene.emulator.inject(Fault::status(429).on(Route::CreateSession));
    create().await.unwrap();
    assert_eq!(scene.ledger().await.1, 2, "a 429 was repeated, and the session is there once");

    scene.emulator.inject(Fault::status(500).on(Route::CreateSession));
    let error = create().await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert_eq!(scene.ledger().await.1, 2);

    scene.emulator.inject(Fault::status(500).carried_out().on(Route::CreateSession));
    let error = create().await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert_eq!(scene.ledger().await.1, 3);
}

#[tokio::test]
async fn a_keyed_send_without_an_answer_is_one_turn() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::no_answer().on(Route::SendEvents).times(3));
    let sent = scene.client.messages().send(&scene.session, "hi").with_meta().await.unwrap();
    assert_eq!(sent.meta.attempts, 4);
    let lost = (Some(FaultKind::NoAnswer), None);
    assert_eq!(scene.met(), [lost, lost, lost, SENT]);
    assert_eq!(scene.ledger().await, (1, 1));
}

#[tokio::test]
async fn an_unsafe_send_without_an_answer_happened_and_is_not_repeated() {
    let scene = Scene::new().await;
    let agent = scene.emulator.agent();
    scene.emulator.inject(Fault::no_answer().on(Route::SendAgentMessage));
    let error = scene.client.agents().send_message(&agent, "hi").await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert_eq!(scene.met(), [(Some(FaultKind::NoAnswer), None)]);
    assert_eq!(scene.ledger().await.1, 2);
}

#[tokio::test]
async fn a_send_that_was_cut_off_did_not_happen_and_the_client_cannot_know() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::disconnect().on(Route::SendEvents).times(2));
    let events = [NewEvent::user_message("a")];
    let error = scene.client.sessions().send_events(&scene.session, events).await.unwrap_err();
    assert!(error.may_have_happened(), "{error:?}");
    assert_eq!(scene.ledger().await.0, 0);

    scene.client.messages().send(&scene.session, "hi").await.unwrap();
    assert_eq!(scene.ledger().await.0, 1, "with a key it is repeated");
    assert_eq!(scene.emulator.fault_counts()[&FaultKind::Disconnect], 2);
}

#[tokio::test]
async fn a_garbage_body_is_an_error_that_shows_it() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::garbage());
    let error = scene.client.messages().list(&scene.session).await.unwrap_err();
    let Error::Decode(decode) = &error else { panic!("{error:?}") };
    assert!(decode.excerpt().contains("Down for maintenance"), "{decode:?}");
    assert_eq!(error.attempts(), 1);

    let half = r#"{"messages": [{"id": "ms"#;
    scene.emulator.inject(Fault::reply(200, "application/json", half));
    let error = scene.client.messages().list(&scene.session).await.unwrap_err();
    assert!(error.to_string().contains("messages[0].id"), "{error}");

    scene.emulator.inject(Fault::garbage().on(Route::SendAgentMessage));
    let agent = scene.emulator.agent();
    let error = scene.client.agents().send_message(&agent, "hi").await.unwrap_err();
    assert!(error.may_have_happened(), "{error:?}");
    assert_eq!(scene.ledger().await.1, 1);
}

#[tokio::test]
async fn a_proxys_page_does_not_hide_its_status() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::reply(502, "text/html", "<h1>Bad gateway</h1>").times(4));
    let error = scene.client.sessions().get(&scene.session).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (502, 4));
    assert!(error.to_string().contains("Bad gateway"), "{error}");
}

#[tokio::test]
async fn a_late_answer_is_waited_for_or_repeated() {
    let scene = Scene::new().await;
    let delay = Duration::from_millis(50);
    scene.emulator.inject(Fault::delay(delay));
    let begun = Instant::now();
    scene.client.sessions().get(&scene.session).await.unwrap();
    assert!(begun.elapsed() >= delay);

    let builder = scene.emulator.client_builder().attempt_timeout(Duration::from_secs(2));
    let hasty = builder.retry(RetryPolicy::default().first_delay(Duration::ZERO)).build().unwrap();
    scene.emulator.inject(Fault::delay(Duration::MAX).times(2));
    let sent = hasty.messages().send(&scene.session, "hi").with_meta().await.unwrap();
    assert_eq!(sent.meta.attempts, 3);
    assert_eq!(scene.ledger().await.0, 1);
    let late = (Some(FaultKind::Delay), None);
    assert_eq!(scene.met()[1..4], [late, late, SENT], "two were never answered");
}

#[tokio::test]
async fn a_wait_goes_on_through_faults() {
    let scene = Scene::new().await;
    let sent = scene.client.messages().send(&scene.session, "hi").await.unwrap();
    scene.emulator.inject(Fault::status(503).on(Route::GetMessage));
    scene.emulator.inject(Fault::cut_body_after(20).on(Route::GetMessage));
    scene.emulator.inject(Fault::no_answer().on(Route::GetMessage));
    let message = scene.client.messages().wait(&sent.message.id).await.unwrap();
    assert_eq!(message.text(), "hi");
    let kinds: Vec<_> = scene.met().into_iter().filter_map(|(fault, _)| fault).collect();
    assert_eq!(kinds, [FaultKind::Status, FaultKind::CutBody, FaultKind::NoAnswer]);
}

#[tokio::test]
async fn a_fault_after_some_requests_leaves_those_alone() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::status(404).on(Route::GetSession).after(2));
    scene.emulator.inject(Fault::status(404).on(Route::path("GET", "/v1/sessions")));
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(scene.client.sessions().get(&scene.session).await.is_ok());
    }
    assert_eq!(found, [true, true, false, true]);
    assert_eq!(scene.emulator.faults_left(), 1);
    assert!(scene.client.sessions().list().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_fault_stands_before_the_key_as_a_proxy_would() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::status(418));
    let builder = dari::Client::builder("dari_wrong").base_url(scene.emulator.url());
    let stranger = builder.build().unwrap();
    let error = stranger.sessions().list().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 418);
    assert!(stranger.sessions().list().await.unwrap_err().is_unauthorized());
}

#[tokio::test]
async fn a_status_that_is_none_counts_as_500() {
    let scene = Scene::new().await;
    for status in [0, 99, 101, 600, u16::MAX] {
        scene.emulator.inject(Fault::reply(status, "not\na header", ""));
        let call = scene.client.sessions().get(&scene.session).retry(RetryPolicy::none());
        assert_eq!(call.await.unwrap_err().status().unwrap().as_u16(), 500, "{status}");
    }
}
