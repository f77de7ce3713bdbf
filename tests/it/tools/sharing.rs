//! Several runs of one message: each call gets one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dari::emulator::{ExternalCall, Turn};
use dari::{ToolRequest, ToolSet, Unregistered};
use serde_json::json;

use super::{answers, ledger, playing, send};

/// A tool of this name, after a moment.
fn tool(name: &'static str) -> ToolSet {
    ToolSet::new().on_raw(name, move |_: ToolRequest| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, String>(name)
    })
}

fn both() -> Turn {
    let calls = ["a", "b"].map(|name| ExternalCall::new(name, json!({})));
    Turn::new().external_tools(calls).text("Both are in.")
}

#[tokio::test]
async fn two_processes_with_a_tool_each_finish_a_message_together() {
    let (emulator, client) = playing(both()).await;
    let sent = send(&emulator, &client).await;
    let (a, b) = (tool("a"), tool("b"));
    let (first, second) = tokio::join!(client.tools().run(&sent.message.id, &a), async {
        client.tools().run(&sent.message.id, &b).await
    });
    assert_eq!(first.unwrap().text(), "Both are in.");
    assert_eq!(second.unwrap().text(), "Both are in.");
    let mut answers = answers(&ledger(&client, &sent.session.id).await);
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(answers.iter().map(|answer| &answer.1).collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn two_processes_with_the_same_tools_answer_each_call_once() {
    let (emulator, client) = playing(both()).await;
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let sent = send(&emulator, &client).await;
        let counted = ["a", "b"].into_iter().fold(ToolSet::new(), |tools, name| {
            let ran = ran.clone();
            tools.on_raw(name, move |_: ToolRequest| {
                ran.fetch_add(1, Ordering::SeqCst);
                async { Ok::<_, String>(()) }
            })
        });
        let run = || async { client.tools().run(&sent.message.id, &counted).await };
        let (first, second) = tokio::join!(run(), run());
        assert_eq!(first.unwrap(), second.unwrap());
        assert_eq!(answers(&ledger(&client, &sent.session.id).await).len(), 2);
    }
    let ran = ran.load(Ordering::SeqCst);
    assert!((40..=80).contains(&ran), "{ran}");
}

#[tokio::test]
async fn a_call_of_another_tool_is_an_error_to_the_model_when_asked() {
    let turn = both().then(|results| {
        let told = results.of("b").unwrap();
        Turn::reply(format!("{} {}", told.is_error(), told.value()))
    });
    let (emulator, client) = playing(turn).await;
    let sent = send(&emulator, &client).await;
    let tools = tool("a").unregistered(Unregistered::AnswerWithError);
    let message = client.tools().run(&sent.message.id, &tools).await.unwrap();
    assert!(message.text().ends_with(r#"true "there is no tool of this name""#), "{message:?}");
}

#[tokio::test]
async fn tools_that_the_agent_runs_itself_are_not_answered() {
    let turn = Turn::new()
        .tool_call("bash", json!({"command": "ls"}), json!("README.md"))
        .external_tool("a", json!({}))
        .tool_call("bash", json!({"command": "wc"}), json!("120"))
        .text("Done.");
    let (emulator, client) = playing(turn).await;
    let sent = send(&emulator, &client).await;
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let tools = tool("a").unregistered(Unregistered::AnswerWithError).observe(move |call| {
        assert_eq!(call.tool_name, "a");
        count.fetch_add(1, Ordering::SeqCst);
    });
    client.tools().run(&sent.message.id, &tools).await.unwrap().into_completed().unwrap();
    assert_eq!(answers(&ledger(&client, &sent.session.id).await).len(), 1);
    assert_eq!(told.load(Ordering::SeqCst), 1);
}
