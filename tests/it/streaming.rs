//! Streams over the emulator: turns as they happen, and where a stream ends.

use std::time::Duration;

use dari::emulator::{Emulator, Fault, Route, ScriptedAgent, Turn};
use dari::{Client, Cursor, Event, EventKind, EventStream, MessageStatus, NewEvent};
use serde_json::json;

fn busy_agent() -> ScriptedAgent {
    ScriptedAgent::named("busy").respond(|input| {
        Turn::new()
            .delay(Duration::from_millis(20))
            .tool_call("bash", json!({"command": "ls"}), json!("README.md"))
            .delay(Duration::from_millis(20))
            .text(format!("done: {}", input.text()))
    })
}

async fn start() -> (Emulator, Client) {
    let emulator = Emulator::builder().agent(busy_agent()).start().await.unwrap();
    let client = emulator.client().unwrap();
    (emulator, client)
}

async fn collect(mut stream: EventStream) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = stream.try_next().await.unwrap() {
        events.push(event);
    }
    events
}

#[tokio::test]
async fn a_turn_is_followed_to_its_end() {
    let (emulator, client) = start().await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let stream = client.sessions().stream(&sent.session.id).after(&sent.event);
    let events = collect(stream.until(&sent.message.id)).await;
    let numbers: Vec<_> = events.iter().map(|event| event.sequence_number.unwrap()).collect();
    assert_eq!(numbers, (2..2 + numbers.len() as u64).collect::<Vec<_>>());
    assert!(events.iter().any(|event| matches!(event.kind(), EventKind::ToolCallRequested(_))));
    let EventKind::MessageStatusChanged(last) = events.last().unwrap().kind() else { panic!() };
    assert_eq!(last.status, Some(MessageStatus::Completed));
    let listed = client.sessions().events(&sent.session.id).limit(1000).await.unwrap().events;
    assert_eq!(events, listed[1..=events.len()], "a stream gives the events as the list does");
}

#[tokio::test]
async fn a_stream_until_idle_ends_behind_the_whole_queue() {
    let (emulator, client) = start().await;
    let session = client.sessions().create(&emulator.agent()).await.unwrap().id;
    let first = client.messages().send(&session, "one").await.unwrap();
    client
        .messages()
        .wait(&first.message.id)
        .poll_interval(Duration::from_millis(5))
        .await
        .unwrap();
    let events = ["two", "three"].map(NewEvent::user_message);
    client.sessions().send_events(&session, events).await.unwrap();

    for start in [None, Some(Cursor::from(&first.event))] {
        let stream = client.sessions().stream(&session).until_idle();
        let stream = match &start {
            Some(cursor) => stream.after(cursor),
            None => stream,
        };
        let events = collect(stream).await;
        let ended = |event: &&Event| matches!(event.kind(), EventKind::MessageStatusChanged(c) if c.status.as_ref().is_some_and(MessageStatus::is_terminal));
        assert_eq!(events.iter().filter(ended).count(), 3, "{events:#?}");
        assert_eq!(events.last().unwrap().event_type.as_str(), "session.status_changed");
    }
}

#[tokio::test]
async fn a_stream_until_idle_from_the_end_of_an_idle_session_ends_at_once() {
    let (emulator, client) = start().await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let mut stream = client.sessions().stream(&sent.session.id).until_idle();
    while stream.try_next().await.unwrap().is_some() {}
    let cursor = stream.cursor().unwrap();
    let again = || client.sessions().stream(&sent.session.id).until_idle().after(cursor);
    assert_eq!(collect(again()).await, []);
    // Nor does a passing fault of the questions make it wait for events that never come.
    emulator.inject(Fault::status(503).retry_after(0).on(Route::GetSession));
    emulator.inject(Fault::cut_body_after(9).on(Route::ListEvents));
    assert_eq!(collect(again()).await, []);
    assert_eq!(emulator.faults_left(), 0);
}

#[tokio::test]
async fn text_alone_can_be_read() {
    let (emulator, client) = start().await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let mut text = client.sessions().stream(&sent.session.id).until(&sent.message.id).text();
    assert_eq!(text.try_next().await.unwrap().as_deref(), Some("done: hi"));
    assert_eq!(text.try_next().await.unwrap(), None);
    assert_eq!(text.try_next().await.unwrap(), None, "the end stays the end");
}

#[tokio::test]
async fn nothing_connects_before_the_first_event_is_asked_for() {
    let (emulator, client) = start().await;
    let session = client.sessions().create(&emulator.agent()).await.unwrap().id;
    emulator.clear_requests();
    let stream = client.sessions().stream(&session);
    drop(stream);
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection() {
    let (emulator, client) = start().await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let mut stream = client.sessions().stream(&sent.session.id);
    stream.try_next().await.unwrap().unwrap();
    assert_eq!(emulator.open_streams(), 1);
    drop(stream);
    // The server learns of it by the socket's end, a moment later.
    let closed = async {
        while emulator.open_streams() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), closed).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_no_session_says_so() {
    let (_emulator, client) = start().await;
    let mut stream = client.sessions().stream(&"sess_none".parse().unwrap());
    let error = stream.try_next().await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert!(error.to_string().starts_with("sessions.stream: 404 not found"), "{error}");
}

#[tokio::test]
async fn a_cursor_resumes_in_another_client() {
    let (emulator, client) = start().await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let mut first = client.sessions().stream(&sent.session.id).until(&sent.message.id);
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(first.try_next().await.unwrap().unwrap().sequence_number.unwrap());
    }
    let stored = first.cursor().unwrap().to_string();
    drop(first);
    let stream = emulator.client().unwrap().sessions().stream(&sent.session.id);
    let stream = stream.after(stored.parse::<Cursor>().unwrap()).until(&sent.message.id);
    numbers.extend(collect(stream).await.iter().map(|event| event.sequence_number.unwrap()));
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let resumed = emulator.requests();
    let header = |name: &str| resumed.last().unwrap().header(name).map(str::to_owned);
    assert_eq!(header("last-event-id").as_deref(), Some("sess_1:evt_3"));
}

#[tokio::test]
async fn a_wait_on_the_stream_returns_although_its_poll_interval_is_an_hour() {
    let (emulator, client) = start().await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    emulator.clear_requests();
    let wait = client.messages().wait(&sent.message.id).after(&sent.event);
    let message = wait.poll_interval(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(message.status, MessageStatus::Completed);
    let polls =
        emulator.requests().iter().filter(|request| request.path().contains("/messages/")).count();
    assert!(polls <= 3, "{polls} polls: one at the start, one at the end, one if that came early");
}

#[tokio::test]
async fn a_wait_whose_stream_is_refused_goes_on_polling() {
    use crate::support::raw::{RawServer, Step, json};
    let completed = crate::support::sample("get-message.response");
    let running = completed.replace("\"completed\"", "\"running\"");
    let polls = std::sync::atomic::AtomicUsize::new(0);
    let server = RawServer::start(move |_, request| {
        if request.line().ends_with("/stream") {
            return vec![Step::Write(json("403 Forbidden", r#"{"detail": "no streams here"}"#))];
        }
        let first = polls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        vec![Step::Write(json("200 OK", if first { &running } else { &completed }))]
    })
    .await;
    let client = crate::support::client(&server.url);
    let wait = client.messages().wait(&"msg_123".parse().unwrap());
    let wait = wait.after("sess_123:evt_1".parse::<Cursor>().unwrap());
    let message = wait.poll_interval(Duration::from_millis(1)).await.unwrap();
    assert_eq!(message.status, MessageStatus::Completed);
    assert_eq!(server.requests().len(), 3);
}
