//! The main job, end to end, over the emulator.

use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Client, EventType, MessageStatus, NewEvent, NewSession, Part, SessionStatus};
use serde_json::json;

fn ticket_agent() -> ScriptedAgent {
    ScriptedAgent::named("support-agent").respond(|input| {
        Turn::new()
            .text("Let me look.")
            .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), json!({"priority": "high"}))
            .text(format!("You said: {}", input.text()))
    })
}

async fn start(agent: ScriptedAgent) -> (Emulator, Client) {
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    (emulator, client)
}

#[tokio::test]
async fn a_message_to_an_agent_is_answered_and_read() {
    let (emulator, client) = start(ticket_agent()).await;
    let sent = client
        .agents()
        .send_message(&emulator.agent(), "Summarize this ticket.")
        .metadata("ticket_id", "T-1042")
        .session(NewSession::new().name("Ticket T-1042").metadata("team", "support"))
        .await
        .unwrap();
    assert_eq!(sent.message.status, MessageStatus::Queued);
    assert_eq!(sent.session.status, Some(SessionStatus::Running));
    assert_eq!(sent.session.last_message_id.as_ref(), Some(&sent.message.id));
    assert_eq!(sent.event.message_id.as_ref(), Some(&sent.message.id));

    let message = client.messages().wait(&sent.message.id).await.unwrap().into_completed().unwrap();
    assert_eq!(message.text(), "Let me look.\n\nYou said: Summarize this ticket.");
    assert_eq!(message.metadata.as_ref().unwrap().get(), r#"{"ticket_id":"T-1042"}"#);
    let exchanges = message.tool_calls();
    assert_eq!(exchanges[0].call.name, "lookup_ticket");
    assert!(!exchanges[0].result.unwrap().is_error);
    assert!(message.completed_at.is_some() && message.error().is_none());

    let session = client.sessions().get(&sent.session.id).await.unwrap();
    assert_eq!(session.status, Some(SessionStatus::Idle));
    assert_eq!(session.last_message_status, Some(MessageStatus::Completed));
    let transcript = client.transcript().get(&sent.session.id).await.unwrap();
    assert_eq!(transcript.items().len(), 3, "{transcript:#?}");
    let markdown = transcript.to_markdown();
    assert!(
        markdown.starts_with("# Ticket T-1042\n\nAgent: support-agent (`agt_1`)\n"),
        "{markdown}"
    );
    assert!(markdown.contains("### Tool lookup_ticket (completed)"), "{markdown}");
}

#[tokio::test]
async fn a_conversation_goes_on_in_its_session() {
    let (emulator, client) = start(ScriptedAgent::echo()).await;
    let session = client.sessions().create(&emulator.agent()).await.unwrap();
    assert_eq!(session.status, Some(SessionStatus::Idle));
    for text in ["one", "two", "three"] {
        let sent = client.messages().send(&session.id, text).await.unwrap();
        let message = client.messages().wait(&sent.message.id).await.unwrap();
        assert_eq!(message.text(), text);
    }
    let events = [NewEvent::user_message("four"), NewEvent::user_message("five").metadata("n", 5)];
    let sent = client.sessions().send_events(&session.id, events).await.unwrap();
    let last = sent.events[1].message_id.clone().unwrap();
    client.messages().wait(&last).await.unwrap();

    let list = client.messages().list(&session.id).await.unwrap();
    let texts: Vec<_> = list.messages.iter().map(|message| message.text().into_owned()).collect();
    assert_eq!(texts, ["one", "two", "three", "four", "five"]);
    assert!(list.messages.is_sorted_by_key(|message| message.sequence_number));
    let events = client.sessions().events(&session.id).limit(10_000).await.unwrap().events;
    let numbers: Vec<_> = events.iter().map(|event| event.sequence_number.unwrap()).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events.iter().filter(|event| event.event_type == EventType::UserMessage).count(), 5);
    let first = client.sessions().events(&session.id).limit(3).await.unwrap().events;
    assert_eq!(first, events[..3]);
}

#[tokio::test]
async fn sessions_are_listed_by_agent_and_by_metadata() {
    let emulator = Emulator::builder()
        .agent(ScriptedAgent::echo())
        .agent(ticket_agent())
        .start()
        .await
        .unwrap();
    let client = emulator.client().unwrap();
    let agents = emulator.agents();
    for (agent, team, stage) in [(0, "a", "x"), (0, "b", "x"), (1, "a", "y"), (1, "a b&c", "=")] {
        let options = NewSession::new().metadata("team", team).metadata("stage &", stage);
        client.sessions().create(&agents[agent]).session(options).await.unwrap();
    }
    let count = |list: dari::SessionList| list.sessions.len();
    let sessions = client.sessions();
    assert_eq!(count(sessions.list().await.unwrap()), 4);
    assert_eq!(count(sessions.list().metadata("team", "a").await.unwrap()), 2);
    assert_eq!(
        count(sessions.list().metadata("team", "a").metadata("stage &", "y").await.unwrap()),
        1
    );
    assert_eq!(count(sessions.list().metadata("team", "a b&c").await.unwrap()), 1);
    assert_eq!(count(sessions.list_for_agent(&agents[1]).await.unwrap()), 2);
}

