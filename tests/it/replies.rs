//! Replies that are not what was promised.

use dari::{Error, Limits, MessageId};

use crate::support::raw::{RawServer, Step, json, reply};
use crate::support::{builder, chain, client, sample};

fn id() -> MessageId {
    "msg_123".parse().unwrap()
}

async fn failure(bytes: Vec<u8>) -> (Error, usize) {
    let server = RawServer::always(bytes).await;
    let error = client(&server.url).messages().get(&id()).await.unwrap_err();
    (error, server.requests().len())
}

#[tokio::test]
async fn a_page_of_html_with_200_is_a_decode_error_with_an_excerpt() {
    let (error, requests) =
        failure(reply("200 OK", "content-type: text/html\r\n", "<html>hi</html>")).await;
    let Error::Decode(decode) = &error else { panic!("{error:?}") };
    assert_eq!(decode.excerpt(), "<html>hi</html>");
    assert_eq!((error.status().unwrap().as_u16(), error.operation()), (200, Some("messages.get")));
    assert!(
        error.to_string().starts_with("messages.get: 200 ok: cannot read the body: "),
        "{error}"
    );
    assert_eq!(requests, 1, "a body that came whole is not asked for again");
}

#[tokio::test]
async fn a_proxy_page_with_502_does_not_hide_the_status() {
    let page = reply("502 Bad Gateway", "content-type: text/html\r\n", "<h1>Bad\r\ngateway</h1>");
    let (error, requests) = failure(page).await;
    let Error::Api(api) = &error else { panic!("{error:?}") };
    assert_eq!(api.excerpt(), Some("<h1>Bad  gateway</h1>"));
    assert_eq!((requests, error.attempts()), (4, 4));
    let expected = "messages.get: 502 bad gateway: <h1>Bad  gateway</h1> (4 attempts)";
    assert_eq!(error.to_string(), expected);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn detail_is_read_in_every_shape() {
    for (body, text) in [
        (sample("error-unauthorized.response"), "Missing or invalid API key"),
        (
            r#"{"detail": [{"loc": ["body", "content"], "msg": "field required", "type": "m"}]}"#
                .into(),
            "body.content: field required",
        ),
        (r#"{"detail": {"message": "no"}}"#.into(), "no"),
        (r#"{"error": {"message": "gateway says no"}}"#.into(), "gateway says no"),
        (String::new(), ""),
    ] {
        let head = "content-type: application/json\r\nx-request-id: req_7\r\n";
        let (error, _) = failure(reply("401 Unauthorized", head, &body)).await;
        let Error::Api(api) = &error else { panic!("{error:?}") };
        assert_eq!(api.text(), text);
        assert!(error.is_unauthorized() && !error.is_retryable() && !error.may_have_happened());
        assert_eq!(error.request_id(), Some("req_7"));
        let gap = if text.is_empty() { "" } else { ": " };
        let line = format!("messages.get: 401 unauthorized{gap}{text} (request id req_7)");
        assert_eq!(error.to_string(), line);
    }
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_asked_for_again() {
    let body = sample("get-message.response");
    let server = RawServer::start(move |n, _| {
        let mut bytes = json("200 OK", &body);
        if n < 2 {
            bytes.truncate(bytes.len() / 2);
        }
        vec![Step::Write(bytes)]
    })
    .await;
    let reply = client(&server.url).messages().get(&id()).with_meta().await.unwrap();
    assert_eq!((reply.value.id.as_str(), reply.meta.attempts), ("msg_123", 3));
}

#[tokio::test]
async fn a_reply_that_always_breaks_off_is_a_transport_error() {
    let mut bytes = json("200 OK", &sample("get-message.response"));
    bytes.truncate(bytes.len() - 1);
    let (error, requests) = failure(bytes).await;
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!((requests, error.status().unwrap().as_u16()), (4, 200));
    assert!(error.to_string().contains("the reply broke off (4 attempts)"), "{error}");
    assert_ne!(chain(&error), error.to_string(), "the cause is chained");
}

#[tokio::test]
async fn a_body_over_the_ceiling_is_refused_by_its_length_or_by_its_bytes() {
    let limits = Limits::default().body(100);
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{".to_vec();
    let chunk = format!("40\r\n{}\r\n", "x".repeat(64));
    let endless = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}");
    for bytes in [announced, endless.into_bytes()] {
        let server =
            RawServer::start(move |_, _| vec![Step::Write(bytes.clone()), Step::Hold]).await;
        let client = builder(&server.url).limits(limits.clone()).build().unwrap();
        let error = client.messages().get(&id()).await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
        assert!(error.to_string().contains("it is larger than 100 bytes"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_ceiling_is_read() {
    let body = sample("get-message.response");
    let server = RawServer::always(json("200 OK", &body)).await;
    let limits = Limits::default().body(body.len());
    let client = builder(&server.url).limits(limits).build().unwrap();
    assert!(client.messages().get(&id()).await.is_ok());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = RawServer::always(json("200 OK", &sample("get-message.response"))).await;
    for status in
        ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let bytes = reply(status, &format!("location: {}/v1/messages/msg_123\r\n", target.url), "");
        let (error, requests) = failure(bytes).await;
        assert!(matches!(error, Error::Api(_)), "{error:?}");
        assert!(error.to_string().contains("redirects are not followed"), "{error}");
        assert_eq!(requests, 1);
    }
    assert!(target.requests().is_empty(), "the key stays with its host");
}

#[tokio::test]
async fn no_content_where_a_body_is_due_is_a_decode_error() {
    let (error, _) =
        failure(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec()).await;
    let line = "messages.get: 204 no content: cannot read the body: it is empty";
    assert_eq!(error.to_string(), line);
}

#[tokio::test]
async fn a_body_whose_id_is_empty_names_the_field() {
    let body = sample("get-message.response").replace("msg_123", "");
    let (error, _) = failure(json("200 OK", &body)).await;
    let Error::Decode(decode) = &error else { panic!("{error:?}") };
    assert_eq!(decode.path(), "id");
    assert!(error.to_string().contains("at id: invalid message id: it is empty"), "{error}");
}

#[tokio::test]
async fn a_broken_part_is_named_by_its_place() {
    let body = sample("get-message.response").replace(r#""name": "bash""#, r#""name": ["bash"]"#);
    let (error, _) = failure(json("200 OK", &body)).await;
    let Error::Decode(decode) = &error else { panic!("{error:?}") };
    assert_eq!(decode.path(), "output.parts[1].name");
}

#[tokio::test]
async fn an_error_text_keeps_to_one_line_of_bounded_length() {
    let long = "x".repeat(100_000);
    let body = format!(r#"{{"detail": "a\nERROR forged\r\u2028\u202e\u2066{long}"}}"#);
    let (error, _) = failure(json("400 Bad Request", &body)).await;
    let text = error.to_string();
    assert!(!text.contains(['\n', '\r', '\u{2028}', '\u{202e}', '\u{2066}']), "{text}");
    assert!(text.len() < 2_000, "{} bytes", text.len());
}

#[tokio::test]
async fn an_endless_error_body_is_cut_and_its_status_kept() {
    let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
    let head = "HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let server = RawServer::start(move |_, _| {
        vec![Step::Write((head.clone() + &chunk.repeat(20)).into_bytes()), Step::Hold]
    })
    .await;
    let error = client(&server.url).messages().get(&id()).await.unwrap_err();
    assert!(error.is_forbidden(), "{error:?}");
    let Error::Api(api) = &error else { panic!("{error:?}") };
    assert!(api.excerpt().unwrap().len() <= 512 + "…".len());
}

#[tokio::test]
async fn a_reply_that_is_not_http_is_a_transport_error() {
    let (error, requests) = failure(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()).await;
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(requests, 4);
}
