//! Bodies of replies in the shape of the reference pages, as long as asked for.

use std::fmt::Write as _;

/// Where an object's `type` stands among its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Before all others, as on the reference pages.
    First,
    /// Behind all others.
    Last,
}

/// One in this many parts is of a type that nobody knows.
const UNKNOWN_EVERY: usize = 50;
const REPLY: &str = "The top-level entries are README.md, package.json, and src/.";

/// How many items a turn has in a transcript.
pub const ITEMS_OF_A_TURN: usize = 3;

/// Returns the body of a list of messages of about this many bytes.
#[must_use]
pub fn messages(bytes: usize, tag: Tag) -> String {
    list(Size::Bytes(bytes), tag)
}

/// Returns the body of a list of this many messages.
#[must_use]
pub fn list_of(count: usize) -> String {
    list(Size::Items(count), Tag::First)
}

fn list(size: Size, tag: Tag) -> String {
    let mut body = Body { text: "{\"messages\":[".to_owned(), tag, parts: 0 };
    body.fill(size, Body::message);
    body.text + "]}"
}

/// Returns the body of one message.
#[must_use]
pub fn one_message() -> String {
    let mut body = Body { text: String::new(), tag: Tag::First, parts: 0 };
    body.message(123);
    body.text
}

/// Returns the body of a transcript of about this many bytes.
#[must_use]
pub fn transcript(bytes: usize) -> String {
    transcript_to(Size::Bytes(bytes))
}

/// Returns the body of a transcript of this many turns.
#[must_use]
pub fn transcript_of(count: usize) -> String {
    transcript_to(Size::Items(count))
}

fn transcript_to(size: Size) -> String {
    let mut body = Body {
        text: r#"{"agent":{"id":"agt_123","name":"support-agent","active_version_id":"ver_123","created_at":"2026-03-31T18:30:00Z","deleted_at":null},"session":{"id":"sess_123","agent_id":"agt_123","version_id":"ver_123","storage_binding_id":null,"status":"idle","last_message_id":"msg_123","last_message_status":"completed","created_at":"2026-03-31T18:39:00Z"},"timeline":{"items":["#.to_owned(),
        tag: Tag::First,
        parts: 0,
    };
    body.fill(size, Body::turn);
    body.text + "]}}"
}

/// Returns the body of a list of this many events.
#[must_use]
pub fn events(count: usize) -> String {
    let events: Vec<String> = (1..=count).map(event).collect();
    format!("{{\"events\":[{}]}}", events.join(","))
}

/// How long a body gets.
#[derive(Clone, Copy)]
enum Size {
    Bytes(usize),
    Items(usize),
}

struct Body {
    text: String,
    tag: Tag,
    parts: usize,
}

impl Body {
    /// Adds items, with commas between them, until there is enough.
    fn fill(&mut self, size: Size, add: fn(&mut Self, usize)) {
        for number in 1.. {
            let is_enough = match size {
                Size::Bytes(bytes) => self.text.len() >= bytes,
                Size::Items(count) => number > count,
            };
            if is_enough {
                break;
            }
            if number > 1 {
                self.text.push(',');
            }
            add(self, number);
        }
    }

    /// Adds an object with its `type` in place.
    fn tagged(&mut self, kind: &str, fields: &str) {
        self.parts += 1;
        let kind = if self.parts % UNKNOWN_EVERY == 0 { "reasoning" } else { kind };
        let _ = match self.tag {
            Tag::First => write!(self.text, r#"{{"type":"{kind}",{fields}}}"#),
            Tag::Last => write!(self.text, r#"{{{fields},"type":"{kind}"}}"#),
        };
    }

    fn message(&mut self, number: usize) {
        let _ = write!(
            self.text,
            r#"{{"id":"msg_{number}","session_id":"sess_123","sequence_number":{number},"parts":["#
        );
        self.tagged("text", r#""text":"List the top-level files in the repo.""#);
        self.text
            .push_str(r#"],"metadata":null,"status":"completed","attempt":1,"output":{"parts":["#);
        self.tagged("text", r#""text":"I'll list the workspace root.""#);
        self.text.push(',');
        let call = format!("call_{number}");
        self.tagged(
            "tool_call",
            &format!(
                r#""id":"{call}","name":"lookup_ticket","arguments":{{"ticket_id":"T-{number}","options":{{"fields":["priority","tier","history"],"depth":3,"exact":true}}}}"#
            ),
        );
        self.text.push(',');
        let mut content = Self { text: String::new(), tag: self.tag, parts: self.parts };
        content.tagged("text", r#""text":"README.md\npackage.json\nsrc\n""#);
        self.parts = content.parts;
        let content = content.text;
        self.tagged(
            "tool_result",
            &format!(
                r#""tool_call_id":"{call}","tool_name":"lookup_ticket","content":[{content}],"is_error":false"#
            ),
        );
        self.text.push(',');
        self.tagged("text", &format!(r#""text":"{REPLY}""#));
        self.text.push_str(
            r#"]},"created_at":"2026-04-21T18:40:00Z","completed_at":"2026-04-21T18:40:12Z"}"#,
        );
    }

    fn turn(&mut self, number: usize) {
        let at = r#""created_at":"2026-03-31T18:40:00Z""#;
        let ids = format!(r#""id":"sess_123:evt_{number}","message_id":"msg_{number}""#);
        let text = r#"{"type":"text","text":"Summarize this ticket and draft a reply."}"#;
        self.tagged("user_message", &format!(r#"{ids},"content":[{text}],{at}"#));
        self.text.push(',');
        self.tagged(
            "tool_call",
            &format!(
                r#"{ids},"tool_call_id":"call_{number}","tool_name":"lookup_ticket","arguments":{{"ticket_id":"T-{number}","options":{{"depth":3}}}},"status":"completed","result":{{"priority":"high","customer_tier":"enterprise"}},"is_error":false,{at},"completed_at":"2026-03-31T18:40:06Z""#
            ),
        );
        self.text.push(',');
        let reply = format!(r#"{{"type":"text","text":"{REPLY}"}}"#);
        self.tagged(
            "assistant_message",
            &format!(r#"{ids},"status":"completed","content":[{reply}],{at},"error_message":null"#),
        );
    }
}

/// Returns one event of a ledger (contract §5).
fn event(number: usize) -> String {
    let message = number / 4 + 1;
    let (kind, source, data) = match number % 4 {
        0 => (
            "user.message",
            "user",
            format!(
                r#"{{"content":[{{"type":"text","text":"List the files."}}],"message_id":"msg_{message}"}}"#
            ),
        ),
        1 => (
            "message.status_changed",
            "system",
            format!(r#"{{"message_id":"msg_{message}","status":"running"}}"#),
        ),
        2 => (
            "tool.call_requested",
            "agent",
            format!(
                r#"{{"message_id":"msg_{message}","tool_call_id":"call_{number}","tool_name":"bash","arguments":{{"command":"ls -1"}}}}"#
            ),
        ),
        _ => (
            "assistant.message_completed",
            "agent",
            format!(
                r#"{{"message_id":"msg_{message}","content":[{{"type":"text","text":"{REPLY}"}}]}}"#
            ),
        ),
    };
    format!(
        r#"{{"id":"sess_123:evt_{number}","session_id":"sess_123","sequence_number":{number},"message_id":"msg_{message}","type":"{kind}","source":"{source}","actor":{{"type":"{source}","id":"org_123"}},"data":{data},"created_at":"2026-04-21T18:40:00Z"}}"#
    )
}
