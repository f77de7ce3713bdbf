//! The files of the crate keep to the house plan, and the check would notice if they did not.

mod spelling;

use std::path::Path;

use crate::support::plan::{Source, breaches, read_sources};

const LONGEST_FILE: usize = 400;

/// A small crate that keeps to the plan.
const LIB: &str = "
    mod ids; mod json; mod object; mod error;
    mod content; mod retry;
    mod client;
    mod http;
    mod poll; mod call;
    mod sessions; mod messages;
    #[cfg(feature = \"webhooks\")] pub mod webhooks;
    #[cfg(feature = \"emulator\")] pub mod emulator;
    pub use error::Error;
    pub use ids::{AgentId, SessionId as Conversation};
    pub use messages::Message;";

/// Returns what the check says of the small crate with one more file.
fn with(path: &str, text: &str) -> Vec<String> {
    with_all(LIB, &[(path, text)])
}

fn with_all(lib: &str, files: &[(&str, &str)]) -> Vec<String> {
    let files = [&[("lib.rs", lib)], files].concat();
    let sources: Vec<_> = files
        .iter()
        .map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect();
    breaches(&sources)
}

#[track_caller]
fn refused(path: &str, text: &str, reason: &str) {
    let found = with(path, text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    assert!(found[0].starts_with(path), "{found:#?}");
    assert!(found[0].contains(reason), "{found:#?}");
}

#[track_caller]
fn accepted(path: &str, text: &str) {
    assert_eq!(with(path, text), [""; 0], "{text}");
}

#[test]
fn every_file_of_the_crate_keeps_to_the_house_plan() {
    let sources = read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 20, "only {} files were read", sources.len());
    let found = breaches(&sources);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["src", "tests", "examples", "benches", "fuzz"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for source in folder.is_dir().then(|| read_sources(&folder)).into_iter().flatten() {
            let lines = source.text.lines().count();
            assert!(lines <= LONGEST_FILE, "{}: {lines} lines", source.path);
        }
    }
}

#[test]
fn an_import_that_points_up_is_accepted_in_every_spelling() {
    accepted("call.rs", "use crate::{client::{self, Limits}, error::Error as Oops, ids::*};");
    accepted("call.rs", "use super::client::Client; use crate::Error;");
    accepted("client/builder.rs", "use super::super::error; use super::confine::x;");
    accepted("client.rs", "use crate::client::builder::ClientBuilder; pub(crate) struct A;");
    accepted("object.rs", "use crate::json::RawJson; mod inner { use super::x; }");
    accepted("content.rs", "macro_rules! m { () => { $crate::ids::AgentId } }");
}

#[test]
fn an_import_that_points_down_is_refused() {
    refused("retry.rs", "use crate::client::Client;", "retry.rs:1: `client::Client` stands below");
    refused("content.rs", "\n\npub(crate) use crate::retry;", "content.rs:3: `retry` stands below");
    refused("client/builder.rs", "use crate::http::send;", "stands below");
    refused("sessions.rs", "use crate::messages::Message;", "stands below");
}

#[test]
fn an_import_in_a_group_or_over_several_lines_is_found() {
    let nested = "use crate::{\n    ids::{self, AgentId},\n    call::{\n        Call,\n    },\n};";
    refused("client.rs", nested, "client.rs:4: `call::Call` stands below");
    refused("client.rs", "use {std::fmt, crate::{error, poll::*}};", "`poll::*`");
    refused("client.rs", "use crate\n    ::\n    http as wire;", "`http`");
    refused("client.rs", "use crate::r#http::send;", "`http::send`");
}

#[test]
fn an_import_by_way_of_super_is_found() {
    refused("client.rs", "use super::call::Call;", "`call::Call` stands below");
    refused("client/builder.rs", "use super::super::poll::Look;", "`poll::Look`");
    refused("client.rs", "mod a { mod b { use super::super::super::http; } }", "`http`");
    refused("client.rs", "mod a {} use self::super::http;", "`http`");
    accepted("client.rs", "mod a { use super::http; }");
}

#[test]
fn a_path_in_the_middle_of_code_is_found() {
    refused("client.rs", "fn f() { crate::call::Call::<u8>::new(); }", "`call::Call` stands below");
    refused("client.rs", "fn f() -> super::poll::Look { loop {} }", "`poll::Look`");
    refused("client.rs", "macro_rules! m { () => { $crate::http::send() } }", "`http::send`");
    refused("client.rs", "#[derive(crate::call::Magic)] struct A;", "`call::Magic`");
}

#[test]
fn a_path_in_a_serde_attribute_is_found() {
    let field =
        "struct A {\n #[serde(default, deserialize_with = \"crate::call::read\")]\n a: u8 }";
    refused("content.rs", field, "content.rs:2: `call::read` stands below");
    refused("content.rs", "#[serde(with = r#\"super::http::x\"#)] struct A;", "`http::x`");
    refused(
        "content.rs",
        "#[cfg_attr(x, serde(try_from = \"crate::call::A\"))] struct A;",
        "`call::A`",
    );
    accepted("content.rs", "#[serde(rename = \"crate::call\")] struct A;");
}

