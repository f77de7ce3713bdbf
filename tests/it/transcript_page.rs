//! The page of the example `transcript_html` shows everything, and shows it as text.

#[path = "../../examples/transcript_html/page.rs"]
mod page;
#[path = "../../examples/transcript_html/text.rs"]
mod text;

use dari::Transcript;
use serde_json::{Value, json};

use page::page;

/// Markup that closes whatever it may stand in.
const EVIL: &str = "</title></style></pre>\"'><evil onload=x>&amp;\u{202e}\0";

fn page_of(transcript: &Value) -> String {
    page(&serde_json::from_value::<Transcript>(transcript.clone()).unwrap()).into_string()
}

fn page_of_items(items: &Value) -> String {
    page_of(&json!({"timeline": {"items": items}}))
}

#[track_caller]
fn assert_shows(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn no_field_of_a_transcript_becomes_markup() {
    // Ids refuse control characters, so theirs is without.
    let id = EVIL.trim_end_matches('\0');
    let json = json!({EVIL: [EVIL]});
    let content = json!([
        {"type": "text", "text": EVIL, EVIL: EVIL}, {"type": "text", "text": format!("```\n{EVIL}")},
        {"type": "file", "file_id": id}, {"type": "image", "file_id": id}, {"type": EVIL, "x": EVIL}]);
    let page = page_of(&json!({
        "agent": {"id": id, "name": EVIL, "created_at": "2026-04-21T18:40:00Z"},
        "session": {"id": id, "agent_id": id, "name": EVIL, "status": EVIL, "metadata": {EVIL: EVIL}},
        "timeline": {EVIL: EVIL, "items": [
            {"type": "user_message", "id": id, "content": content, EVIL: EVIL},
            {"type": "assistant_message", "status": EVIL, "content": content, "error_message": EVIL},
            {"type": "tool_call", "tool_name": EVIL, "tool_call_id": EVIL, "status": EVIL,
             "arguments": json, "result": json},
            {"type": "tool_call", "tool_name": EVIL, "result": EVIL, "is_error": true},
            {"type": EVIL, EVIL: EVIL}]},
        EVIL: EVIL,
    }));
    let seen = page.matches("evil").count();
    assert!(seen > 30, "only {seen} in {page}");
    assert_eq!(page.matches("&gt;&lt;evil onload=x&gt;&amp;amp;").count(), seen, "{page}");
    assert!(!page.contains(['\0', '\u{202e}']), "{page}");
    for once in ["<title>", "</title>", "<style>", "</style>", "</body>", "Content-Security-Policy"]
    {
        assert_eq!(page.matches(once).count(), 1, "{once} in {page}");
    }
    let names = page.split('<').skip(1).map(|tag| tag.split([' ', '>']).next().unwrap());
    let known = "!DOCTYPE html head meta title style body header main h1 h2 h3 h4 dl div dt dd bdi \
        code pre p span time article details summary";
    let names = names.map(|name| name.trim_start_matches('/')).collect::<Vec<_>>();
    for name in names {
        assert!(known.split_whitespace().any(|known| known == name), "<{name}> in {page}");
    }
}

#[test]
fn what_this_version_does_not_know_is_shown_as_it_came() {
    let page = page_of_items(&json!([
        {"type": "plan", "steps": 3},
        {"type": "user_message", "content": [{"type": "audio", "file_id": "file_9"}], "mood": "calm"},
        {"type": "assistant_message", "status": "paused", "content": []}]));
    assert_shows(
        &page,
        &["An item of the unknown kind", "<bdi>plan</bdi>", "&quot;steps&quot;: 3"],
    );
    assert_shows(&page, &["A part of the unknown kind", "<bdi>audio</bdi>", "file_9"]);
    assert_shows(&page, &["Further fields", "<bdi>mood</bdi>", "calm", "<bdi>paused</bdi>"]);
}

#[test]
fn an_item_with_nothing_in_it_is_still_an_item() {
    let page = page_of_items(&json!([
        {"type": "user_message"}, {"type": "assistant_message"}, {"type": "tool_call"},
        {"type": "assistant_message", "status": "failed", "content": []}]));
    assert_shows(&page, &["<h1 dir=\"auto\">Session</h1>", "<h2>User</h2>", "<h2>Agent</h2>"]);
    assert_shows(&page, &["a tool without a name", "There is no result."]);
    assert_shows(&page, &["No reply yet.", "No reason was given."]);
    assert_shows(&page_of_items(&json!([])), &["Nothing has been said yet."]);
}

#[test]
fn a_time_is_there_for_people_and_for_programs() {
    let page = page_of_items(&json!([
        {"type": "user_message", "created_at": "2026-04-21T20:40:00.5+02:00"}]));
    let time = "<time datetime=\"2026-04-21T18:40:00.5Z\">2026-04-21 18:40:00 UTC</time>";
    assert_shows(&page, &[time]);
}

#[test]
fn json_is_indented_and_keeps_its_digits_and_its_order() {
    let text = r#"{"timeline": {"items": [{"type": "tool_call", "arguments":
        { "b" : [1.10,12345678901234567890123 , {}, [ ]],"a":"x, {y}: \"[\\" } }]}}"#;
    let page = page(&serde_json::from_str(text).unwrap()).into_string();
    let shown = "{\n  \"b\": [\n    1.10,\n    12345678901234567890123,\n    {},\n    []\n  ],\n  \
        \"a\": \"x, {y}: \\\"[\\\\\"\n}"
        .replace('"', "&quot;");
    assert_shows(&page, &[&shown]);
}

#[test]
fn a_result_that_is_text_is_shown_as_text() {
    let page = page_of_items(&json!([{"type": "tool_call", "result": "total 8\nREADME.md"}]));
    assert_shows(&page, &["<pre><code>total 8\nREADME.md</code></pre>"]);
}

#[test]
fn nesting_without_end_does_not_blow_up_the_page() {
    let deep = "[".repeat(50_000) + &"]".repeat(50_000);
    let text =
        format!(r#"{{"timeline": {{"items": [{{"type": "tool_call", "result": {deep}}}]}}}}"#);
    let page = page(&serde_json::from_str(&text).unwrap()).into_string();
    assert!(page.contains(&deep));
    assert!(page.len() < 2 * text.len() + 10_000, "{} bytes", page.len());
}

#[test]
fn fences_make_code_and_an_open_one_reaches_to_the_end() {
    let text = "Look:\n```sql\nselect `a`;\n````\nDone.\n\n```\nlast";
    let page = page_of_items(&json!([
        {"type": "user_message", "content": [{"type": "text", "text": text}]}]));
    assert_shows(
        &page,
        &["<div class=\"prose\" dir=\"auto\">Look:</div><pre><code>select `a`;\n</code></pre>\
             <div class=\"prose\" dir=\"auto\">Done.</div><pre><code>last</code></pre>"],
    );
}
