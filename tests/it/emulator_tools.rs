//! External tools over HTTP: the application answers, and the turn goes on.

use std::time::Duration;

use dari::emulator::{Emulator, ExternalCall, ScriptedAgent, Turn};
use dari::{AgentId, Client, EventKind, EventType, MessageStatus, Part, ToolCallId};
use serde_json::{Value, json};

use crate::emulator_support::{Caller, answer, detail, hello, with_json};
use crate::support::raw::PATIENCE;

async fn start(turn: impl Fn() -> Turn + Send + Sync + 'static) -> Emulator {
    let agent = ScriptedAgent::named("triage").respond(move |_| turn());
    Emulator::builder().agent(agent).start().await.unwrap()
}

fn triage() -> Turn {
    Turn::new().external_tool("lookup_ticket", json!({"ticket_id": "T-1042"})).then(|results| {
        let ticket = results.of("lookup_ticket").unwrap();
        Turn::reply(format!("Its priority is {}.", ticket.value()["priority"].as_str().unwrap()))
    })
}

fn result(call: &str, fields: &Value) -> Value {
    let mut body = json!({"type": "tool.result_submitted", "message_id": "msg_1"});
    body["tool_call_id"] = call.into();
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Starts a turn and follows it until its calls are open.
async fn waiting(client: &Client, agent: &AgentId, calls: usize) -> Vec<EventKind> {
    let sent = client.agents().send_message(agent, "Triage it.").await.unwrap();
    let mut stream = client.sessions().stream(&sent.session.id);
    let mut found = Vec::new();
    while found.len() < calls {
        let next = tokio::time::timeout(PATIENCE, stream.try_next()).await;
        let event = next.expect("no call is requested").unwrap().unwrap();
        if let kind @ EventKind::ToolCallRequested(_) = event.kind() {
            found.push(kind);
        }
    }
    found
}

#[tokio::test]
async fn an_agent_waits_for_a_ticket_and_then_says_its_priority() {
    let emulator = start(triage).await;
    let client = emulator.client().unwrap();
    let calls = waiting(&client, &emulator.agent(), 1).await;
    let EventKind::ToolCallRequested(call) = &calls[0] else { unreachable!() };
    let arguments: Value = call.arguments.as_ref().unwrap().parse().unwrap();
    assert_eq!(arguments, json!({"ticket_id": "T-1042"}));
    let id = call.message_id.clone().unwrap();
    let open = client.messages().get(&id).await.unwrap();
    assert_eq!(open.status, MessageStatus::WaitingForTool);
    let caller = Caller::new(&emulator);
    let fields = json!({"result": {"priority": "high"}});
    let (status, answer) =
        caller.post("/v1/sessions/sess_1/events", &result("call_1_1", &fields)).await;
    assert_eq!(status, 202);
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["event", "message", "session"]);
    assert_eq!(answer["message"], json!({"id": "msg_1", "status": "running"}));
    let message = client.messages().wait(&id).timeout(PATIENCE).await.unwrap();
    assert_eq!(message.text(), "Its priority is high.");
    let output = message.output.as_ref().unwrap();
    assert!(matches!(&output.parts[..], [Part::ToolCall(_), Part::ToolResult(_), Part::Text(_)]));
}

#[tokio::test]
async fn a_result_wakes_the_stream_that_waits_for_it() {
    let emulator = start(triage).await;
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "Triage it.").await.unwrap();
    let mut stream = client.sessions().stream(&sent.session.id).until(&sent.message.id);
    let caller = Caller::new(&emulator);
    let mut types = Vec::new();
    let follow = async {
        while let Some(event) = stream.try_next().await.unwrap() {
            types.push(event.event_type.to_string());
            if event.event_type == EventType::ToolCallRequested {
                let fields = json!({"result": {"priority": "low"}});
                let body = result("call_1_1", &fields);
                assert_eq!(caller.post("/v1/sessions/sess_1/events", &body).await.0, 202);
            }
        }
    };
    tokio::time::timeout(PATIENCE, follow).await.expect("the turn never ends");
    let expected = [
        "user.message",
        "session.status_changed",
        "message.status_changed",
        "tool.call_requested",
        "message.status_changed",
        "tool.result_submitted",
        "tool.call_completed",
        "message.status_changed",
        "assistant.message_completed",
        "message.status_changed",
    ];
    assert_eq!(types, expected);
}

