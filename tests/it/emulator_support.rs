//! A plain HTTP caller for the emulator's own tests: it knows nothing of the crate's client.

use dari::emulator::Emulator;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Calls one emulator with its key.
pub(crate) struct Caller<'a> {
    emulator: &'a Emulator,
    http: reqwest::Client,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(emulator: &'a Emulator) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { emulator, http }
    }

    /// A request without a key or a body.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.emulator.url()))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(self.emulator.api_key())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(with_json(self.request(Method::POST, path), body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(with_json(self.request(Method::PUT, path), body)).await
    }

    /// Creates a session and returns its id.
    pub(crate) async fn create(&self) -> String {
        let (status, session) = self.post("/v1/agents/agt_1/sessions", &json!({})).await;
        assert_eq!(status, 201);
        session["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// Returns status and body of an answer, which must be JSON with a request id.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers()["x-request-id"].to_str().unwrap().starts_with("req_"));
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

pub(crate) fn hello() -> Value {
    json!({"type": "user.message", "content": [{"type": "text", "text": "Hello"}]})
}

pub(crate) fn detail(text: &str) -> Value {
    json!({"detail": text})
}
