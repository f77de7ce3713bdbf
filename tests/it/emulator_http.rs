//! The emulator's HTTP surface: routes, statuses, bodies and headers.

use dari::emulator::{Emulator, ScriptedAgent};
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator_support::{Caller, answer, detail, hello, with_json};

const ROUTES: [(&str, &str); 11] = [
    ("POST", "/v1/agents/agt_1/messages"),
    ("POST", "/v1/agents/agt_1/sessions"),
    ("GET", "/v1/agents/agt_1/sessions"),
    ("GET", "/v1/sessions"),
    ("GET", "/v1/sessions/sess_1"),
    ("GET", "/v1/sessions/sess_1/events"),
    ("POST", "/v1/sessions/sess_1/events"),
    ("GET", "/v1/sessions/sess_1/messages"),
    ("GET", "/v1/sessions/sess_1/transcript"),
    ("GET", "/v1/messages/msg_1"),
    ("GET", "/v1/costs/sessions/sess_1"),
];

fn method(name: &str) -> Method {
    name.parse().unwrap()
}

#[tokio::test]
async fn a_turn_goes_from_send_to_transcript() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let (status, sent) = caller.post("/v1/agents/agt_1/messages", &hello()).await;
    assert_eq!((status.as_u16(), &sent["message"]["status"]), (202, &json!("queued")));
    let (status, message) = caller.get("/v1/messages/msg_1").await;
    assert_eq!((status.as_u16(), &message["status"]), (200, &json!("completed")));
    assert_eq!(message["output"]["parts"][0]["text"], "Hello");
    let (_, session) = caller.get("/v1/sessions/sess_1").await;
    assert_eq!(session["status"], "idle");
    let (_, transcript) = caller.get("/v1/sessions/sess_1/transcript").await;
    assert_eq!(transcript["timeline"]["items"][1]["content"][0]["text"], "Hello");
    let (_, messages) = caller.get("/v1/sessions/sess_1/messages").await;
    assert_eq!(messages["messages"], json!([message]));
    let (_, sessions) = caller.get("/v1/agents/agt_1/sessions").await;
    assert_eq!(sessions["sessions"], json!([session]));
}

#[tokio::test]
async fn a_request_without_the_right_key_is_unauthorized_everywhere() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let key = emulator.api_key();
    for header in [None, Some("Bearer nope"), Some("Bearer "), Some(key), Some("Basic a2V5")] {
        for (name, path) in ROUTES.into_iter().chain([("GET", "/nowhere")]) {
            let request = caller.bare(method(name), path);
            let request =
                header.iter().fold(request, |it, value| it.header("authorization", *value));
            let (status, body) = answer(request).await;
            assert_eq!(status, 401, "{header:?} {name} {path}");
            assert_eq!(body, detail("Missing or invalid API key"));
        }
    }
    let lower =
        caller.bare(Method::GET, "/v1/sessions").header("authorization", format!("bearer {key}"));
    assert_eq!(answer(lower).await.0, 200);
}

#[tokio::test]
async fn another_organization_gets_403_for_what_exists_and_404_for_the_rest() {
    let emulator = Emulator::builder()
        .api_key("dari_mine")
        .other_organization("dari_other")
        .start()
        .await
        .unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let of_objects = ROUTES.into_iter().filter(|(_, path)| *path != "/v1/sessions");
    for (name, path) in of_objects {
        for (path, expected) in [(path.to_owned(), 403), (path.replace("_1", "_7"), 404)] {
            let request = caller.bare(method(name), &path).bearer_auth("dari_other");
            let request = with_json(request, &hello());
            let (status, body) = answer(request).await;
            assert_eq!(status, expected, "{name} {path}");
            assert!(body["detail"].is_string());
        }
    }
    let list = caller.bare(Method::GET, "/v1/sessions").bearer_auth("dari_other");
    assert_eq!(answer(list).await.1, json!({"sessions": []}));
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    for (path, text) in [
        ("/v1/sessions/sess_9", "Session not found"),
        ("/v1/sessions/sess_9/events", "Session not found"),
        ("/v1/messages/msg_9", "Message not found"),
        ("/v1/messages/a%2Fb%3Fc", "Message not found"),
        ("/v1/agents/agt_9/sessions", "Agent not found"),
        ("/v1/messages/%FF", "No such route"),
        ("/v1/sessions/", "No such route"),
        ("/v1/sessions//events", "Session not found"),
        ("/v2/sessions", "No such route"),
        ("/", "No such route"),
    ] {
        let (status, body) = caller.get(path).await;
        assert_eq!((status.as_u16(), body), (404, detail(text)), "{path}");
    }
    let (status, _) = caller.post("/v1/sessions/sess_9/events", &hello()).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn an_id_is_percent_decoded() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.create().await;
    assert_eq!(caller.get("/v1/sessions/%73ess%5F1").await.0, 200);
}

#[tokio::test]
async fn a_method_that_a_route_does_not_take_is_405() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    for (name, path) in [
        ("GET", "/v1/agents/agt_1/messages"),
        ("POST", "/v1/sessions"),
        ("PATCH", "/v1/sessions/sess_1"),
        ("DELETE", "/v1/messages/msg_1"),
    ] {
        let response = caller.request(method(name), path).send().await.unwrap();
        assert_eq!(response.status(), 405, "{name} {path}");
        assert!(response.headers().contains_key("allow"));
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert!(body["detail"].is_string());
    }
}

#[tokio::test]
async fn secrets_never_come_back() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let mut body = hello();
    body["session"] = json!({"secrets": {"TOKEN": "hush-hush"}, "llm_api_key": "sk-quiet"});
    let mut seen = caller.post("/v1/agents/agt_1/messages", &body).await.1.to_string();
    body["session"]["secrets"]["TOKEN"] = json!(["hush-hush"]);
    seen += &caller.post("/v1/agents/agt_1/messages", &body).await.1.to_string();
    for (_, path) in ROUTES.into_iter().filter(|(name, _)| *name == "GET") {
        seen += &caller.get(path).await.1.to_string();
    }
    seen += &format!("{emulator:?} {:?}", emulator.requests());
    assert!(!seen.contains("hush-hush") && !seen.contains("sk-quiet"));
}

#[tokio::test]
async fn several_agents_have_ids_in_the_order_added() {
    let names = ["one", "two", "three"];
    let add =
        |builder: dari::emulator::EmulatorBuilder, name| builder.agent(ScriptedAgent::named(name));
    let emulator = names.into_iter().fold(Emulator::builder(), add).start().await.unwrap();
    assert_eq!(emulator.agents(), ["agt_1", "agt_2", "agt_3"]);
    assert_eq!(emulator.agent(), "agt_1");
    let caller = Caller::new(&emulator);
    let (_, sent) = caller.post("/v1/agents/agt_3/messages", &hello()).await;
    assert_eq!(
        (&sent["session"]["agent_id"], &sent["session"]["version_id"]),
        (&json!("agt_3"), &json!("ver_3"))
    );
    let (_, transcript) = caller.get("/v1/sessions/sess_1/transcript").await;
    assert_eq!(transcript["agent"]["name"], "three");
}
