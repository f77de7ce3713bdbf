//! Streams that meet a fault: every event comes once and in order all the same.

use std::time::Duration;

use dari::emulator::{Emulator, Fault, FaultKind, Route, ScriptedAgent, Turn};
use dari::{Error, EventStream, StreamStats};
use serde_json::json;

use super::Scene;
use crate::support::ledger::{read, read_error, stream};

/// How many events a turn of the agent leaves, the user's message included.
const EVENTS: u64 = 12;

async fn scene() -> Scene {
    let turn =
        (0..3).fold(Turn::new(), |turn, n| turn.tool_call("bash", json!({"n": n}), json!(n)));
    let agent = ScriptedAgent::named("a").turns([turn.text("done")]);
    let scene = Scene::of(Emulator::builder().agent(agent).start().await.unwrap()).await;
    scene.client.messages().send(&scene.session, "hi").await.unwrap();
    scene
}

/// Returns what a stream went through that reads the whole ledger with these faults in its way.
async fn comes_through(
    faults: impl IntoIterator<Item = Fault>,
    set: fn(EventStream) -> EventStream,
) -> (StreamStats, Vec<FaultKind>) {
    let scene = scene().await;
    faults.into_iter().for_each(|fault| scene.emulator.inject(fault));
    let mut events = set(stream(&scene.client, scene.session.as_str()));
    let numbers = read(&mut events, EVENTS as usize).await;
    assert_eq!(numbers, (1..=EVENTS).collect::<Vec<_>>());
    assert_eq!(scene.emulator.faults_left(), 0);
    let met = scene.met().into_iter().filter_map(|(fault, _)| fault).collect();
    (events.stats(), met)
}

fn plain(stream: EventStream) -> EventStream {
    stream
}

#[tokio::test]
async fn a_stream_that_ends_is_resumed() {
    let fault = Fault::end_stream_after(2).times(3);
    let (stats, met) = comes_through([fault], plain).await;
    assert_eq!((stats.reconnects, stats.duplicates, stats.gaps), (3, 0, 0));
    assert_eq!(met, [FaultKind::EndStream; 3]);
}

#[tokio::test]
async fn a_stream_that_ends_before_its_first_event_is_resumed() {
    let (stats, _) = comes_through([Fault::end_stream_after(0)], plain).await;
    assert_eq!(stats.reconnects, 1);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_left_and_resumed() {
    let fault = Fault::stall_stream_after(5);
    let hasty = |stream: EventStream| stream.idle_timeout(Duration::from_secs(2));
    let (stats, met) = comes_through([fault], hasty).await;
    assert_eq!((stats.reconnects, stats.duplicates), (1, 0));
    assert_eq!(met, [FaultKind::StallStream]);
}

#[tokio::test]
async fn a_silent_stream_has_no_heartbeats_either() {
    let builder = Emulator::builder().heartbeat(Duration::from_millis(1));
    let scene = Scene::of(builder.start().await.unwrap()).await;
    scene.client.messages().send(&scene.session, "hi").await.unwrap();
    scene.emulator.inject(Fault::stall_stream_after(1));
    let events = stream(&scene.client, scene.session.as_str());
    let mut events = events.idle_timeout(Duration::from_secs(2));
    assert_eq!(read(&mut events, 6).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(events.stats().reconnects, 1);
}

#[tokio::test]
async fn events_that_come_again_are_dropped() {
    let (stats, met) = comes_through([Fault::repeat_events(1..4)], plain).await;
    assert_eq!((stats.reconnects, stats.duplicates), (0, 3));
    assert_eq!(met, [FaultKind::RepeatEvents]);
}

#[tokio::test]
async fn events_left_out_are_fetched_from_the_list() {
    let (stats, met) = comes_through([Fault::skip_events(3..6)], plain).await;
    assert_eq!((stats.gaps, stats.filled, stats.missing, stats.reconnects), (1, 3, 0, 0));
    assert_eq!(met, [FaultKind::SkipEvents]);
}

#[tokio::test]
async fn a_stream_comes_through_every_passing_fault_in_a_row() {
    let faults = [
        Fault::status(503).on(Route::StreamEvents),
        Fault::cut_body_after(0).on(Route::StreamEvents),
        Fault::no_answer().on(Route::StreamEvents),
        Fault::disconnect().on(Route::StreamEvents),
        Fault::cut_body_after(700).on(Route::StreamEvents),
        Fault::end_stream_after(1),
        Fault::skip_events(0..2),
        Fault::status(500).on(Route::ListEvents),
    ];
    let (stats, _) = comes_through(faults, plain).await;
    assert!(stats.reconnects >= 5, "{stats:?}");
}

#[tokio::test]
async fn a_stream_that_opens_late_is_waited_for() {
    let fault = Fault::delay(Duration::from_millis(50)).on(Route::StreamEvents);
    let (stats, met) = comes_through([fault], plain).await;
    assert_eq!((stats.reconnects, met), (0, vec![FaultKind::Delay]));
}

#[tokio::test]
async fn a_page_in_place_of_a_stream_is_told_at_once() {
    let scene = scene().await;
    scene.emulator.inject(Fault::garbage().on(Route::StreamEvents));
    let mut events = stream(&scene.client, scene.session.as_str());
    let error = read_error(&mut events).await;
    assert!(matches!(error, Error::Decode(_)), "{error:?}");
    assert_eq!(read(&mut events, 1).await, [1], "asking again goes on");
}

#[tokio::test]
async fn a_fault_of_streams_leaves_a_refusal_as_it_is() {
    let scene = scene().await;
    scene.emulator.inject(Fault::end_stream_after(0));
    let mut events = stream(&scene.client, "sess_9");
    assert!(read_error(&mut events).await.is_not_found());
    assert_eq!(scene.met().last(), Some(&(Some(FaultKind::EndStream), Some(404))));
}