#[test]
fn what_only_looks_like_an_import_is_not_one() {
    accepted("ids.rs", "//! See crate::http.\n/// [`crate::call::Call`]\n// use crate::http;");
    accepted("ids.rs", "/* use crate::http; /* nested */ use crate::call; */ struct A;");
    accepted("ids.rs", "const A: &str = \"use crate::http; \\\" crate::call\"; const B: u8 = 1;");
    accepted("ids.rs", "const A: &str = r#\"\"use crate::http;\"\"#; fn f<'a>(_: &'a str) {}");
    accepted("ids.rs", "const A: [char; 2] = ['\"', '\\'']; // use crate::http; \"");
}

#[test]
fn unit_tests_may_import_anything() {
    accepted("ids.rs", "#[cfg(test)]\nmod tests { use crate::http::send; fn f() {} }");
    accepted("ids.rs", "#[cfg(test)] #[allow(x)] pub(crate) mod tests { use crate::call; }");
    let tests =
        [("ids.rs", "#[cfg(all(test, unix))] mod tests;"), ("ids/tests.rs", "use crate::http;")];
    assert_eq!(with_all(LIB, &tests), [""; 0]);
    refused("ids.rs", "#[cfg(test)] mod tests {} use crate::json;", "the vocabulary imports");
    refused("ids/tests.rs", "use crate::json;", "the vocabulary imports");
}

#[test]
fn a_circle_is_refused_and_shown() {
    let circle = [
        ("poll.rs", "use crate::call::Call;"),
        ("call.rs", "use crate::poll::Look;"),
        ("messages.rs", "use crate::call::Call;"),
    ];
    let found = with_all(LIB, &circle);
    assert!(found.contains(&"imports in a circle: call -> poll, poll -> call".to_owned()));
    let vocabulary = [("object.rs", "use crate::json;"), ("json.rs", "use crate::object;")];
    let found = with_all(LIB, &vocabulary);
    assert!(found.iter().any(|line| line.contains("json -> object")), "{found:#?}");
}

#[test]
fn the_vocabulary_imports_nothing_of_ours() {
    refused("error.rs", "use crate::ids::AgentId;", "the vocabulary imports nothing of ours");
    refused("error.rs", "use crate::AgentId;", "the vocabulary imports nothing of ours");
    refused("object.rs", "use crate::ids::AgentId;", "the vocabulary imports nothing of ours");
}

#[test]
fn nobody_imports_what_stands_aside() {
    refused("messages.rs", "fn f() { crate::emulator::Emulator::start(); }", "nobody imports it");
    refused("messages.rs", "use crate::webhooks::WebhookEvent;", "nobody imports it");
    refused("webhooks/event.rs", "use crate::emulator::Emulator;", "nobody imports it");
    accepted("emulator/deliveries.rs", "use crate::webhooks::WebhookSigner;");
}

#[test]
fn webhooks_touch_no_socket_and_no_clock() {
    accepted("webhooks/scheme.rs", "use crate::error::one_line; use super::error;");
    for import in ["use tokio::net;", "use reqwest::Url;", "use std::time::Instant;"] {
        refused("webhooks/scheme.rs", import, "in a row without clock and socket");
    }
}

#[test]
fn the_emulator_lives_on_what_is_public() {
    accepted("emulator/mod.rs", "use crate::ids::AgentId; use crate::{Error, Conversation};");
    accepted("emulator/state.rs", "use crate::emulator::script; use super::routes::x;");
    refused("emulator/mod.rs", "use crate::http::send;", "is not public");
    refused("emulator/mod.rs", "use crate::error::one_line;", "is not public");
}

#[test]
fn the_root_of_the_crate_is_no_way_around() {
    refused("sessions.rs", "use crate::Message;", "`Message` stands below");
    refused("client.rs", "use crate as dari;", "takes in the whole crate");
    refused("client.rs", "use crate::*;", "takes in the whole crate");
    refused("client.rs", "use super::{self as dari};", "takes in the whole crate");
    refused("client.rs", "use crate::nowhere::Thing;", "is in no module that lib.rs names");
    refused("client.rs", "extern crate self as dari;", "`externcrate`");
}

#[test]
fn resources_do_not_import_handles_of_each_other() {
    accepted("messages.rs", "use crate::sessions::Session;");
    refused(
        "messages.rs",
        "use crate::sessions::{Session, Sessions};",
        "another resource's handle",
    );
}

#[test]
fn a_file_without_a_row_or_a_mod_line_is_refused() {
    refused("plumbing.rs", "", "has no row");
    refused("plumbing/pipe.rs", "", "has no row");
    refused("stream.rs", "", "has no `mod` line");
    accepted("bin/dari-emulator.rs", "use dari::emulator::Emulator;");
}

#[test]
fn lib_rs_keeps_the_order_of_the_rows() {
    let found = with_all("mod ids; mod http; mod client; mod call;", &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("`client` belongs to a row above that of `http`"), "{found:#?}");
}
