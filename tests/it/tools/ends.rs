//! How calls and runs end: limits, refusals, drops.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dari::emulator::{ExternalCall, Turn};
use dari::{NewToolResult, ToolCallOutcome, ToolRequest, ToolSet};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{answers, ledger, looking_up, playing, send, tools};
use crate::support::raw::PATIENCE;

/// A tool called `tool` that tells when it starts, and never ends.
fn hanging(started: &Arc<Notify>, dropped: &Arc<Notify>) -> ToolSet {
    struct OnDrop(Arc<Notify>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (started, dropped) = (started.clone(), dropped.clone());
    ToolSet::new().on_raw("tool", move |_: ToolRequest| {
        let (started, dropped) = (started.clone(), OnDrop(dropped.clone()));
        async move {
            let _dropped = dropped;
            started.notify_one();
            std::future::pending::<Result<(), String>>().await
        }
    })
}

#[tokio::test]
async fn a_result_that_the_schema_refuses_is_told_to_the_model() {
    let schema = json!({"type": "object", "required": ["customer"]});
    let call = ExternalCall::new("lookup_ticket", json!({"ticket_id": "T-1042"}));
    let turn = Turn::new().external_tools([call.output_schema(schema)]).text("I see.");
    let (emulator, client) = playing(turn).await;
    let sent = send(&emulator, &client).await;
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let seen = outcomes.clone();
    let tools = tools().observe(move |call| {
        if let ToolCallOutcome::Refused(reason) = &call.outcome {
            seen.lock().unwrap().push(reason.clone());
        }
    });
    let message = client.tools().run(&sent.message.id, &tools).await.unwrap();
    assert_eq!(message.into_completed().unwrap().text(), "I see.");
    let answers = answers(&ledger(&client, &sent.session.id).await);
    assert_eq!((answers.len(), answers[0].2), (1, true));
    let reason = outcomes.lock().unwrap()[0].clone();
    assert!(reason.contains("customer"), "{reason}");
    assert_eq!(answers[0].1, format!("the tool's result was refused: {reason}"));
}

#[tokio::test]
async fn the_tools_own_time_limit_ends_the_call_whatever_the_handler_does() {
    let call = ExternalCall::new("tool", json!({})).timeout(Duration::from_millis(300));
    let (emulator, client) = playing(Turn::new().external_tools([call]).text("Never mind.")).await;
    let sent = send(&emulator, &client).await;
    let tools = hanging(&Arc::new(Notify::new()), &Arc::new(Notify::new()));
    let message = client.tools().run(&sent.message.id, &tools).await.unwrap();
    assert_eq!(message.into_completed().unwrap().text(), "Never mind.");
    assert_eq!(answers(&ledger(&client, &sent.session.id).await), []);
}

#[tokio::test]
async fn an_answer_from_elsewhere_drops_the_handler_at_work() {
    let (emulator, client) =
        playing(Turn::new().external_tool("tool", json!({})).text("Ok.")).await;
    let sent = send(&emulator, &client).await;
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let tools = hanging(&started, &dropped);
    let answer = async {
        started.notified().await;
        let result = NewToolResult::bare_error(&sent.message.id, &"call_1_1".into());
        client.sessions().submit_tool_result(&sent.session.id, result).await.unwrap()
    };
    let run = client.tools().run(&sent.message.id, &tools).into_future();
    let (message, answer) = tokio::join!(run, answer);
    assert_eq!(message.unwrap().text(), "Ok.");
    assert!(!answer.was_already_recorded());
    tokio::time::timeout(PATIENCE, dropped.notified()).await.unwrap();
    let answers = answers(&ledger(&client, &sent.session.id).await);
    assert_eq!(answers, [("call_1_1".to_owned(), Value::Null, true)]);
}

#[tokio::test]
async fn dropping_the_run_drops_its_handlers_and_closes_its_stream() {
    let (emulator, client) = playing(Turn::new().external_tool("tool", json!({}))).await;
    let sent = send(&emulator, &client).await;
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let tools = hanging(&started, &dropped);
    let run = client.tools().run(&sent.message.id, &tools).into_future();
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        started = tokio::time::timeout(PATIENCE, started.notified()) => started.unwrap(),
    }
    tokio::time::timeout(PATIENCE, dropped.notified()).await.unwrap();
    let closed = async {
        while emulator.open_streams() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
    assert_eq!(answers(&ledger(&client, &sent.session.id).await), []);

    // The same run made again takes the call up.
    let tools = tools.on_raw("tool", |_: ToolRequest| async { Ok::<_, String>(()) });
    let message = client.tools().run(&sent.message.id, &tools).await.unwrap();
    assert!(message.into_completed().is_ok());
    let answers = answers(&ledger(&client, &sent.session.id).await);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].1, Value::Null);
}

#[tokio::test]
async fn a_key_that_opens_nothing_ends_the_run() {
    let (emulator, client) = playing(looking_up(json!({"ticket_id": "T-1042"}))).await;
    let sent = send(&emulator, &client).await;
    let stranger = crate::support::client(emulator.url());
    let error = stranger.tools().run(&sent.message.id, &tools()).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error:?}");
    let nobody = "msg_999".parse().unwrap();
    assert!(client.tools().run(&nobody, &tools()).await.unwrap_err().is_not_found());
}
