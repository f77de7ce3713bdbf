//! Faults and the life of an emulator: none outlives it, and each request is told of once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dari::emulator::{Emulator, Fault, FaultKind, ReceivedRequest, Route, ScriptedAgent};
use dari::{RetryPolicy, SessionId};
use tokio::task::JoinSet;

use super::Scene;
use crate::support::ledger::{read, stream};
use crate::support::raw::PATIENCE;

#[tokio::test]
async fn nothing_that_stalls_holds_up_the_drop() {
    let scene = Scene::new().await;
    scene.client.messages().send(&scene.session, "hi").await.unwrap();
    scene.emulator.inject(Fault::delay(Duration::MAX).on(Route::GetSession).times(5));
    scene.emulator.inject(Fault::stall_stream_after(1).times(5));
    let mut waiting = JoinSet::new();
    for _ in 0..5 {
        let (client, session) = (scene.client.clone(), scene.session.clone());
        waiting.spawn(async move {
            let _gone = client.sessions().get(&session).retry(RetryPolicy::none()).await;
        });
        let mut events = stream(&scene.client, scene.session.as_str());
        assert_eq!(read(&mut events, 1).await, [1]);
        waiting.spawn(async move {
            let _gone = events.try_next().await;
        });
    }
    let deadline = Instant::now() + PATIENCE;
    while scene.emulator.faults_left() > 0 {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    drop(scene.emulator);
    assert!(begun.elapsed() < Duration::from_secs(5));
    waiting.abort_all();
}

#[tokio::test]
async fn a_silent_stream_is_open_until_its_client_leaves() {
    let scene = Scene::new().await;
    scene.client.messages().send(&scene.session, "hi").await.unwrap();
    scene.emulator.inject(Fault::stall_stream_after(1));
    let mut events = stream(&scene.client, scene.session.as_str());
    assert_eq!(read(&mut events, 1).await, [1]);
    assert_eq!(scene.emulator.open_streams(), 1);
    drop(events);
    let deadline = Instant::now() + PATIENCE;
    while scene.emulator.open_streams() > 0 {
        assert!(Instant::now() < deadline, "the emulator does not notice");
        tokio::task::yield_now().await;
    }
}

type Told = Arc<Mutex<Vec<(String, Option<u16>, Option<FaultKind>)>>>;

fn note(told: &Told) -> impl Fn(&ReceivedRequest) + Send + Sync + 'static {
    let told = told.clone();
    move |request| {
        let path = request.path().to_owned();
        told.lock().unwrap().push((path, request.status(), request.fault()));
    }
}

#[tokio::test]
async fn every_request_is_told_of_once_answered_or_not() {
    let told = Told::default();
    let builder = Emulator::builder().on_answer(note(&told)).inject(Fault::disconnect().after(1));
    let emulator = builder.inject(Fault::delay(Duration::MAX).after(3)).start().await.unwrap();
    let builder = emulator.client_builder().attempt_timeout(Duration::from_secs(2));
    let client = builder.retry(RetryPolicy::none()).build().unwrap();
    let sessions = client.sessions();
    sessions.list().await.unwrap();
    sessions.list().await.unwrap_err();
    let missing: SessionId = "sess_9".parse().unwrap();
    sessions.get(&missing).await.unwrap_err();
    sessions.get(&missing).await.unwrap_err();
    sessions.list().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while told.lock().unwrap().len() < 5 {
        assert!(Instant::now() < deadline, "{told:?}");
        tokio::task::yield_now().await;
    }
    let mut told = told.lock().unwrap().clone();
    // The emulator sees that a client has left when it does.
    told.sort();
    let all = |status, fault| ("/v1/sessions".to_owned(), status, fault);
    let one = |status, fault| ("/v1/sessions/sess_9".to_owned(), status, fault);
    let expected = [
        all(None, Some(FaultKind::Disconnect)),
        all(Some(200), None),
        all(Some(200), None),
        one(None, Some(FaultKind::Delay)),
        one(Some(404), None),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_function_that_panics_when_told_harms_nobody() {
    let builder = Emulator::builder().on_answer(|_| panic!("on purpose"));
    let emulator = builder.start().await.unwrap();
    let client = emulator.client().unwrap();
    for _ in 0..3 {
        client.sessions().list().retry(RetryPolicy::none()).await.unwrap();
    }
}

#[tokio::test]
async fn faults_of_a_behaviour_happen_in_the_whole_emulator() {
    let text = r#"{"faults": [
        {"status": 503, "on": "list_sessions"},
        {"garbage": true, "on": "GET /v1/sessions/{id}"}
    ]}"#;
    let agent = ScriptedAgent::from_json(text).unwrap();
    let builder = Emulator::builder().agent(ScriptedAgent::echo()).agent(agent);
    let scene = Scene::of(builder.start().await.unwrap()).await;
    assert_eq!(scene.emulator.faults_left(), 2);
    scene.client.sessions().list().await.unwrap();
    scene.client.sessions().get(&scene.session).await.unwrap_err();
    let kinds: Vec<_> = scene.met().into_iter().map(|(fault, _)| fault).collect();
    assert_eq!(kinds, [Some(FaultKind::Status), None, Some(FaultKind::Garbage)]);
}

#[tokio::test]
async fn a_port_can_be_chosen_and_is_taken_once() {
    let emulator = Emulator::start().await.unwrap();
    let port: u16 = emulator.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Emulator::builder().port(port).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
