//! Bad input gets a clear error, and nothing is sent.

use dari::{ContentBlock, Error, NewEvent, NewSession};
use serde::{Serialize, Serializer};

use crate::support::client;
use crate::support::raw::RawServer;

/// Returns a refusal's text, and checks that it is one.
fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Invalid(_)) => {
            assert!(error.to_string().ends_with("; nothing was sent"), "{error}");
            assert!(!error.is_retryable() && !error.may_have_happened());
            assert_eq!(error.attempts(), 0);
            error.to_string()
        }
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("bad input was accepted"),
    }
}

struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no such thing"))
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    let server = RawServer::always("HTTP/1.1 500 Oops\r\n\r\n").await;
    let client = client(&server.url);
    let (agent, session) = ("agt_1".parse().unwrap(), "sess_1".parse().unwrap());
    let none = || Vec::<ContentBlock>::new();

    let text = refused(client.agents().send_message(&agent, none()).await);
    assert_eq!(text, "agents.send_message: invalid content: it has no block; nothing was sent");
    refused(client.messages().send(&session, none()).await);
    refused(client.sessions().send_events(&session, [NewEvent::user_message(none())]).await);
    let text = refused(client.sessions().send_events(&session, []).await);
    assert!(text.contains("invalid events: there is none"), "{text}");

    for name in ["", "lower", "1ST", "A-B", "Ä", "A B", "A\n"] {
        let options = NewSession::new().secret(name, "value");
        let text = refused(client.sessions().create(&agent).session(options.clone()).await);
        assert!(text.contains("invalid secret name") && !text.contains('\n'), "{text}");
        refused(client.agents().send_message(&agent, "hi").session(options).await);
    }
    let text =
        refused(client.sessions().create(&agent).session(NewSession::new().secret("A", "")).await);
    assert!(text.contains("A is empty"), "{text}");
    refused(client.sessions().create(&agent).session(NewSession::new().llm_api_key("")).await);

    let text = refused(client.messages().send(&session, "hi").metadata("x", Unserializable).await);
    assert!(text.contains("x: no such thing"), "{text}");
    for (name, value) in
        [("a b", "x"), ("x-a", "a\nb"), ("Authorization", "x"), ("idempotency-key", "x")]
    {
        refused(client.messages().send(&session, "hi").header(name, value).await);
    }
    refused(client.messages().send(&session, "hi").idempotency_key("a\nb").await);
    refused(client.messages().send(&session, "hi").idempotency_key("").await);
    assert!(server.requests().is_empty());
}

#[test]
fn an_id_that_would_leave_its_path_cannot_be_made() {
    for text in ["", ".", "..", "a\r\nb"] {
        assert!(text.parse::<dari::SessionId>().is_err(), "{text:?}");
        assert!(dari::MessageId::try_from(text.to_owned()).is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn a_header_of_the_callers_own_is_sent() {
    let server = RawServer::always("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n").await;
    let call =
        client(&server.url).messages().get(&"m".parse().unwrap()).header("x-trace", "t1").await;
    assert!(call.unwrap_err().is_not_found());
    assert_eq!(server.requests()[0].header("x-trace"), Some("t1"));
}
