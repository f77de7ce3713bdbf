//! Every operation over the emulator: its span has the template of the path that was sent, and no id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dari::emulator::{Emulator, ReceivedRequest, ScriptedAgent, Turn};
use dari::{
    BatchItem, Client, EventKind, FileSource, NewBatch, NewEvent, NewToolResult, SentMessage,
    ToolCallId, ToolSet,
};
use serde_json::json;

use crate::support::folder::Folder;
use crate::support::traces::{Fields, Traces};

/// Every operation, and the name of its span.
const OPERATIONS: [(&str, &str); 33] = [
    ("agents.create", "POST /v1/agents"),
    ("agents.create_version", "POST /v1/agents/{agent_id}/versions"),
    ("agents.delete", "DELETE /v1/agents/{agent_id}"),
    ("agents.get", "GET /v1/agents/{agent_id}"),
    ("agents.list", "GET /v1/agents"),
    ("agents.send_message", "POST /v1/agents/{agent_id}/messages"),
    ("agents.version", "GET /v1/agents/{agent_id}/versions/{version_id}"),
    ("agents.versions", "GET /v1/agents/{agent_id}/versions"),
    ("agents.webhook.clear", "DELETE /v1/agents/{agent_id}/webhook"),
    ("agents.webhook.get", "GET /v1/agents/{agent_id}/webhook"),
    ("agents.webhook.rotate_secret", "POST /v1/agents/{agent_id}/webhook/rotate-secret"),
    ("agents.webhook.set", "PUT /v1/agents/{agent_id}/webhook"),
    ("batches.create", "POST /v1/session-batches"),
    ("batches.get", "GET /v1/session-batches/{batch_id}"),
    ("costs.session", "GET /v1/costs/sessions/{session_id}"),
    ("files.upload", "POST /v1/files"),
    ("messages.get", "GET /v1/messages/{message_id}"),
    ("messages.list", "GET /v1/sessions/{session_id}/messages"),
    ("messages.send", "POST /v1/sessions/{session_id}/events"),
    ("sessions.create", "POST /v1/agents/{agent_id}/sessions"),
    ("sessions.events", "GET /v1/sessions/{session_id}/events"),
    ("sessions.get", "GET /v1/sessions/{session_id}"),
    ("sessions.list", "GET /v1/sessions"),
    ("sessions.list_for_agent", "GET /v1/agents/{agent_id}/sessions"),
    ("sessions.send_events", "POST /v1/sessions/{session_id}/events"),
    ("sessions.stream", "GET /v1/sessions/{session_id}/stream"),
    ("sessions.submit_tool_result", "POST /v1/sessions/{session_id}/events"),
    ("source_snapshots.delete", "DELETE /v1/source-snapshots/{id}"),
    ("source_snapshots.finalize", "POST /v1/source-snapshots/{id}/finalize"),
    ("source_snapshots.manifest", "GET /v1/source-snapshots/{id}/manifest"),
    ("source_snapshots.reserve", "POST /v1/source-snapshots"),
    ("source_snapshots.upload", "PUT"),
    ("transcript.get", "GET /v1/sessions/{session_id}/transcript"),
];

fn asking() -> ScriptedAgent {
    ScriptedAgent::named("support-agent").respond(|_| {
        let call = Turn::new().file("hush.md", "hush").external_tool("ask", json!({"q": "hush"}));
        call.then(|_| Turn::reply("hush"))
    })
}

async fn converse(client: &Client, sent: &SentMessage) {
    let (session, message) = (&sent.session.id, &sent.message.id);
    let mut stream = client.sessions().stream(session);
    let call: ToolCallId = loop {
        let event = stream.try_next().await.unwrap().unwrap();
        if let EventKind::ToolCallRequested(call) = event.kind() {
            break call.tool_call_id.unwrap();
        }
    };
    drop(stream);
    let result = NewToolResult::success(message, &call, "hush");
    client.sessions().submit_tool_result(session, result).await.unwrap();
    let soon = Duration::from_millis(5);
    client.messages().wait(message).poll_interval(soon).await.unwrap();
    client.messages().list(session).await.unwrap();
    client.sessions().events(session).limit(100).await.unwrap();
    client.sessions().get(session).await.unwrap();
    client.transcript().get(session).await.unwrap();
    client.costs().wait(session).poll_interval(soon).await.unwrap();
    let mut archive = client.workspace().download(session).await.unwrap();
    while archive.try_next().await.unwrap().is_some() {}
    client.messages().send(session, "hush").await.unwrap();
    let events = [NewEvent::user_message("hush")];
    client.sessions().send_events(session, events).await.unwrap();
}

async fn manage(client: &Client, emulator: &Emulator) {
    let agent = emulator.agent();
    client.agents().list().await.unwrap();
    client.agents().get(&agent).await.unwrap();
    let versions = client.agents().versions(&agent).await.unwrap();
    client.agents().version(&agent, &versions.active().unwrap().id).await.unwrap();
    client.sessions().create(&agent).await.unwrap();
    client.sessions().list().metadata("hush", "hush").await.unwrap();
    client.sessions().list_for_agent(&agent).await.unwrap();
    client.files().upload(FileSource::bytes("hush.txt", "hush")).await.unwrap();
    let webhook = client.agents().webhook(&agent);
    webhook.set("http://127.0.0.1:1/hush").await.unwrap();
    webhook.get().await.unwrap();
    webhook.rotate_secret().await.unwrap();
    webhook.clear().await.unwrap();
    let item = BatchItem::new(&agent, "hush").version_id("ver_none".parse().unwrap());
    let batch = client.batches().create(NewBatch::new([item])).await.unwrap();
    client.batches().wait(&batch.id).await.unwrap();
}

