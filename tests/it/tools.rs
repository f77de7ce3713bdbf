//! Runs of tools against the emulator: every call is answered once, and every turn ends.

mod ends;
mod killed;
mod many;
mod sharing;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Client, Event, EventKind, SentMessage, SessionId, ToolSet};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct LookupTicket {
    ticket_id: String,
}

#[derive(Serialize)]
struct Ticket {
    id: String,
    priority: &'static str,
}

async fn lookup_ticket(args: LookupTicket) -> Result<Ticket, String> {
    match args.ticket_id.as_str() {
        "T-1042" => Ok(Ticket { id: args.ticket_id, priority: "high" }),
        other => Err(format!("there is no ticket {other}")),
    }
}

fn tools() -> ToolSet {
    ToolSet::new().on("lookup_ticket", lookup_ticket)
}

/// An emulator whose agent does the same in each turn.
async fn playing(turn: Turn) -> (Emulator, Client) {
    let agent = ScriptedAgent::named("support-agent").turns([turn]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    (emulator, client)
}

async fn send(emulator: &Emulator, client: &Client) -> SentMessage {
    client.agents().send_message(&emulator.agent(), "How urgent is it?").await.unwrap()
}

/// A turn that looks a ticket up, and says what it was told.
fn looking_up(arguments: Value) -> Turn {
    Turn::new().external_tool("lookup_ticket", arguments).then(|results| {
        let result = results.of("lookup_ticket").unwrap();
        let what = if result.is_error() { "error" } else { "result" };
        Turn::reply(format!("{what}: {}", result.value()))
    })
}

/// Returns the whole ledger of a session.
async fn ledger(client: &Client, session: &SessionId) -> Vec<Event> {
    client.sessions().events(session).limit(100_000).await.unwrap().events
}

/// Returns the answers in a ledger, each as the call's id, the result, and whether it is an error.
fn answers(ledger: &[Event]) -> Vec<(String, Value, bool)> {
    let answer = |event: &Event| match event.kind() {
        EventKind::ToolResultSubmitted(answer) => Some((
            answer.tool_call_id.unwrap().as_str().to_owned(),
            answer.result.map_or(Value::Null, |result| result.parse().unwrap()),
            answer.is_error.unwrap_or_default(),
        )),
        _ => None,
    };
    ledger.iter().filter_map(answer).collect()
}

#[tokio::test]
async fn an_agent_looks_a_ticket_up_and_goes_on() {
    let (emulator, client) = playing(looking_up(json!({"ticket_id": "T-1042"}))).await;
    let sent = send(&emulator, &client).await;
    let message = client.tools().run(&sent.message.id, &tools()).await.unwrap();
    let message = message.into_completed().unwrap();
    assert_eq!(message.text(), r#"result: {"id":"T-1042","priority":"high"}"#);
    assert_eq!(message.tool_calls()[0].call.name, "lookup_ticket");

    // The same tools, in the same session.
    let sent = client.messages().send(&sent.session.id, "And again?").await.unwrap();
    let again = client.tools().run(&sent.message.id, &tools()).after(&sent.event).await.unwrap();
    assert_eq!(again.text(), message.text());
    let session = sent.session.unwrap().id;
    let answers = answers(&ledger(&client, &session).await);
    assert_eq!(answers.len(), 2);
    assert_ne!(answers[0].0, answers[1].0);
}

#[tokio::test]
async fn what_goes_wrong_is_told_to_the_model_and_the_turn_goes_on() {
    for (arguments, told) in [
        (json!({"ticket_id": "T-1"}), "there is no ticket T-1"),
        (
            json!({"ticket_id": 1042}),
            "the arguments do not fit at `ticket_id`: invalid type: integer `1042`, expected a string",
        ),
        (json!({}), "the arguments do not fit: missing field `ticket_id`"),
    ] {
        let (emulator, client) = playing(looking_up(arguments)).await;
        let sent = send(&emulator, &client).await;
        let message = client.tools().run(&sent.message.id, &tools()).await.unwrap();
        assert_eq!(message.into_completed().unwrap().text(), format!("error: {:?}", told));
    }
}

#[tokio::test]
async fn a_finished_message_is_returned_without_a_stream() {
    let (emulator, client) = playing(Turn::reply("Nothing to look up.")).await;
    let sent = send(&emulator, &client).await;
    client.messages().wait(&sent.message.id).await.unwrap();
    emulator.clear_requests();
    client.tools().run(&sent.message.id, &tools()).await.unwrap();
    assert_eq!(emulator.requests().len(), 1);
}

#[tokio::test]
async fn the_stream_is_opened_before_the_history_is_read() {
    let (emulator, client) = playing(looking_up(json!({"ticket_id": "T-1042"}))).await;
    let sent = send(&emulator, &client).await;
    client.tools().run(&sent.message.id, &tools()).await.unwrap();
    let paths: Vec<_> = emulator
        .requests()
        .iter()
        .map(|request| request.path().rsplit('/').next().unwrap().to_owned())
        .collect();
    let place = |name: &str| paths.iter().position(|path| path == name).unwrap();
    assert!(place("stream") < place("events"), "{paths:?}");
}

#[tokio::test]
async fn a_run_is_sent_to_another_thread_and_tools_are_shared() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let (emulator, client) = playing(looking_up(json!({"ticket_id": "T-1042"}))).await;
    let sent = send(&emulator, &client).await;
    let tools = tools();
    is_shared(&tools);
    let run = is_send(client.tools().run(&sent.message.id, &tools)).into_future();
    is_send(run).await.unwrap();
}
