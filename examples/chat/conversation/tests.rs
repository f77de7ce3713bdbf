use super::Conversation;
use crate::screen::Screen;
use dari::emulator::{Emulator, Fault, Route, ScriptedAgent, Turn};
use dari::{Client, NewToolResult, RetryPolicy, SessionId};
use serde_json::json;
use tokio::sync::mpsc;

type Talk = Conversation<Vec<u8>>;

async fn start(agent: ScriptedAgent) -> (Emulator, Client, Talk, mpsc::Sender<()>) {
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client_builder().retry(RetryPolicy::none()).build().unwrap();
    let (interrupt, interrupts) = mpsc::channel(1);
    let talk = Conversation::new(client.clone(), Screen::remembering(""), interrupts);
    let talk = talk.with_agent(&emulator.agent());
    (emulator, client, talk, interrupt)
}

/// Returns a turn that does not end before its tool is answered, and then says the result.
fn waiting_turn() -> Turn {
    Turn::new()
        .external_tool("ask", json!({}))
        .then(|results| Turn::reply(format!("They said {}.", results.of("ask").unwrap().value())))
}

async fn session(client: &Client) -> SessionId {
    client.sessions().list().await.unwrap().sessions.remove(0).id
}

/// Answers the call that the session waits for.
async fn answer(client: &Client, session: &SessionId) {
    let events = client.sessions().events(session).await.unwrap();
    let called = events.into_iter().find_map(|event| match event.kind() {
        dari::EventKind::ToolCallRequested(call) => Some((event.message_id?, call.tool_call_id?)),
        _ => None,
    });
    let (message, call) = called.unwrap();
    let result = NewToolResult::success(&message, &call, json!("yes"));
    client.sessions().submit_tool_result(session, result).await.unwrap();
}

/// Says something, and presses Ctrl-C when the agent waits for its tool.
async fn say_and_leave(talk: &mut Talk, interrupt: &mpsc::Sender<()>) {
    let client = talk.client.clone();
    let press = async {
        let message = loop {
            let sessions = client.sessions().list().await.unwrap().sessions;
            if let Some(message) = sessions.first().and_then(|it| it.last_message_id.clone()) {
                break message;
            }
            tokio::task::yield_now().await;
        };
        client.messages().wait(&message).or_waiting_for_tool().await.unwrap();
        interrupt.send(()).await.unwrap();
    };
    let (said, ()) = tokio::join!(talk.take("Ask them."), press);
    said.unwrap();
}

/// Asserts that these stand in the text in this order, each once.
#[track_caller]
fn assert_order(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        assert_eq!(text.matches(part).count(), 1, "{part:?} in\n{text}");
        let place = text.find(part).unwrap();
        assert!(place >= from, "{part:?} comes too early in\n{text}");
        from = place;
    }
}

#[tokio::test]
async fn a_turn_that_was_left_is_shown_to_its_end_before_the_next_one() {
    let agent = ScriptedAgent::named("a").turns([waiting_turn(), Turn::reply("Bye.")]);
    let (_emulator, client, mut talk, interrupt) = start(agent).await;
    say_and_leave(&mut talk, &interrupt).await;
    assert!(talk.screen.text().contains("the turn goes on"), "{}", talk.screen.text());
    answer(&client, &session(&client).await).await;
    talk.take("Thanks.").await.unwrap();
    let parts = ["the turn goes on", "They said \"yes\".", "> Thanks.", "Bye."];
    assert_order(&talk.screen.text(), &parts);
    // Before Ctrl-C or behind it: that is a matter of time.
    assert_order(&talk.screen.text(), &["→ ask"]);
    assert_eq!(client.messages().list(&session(&client).await).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn an_empty_line_follows_the_turn_that_was_left() {
    let (_emulator, client, mut talk, interrupt) =
        start(ScriptedAgent::named("a").turns([waiting_turn()])).await;
    say_and_leave(&mut talk, &interrupt).await;
    answer(&client, &session(&client).await).await;
    talk.take("").await.unwrap();
    talk.take("").await.unwrap();
    talk.farewell().unwrap();
    let parts = ["the turn goes on", "They said \"yes\".", "to go on: chat"];
    assert_order(&talk.screen.text(), &parts);
    assert_order(&talk.screen.text(), &["→ ask"]);
}

#[tokio::test]
async fn a_send_of_unknown_fate_is_sent_again_with_enter_and_counts_once() {
    let (emulator, client, mut talk, _interrupt) = start(ScriptedAgent::echo()).await;
    emulator.inject(Fault::no_answer().on(Route::SendEvents));
    talk.take("Hello there").await.unwrap();
    talk.take("").await.unwrap();
    assert_order(&talk.screen.text(), &["Enter sends it again", "Hello there\n"]);
    assert_eq!(client.messages().list(&session(&client).await).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_session_is_taken_up_behind_its_cursor() {
    let (_emulator, client, mut talk, interrupt) = start(ScriptedAgent::echo()).await;
    talk.take("first").await.unwrap();
    let (session, cursor) = (session(&client).await, talk.cursor.clone());
    client.messages().send(&session, "second").await.unwrap();
    drop(interrupt);
    let mut later = Conversation::new(client, Screen::remembering(""), mpsc::channel(1).1);
    later.resume(session, cursor).await.unwrap();
    assert_eq!(later.screen.text(), "> second\nsecond\n\n");
}

#[tokio::test]
async fn what_a_model_says_cannot_drive_the_terminal() {
    let hostile = "\x1b[2J\u{9b}31m\x07";
    let turn = Turn::new()
        .tool_call(format!("tool{hostile}"), json!({"a": hostile}), json!(hostile))
        .failed_tool_call("t", json!({}), json!({"message": hostile}))
        .text(format!("hi {hostile}"));
    let failed = Turn::new().fail(json!({"message": hostile}));
    let (_emulator, _client, mut talk, _interrupt) =
        start(ScriptedAgent::named("a").turns([turn, failed])).await;
    talk.take("go").await.unwrap();
    talk.take("go on").await.unwrap();
    let text = talk.screen.text();
    assert!(text.contains("hi ␛[2J") && text.contains("the turn failed: ␛[2J"), "{text}");
    assert!(text.chars().all(|it| it == '\n' || !it.is_control()), "{text:?}");
}
