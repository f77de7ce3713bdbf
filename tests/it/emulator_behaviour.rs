//! Behaviours from JSON, played over HTTP as a client in any language meets them.

use dari::emulator::{Emulator, ScriptedAgent};
use serde_json::{Value, json};

use crate::emulator_support::{Caller, hello};

async fn start(behaviour: &Value) -> Emulator {
    let agent = ScriptedAgent::from_json(&behaviour.to_string()).unwrap();
    Emulator::builder().agent(agent).start().await.unwrap()
}

/// Answers the call with this number in the first turn.
fn result(number: u32, fields: &Value) -> Value {
    let mut answer = json!({
        "type": "tool.result_submitted", "message_id": "msg_1",
        "tool_call_id": format!("call_1_{number}")
    });
    answer.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    answer
}

/// Returns the text parts of the first message, which must be over.
async fn said(caller: &Caller<'_>) -> Vec<String> {
    let (_, message) = caller.get("/v1/messages/msg_1").await;
    assert_eq!(message["status"], "completed", "{message}");
    let parts = message["output"]["parts"].as_array().unwrap();
    let texts = parts.iter().filter(|part| part["type"] == "text");
    texts.map(|part| part["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_turn_plays_its_steps_in_order() {
    let emulator = start(&json!({"turns": [[
        {"text": "Looking."},
        {"tool_call": {"name": "a", "arguments": {"q": "{{input}}"}, "result": {"n": 1}}},
        {"tool_call": {"name": "b", "error": "broken"}},
        {"text": "Done."}
    ]]}))
    .await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let (_, message) = caller.get("/v1/messages/msg_1").await;
    let parts = message["output"]["parts"].as_array().unwrap();
    let kinds: Vec<_> = parts.iter().map(|part| part["type"].as_str().unwrap()).collect();
    let call = ["tool_call", "tool_result"];
    assert_eq!(kinds, [&["text"], &call[..], &call[..], &["text"]].concat());
    assert_eq!(parts[1]["arguments"], json!({"q": "Hello"}));
    assert_eq!((&parts[2]["is_error"], &parts[4]["is_error"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_turn_costs_what_its_steps_say() {
    let emulator = start(&json!({"turns": [[{"cost_usd": "0.10"}, {"cost_usd": "0.025"}]]})).await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let (_, cost) = caller.get("/v1/costs/sessions/sess_1").await;
    assert_eq!(cost["total_cost_usd"], "0.125");
}

#[cfg(feature = "workspace")]
#[tokio::test]
async fn a_turn_writes_files() {
    let file = json!({"path": "out/{{turn}}.md", "text": "# {{input}}\n"});
    let emulator = start(&json!({"turns": [[{"file": file}]]})).await;
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "Hello").await.unwrap();
    client.messages().wait(&sent.message.id).await.unwrap();
    let folder = std::env::temp_dir().join(format!("dari-written-{}", std::process::id()));
    client.workspace().download(&sent.session.id).unpack_into(&folder).await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("out/1.md")).unwrap(), "# Hello\n");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_turn_that_fails_says_why() {
    let emulator = start(&json!({"turns": [[{"fail": {"message": "no {{input}} today"}}]]})).await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let (_, message) = caller.get("/v1/messages/msg_1").await;
    assert_eq!(message["status"], "failed");
    assert_eq!(message["output"]["error"], json!({"message": "no Hello today"}));
}

#[tokio::test]
async fn a_turn_waits_for_external_tools_and_speaks_of_their_results() {
    let emulator = start(&json!({"turns": [[
        {"text": "{{result.lookup}}"},
        {"external_tools": [{"name": "lookup", "arguments": {"id": "{{input}}"}}, {"name": "look"}]},
        {"text": "{{result.lookup.owner.name}}, {{result.look}}, {{result.lookup.none}}"},
        {"external_tool": {"name": "lookup", "arguments": {"again": "{{result.lookup.owner.name}}"}}},
        {"text": "{{result.lookup}} after {{input}}"}
    ]]}))
    .await;
    let caller = Caller::new(&emulator);
    let events = "/v1/sessions/sess_1/events";
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let (_, message) = caller.get("/v1/messages/msg_1").await;
    assert_eq!(message["status"], "waiting_for_tool");
    let owner = json!({"result": {"owner": {"name": "Ada {{input}}"}}});
    assert_eq!(caller.post(events, &result(1, &owner)).await.0, 202);
    assert_eq!(caller.post(events, &result(2, &json!({"result": [1]}))).await.0, 202);
    let (_, list) = caller.get(&format!("{events}?limit=100")).await;
    let list = list["events"].as_array().unwrap().iter();
    let mut calls = list.filter(|event| event["type"] == "tool.call_requested");
    assert_eq!(calls.next().unwrap()["data"]["arguments"], json!({"id": "Hello"}));
    assert_eq!(calls.nth(1).unwrap()["data"]["arguments"], json!({"again": "Ada {{input}}"}));
    let failed = json!({"is_error": true, "result": "gone"});
    assert_eq!(caller.post(events, &result(3, &failed)).await.0, 202);
    let expected =
        ["{{result.lookup}}", "Ada {{input}}, [1], {{result.lookup.none}}", "gone after Hello"];
    assert_eq!(said(&caller).await, expected);
}

#[tokio::test]
async fn an_external_tool_has_its_schema_and_its_time_limit() {
    let schema = json!({"type": "object", "required": ["priority"]});
    let tool = json!({"name": "f", "output_schema": schema, "timeout_ms": 0});
    let emulator = start(&json!({"turns": [
        [{"external_tool": tool}, {"text": "{{result.f.type}}"}],
        [{"external_tool": {"name": "f", "output_schema": schema}}, {"text": "{{result.f.priority}}"}]
    ]}))
    .await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    assert_eq!(said(&caller).await, ["tool_timeout"]);

    let events = "/v1/sessions/sess_1/events";
    caller.post(events, &hello()).await;
    let mut answer = result(1, &json!({"result": {"other": 1}}));
    answer["message_id"] = json!("msg_2");
    answer["tool_call_id"] = json!("call_2_1");
    assert_eq!(caller.post(events, &answer).await.0, 422);
    answer["result"] = json!({"priority": "high"});
    assert_eq!(caller.post(events, &answer).await.0, 202);
    let (_, message) = caller.get("/v1/messages/msg_2").await;
    assert_eq!(message["output"]["parts"][2]["text"], "high", "{message}");
}
