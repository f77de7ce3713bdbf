//! What is repeated, what never is, and how long either may take.

use std::time::Duration;

use std::future::IntoFuture;

use dari::{AgentId, Error, MessageId, NewEvent, RetryPolicy, SessionId};

use crate::support::raw::{RawServer, Step, json, reply};
use crate::support::{builder, client, sample};

const QUEUED: &str = "send-agent-message.response";

fn agent() -> AgentId {
    "agt_1".parse().unwrap()
}

fn session() -> SessionId {
    "sess_123".parse().unwrap()
}

fn message() -> MessageId {
    "msg_123".parse().unwrap()
}

/// Returns a server that loses the reply of its first `lost` requests.
async fn losing(lost: usize, then: Vec<u8>) -> RawServer {
    RawServer::start(
        move |n, _| {
            if n < lost { vec![Step::Reset] } else { vec![Step::Write(then.clone())] }
        },
    )
    .await
}

/// Returns the address of a port where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_keyed_send_is_repeated_under_one_key() {
    let server = losing(2, json("202 Accepted", &sample(QUEUED))).await;
    let client = client(&server.url);
    let sent = client.messages().send(&session(), "hi").with_meta().await.unwrap();
    let keys: Vec<_> =
        server.requests().iter().map(|r| r.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 3);
    let body = r#"{"type":"user.message","content":[{"type":"text","text":"hi"}]}"#;
    assert!(server.requests().iter().all(|request| request.body == body));
    assert!(keys.iter().all(|key| *key == keys[0] && key.len() == 32), "{keys:?}");
    assert_eq!(sent.meta.idempotency_key.as_deref(), Some(&*keys[0]));
    client.messages().send(&session(), "hi").await.unwrap();
    assert_ne!(
        server.requests()[3].header("idempotency-key"),
        Some(&*keys[0]),
        "a new call, a new key"
    );
}

#[tokio::test]
async fn the_callers_own_key_wins() {
    let server = RawServer::always(json("202 Accepted", &sample(QUEUED))).await;
    client(&server.url).messages().send(&session(), "hi").idempotency_key("mine-1").await.unwrap();
    assert_eq!(server.requests()[0].header("idempotency-key"), Some("mine-1"));
}

#[tokio::test]
async fn a_lost_reply_of_an_unsafe_call_is_not_repeated() {
    let server = losing(usize::MAX, Vec::new()).await;
    let client = client(&server.url);
    let errors = [
        client.agents().send_message(&agent(), "hi").await.unwrap_err(),
        client
            .sessions()
            .send_events(&session(), [NewEvent::user_message("hi")])
            .await
            .unwrap_err(),
        client.sessions().create(&agent()).await.unwrap_err(),
    ];
    for (n, error) in errors.iter().enumerate() {
        assert!(error.may_have_happened(), "{n}: {error:?}");
        assert!(!error.is_retryable());
        assert_eq!(error.attempts(), 1);
        let line = "; the service may have acted on it, so it was not repeated";
        assert!(error.to_string().ends_with(line), "{error}");
    }
    assert_eq!(server.requests().len(), 3);
    assert!(server.requests().iter().all(|request| request.header("idempotency-key").is_none()));
}

