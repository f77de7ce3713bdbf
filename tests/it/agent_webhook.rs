//! An agent's webhook is set, read, removed and given another secret; the secret shows nowhere.

use dari::{AgentId, Error, Secret, WebhookConfig, WebhookEventType};
use serde_json::{Value, json as value};

use crate::round_trip::assert_round_trip;
use crate::support::raw::{RawServer, Step, json};
use crate::support::{KEY, chain, client, sample};

const URL: &str = "https://hooks.example.com/dari";
const SECRET: &str = "s3cret-of-webhook";

fn agent() -> AgentId {
    "agt_1/a".parse().unwrap()
}

fn config(fields: &Value) -> Vec<u8> {
    json("200 OK", &fields.to_string())
}

fn with_secret() -> Vec<u8> {
    config(&value!({"webhook_url": URL, "signing_enabled": true, "signing_secret": SECRET}))
}

#[test]
fn the_sample_decodes_and_encodes_back() {
    let config: WebhookConfig = assert_round_trip(&sample("set-agent-webhook.response"));
    assert!(config.extra.is_empty(), "{:?}", config.extra);
    assert_eq!(config.signing_secret, Some(Secret::from("whsec_...")));
    let types = [WebhookEventType::ToolCallRequested, WebhookEventType::SessionCompleted];
    assert_eq!(config.event_types.as_deref(), Some(&types[..]));
    assert!(!format!("{config:?} {config:#?}").contains("whsec_"), "{config:?}");
}

#[test]
fn a_configuration_may_be_empty_and_may_grow() {
    for text in ["{}", r#"{"webhook_url": null, "signing_enabled": null, "event_types": null}"#] {
        let config: WebhookConfig = serde_json::from_str(text).unwrap();
        assert_eq!((config.webhook_url, config.signing_enabled), (None, false));
        assert_eq!((config.event_types, config.signing_secret), (None, None));
    }
    let new = value!({
        "webhook_url": URL, "signing_enabled": false, "event_types": ["agent.published"],
        "delivery": {"timeout": 10, "region": null},
    });
    let config: WebhookConfig = assert_round_trip(&new.to_string());
    assert_eq!(config.event_types.unwrap()[0].as_str(), "agent.published");
    assert!(config.extra.get("delivery").is_some());
}

#[test]
fn of_newer_fields_only_the_names_are_shown() {
    let text = r#"{"webhook_url": "https://a.example", "previous_secret": "whsec_old"}"#;
    let config: WebhookConfig = serde_json::from_str(text).unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(!shown.contains("whsec_old") && shown.contains("previous_secret"), "{shown}");
    assert!(serde_json::to_string(&config).unwrap().contains("whsec_old"));
}

#[tokio::test]
async fn each_operation_sends_what_the_contract_says() {
    let server = RawServer::always(with_secret()).await;
    let (client, agent) = (client(&server.url), agent());
    let webhook = client.agents().webhook(&agent);
    webhook.get().await.unwrap();
    webhook.set(URL).await.unwrap();
    let types = [WebhookEventType::ToolCallRequested, WebhookEventType::SessionCompleted];
    let config = webhook.set(URL).event_types(["batch.failed"]).event_types(types).await.unwrap();
    assert_eq!(config.signing_secret.unwrap().expose(), SECRET);
    webhook.clear().await.unwrap();
    assert_eq!(webhook.rotate_secret().await.unwrap().signing_secret.unwrap().expose(), SECRET);

    let requests = server.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.line()).collect();
    let path = "/v1/agents/agt_1%2Fa/webhook";
    let post = format!("POST {path}/rotate-secret");
    let [get, put, delete] = ["GET", "PUT", "DELETE"].map(|method| format!("{method} {path}"));
    assert_eq!(lines, [&get, &put, &put, &delete, &post]);
    let plain: Value = serde_json::from_str(&requests[1].body).unwrap();
    assert_eq!(plain, value!({"webhook_url": URL}));
    let chosen: Value = serde_json::from_str(&requests[2].body).unwrap();
    assert_eq!(
        chosen,
        serde_json::from_str::<Value>(&sample("set-agent-webhook.request")).unwrap()
    );
    assert!(requests.iter().all(|request| {
        let has_body = request.line().starts_with("PUT");
        request.body.is_empty() != has_body
            && request.header("content-type") == has_body.then_some("application/json")
            && request.header("authorization") == Some(&*format!("Bearer {KEY}"))
            && request.header("idempotency-key").is_none()
    }));
}

