//! Servers that are slow, endless or dishonest below the level of JSON.

use std::time::Duration;

use dari::{Client, Error, Message, RetryPolicy};

use crate::support::raw::{RawServer, Step, json, reply};
use crate::support::{builder, sample};

/// Long enough for an attempt on a busy machine to get where it must stall.
const SHORT: Duration = Duration::from_millis(300);

async fn get(client: &Client) -> dari::Result<Message> {
    client.messages().get(&"msg_123".parse().unwrap()).await
}

/// Asks a server once that answers with these steps.
async fn answered(steps: Vec<Step>) -> Error {
    let server = RawServer::start(move |_, _| steps.clone()).await;
    let once = builder(&server.url).retry(RetryPolicy::none()).attempt_timeout(SHORT);
    get(&once.build().unwrap()).await.unwrap_err()
}

/// Asks a server that is given all the time it takes.
async fn answered_in_time(bytes: impl Into<Vec<u8>>) -> Error {
    let server = RawServer::always(bytes).await;
    get(&builder(&server.url).retry(RetryPolicy::none()).build().unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn a_head_without_end_is_refused_before_it_fills_the_memory() {
    let one_line = format!("HTTP/1.1 200 OK\r\nx-long: {}", "a".repeat(4 << 20));
    let many_lines = format!("HTTP/1.1 200 OK\r\n{}", "x-line: a\r\n".repeat(400_000));
    let few_too_many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-line: a\r\n".repeat(101));
    for head in [one_line, many_lines, few_too_many] {
        let error = answered_in_time(head).await;
        assert!(matches!(error, Error::Transport(_)) && !error.is_timeout(), "{error:?}");
    }
}

#[tokio::test]
async fn a_head_that_drips_ends_at_the_limit_of_an_attempt() {
    let head = b"HTTP/1.1 200 OK\r\nx-slow: ".to_vec();
    let drops = Step::Trickle(vec![b'a'; 200]);
    let error = answered(vec![Step::Write(head), drops, Step::Hold]).await;
    assert!(error.is_timeout() && !error.may_have_happened(), "{error:?}");
}

#[tokio::test]
async fn a_body_that_drips_ends_at_the_limit_of_an_attempt() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    let drops = Step::Trickle(vec![b' '; 200]);
    let error = answered(vec![Step::Write(head), drops, Step::Hold]).await;
    assert!(error.is_timeout() && !error.may_have_happened(), "{error:?}");
}

#[tokio::test]
async fn answers_that_are_none_yet_end_at_the_limit_of_an_attempt() {
    let not_yet = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(10_000);
    let error = answered(vec![Step::Write(not_yet), Step::Hold]).await;
    assert!(matches!(error, Error::TimedOut(_) | Error::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_is_accepted_and_forgotten_ends_at_the_limit_of_an_attempt() {
    let error = answered(vec![Step::Hold]).await;
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_reply_that_tells_two_lengths_is_refused() {
    let body = sample("get-message.response");
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncontent-length: 2\r\n\r\n");
    let error = answered_in_time(head + &body).await;
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    // Said to be gzip and plain all the same: it can be read only if nobody tries to unpack it.
    let gzip = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let plain = reply("200 OK", gzip, &sample("get-message.response"));
    let server = RawServer::always(plain).await;
    assert_eq!(get(&builder(&server.url).build().unwrap()).await.unwrap().id, "msg_123");
    assert_eq!(server.requests()[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_not_given_to_the_next_call() {
    let body = sample("get-message.response");
    let length = body.len();
    let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
    let stray = json("200 OK", &body.replace("msg_123", "msg_evil"));
    let server = RawServer::start(move |_, _| {
        vec![Step::Write(whole.clone().into_bytes()), Step::Write(stray.clone())]
    })
    .await;
    let client = builder(&server.url).build().unwrap();
    for _ in 0..3 {
        assert_eq!(get(&client).await.unwrap().id, "msg_123");
    }
    assert_eq!(server.requests().len(), 3);
}

/// A server that takes connections and never begins to speak TLS.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_limit_of_a_connection_and_sent_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let client = builder(&url).connect_timeout(SHORT).retry(RetryPolicy::none()).build().unwrap();
    let agent = "agt_1".parse().unwrap();
    let error = client.agents().send_message(&agent, "hi").await.unwrap_err();
    held.abort();
    assert!(error.is_timeout() && !error.may_have_happened(), "{error:?}");
}