#[tokio::test]
async fn a_reply_of_an_unsafe_call_that_cannot_be_read_may_have_happened() {
    for bytes in [json("201 Created", "{}"), json("201 Created", "<html>"), json("302 Found", "")] {
        let server = RawServer::always(bytes).await;
        let error = client(&server.url).sessions().create(&agent()).await.unwrap_err();
        assert!(error.may_have_happened(), "{error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_unsafe_call_is_repeated_after_429_and_not_after_5xx() {
    for status in ["408 Request Timeout", "500 Oops", "502 Bad Gateway", "503 Later", "504 Slow"] {
        let server = RawServer::always(json(status, "")).await;
        let error = client(&server.url).agents().send_message(&agent(), "hi").await.unwrap_err();
        assert_eq!((server.requests().len(), error.may_have_happened()), (1, true), "{status}");
    }
    let server = RawServer::start(|n, _| {
        let busy = json("429 Too Many Requests", "{}");
        vec![Step::Write(if n == 0 { busy } else { json("202 Accepted", &sample(QUEUED)) })]
    })
    .await;
    client(&server.url).agents().send_message(&agent(), "hi").await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_unsafe_call_that_never_connected_is_repeated_and_did_not_happen() {
    let client = client(&nobody().await);
    let error = client.agents().send_message(&agent(), "hi").await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(
        (error.attempts(), error.may_have_happened(), error.is_retryable()),
        (4, false, true)
    );
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    for status in ["400 Bad", "401 No", "403 No", "404 No", "409 No", "413 Big", "422 No", "501 No"]
    {
        let server = RawServer::always(json(status, r#"{"detail": "no"}"#)).await;
        let error = client(&server.url).messages().send(&session(), "hi").await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{status}");
        let refused = error.status().unwrap().is_client_error();
        assert_eq!(error.may_have_happened(), !refused, "{status}");
    }
}

#[tokio::test]
async fn a_keyed_send_that_fails_for_good_hands_its_key_over() {
    let server = losing(usize::MAX, Vec::new()).await;
    let client = client(&server.url);
    let error = client.messages().send(&session(), "hi").await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable());
    assert_eq!(error.idempotency_key(), server.requests()[0].header("idempotency-key"));
    let error = client.messages().send(&session(), "hi").idempotency_key("mine").await.unwrap_err();
    assert!(error.is_retryable(), "the caller's own key makes a repeat harmless");
}

#[tokio::test]
async fn a_later_refusal_does_not_undo_an_earlier_lost_reply() {
    let server = losing(1, json("404 Not Found", "{}")).await;
    let error = client(&server.url).messages().send(&session(), "hi").await.unwrap_err();
    assert!(error.is_not_found() && error.may_have_happened(), "{error:?}");
    assert_eq!(error.attempts(), 2);
}

#[tokio::test]
async fn a_closure_cannot_have_an_unsafe_call_repeated() {
    let server = RawServer::always(json("503 Later", "")).await;
    let always = || {
        reqwest::retry::for_host("127.0.0.1").no_budget().classify_fn(|attempt| attempt.retryable())
    };
    let client = builder(&server.url).configure_http(move |http| http.retry(always()));
    let error = client.build().unwrap().sessions().create(&agent()).await.unwrap_err();
    assert!(error.may_have_happened());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_retry_after_beyond_the_limit_is_an_error_that_says_so() {
    let bytes = reply("503 Later", "retry-after: 61\r\n", "");
    let server = RawServer::always(bytes).await;
    let error = client(&server.url).messages().get(&message()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(61)));
}

#[tokio::test]
async fn a_retry_after_that_outlives_the_deadline_ends_the_call_at_once() {
    let server = RawServer::always(reply("429 Busy", "retry-after: 30\r\n", "")).await;
    let call =
        client(&server.url).messages().get(&message()).timeout(Duration::from_secs(20)).await;
    assert!(call.unwrap_err().is_rate_limited());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_hung_attempt_is_given_up_and_repeated() {
    let server = RawServer::start(|n, _| {
        let answer = Step::Write(json("200 OK", &sample("get-message.response")));
        vec![if n == 0 { Step::Hold } else { answer }]
    })
    .await;
    let client = builder(&server.url).attempt_timeout(Duration::from_millis(200)).build().unwrap();
    let reply = client.messages().get(&message()).with_meta().await.unwrap();
    assert!(reply.meta.attempts >= 2, "{}", reply.meta.attempts);
}

#[tokio::test]
async fn a_hung_unsafe_call_times_out_with_its_fate_unknown() {
    let server = RawServer::start(|_, _| vec![Step::Hold]).await;
    let client = builder(&server.url).attempt_timeout(Duration::from_millis(50)).build().unwrap();
    let error = client.agents().send_message(&agent(), "hi").await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_happened(), "{error:?}");
    assert!(server.requests().len() <= 1);
}

#[tokio::test]
async fn the_deadline_bounds_attempts_and_a_trickling_body_alike() {
    let trickle = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec();
    for step in [None, Some(trickle)] {
        let server = RawServer::start(move |_, _| {
            step.iter().cloned().map(Step::Write).chain([Step::Hold]).collect()
        })
        .await;
        let limit = Duration::from_millis(100);
        let client = client(&server.url);
        let error = client.messages().get(&message()).timeout(limit).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
        assert!(error.to_string().contains("nothing final within 100ms"), "{error}");
        assert!(server.requests().len() <= 1);
    }
}

#[tokio::test]
async fn a_stalled_error_body_does_not_hide_the_status() {
    let head = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 1000\r\n\r\n{\"det".to_vec();
    let server = RawServer::start(move |_, _| vec![Step::Write(head.clone()), Step::Hold]).await;
    let client = builder(&server.url).attempt_timeout(Duration::from_millis(300)).build().unwrap();
    let error = client.messages().get(&message()).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error:?}");
}

#[tokio::test]
async fn a_policy_of_none_sends_once() {
    let server = RawServer::always(json("503 Later", "")).await;
    let call = client(&server.url).messages().get(&message()).retry(RetryPolicy::none()).await;
    assert_eq!(call.unwrap_err().attempts(), 1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_budget_of_repeats_is_shared_by_clones_and_runs_dry() {
    let server = RawServer::always(json("503 Later", "")).await;
    let client = builder(&server.url).retry_budget(25).build().unwrap();
    for _ in 0..4 {
        client.clone().messages().get(&message()).await.unwrap_err();
    }
    assert_eq!(server.requests().len(), 4 + 5, "4 calls, and 5 repeats of 5 tokens each");
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection() {
    let (closed, seen) = tokio::sync::oneshot::channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (arrived, arrival) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        let mut socket = listener.accept().await.unwrap().0;
        let mut buffer = vec![0; 4096];
        assert!(socket.read(&mut buffer).await.unwrap() > 0);
        arrived.send(()).unwrap();
        while matches!(socket.read(&mut buffer).await, Ok(1..)) {}
        closed.send(()).unwrap();
    });
    let client = client(&url);
    let id = message();
    tokio::select! {
        reply = client.messages().get(&id).into_future() => panic!("{reply:?}"),
        () = async { arrival.await.unwrap() } => {}
    }
    seen.await.unwrap();
}
