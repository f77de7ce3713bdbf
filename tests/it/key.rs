//! The key goes into one header, and nowhere else.

use std::process::Command;

use dari::{Client, Error, NewSession, Secret};

use crate::support::raw::{RawServer, Step, json, reply};
use crate::support::{KEY, builder, chain, client, sample};

const SECRET: &str = "s3cret-value";

fn assert_silent(shown: &str) {
    assert!(!shown.contains(KEY), "the key shows in {shown}");
    assert!(!shown.contains("4ad1f00d"), "a part of the key shows in {shown}");
    assert!(!shown.contains(SECRET), "a secret shows in {shown}");
}

fn assert_silent_error(error: &Error) {
    assert_silent(&format!("{error:?}"));
    assert_silent(&format!("{error:#?}"));
    assert_silent(&chain(error));
}

#[tokio::test]
async fn the_key_travels_as_a_bearer_token_only() {
    let server = RawServer::always(json("200 OK", &sample("get-message.response"))).await;
    client(&server.url).messages().get(&"msg_123".parse().unwrap()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(request.head.matches(KEY).count(), 1);
    assert_eq!(request.line(), "GET /v1/messages/msg_123");
    assert!(request.header("user-agent").unwrap().starts_with("dari-rust/"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("content-type"), None);
}

#[tokio::test]
async fn nothing_that_prints_shows_the_key_or_a_secret() {
    let client = client("http://127.0.0.1:1");
    let agent = "agt_1".parse().unwrap();
    let session = NewSession::new().secret("TOKEN", SECRET).llm_api_key(SECRET);
    let call = client.agents().send_message(&agent, "hi").session(session.clone());
    assert_silent(&format!("{call:?} {:?} {:?}", call, client.sessions().create(&agent)));
    assert_silent(&format!("{client:?} {client:#?} {:?} {session:?}", client.messages()));
    assert_silent(&format!("{:?} {:?}", builder("http://127.0.0.1:1"), Secret::from(KEY)));
    assert_silent_error(&call.await.unwrap_err());
}

#[tokio::test]
async fn no_error_shows_the_key_even_if_the_server_echoes_it() {
    let escaped = KEY.replacen('d', "\\u0064", 1);
    let head = format!("x-request-id: {KEY}\r\n");
    let replies = [
        reply("401 Unauthorized", &head, &format!(r#"{{"detail": "bad key {KEY}"}}"#)),
        reply("401 Unauthorized", "", &format!(r#"{{"detail": ["bad key {escaped}"]}}"#)),
        reply("502 Bad Gateway", "", &format!("{}authorization: Bearer {KEY}", "x".repeat(490))),
        reply("200 OK", &head, &format!("authorization: Bearer {KEY}")),
        reply("200 OK", "", &format!(r#"{{"id": 1, "authorization": "{KEY}"}}"#)),
        reply("200 OK", "", &format!(r#""{KEY}""#)),
        reply("200 OK", "", &format!(r#"{{"authorization": "{escaped}"}}"#)),
        reply("200 OK", "", &format!("{KEY}{}{KEY}{KEY}", "x".repeat(490))),
        reply("502 Bad Gateway", "", &KEY.repeat(100)),
        reply("302 Found", &format!("location: http://127.0.0.1:1/{KEY}\r\n"), KEY),
    ];
    for bytes in replies {
        let server = RawServer::always(bytes).await;
        let error = client(&server.url).messages().get(&"msg_1".parse().unwrap()).await;
        assert_silent_error(&error.unwrap_err());
    }
}

#[tokio::test]
async fn the_meta_of_a_reply_does_not_show_a_key_that_was_echoed() {
    let head = format!("x-echo: Bearer {KEY}\r\n");
    let server = RawServer::always(reply("200 OK", &head, &sample("get-message.response"))).await;
    let client = client(&server.url);
    let call = client.messages().get(&"msg_123".parse().unwrap()).with_meta();
    assert_silent(&format!("{:?}", call.await.unwrap()));
}

#[tokio::test]
async fn a_secret_swapped_with_its_name_is_not_quoted() {
    let client = client("http://127.0.0.1:1");
    let swapped = NewSession::new().secret(SECRET, "TOKEN");
    let call = client.sessions().create(&"agt_1".parse().unwrap()).session(swapped);
    assert_silent_error(&call.await.unwrap_err());
}

#[tokio::test]
async fn no_transport_error_shows_the_key_or_a_query() {
    let server = RawServer::start(|_, _| vec![Step::Reset]).await;
    let client = client(&server.url);
    let error = client.sessions().list().metadata("token", SECRET).await.unwrap_err();
    assert_silent_error(&error);
}

#[test]
fn a_panic_with_the_client_in_its_message_does_not_show_the_key() {
    let client = client("http://127.0.0.1:1");
    let failed = |client| Err::<(), _>((client, Secret::from(SECRET)));
    let panics = std::panic::AssertUnwindSafe(|| failed(client).unwrap());
    let panic = std::panic::catch_unwind(panics);
    let message = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("Client"), "{message}");
    assert_silent(&message);
}

/// The logger is the process's own, so the test runs itself again.
#[tokio::test]
async fn no_library_below_logs_the_key() {
    const CHILD: &str = "DARI_TEST_LOG";
    if std::env::var_os(CHILD).is_some() {
        log::set_logger(&Lines).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let server = RawServer::always(json("200 OK", &sample("get-message.response"))).await;
        let client = builder(&server.url).configure_http(|http| http.connection_verbose(true));
        client.build().unwrap().messages().get(&"msg_123".parse().unwrap()).await.unwrap();
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "key::no_library_below_logs_the_key", "--nocapture"]).env(CHILD, "1");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let lines = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}");
    assert!(lines.contains("log: reqwest"), "nothing was logged: {lines}");
    assert_silent(&lines);
}

/// Writes every line of every library to the standard error.
struct Lines;

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("log: {}: {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

#[test]
fn a_refused_configuration_does_not_show_the_key() {
    for builder in [
        Client::builder(format!("{KEY}\n")),
        Client::builder(KEY).base_url("nowhere"),
        Client::builder(KEY).base_url(format!("https://{KEY}@api.example")),
        Client::builder(KEY).base_url("http://api.example"),
        Client::builder(KEY).user_agent_suffix("a\nb"),
    ] {
        assert_silent_error(&builder.build().unwrap_err());
    }
}

/// The test runs itself again with a proxy in its environment, since that is the process's own.
#[tokio::test]
async fn a_loopback_address_does_not_use_the_proxy_of_the_environment() {
    const SERVER: &str = "DARI_TEST_SERVER";
    if let Ok(url) = std::env::var(SERVER) {
        let port = url.rsplit(':').next().unwrap();
        for url in [url.clone(), format!("http://localhost:{port}")] {
            client(&url).messages().get(&"msg_123".parse().unwrap()).await.unwrap();
        }
        let away = builder("http://api.example").allow_plain_http().build().unwrap();
        let error = away.messages().get(&"msg_123".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), 418, "another host goes through the proxy");
        return;
    }
    let server = RawServer::always(json("200 OK", &sample("get-message.response"))).await;
    let proxy = RawServer::always(json("418 I'm a teapot", "")).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "key::a_loopback_address_does_not_use_the_proxy_of_the_environment"]);
    child.env(SERVER, &server.url).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        child.env(name, &proxy.url);
    }
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.requests().len(), proxy.requests().len()), (2, 1));
}

/// The test runs itself again, since an environment is the process's own.
#[tokio::test]
async fn the_environment_configures_a_client() {
    const CHILD: &str = "DARI_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let client = Client::from_env().unwrap();
        client.messages().get(&"msg_123".parse().unwrap()).await.unwrap();
        return;
    }
    let server = RawServer::always(json("200 OK", &sample("get-message.response"))).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "key::the_environment_configures_a_client"]);
    child
        .env(CHILD, "1")
        .env("DARI_API_KEY", KEY)
        .env("DARI_API_URL", format!("{}/gw/", server.url));
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.requests()[0].line(), "GET /gw/v1/messages/msg_123");
}

#[tokio::test]
async fn a_closure_cannot_undo_what_keeps_the_key_safe() {
    let target = RawServer::always(json("200 OK", &sample("get-message.response"))).await;
    let location = format!("location: {}/\r\n", target.url);
    let server = RawServer::always(reply("307 Temporary Redirect", &location, "")).await;
    let proxy = target.url.clone();
    let client = builder(&server.url).configure_http(move |http| {
        let http = http.redirect(reqwest::redirect::Policy::limited(5));
        http.proxy(reqwest::Proxy::all(proxy).unwrap())
    });
    let client = client.build().unwrap();
    let error = client.messages().get(&"msg_123".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 307);
    assert!(target.requests().is_empty());
}