#[tokio::test]
async fn every_session_option_is_taken_and_no_secret_comes_back() {
    let (emulator, client) = start(ScriptedAgent::echo()).await;
    let options = NewSession::new()
        .name("n")
        .storage_binding_id("stb_1")
        .secret("TOKEN", "s3cret")
        .llm_api_key("llm-s3cret")
        .allow_internet()
        .llm_id("medium")
        .version_id("ver_1".parse().unwrap())
        .metadata("team", "support");
    let sent = client.agents().send_message(&emulator.agent(), "hi").session(options.clone()).await;
    let created = client.sessions().create(&emulator.agent()).session(options).await.unwrap();
    for session in [sent.unwrap().session, created] {
        assert_eq!(session.name.as_deref(), Some("n"));
        assert_eq!(session.storage_binding_id.as_deref(), Some("stb_1"));
        assert_eq!(session.internet_access, Some(true));
        assert_eq!(session.llm_id.as_deref(), Some("medium"));
        assert_eq!(session.version_id.as_ref().unwrap(), &"ver_1");
        assert_eq!(session.metadata.as_ref().unwrap()["team"], "support");
        assert!(!serde_json::to_string(&session).unwrap().contains("s3cret"));
    }
}

#[tokio::test]
async fn a_failed_message_is_a_status_until_a_result_is_asked_for() {
    let agent = ScriptedAgent::named("weak")
        .turns([Turn::new().text("I'll try.").fail(json!({"message": "overloaded", "code": 529}))]);
    let (emulator, client) = start(agent).await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let message = client.messages().wait(&sent.message.id).await.unwrap();
    assert_eq!(message.status, MessageStatus::Failed);
    assert_eq!(message.error().unwrap().to_string(), "overloaded");
    let error = message.into_completed().unwrap_err();
    assert_eq!(error.to_string(), format!("message {} failed: overloaded", sent.message.id));
}

#[tokio::test]
async fn a_failed_tool_call_is_an_output_like_any_other() {
    let agent = ScriptedAgent::named("clumsy").turns([Turn::new().failed_tool_call(
        "bash",
        json!({"command": "ls"}),
        json!("not allowed"),
    )]);
    let (emulator, client) = start(agent).await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let message = client.messages().wait(&sent.message.id).await.unwrap().into_completed().unwrap();
    assert!(message.tool_calls()[0].result.unwrap().is_error);
    assert!(matches!(message.output.as_ref().unwrap().parts[0], Part::ToolCall(_)));
    assert_eq!(message.text(), "");
}

#[tokio::test]
async fn a_wait_shows_each_status_once_and_ends_with_the_last() {
    let agent = ScriptedAgent::named("slow")
        .turns([Turn::new().delay(Duration::from_millis(50)).text("done")]);
    let (emulator, client) = start(agent).await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let mut seen = Vec::new();
    let wait = client.messages().wait(&sent.message.id).poll_interval(Duration::from_millis(5));
    let message = wait.on_status(|message| seen.push(message.status.clone())).await.unwrap();
    assert_eq!(message.status, MessageStatus::Completed);
    assert_eq!(seen.last(), Some(&MessageStatus::Completed));
    let mut once = seen.clone();
    once.dedup();
    assert_eq!(seen, once);
}

#[tokio::test]
async fn a_wait_that_expires_hands_over_what_it_saw_last() {
    let agent = ScriptedAgent::named("slow").turns([Turn::new().delay(Duration::from_secs(3600))]);
    let (emulator, client) = start(agent).await;
    let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
    let wait = |limit| client.messages().wait(&sent.message.id).timeout(limit);
    let (limit, error) = crate::support::expired(wait).await;
    let last = error.last_seen::<dari::Message>().unwrap();
    assert_eq!(last.status, MessageStatus::Running);
    let line = format!("messages.wait: nothing final within {limit:?}, last seen: {} is ", last.id);
    assert!(error.to_string().starts_with(&line), "{error}");
}

#[tokio::test]
async fn a_wait_for_what_does_not_exist_ends_at_once() {
    let (_emulator, client) = start(ScriptedAgent::echo()).await;
    let error = client.messages().wait(&"msg_none".parse().unwrap()).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string().split(" (").next().unwrap(),
        "messages.get: 404 not found: Message not found"
    );
}

#[tokio::test]
async fn every_operation_says_what_the_service_refused() {
    let emulator = Emulator::builder().other_organization("dari_other").start().await.unwrap();
    let client = emulator.client().unwrap();
    let session = client.sessions().create(&emulator.agent()).await.unwrap();
    let stranger = Client::builder("dari_wrong").base_url(emulator.url()).build().unwrap();
    let neighbour = Client::builder("dari_other").base_url(emulator.url()).build().unwrap();
    let missing = "sess_none".parse().unwrap();
    assert!(stranger.sessions().get(&session.id).await.unwrap_err().is_unauthorized());
    assert!(neighbour.sessions().get(&session.id).await.unwrap_err().is_forbidden());
    assert!(client.sessions().get(&missing).await.unwrap_err().is_not_found());
    assert!(client.transcript().get(&missing).await.unwrap_err().is_not_found());
    assert!(client.messages().list(&missing).await.unwrap_err().is_not_found());
    assert!(client.messages().send(&missing, "hi").await.unwrap_err().is_not_found());
    let agent = "agt_none".parse().unwrap();
    assert!(client.agents().send_message(&agent, "hi").await.unwrap_err().is_not_found());
    assert!(client.sessions().create(&agent).await.unwrap_err().is_not_found());
    assert!(client.sessions().list_for_agent(&agent).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_id_full_of_traps_reaches_the_server_as_one_segment() {
    let (emulator, client) = start(ScriptedAgent::echo()).await;
    for id in ["a/../../agents", "%2e%2e", "a?b=c", "a#b", "sess 1", "..%2f"] {
        let error = client.sessions().get(&id.parse().unwrap()).await.unwrap_err();
        assert!(
            error.is_not_found() && error.to_string().contains("Session not found"),
            "{id}: {error}"
        );
    }
    assert_eq!(emulator.requests().len(), 6);
}