#[tokio::test]
async fn results_that_do_not_fit_are_404_409_and_422() {
    let call = ExternalCall::new("lookup", json!({}))
        .output_schema(json!({"type": "object", "required": ["priority"]}));
    let emulator = start(move || Turn::new().external_tools([call.clone()]).text("Done.")).await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let path = "/v1/sessions/sess_1/events";
    let fits = json!({"result": {"priority": 1}});
    let unknown = caller.post(path, &result("call_9", &fits)).await;
    assert_eq!((unknown.0.as_u16(), unknown.1), (404, detail("Tool call not found")));
    let elsewhere = caller.create().await;
    let elsewhere = format!("/v1/sessions/{elsewhere}/events");
    let unknown = caller.post(&elsewhere, &result("call_1_1", &fits)).await;
    assert_eq!((unknown.0.as_u16(), unknown.1), (404, detail("Message not found")));
    for (fields, loc) in [
        (json!({}), json!(["body", "result"])),
        (json!({"result": {}}), json!(["body", "result", "priority"])),
        (json!({"result": 1}), json!(["body", "result"])),
        (json!({"result": 1, "is_error": "yes"}), json!(["body", "is_error"])),
    ] {
        let (status, body) = caller.post(path, &result("call_1_1", &fields)).await;
        assert_eq!((status.as_u16(), &body["detail"][0]["loc"]), (422, &loc), "{body}");
    }
    let (_, message) = caller.get("/v1/messages/msg_1").await;
    assert_eq!(message["status"], "waiting_for_tool");
    assert_eq!(caller.post(path, &result("call_1_1", &fits)).await.0, 202);
    let again = caller.post(path, &result("call_1_1", &fits)).await;
    assert_eq!(again.0, 409);
    assert_eq!(again.1, detail("This tool call already has a result"));
}

#[tokio::test]
async fn an_idempotency_key_does_not_count_for_results() {
    let emulator = start(triage).await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    caller.get("/v1/messages/msg_1").await;
    let body = result("call_1_1", &json!({"result": {"priority": "low"}}));
    for expected in [202, 409] {
        let request = caller.request(reqwest::Method::POST, "/v1/sessions/sess_1/events");
        let request = with_json(request.header("idempotency-key", "k"), &body);
        assert_eq!(answer(request).await.0, expected);
    }
}

#[tokio::test]
async fn of_twenty_answers_at_once_one_counts() {
    let emulator = start(triage).await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    caller.get("/v1/messages/msg_1").await;
    let sends: Vec<_> = (0..20)
        .map(|number| {
            let body = result("call_1_1", &json!({"result": {"priority": number.to_string()}}));
            let request = caller.request(reqwest::Method::POST, "/v1/sessions/sess_1/events");
            tokio::spawn(answer(with_json(request, &body)))
        })
        .collect();
    let mut statuses = Vec::new();
    for send in sends {
        statuses.push(send.await.unwrap().0.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (202, &[409; 19][..]));
    let (_, events) = caller.get("/v1/sessions/sess_1/events?limit=1000").await;
    let events = events["events"].as_array().unwrap().clone();
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((count("tool.result_submitted"), count("tool.call_completed")), (1, 1));
}

#[tokio::test]
async fn a_tool_nobody_answers_times_out_and_the_stream_shows_it() {
    let call = ExternalCall::new("lookup", json!({})).timeout(Duration::from_millis(30));
    let emulator = start(move || {
        Turn::new().external_tools([call.clone()]).then(|results| {
            let lookup = results.of("lookup").unwrap();
            Turn::reply(format!("{} {}", lookup.is_error(), lookup.value()["type"]))
        })
    })
    .await;
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "Triage it.").await.unwrap();
    let mut stream = client.sessions().stream(&sent.session.id).until(&sent.message.id);
    let mut failed = 0;
    let follow = async {
        while let Some(event) = stream.try_next().await.unwrap() {
            failed += usize::from(event.event_type == EventType::ToolCallFailed);
        }
    };
    tokio::time::timeout(PATIENCE, follow).await.expect("the turn never ends");
    assert_eq!(failed, 1);
    let message = client.messages().get(&sent.message.id).await.unwrap();
    assert_eq!(message.text(), r#"true "tool_timeout""#);
}

#[tokio::test]
async fn the_clients_types_read_what_the_ledger_says_of_a_tool() {
    let calls = || ["a", "b"].map(|name| ExternalCall::new(name, json!({"of": name})));
    let emulator = start(move || Turn::new().external_tools(calls())).await;
    let client = emulator.client().unwrap();
    assert_eq!(waiting(&client, &emulator.agent(), 2).await.len(), 2);
    let caller = Caller::new(&emulator);
    let path = "/v1/sessions/sess_1/events";
    caller.post(path, &result("call_1_2", &json!({"is_error": true}))).await;
    caller.post(path, &result("call_1_1", &json!({"result": null}))).await;
    let session = "sess_1".parse().unwrap();
    let events = client.sessions().events(&session).limit(1000).await.unwrap().events;
    let submitted: Vec<_> = events
        .iter()
        .filter_map(|event| match event.kind() {
            EventKind::ToolResultSubmitted(it) => Some((it.tool_call_id?, it.is_error)),
            _ => None,
        })
        .collect();
    let expected = [("call_1_2", Some(true)), ("call_1_1", Some(false))];
    let expected = expected.map(|(id, is_error)| (ToolCallId::from(id), is_error));
    assert_eq!(submitted, expected);
    let failed = events.iter().filter_map(|event| match event.kind() {
        EventKind::ToolCallFailed(it) => it.tool_call_id,
        _ => None,
    });
    assert_eq!(failed.collect::<Vec<_>>(), [ToolCallId::from("call_1_2")]);
}
