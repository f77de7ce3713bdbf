//! What only a few files may write or be called, whatever they import.

use super::{accepted, refused, with};

#[test]
fn only_the_transport_sends() {
    let execute = "async fn f(c: reqwest::Client, r: R) { c\n.execute(r).await; }";
    refused("poll.rs", execute, "poll.rs:2: `.execute(`");
    refused("call.rs", "fn f() { client.inner().http.post(url); }", "`.http.`");
    refused("call.rs", "async fn f(b: B) { b.send().await; }", "`.send()`");
    refused("call.rs", "use tokio::net::TcpStream;", "`TcpStream`");
}

#[test]
fn only_the_transport_names_requests_and_responses() {
    refused("call.rs", "fn f() { reqwest::Request::new(m, u); }", "is for http and sse");
    refused("call.rs", "use reqwest::{Client, RequestBuilder};", "is for http and sse");
    refused("call.rs", "use reqwest as wire;", "is for http and sse");
    accepted("http/read.rs", "fn f(r: reqwest::Response) { c.execute(q); }");
    accepted("client.rs", "use reqwest::{Client, redirect::Policy};");
}

#[test]
fn only_sse_names_the_decoder() {
    refused("http.rs", "use sse_core::Decoder;", "`sse_core` is for [\"sse\"] alone");
}

#[test]
fn the_upper_rows_have_no_clock_and_no_socket() {
    refused("retry.rs", "use std::time::{Duration, Instant};", "`Instant` in a row without");
    refused("content.rs", "async fn f() { tokio::time::sleep(d).await; }", "`tokio` in a row");
}

#[test]
fn code_cannot_be_brought_in_from_elsewhere() {
    refused("client.rs", "#[path = \"../elsewhere.rs\"] mod a;", "`#[path`");
    refused("client.rs", "include!(\"elsewhere.rs\");", "`include!`");
}

#[test]
fn a_name_that_says_nothing_is_refused() {
    for path in ["types.rs", "utils/strings.rs", "client/models.rs", "common/mod.rs", "prelude.rs"]
    {
        let found = with(path, "");
        assert!(found[0].contains("says nothing of what is in it"), "{path}: {found:#?}");
    }
}
