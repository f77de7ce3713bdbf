//! Clients written by others: what the emulator takes as it comes, and what it insists on.

use dari::emulator::Emulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator_support::{Caller, answer, hello, with_json};

/// A message in which every object has a field that nobody knows.
fn strange_message() -> Value {
    json!({
        "type": "user.message",
        "content": [{"type": "text", "text": "Hello", "cache": {"ttl": 5}}],
        "metadata": {"ticket": ["T-1"]},
        "priority": 7,
        "trace": null
    })
}

fn strange_session() -> Value {
    json!({
        "name": "n", "metadata": {"a": "b"}, "secrets": {"TOKEN": "t"}, "llm_api_key": "k",
        "internet_access": null, "region": {"name": "eu"}, "labels": []
    })
}

#[tokio::test]
async fn unknown_fields_are_accepted_and_ignored_everywhere() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let (status, session) = caller.post("/v1/agents/agt_1/sessions", &strange_session()).await;
    assert_eq!(status, 201, "{session}");
    assert!(session.get("region").is_none() && session["name"] == "n", "{session}");

    let mut body = strange_message();
    body["session"] = strange_session();
    let (status, sent) = caller.post("/v1/agents/agt_1/messages", &body).await;
    assert_eq!(status, 202, "{sent}");

    let events = "/v1/sessions/sess_1/events";
    let (status, sent) = caller.post(events, &strange_message()).await;
    assert_eq!(status, 202, "{sent}");
    assert!(sent["event"]["data"].get("priority").is_none(), "{sent}");
    let list = json!({"events": [strange_message(), strange_message()], "atomic": true});
    let (status, sent) = caller.post(events, &list).await;
    assert_eq!((status.as_u16(), sent["events"].as_array().unwrap().len()), (202, 2));

    let answered = json!({
        "type": "tool.result_submitted", "message_id": "msg_1", "tool_call_id": "none",
        "result": {}, "is_error": false, "duration_ms": 5
    });
    let (status, refused) = caller.post("/v1/sessions/sess_2/events", &answered).await;
    assert_eq!((status.as_u16(), &refused["detail"]), (404, &json!("Tool call not found")));
}

#[tokio::test]
async fn unknown_queries_and_headers_are_ignored() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.create().await;
    for path in [
        "/v1/sessions?page=2&order=desc&metadata",
        "/v1/sessions/sess_1/events?limit=5&after=evt_1",
        "/v1/agents/agt_1/sessions?status=idle",
        "/v1/sessions/sess_1/messages?",
        "/v1/sessions/sess_1/transcript?format=html",
    ] {
        let request = caller.request(Method::GET, path).header("accept", "text/html");
        assert_eq!(answer(request.header("x-client", "other/1")).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn a_body_is_json_by_its_media_type_whatever_its_parameters() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let post = || caller.request(Method::POST, "/v1/agents/agt_1/messages");
    for kind in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
        let request = post().header("content-type", kind).body(hello().to_string());
        assert_eq!(answer(request).await.0, 202, "{kind}");
    }
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/jsonp"] {
        let request = post().header("content-type", kind).body(hello().to_string());
        let (status, refused) = answer(request).await;
        assert_eq!(status, 422, "{kind}");
        assert_eq!(refused["detail"][0]["loc"], json!(["header", "content-type"]));
    }
    let bare = caller.request(Method::POST, "/v1/agents/agt_1/sessions");
    assert_eq!(answer(bare).await.0, 201, "no body needs no type");
    let form = caller.request(Method::POST, "/v1/agents/agt_1/sessions");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(answer(form).await.0, 201, "nor does an empty one");
}

#[tokio::test]
async fn a_get_may_say_that_it_has_json() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    assert_eq!(
        answer(with_json(caller.request(Method::GET, "/v1/sessions"), &json!({}))).await.0,
        200
    );
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let id = caller.create().await;
    for path in ["", "/events", "/messages", "/transcript", "/stream"] {
        let path = format!("/v1/sessions/{id}{path}");
        let response = caller.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.bytes().await.unwrap().is_empty());
    }
    let missing = caller.request(Method::HEAD, "/v1/sessions/sess_9").send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn ids_begin_with_the_prefixes_of_the_contract() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let (_, sent) = caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let session = &sent["session"];
    for (id, prefix) in [
        (&session["id"], "sess_"),
        (&session["agent_id"], "agt_"),
        (&session["version_id"], "ver_"),
        (&sent["message"]["id"], "msg_"),
        (&sent["event"]["actor"]["id"], "org_"),
        (&sent["event"]["id"], "sess_1:evt_"),
    ] {
        assert!(id.as_str().unwrap().starts_with(prefix), "{id}");
    }
}
