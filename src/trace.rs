//! What the crate tells `tracing`: spans of operations, and events on their way.
//!
//! With the feature `tracing` every operation is a span, and whatever is mended silently is an
//! event: a repeated request, a stream that connects again, a gap, a duplicate. Names and fields are
//! a contract of this crate, like its types. Those of HTTP are OpenTelemetry's
//! ([semantic conventions], the stable ones for HTTP clients, and `url.template`), so a bridge such as
//! `tracing-opentelemetry` makes proper client spans of them. All have the target `dari`.
//!
//! # To see it
//!
//! Any subscriber will do. With `tracing-subscriber` (features `fmt` and `env-filter`):
//!
//! ```text
//! use tracing_subscriber::fmt::format::FmtSpan;
//!
//! tracing_subscriber::fmt()
//!     .with_env_filter("info,dari=debug")
//!     .with_span_events(FmtSpan::CLOSE) // a line for each operation when it is over
//!     .init();
//! ```
//!
//! The target is the filter: `dari=warn` shows what went wrong, `dari=info` the operations as well,
//! `dari=debug` everything, `dari=off` nothing. Without a subscriber, or with one that does not want
//! it, an operation costs a few comparisons and no allocation. Without the feature it costs nothing.
//!
//! # Spans
//!
//! `dari.call` (level INFO) is one call of the API with all its attempts, the delays between them,
//! and the reading of the reply. Whatever is current where the call is awaited is its parent.
//!
//! | field | type | what it is | when |
//! |---|---|---|---|
//! | `otel.name` | text | method and path template, such as `GET /v1/messages/{message_id}` | always |
//! | `otel.kind` | text | `client` | always |
//! | `http.request.method` | text | such as `GET` | always |
//! | `url.template` | text | such as `/v1/messages/{message_id}`, without the path of the base url | always, but for the upload of a source snapshot |
//! | `server.address` | text | the host of the base url; for the upload of a source snapshot, of the address reserved | always |
//! | `server.port` | integer | its port | always |
//! | `dari.operation` | text | the operation as errors name it, such as `messages.get` | always |
//! | `dari.elapsed_ms` | integer | the time from the start to the end, in milliseconds | at the end |
//! | `dari.attempts` | integer | how many times the request was sent | at the end, unless cancelled or refused before |
//! | `http.request.resend_count` | integer | how many times it was sent again | if it was |
//! | `http.response.status_code` | integer | the status of the last attempt | if there was a reply to it |
//! | `dari.request_id` | text | the `x-request-id` of that reply | if it had one |
//! | `error.type` | text | what kind of failure it was, see below | if it failed |
//! | `otel.status_code` | text | `ERROR` | if it failed |
//!
//! `dari.workflow` (level INFO) is an operation that makes calls: `messages.wait`, `batches.wait`,
//! `costs.wait`, `tools.run`, and `agents.publish`. The calls are its children. It has `otel.name`
//! (the operation), `otel.kind` (`internal`), `dari.operation`, `dari.elapsed_ms`, and where it fails
//! `error.type` and `otel.status_code`.
//!
//! Where a span ends:
//!
//! - of most calls, when the reply is read;
//! - of `sessions.stream`, when the connection is made: an open stream has no span, for it may live for
//!   hours. Each connection is a span of its own, and what happens between them are events;
//! - of `workspace.download`, when the last byte has come, or the download is dropped.
//!
//! A call that is refused before anything is sent ([`Error::Invalid`](crate::Error::Invalid)) may have
//! no span at all. An operation whose future is dropped ends as `cancelled`.
//!
//! # Events
//!
//! | event | level | when | fields |
//! |---|---|---|---|
//! | `dari.repeat` | WARN | an attempt failed and is made again after a delay | `dari.attempts` so far, `dari.delay_ms`, and why |
//! | `dari.reconnect` | INFO | a stream's connection is over, or could not be made, and the next is due after a delay | `dari.delay_ms`, `dari.sequence_number` delivered last, and why |
//! | `dari.resume` | DEBUG | a connection goes on behind an event | `dari.sequence_number` of that event, if it is known |
//! | `dari.gap` | INFO | sequence numbers were skipped, and the events list had them all | `dari.gap.from`, `dari.gap.to`, `dari.gap.filled`, `dari.gap.missing` |
//! | `dari.gap` | WARN | the same, and some were not there either, or were not asked for again | the same |
//! | `dari.gap` | WARN | the same, and the list could not be had: the stream comes back to it | `dari.gap.from`, `dari.gap.to`, and why |
//! | `dari.duplicate` | DEBUG | an event came again and was dropped | `dari.sequence_number`, if it had one |
//!
//! The name is that of the event's metadata; the message is a sentence for people. All have
//! `dari.operation`. *Why* is `dari.reason`, a fixed phrase such as `no connection could be made`;
//! and for a failure, `error.type`, and of its reply `http.response.status_code` and
//! `dari.request_id`. Both ends of a gap belong to it, and all its numbers are integers.
//!
//! An event of a repeat belongs to the span of its call. Those of a stream belong to the span that is
//! current where the stream is polled. A stream whose error was told to the caller announces the next
//! connection as well, which is made only if it is asked for another event. The sums of all this are
//! in [`StreamStats`](crate::StreamStats), at any time while the stream lives, with or without this
//! feature.
//!
//! # Kinds of failure
//!
//! | `error.type` | what it is |
//! |---|---|
//! | a status, such as `503` | the service answered with this status ([`Error::Api`](crate::Error::Api)) |
//! | `timeout` | time ran out, or a transfer stood still |
//! | `transport` | the connection failed, or the reply broke off |
//! | `decode` | the reply cannot be read |
//! | `file` | a file of this machine cannot be read or written |
//! | `failed` | a source did not pass its check ([`Error::Failed`](crate::Error::Failed)) |
//! | `stream` | a stream broke |
//! | `invalid`, `config` | the call or the client was refused before anything was sent |
//! | `cancelled` | the future was dropped before its end |
//!
//! # What is never shown
//!
//! The key, headers, bodies, texts of messages, queries, and ids but that of the request. No path:
//! neither that of a call, which has ids, nor that of the base url, nor anything but host and port of
//! the address that a source snapshot is uploaded to. No text of an error, which may quote the
//! service. What the service gives as id of a request is shown without control characters, cut to 128
//! bytes, and with the key taken out. Events are told by their sequence numbers, for their ids hold that of the
//! session.
//!
//! This is what this crate says. The HTTP library underneath has events of its own, with targets such
//! as `hyper_util` and `h2`: filter them as you see fit.
//!
//! [semantic conventions]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/

#[cfg(feature = "tracing")]
mod event;
#[cfg(feature = "tracing")]
mod failure;
#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod span;

#[cfg(feature = "tracing")]
pub(crate) use event::{duplicate, gap, gap_stays, reconnects, repeats, resumes};
#[cfg(not(feature = "tracing"))]
pub(crate) use off::{
    OperationSpan, duplicate, gap, gap_stays, reconnects, repeats, resumes, workflow,
};
#[cfg(feature = "tracing")]
pub(crate) use span::{OperationSpan, workflow};