#[tokio::test]
async fn all_but_a_rotation_are_repeated() {
    let server = RawServer::start(|n, _| {
        vec![if n % 2 == 0 { Step::Reset } else { Step::Write(with_secret()) }]
    })
    .await;
    let (client, agent) = (client(&server.url), agent());
    let webhook = client.agents().webhook(&agent);
    webhook.get().await.unwrap();
    webhook.set(URL).await.unwrap();
    webhook.clear().await.unwrap();
    assert_eq!(server.requests().len(), 6);
    let error = webhook.rotate_secret().await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert_eq!(error.operation(), Some("agents.webhook.rotate_secret"));
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn a_rotation_is_repeated_only_where_nothing_can_have_happened() {
    let server = RawServer::start(|n, _| {
        let busy = json("429 Too Many Requests", "{}");
        vec![Step::Write(if n == 0 { busy } else { with_secret() })]
    })
    .await;
    client(&server.url).agents().webhook(&agent()).rotate_secret().await.unwrap();
    assert_eq!(server.requests().len(), 2);
    let server = RawServer::always(json("503 Later", "{}")).await;
    let error = client(&server.url).agents().webhook(&agent()).rotate_secret().await.unwrap_err();
    assert!(error.may_have_happened());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_url_or_a_list_that_cannot_be_right_is_refused_before_anything_is_sent() {
    let server = RawServer::always(with_secret()).await;
    let (client, agent) = (client(&server.url), agent());
    let webhook = client.agents().webhook(&agent);
    for (url, reason) in [
        ("hooks.example.com", "not an absolute url"),
        ("ftp://hooks.example.com", "not an http or https url"),
        ("https://me:s3cret-of-webhook@hooks.example.com", "user name or password"),
        ("https://hooks.example.com/\r\nx", "white space"),
    ] {
        let error = webhook.set(url).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let line = error.to_string();
        assert!(line.contains("agents.webhook.set: invalid webhook_url: it"), "{line}");
        assert!(line.contains(reason) && !line.contains(SECRET), "{line}");
    }
    let none = webhook.set(URL).event_types(Vec::<WebhookEventType>::new()).await.unwrap_err();
    assert!(none.to_string().contains("invalid event_types: there is none"), "{none}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_does_not_show_its_secret() {
    let broken = [
        format!(r#"{{"signing_secret": "{SECRET}", "signing_enabled": "{SECRET}"}}"#),
        format!(r#"{{"signing_secret": "{SECRET}""#),
        format!(r#"{{"signing_secret": {{"value": "{SECRET}"}}}}"#),
        format!(r#""{SECRET}""#),
        format!(r#"["{SECRET}"]"#),
        SECRET.to_owned(),
        format!(r#"{{"{SECRET}": 1"#),
    ];
    for body in broken {
        let server = RawServer::always(json("200 OK", &body)).await;
        let (client, agent) = (client(&server.url), agent());
        let webhook = client.agents().webhook(&agent);
        let errors = [
            webhook.get().await,
            webhook.set(URL).await,
            webhook.clear().await,
            webhook.rotate_secret().await,
        ];
        for error in errors.map(Result::unwrap_err) {
            assert!(matches!(error, Error::Decode(_)), "{error:?}");
            let shown = format!("{error:?} {error:#?} {}", chain(&error));
            assert!(!shown.contains(SECRET), "{body}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_broken_configuration_names_its_field() {
    let body = value!({"webhook_url": URL, "signing_enabled": true, "event_types": [{}]});
    let server = RawServer::always(config(&body)).await;
    let error = client(&server.url).agents().webhook(&agent()).get().await.unwrap_err();
    assert!(error.to_string().contains("cannot read the body at event_types[0]: "), "{error}");
}
