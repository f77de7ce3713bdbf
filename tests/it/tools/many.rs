//! A thousand turns through connections that break all the time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dari::emulator::{Emulator, ExternalCall, ScriptedAgent, Turn};
use dari::{Client, EventKind, RetryPolicy, ToolRequest, ToolSet};
use serde_json::json;
use tokio::task::JoinSet;

use super::{answers, ledger};
use crate::support::cutting::{Cutting, CuttingProxy};

const SESSIONS: usize = 200;
const TURNS: usize = 5;

/// A client of the proxy, whose purse of repeats is never empty.
fn through(proxy: &CuttingProxy, emulator: &Emulator) -> Client {
    Client::builder(emulator.api_key())
        .base_url(&*proxy.url)
        .retry(RetryPolicy::default().first_delay(Duration::from_millis(1)))
        .retry_budget(1_000_000)
        .build()
        .unwrap()
}

fn counted(runs: &Arc<AtomicUsize>) -> ToolSet {
    let runs = runs.clone();
    ToolSet::new().on_raw("double", move |call: ToolRequest| {
        runs.fetch_add(1, Ordering::SeqCst);
        async move { Ok::<_, String>(call.arguments) }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_thousand_turns_is_answered_once_and_every_turn_ends() {
    let calls = [1, 2].map(|n| ExternalCall::new("double", json!({"n": n})));
    let agent = ScriptedAgent::named("busy").turns([Turn::new().external_tools(calls).text("ok")]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let direct = emulator.client().unwrap();
    // Streams break within a turn, and replies to results are lost.
    let proxy = CuttingProxy::start(emulator.url(), Cutting::Within(300, 150_000)).await;
    let (client, runs) = (through(&proxy, &emulator), Arc::new(AtomicUsize::new(0)));
    let tools = counted(&runs);

    let mut sessions = JoinSet::new();
    for _ in 0..SESSIONS {
        let session = direct.sessions().create(&emulator.agent()).await.unwrap().id;
        let (direct, client, tools) = (direct.clone(), client.clone(), tools.clone());
        sessions.spawn(async move {
            for turn in 0..TURNS {
                let sent = direct.messages().send(&session, "go").await.unwrap();
                let mut run = client.tools().run(&sent.message.id, &tools);
                if turn % 2 == 0 {
                    run = run.after(&sent.event);
                }
                let message = run.timeout(Duration::from_secs(120)).await.unwrap();
                assert_eq!(message.into_completed().unwrap().text(), "ok");
            }
            session
        });
    }
    for session in sessions.join_all().await {
        let ledger = ledger(&direct, &session).await;
        let mut answered = BTreeMap::new();
        answers(&ledger).into_iter().for_each(|(id, ..)| *answered.entry(id).or_insert(0) += 1);
        let requested = ledger.iter().filter_map(|event| match event.kind() {
            EventKind::ToolCallRequested(call) => call.tool_call_id,
            _ => None,
        });
        let requested: Vec<_> = requested.collect();
        assert_eq!(requested.len(), 2 * TURNS);
        assert!(requested.iter().all(|id| answered.get(id.as_str()) == Some(&1)), "{answered:?}");
        assert_eq!(answered.len(), 2 * TURNS);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2 * SESSIONS * TURNS, "each handler ran once");
    assert!(proxy.cuts() > SESSIONS * TURNS / 2, "only {} cuts", proxy.cuts());
}
