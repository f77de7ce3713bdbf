//! Nothing secret is told, whatever the call and the answer hold.

use dari::{
    Client, Cursor, FileSource, NewEvent, NewSession, NewToolResult, ReconnectPolicy, ToolCallId,
};
use serde_json::json;

use crate::support::raw::{RawServer, Step, json as reply_json, reply};
use crate::support::traces::Traces;
use crate::support::{KEY, client};

/// What stands in every secret of these tests.
const SECRET: &str = "s3cret";

/// Calls with a secret in every place that can hold one, whatever comes of them.
async fn call_everything(client: &Client) {
    let (agent, session) = ("agt_s3cret".parse().unwrap(), "sess_s3cret".parse().unwrap());
    let (message, call) = ("msg_s3cret".parse().unwrap(), ToolCallId::from("call_s3cret"));
    let options = || {
        let options = NewSession::new().name("s3cret name").metadata("s3cret", "s3cret");
        options.secret("S3CRET", "s3cret-value").llm_api_key("s3cret-llm")
    };
    let (agents, sessions) = (client.agents(), client.sessions());
    let send = agents.send_message(&agent, "s3cret text").session(options());
    let _whatever = send.header("x-trace", "s3cret-header").await;
    let _whatever = sessions.create(&agent).session(options()).await;
    let _whatever = sessions.list().metadata("s3cret", "s3cret").await;
    let send = client.messages().send(&session, "s3cret");
    let _whatever = send.idempotency_key("s3cret-key").await;
    let _whatever = client.messages().get(&message).await;
    let _whatever = sessions.send_events(&session, [NewEvent::user_message("s3cret")]).await;
    let result = NewToolResult::error(&message, &call, "s3cret");
    let _whatever = sessions.submit_tool_result(&session, result).await;
    let _whatever = agents.webhook(&agent).set("https://hooks.example/s3cret").await;
    let _whatever = agents.webhook(&agent).rotate_secret().await;
    let _whatever = client.workspace().download(&session).path("s3cret").await;
    let file = FileSource::bytes("s3cret.txt", "s3cret");
    let _whatever = client.files().upload(file).await;
    let stream = sessions.stream(&session).after("7@s3cret".parse::<Cursor>().unwrap());
    let once = ReconnectPolicy::default().max_attempts(1);
    let _whatever = stream.reconnect(once).try_next().await;
}

fn assert_silent(traces: &Traces) {
    let text = traces.text();
    assert_eq!(traces.calls().len(), 12, "all of them were sent: {text}");
    assert!(!text.to_lowercase().contains(SECRET), "a secret in {text}");
    assert!(!text.contains(KEY) && !text.contains("4ad1f00d"), "the key in {text}");
}

#[tokio::test]
async fn no_span_or_event_shows_what_a_call_or_an_answer_holds() {
    let head = "x-other: s3cret\r\nlocation: http://127.0.0.1:1/s3cret\r\nset-cookie: s3cret\r\n";
    let body = json!({"detail": format!("s3cret {KEY}")}).to_string();
    let answers = ["401 Unauthorized", "422 Unprocessable Entity", "503 Busy", "302 Found"];
    let mut answers: Vec<_> = answers.map(|status| reply(status, head, &body)).to_vec();
    answers.push(reply("200 OK", head, &format!("<s3cret>{KEY}")));
    answers.push(reply_json("200 OK", r#"{"id": ["s3cret"], "events": "s3cret"}"#));
    for answer in answers {
        let server = RawServer::always(answer).await;
        let client = client(&format!("{}/s3cret-gateway", server.url));
        let traces = Traces::start();
        call_everything(&client).await;
        assert_silent(&traces);
    }
    let server = RawServer::start(|_, _| vec![Step::Reset]).await;
    let traces = Traces::start();
    call_everything(&client(&server.url)).await;
    assert_silent(&traces);
}

#[tokio::test]
async fn the_id_of_a_request_is_shown_on_one_line_and_without_the_key() {
    let long = "x".repeat(500);
    for (id, expected) in [
        (format!("req {KEY} 1"), "req [key] 1".to_owned()),
        ("a\u{9b}31m".to_owned(), String::new()),
        (long, format!("{}…", "x".repeat(128))),
    ] {
        let head = format!("x-request-id: {id}\r\n");
        let server = RawServer::always(reply("404 Not Found", &head, "{}")).await;
        let traces = Traces::start();
        client(&server.url).sessions().get(&"sess_1".parse().unwrap()).await.unwrap_err();
        let shown = traces.call().remove("dari.request_id");
        assert_eq!(
            shown.and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default(),
            expected
        );
        assert!(!traces.text().contains(KEY));
    }
}
