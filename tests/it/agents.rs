//! Agents and their versions, as the client shows them.

use dari::emulator::{Emulator, ScriptedAgent};
use dari::{AgentId, RetryPolicy};

use crate::support::raw::{RawServer, Step, json, reply};
use crate::support::{client, sample};

fn id(text: &str) -> AgentId {
    text.parse().unwrap()
}

#[tokio::test]
async fn agents_are_listed_oldest_first_and_gone_from_the_list_once_deleted() {
    let names = ["a", "b", "c"].map(ScriptedAgent::named);
    let builder = names.into_iter().fold(Emulator::builder(), |builder, it| builder.agent(it));
    let emulator = builder.start().await.unwrap();
    let client = emulator.client().unwrap();
    let deleted = client.agents().delete(&id("agt_2")).await.unwrap();
    assert!(deleted.deleted_at.is_some());
    let list = client.agents().list().await.unwrap();
    let ids: Vec<_> = list.into_iter().map(|agent| (agent.id, agent.name)).collect();
    assert_eq!(ids, [(id("agt_1"), "a".to_owned()), (id("agt_3"), "c".to_owned())]);
    assert_eq!(client.agents().get(&id("agt_2")).await.unwrap(), deleted);
}

#[tokio::test]
async fn deleting_again_changes_nothing_and_nothing_starts_with_it_any_more() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let agent = emulator.agent();
    let session = client.sessions().create(&agent).await.unwrap();
    let deleted = client.agents().delete(&agent).await.unwrap();
    assert_eq!(client.agents().delete(&agent).await.unwrap(), deleted);
    assert!(client.sessions().create(&agent).await.unwrap_err().is_not_found());
    assert!(client.agents().send_message(&agent, "Hi").await.unwrap_err().is_not_found());
    let sent = client.messages().send(&session.id, "Hi").await.unwrap();
    let message = client.messages().wait(&sent.message.id).await.unwrap();
    assert_eq!(message.text(), "Hi", "a session outlives its agent");
}

#[tokio::test]
async fn an_agent_that_never_was_is_not_found() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let nobody = id("agt_9");
    assert!(client.agents().get(&nobody).await.unwrap_err().is_not_found());
    assert!(client.agents().delete(&nobody).await.unwrap_err().is_not_found());
    assert!(client.agents().versions(&nobody).await.unwrap_err().is_not_found());
    let version = "ver_9".parse().unwrap();
    let error = client.agents().version(&emulator.agent(), &version).await.unwrap_err();
    assert!(error.to_string().contains("Version not found"), "{error}");
}

#[tokio::test]
async fn the_version_of_a_session_can_be_looked_up() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let session = client.sessions().create(&emulator.agent()).await.unwrap();
    let version = session.version_id.unwrap();
    let list = client.agents().versions(&session.agent_id).await.unwrap();
    assert_eq!(list.active().unwrap().id, version);
    let details = client.agents().version(&session.agent_id, &version).await.unwrap();
    assert_eq!(details.version.id, version);
    assert_eq!(details.version.agent_id, Some(session.agent_id));
    assert_eq!(details.agent.active_version_id, Some(version));
}

#[tokio::test]
async fn a_list_that_marks_no_version_is_read_by_the_agent() {
    let body = r#"{"agent": {"id": "agt_1", "active_version_id": "ver_2"},
        "versions": [{"id": "ver_1"}, {"id": "ver_2"}]}"#;
    let server = RawServer::always(json("200 OK", body)).await;
    let list = client(&server.url).agents().versions(&id("agt_1")).await.unwrap();
    assert_eq!(list.active().unwrap().id, "ver_2");
    let none = r#"{"agent": {"id": "agt_1", "active_version_id": null}, "versions": []}"#;
    let server = RawServer::always(json("200 OK", none)).await;
    let list = client(&server.url).agents().versions(&id("agt_1")).await.unwrap();
    assert_eq!(list.active(), None);
}

#[tokio::test]
async fn a_deletion_is_repeated_and_a_creation_is_not() {
    let agent = r#"{"id": "agt_1", "name": "a", "created_at": "2026-04-21T18:40:00Z"}"#;
    let server = RawServer::start(move |number, request| match number {
        0 | 2 => vec![Step::Reset],
        1 if request.line() == "DELETE /v1/agents/agt_1" => {
            vec![Step::Write(json("200 OK", agent))]
        }
        _ => vec![Step::Write(reply("418 I'm a teapot", "", ""))],
    })
    .await;
    let client = client(&server.url);
    client.agents().delete(&id("agt_1")).await.unwrap();
    let source = "src_1".parse().unwrap();
    let error = client.agents().create(&source).await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable());
    let error = client.agents().create_version(&id("agt_1"), &source).await.unwrap_err();
    assert_eq!(error.operation(), Some("agents.create_version"));
    let lines: Vec<_> = server.requests().iter().map(|it| it.line().to_owned()).collect();
    let expected = [
        "DELETE /v1/agents/agt_1",
        "DELETE /v1/agents/agt_1",
        "POST /v1/agents",
        "POST /v1/agents/agt_1/versions",
    ];
    assert_eq!(lines, expected);
    assert_eq!(server.requests()[3].body, r#"{"source_snapshot_id":"src_1"}"#);
}

#[tokio::test]
async fn an_agent_list_takes_the_options_of_every_call() {
    let server = RawServer::always(json("200 OK", &sample("list-agents.response"))).await;
    let client = client(&server.url);
    let call = client.agents().list().header("x-trace", "7").retry(RetryPolicy::none());
    assert_eq!(call.await.unwrap().agents.len(), 1);
    assert_eq!(server.requests()[0].line(), "GET /v1/agents");
    assert_eq!(server.requests()[0].header("x-trace"), Some("7"));
}