fn source() -> Folder {
    Folder::with(&[("dari.yml", "name: hush\n"), ("hush.md", "hush")])
}

async fn publish(client: &Client) {
    let folder = source();
    let published = client.agents().publish(folder.path()).await.unwrap();
    client.agents().publish(folder.path()).new_version_of(&published.agent_id).await.unwrap();
    client.agents().delete(&published.agent_id).await.unwrap();
    let snapshots = client.source_snapshots();
    let reserved = snapshots.reserve("0".repeat(64), 1).await.unwrap();
    let _none_yet = snapshots.manifest(&reserved.source_snapshot_id).await;
    snapshots.delete(&reserved.source_snapshot_id).await.unwrap();
}

/// Returns the ids of a request, if its path is one of the template of the span.
#[track_caller]
fn ids(call: &Fields, request: &ReceivedRequest) -> Vec<String> {
    assert_eq!(call["http.request.method"], request.method());
    assert_eq!(call["http.response.status_code"].as_i64(), request.status().map(i64::from));
    let Some(template) = call.get("url.template") else {
        return request.path().split('/').skip(2).map(str::to_owned).collect();
    };
    let (template, path) = (template.as_str().unwrap(), request.path());
    let parts: Vec<_> = template.split('/').zip(path.split('/')).collect();
    assert_eq!(parts.len(), path.split('/').count(), "{template} for {path}");
    let mut ids = Vec::new();
    for (part, sent) in parts {
        match part.starts_with('{') && part.ends_with('}') {
            true => ids.push(sent.to_owned()),
            false => assert_eq!(part, sent, "{template} for {path}"),
        }
    }
    ids
}

#[tokio::test]
async fn every_operation_has_a_span_with_the_template_of_its_path_and_without_ids() {
    let emulator = Emulator::builder().agent(asking()).start().await.unwrap();
    let client = emulator.client().unwrap();
    let traces = Traces::start();
    let sent = client.agents().send_message(&emulator.agent(), "hush").await.unwrap();
    converse(&client, &sent).await;
    manage(&client, &emulator).await;
    publish(&client).await;

    let calls = traces.calls();
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for call in &calls {
        let name = call["otel.name"].as_str().unwrap();
        let before = found.insert(call["dari.operation"].as_str().unwrap(), name);
        assert!(before.is_none_or(|before| before == name), "{name}");
    }
    let workspace = ("workspace.download", "GET /v1/sessions/{session_id}/workspace.zip");
    let expected: BTreeMap<_, _> = OPERATIONS.into_iter().chain([workspace]).collect();
    assert_eq!(found, expected);
    assert!(traces.is_outside());

    let requests = emulator.requests();
    assert_eq!(calls.len(), requests.len());
    let mut secrets = BTreeSet::from(["hush".to_owned(), emulator.api_key().to_owned()]);
    for (call, request) in calls.iter().zip(&requests) {
        secrets.extend(ids(call, request));
    }
    assert!(secrets.len() > 8, "{secrets:?}");
    let text = traces.text();
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is shown");
    }
}

#[tokio::test]
async fn runs_of_tools_and_publications_are_spans_around_their_calls() {
    let emulator = Emulator::builder().agent(asking()).start().await.unwrap();
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "hush").await.unwrap();
    let tools = ToolSet::new().on("ask", |_: serde_json::Value| async { Ok::<_, String>("hush") });
    let folder = source();
    let traces = Traces::start();
    client.tools().run(&sent.message.id, &tools).await.unwrap();
    client.agents().publish(folder.path()).await.unwrap();
    let spans: Vec<_> = traces.spans();
    let workflows: Vec<_> = (0..spans.len())
        .filter(|place| spans[*place].metadata.name() == "dari.workflow")
        .map(|place| (place, spans[place].fields["dari.operation"].as_str().unwrap()))
        .collect();
    let [(run, "tools.run"), (publication, "agents.publish")] = workflows[..] else {
        panic!("{workflows:?}")
    };
    let calls_of = |place| {
        let calls = spans.iter().filter(|span| span.metadata.name() == "dari.call");
        let within = calls.filter(|call| call.parent == Some(place));
        within.map(|call| call.fields["dari.operation"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert!(calls_of(run).contains(&"sessions.submit_tool_result"), "{:?}", calls_of(run));
    let steps = ["reserve", "upload", "finalize"].map(|step| format!("source_snapshots.{step}"));
    assert_eq!(calls_of(publication)[..3], steps);
    assert_eq!(calls_of(publication)[3..], ["agents.create"]);
    assert_eq!(calls_of(run).len() + 4, traces.calls().len(), "each call is in one of them");
    assert!(!traces.text().contains("hush"));
}

#[test]
fn the_table_of_operations_in_the_docs_has_the_same_templates() {
    let docs = include_str!("../../../src/lib.rs");
    for (_, name) in OPERATIONS {
        let template = name.split_once(' ').map_or("`PUT` to the address", |name| name.1);
        assert!(docs.contains(template), "{name}");
    }
}
