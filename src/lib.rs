//! Typed async client for the [Dari] managed-agents API.
//!
//! An *agent* has versions; a *session* is a durable conversation with one; a *message* is one
//! user turn and, once it is done, the agent's reply. Work is asynchronous: a send is recorded and
//! queued, and the client waits until the message is completed or failed.
//!
//! ```standalone_crate
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(not(feature = "emulator"))]
//! # return Ok(());
//! # // Runs itself once more, with an emulator for the environment to name.
//! # #[cfg(feature = "emulator")]
//! # if std::env::var_os("DARI_FIRST_EXAMPLE").is_none() {
//! #     let emulator = dari::emulator::Emulator::start().await?;
//! #     let mut child = std::process::Command::new(std::env::current_exe()?);
//! #     child.env("DARI_FIRST_EXAMPLE", "1").env("DARI_API_KEY", emulator.api_key());
//! #     let child = child.env("DARI_API_URL", emulator.url()).output()?;
//! #     assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
//! #     assert_eq!(String::from_utf8(child.stdout)?, "Summarize this ticket.\n");
//! #     return Ok(());
//! # }
//! use dari::{AgentId, Client};
//!
//! let client = Client::from_env()?; // DARI_API_KEY, DARI_API_URL
//! let agent: AgentId = "agt_1".parse()?;
//! let sent = client.agents().send_message(&agent, "Summarize this ticket.").await?;
//! let message = client.messages().wait(&sent.message.id).await?.into_completed()?;
//! println!("{}", message.text());
//! # Ok(())
//! # }
//! ```
//!
//! No key at hand? Feature `emulator` has the whole service in process; in the repository,
//! `cargo run --features emulator --example quickstart` does the same against it.
//!
//! # Guides
//!
//! | to learn how to | read |
//! |---|---|
//! | send a message, wait for the reply, and read it | [sending and waiting](guide::sending_and_waiting) |
//! | follow a session live, and go on after a break | [streaming and resuming](guide::streaming_and_resuming) |
//! | run tools of your own for an agent | [tools](guide::tools) |
//! | be called when something happens | [webhooks](guide::webhooks) |
//! | test your service with the emulator | [testing](guide::testing) |
//! | know what is repeated, and how long anything takes | [repeats and deadlines](guide::repeats_and_deadlines) |
//! | run many sessions, with a database, on several machines | [many sessions](guide::many_sessions) |
//! | take a new version of this crate | [upgrading](guide::upgrading) |
//!
//! # Operations
//!
//! Every HTTP operation of the API, and the method that calls it.
//!
//! | HTTP | method | repeated |
//! |---|---|---|
//! | `GET /v1/agents` | [`agents().list`](Agents::list) | yes |
//! | `GET`, `DELETE /v1/agents/{agent_id}` | [`agents().get`](Agents::get), [`delete`](Agents::delete) | yes |
//! | `GET /v1/agents/{agent_id}/versions` | [`agents().versions`](Agents::versions) | yes |
//! | `GET /v1/agents/{agent_id}/versions/{version_id}` | [`agents().version`](Agents::version) | yes |
//! | `POST /v1/agents`, `POST /v1/agents/{agent_id}/versions` | [`agents().create`](Agents::create), [`create_version`](Agents::create_version) | only where it cannot have arrived |
//! | `POST /v1/source-snapshots` | [`source_snapshots().reserve`](SourceSnapshots::reserve) | only where it cannot have arrived |
//! | `PUT` to the address reserved | [`source_snapshots().upload`](SourceSnapshots::upload) | yes |
//! | `POST /v1/source-snapshots/{id}/finalize` | [`source_snapshots().finalize`](SourceSnapshots::finalize) | only where it cannot have arrived |
//! | `GET /v1/source-snapshots/{id}/manifest` | [`source_snapshots().manifest`](SourceSnapshots::manifest) | yes |
//! | `DELETE /v1/source-snapshots/{id}` | [`source_snapshots().delete`](SourceSnapshots::delete) | yes |
//! | `POST /v1/agents/{agent_id}/messages` | [`agents().send_message`](Agents::send_message) | only where it cannot have arrived |
//! | `POST /v1/agents/{agent_id}/sessions` | [`sessions().create`](Sessions::create) | only where it cannot have arrived |
//! | `GET`, `PUT`, `DELETE /v1/agents/{agent_id}/webhook` | [`agents().webhook`](Agents::webhook): [`get`](AgentWebhook::get), [`set`](AgentWebhook::set), [`clear`](AgentWebhook::clear) | yes |
//! | `POST /v1/agents/{agent_id}/webhook/rotate-secret` | [`rotate_secret`](AgentWebhook::rotate_secret) | only where it cannot have arrived |
//! | `GET /v1/agents/{agent_id}/sessions` | [`sessions().list_for_agent`](Sessions::list_for_agent) | yes |
//! | `GET /v1/sessions` | [`sessions().list`](Sessions::list) | yes |
//! | `GET /v1/sessions/{session_id}/stream` | [`sessions().stream`](Sessions::stream) | yes, behind the last event delivered |
//! | `GET /v1/sessions/{session_id}` | [`sessions().get`](Sessions::get) | yes |
//! | `POST /v1/sessions/{session_id}/events` (several) | [`sessions().send_events`](Sessions::send_events) | only where it cannot have arrived |
//! | `POST /v1/sessions/{session_id}/events` (one message) | [`messages().send`](Messages::send) | yes, under one `Idempotency-Key` |
//! | `POST /v1/sessions/{session_id}/events` (a tool's result) | [`sessions().submit_tool_result`](Sessions::submit_tool_result) | yes; a 409 behind a lost reply is success |
//! | `GET /v1/sessions/{session_id}/events` | [`sessions().events`](Sessions::events) | yes |
//! | `GET /v1/sessions/{session_id}/stream` | [`sessions().stream`](Sessions::stream) | connects again, and resumes |
//! | `GET /v1/messages/{message_id}` | [`messages().get`](Messages::get), [`wait`](Messages::wait) | yes |
//! | `GET /v1/sessions/{session_id}/messages` | [`messages().list`](Messages::list) | yes |
//! | `POST /v1/files` | [`files().upload`](Files::upload) | only where it cannot have arrived |
//! | `GET /v1/sessions/{session_id}/transcript` | [`transcript().get`](Transcripts::get) | yes |
//! | `GET /v1/sessions/{session_id}/workspace.zip` | [`workspace().download`](Workspaces::download) | until it begins |
//! | `POST /v1/session-batches` | [`batches().create`](Batches::create) | yes, under one key in the body |
//! | `GET /v1/session-batches/{batch_id}` | [`batches().get`](Batches::get), [`wait`](Batches::wait) | yes |
//! | `GET /v1/costs/sessions/{session_id}` | [`costs().session`](Costs::session), [`wait`](Costs::wait) | yes |
//!
//! Several of them in one: [`tools().run`](Tools::run) answers the tool calls of a message until it is
//! finished, and with feature `publish` `agents().publish(..)` goes from a directory to a version.
//!
//! # Repeating
//!
//! A call that fails for a passing reason (no connection, a broken reply, a timeout, 408, 429,
//! 500, 502, 503, 504) is repeated, up to 4 attempts within one deadline of 120 s, after delays with
//! full jitter or as long as `Retry-After` says, up to 60 s. A call whose repeat could start a
//! second turn or session is repeated only when no connection was made or the answer was 429;
//! otherwise it fails with an error for which [`Error::may_have_happened`] is true.
//!
//! Uploads and downloads have no deadline: they end when nothing moves for 30 s. A download that breaks
//! off in the middle is an error, and is not asked for again.
//!
//! # Contract and assumptions
//!
//! These docs name the place where a fact comes from as "contract §3" and the like. They mean the parts of
//! what is publicly known of the API: §1 conventions, enums and tagged objects; §2 objects; §3 operations;
//! §4 transcripts; §5 events and their stream; §6 external tools; §7 webhooks; §8 agents, publishing,
//! batches, costs and the rest. Where that is silent, a doc comment says *assumption*; what that means for
//! a program stands in the guide to [upgrading](guide::upgrading#what-is-only-assumed).
//!
//! # Features
//!
//! | feature | what it gives |
//! |---|---|
//! | `rustls` (default) | TLS by rustls over aws-lc-rs |
//! | `rustls-ring` | TLS by rustls over ring: lighter to build, without post-quantum key exchange and certificates of [`configure_http`](ClientBuilder::configure_http); turns `ring` on in `rustls` for the whole build |
//! | `native-tls` | TLS by the platform's library, the lightest; on Linux it needs OpenSSL's headers |
//! | `http2` | HTTP/2 where the server offers it |
//! | `publish` | `agents().publish`: from a directory to a new version of an agent in one call |
//! | `emulator` | the whole service in process, for tests without an account, and the program `dari-emulator`; turns `webhooks` on |
//! | `workspace` | unpacking a downloaded workspace into a directory |
//! | `webhooks` | the module `webhooks`: verifies and reads deliveries, and signs them in tests |
//! | `tracing` | spans and events for any subscriber, with OpenTelemetry's names; the module `trace` has the list |
//! | `full` | all of the above but `rustls-ring` and `native-tls` |
//!
//! Of the TLS backends the first in this table that is on is used.
//!
//! [Dari]: https://dari.dev

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

// Vocabulary: no I/O, imports nothing of ours.
mod ids;
mod status;
mod time;
mod secret;
mod json;
mod object;
mod error;
// Pure.
mod content;
mod events;
mod retry;
mod request;
// Settings.
mod client;
// What is told to `tracing`.
#[cfg(not(feature = "tracing"))]
mod trace;
#[cfg(feature = "tracing")]
pub mod trace;
// The only file that sends.
mod http;
// The only file that names the SSE decoder.
mod sse;
// Patience.
mod poll;
mod stream;
mod call;
// Resources.
mod sessions;
mod messages;
mod source_snapshots;
mod agents;
mod transcript;
mod batches;
mod costs;
mod files;
mod workspace;
// Workflows: several operations in one.
mod tools;
#[cfg(feature = "publish")]
mod publish;
// Aside: nobody in the crate imports these, but the emulator signs.
#[cfg(feature = "webhooks")]
pub mod webhooks;
#[cfg(feature = "emulator")]
pub mod emulator;
// Read by people alone; its examples run on the emulator.
#[cfg(doc)]
pub mod guide;
// Not built for users: what the fuzz targets promise.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

pub use agents::{
    Agent, AgentList, AgentSummary, AgentVersion, AgentVersionDetails, AgentVersions, AgentWebhook,
    Agents, CreateVersion, PublishedVersion, SendAgentMessage, SetWebhook, WebhookConfig,
};
pub use batches::{
    Batch, BatchCounts, BatchItem, BatchSession, Batches, CreateBatch, NewBatch, WaitForBatch,
};
pub use call::{Call, CallWithMeta, Plain, ReplyMeta, WithMeta};
pub use client::{Client, ClientBuilder, Limits};
pub use content::{ContentBlock, FileRef, IntoContent, Part, Text, ToolCall, ToolResult};
pub use costs::{Cost, Costs, ParseAmountError, UsdAmount, WaitForCost};
pub use error::{
    ApiError, ConfigError, DecodeError, Error, FailedError, FileError, InvalidError, Result,
    StreamError, TimedOutError, TransportError,
};
pub use events::{
    Actor, AssistantMessageCompleted, Event, EventKind, EventList, MessageStatusChanged,
    MessageSummary, NewEvent, NewToolResult, SessionStatusChanged, ToolCallEnded,
    ToolCallRequested, ToolResultSubmitted, UserMessage,
};
pub use files::{FileSource, Files, UploadFile, UploadedFile};
pub use http::Progress;
pub use ids::{
    AgentId, BatchId, EventId, FileId, MessageId, ParseIdError, SessionId, SourceSnapshotId,
    ToolCallId, VersionId, WebhookId,
};
pub use json::RawJson;
pub use messages::{
    Message, MessageError, MessageList, Messages, Output, QueuedMessage, SendMessage, SentMessage,
    ToolExchange, WaitForMessage,
};
pub use object::{ExtraFields, UnknownObject};
pub use poll::Wait;
#[cfg(feature = "publish")]
pub use publish::{AgentSource, Publish, PublishStep, SourceArchive, SourceDirectory};
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use sessions::{
    CreateSession, ListEvents, ListSessions, NewSession, SendEvents, SentEvents, Session,
    SessionList, Sessions, SubmitToolResult, SubmittedToolResult,
};
pub use source_snapshots::{
    ArchiveContent, Done, FinalizedSnapshot, ReserveSnapshot, ReservedSnapshot, SourceManifest,
    SourceSnapshots, UploadHeaders, UploadSnapshot, UploadUrl,
};
pub use status::{
    ActorType, BatchItemStatus, BatchStatus, CostScope, EventSource, EventType, MessageStatus,
    SessionStatus, SourceSnapshotStatus, ToolCallStatus, UnknownValue, WebhookEventType,
};
pub use stream::{Cursor, EventStream, ReconnectPolicy, StreamStats, TextStream};
pub use tools::{
    ArgumentsError, RunTools, ToolCallOutcome, ToolCallReport, ToolRequest, ToolSet, Tools,
    Unregistered,
};
pub use transcript::{
    AssistantItem, Timeline, ToolCallItem, Transcript, TranscriptItem, Transcripts, UserItem,
};
pub use workspace::{Download, DownloadWorkspace, Workspaces};
#[cfg(feature = "workspace")]
pub use workspace::{UnpackLimits, UnpackProgress, Unpacked};

/// Compiles and runs the examples of the README.
#[cfg(all(doctest, feature = "emulator"))]
#[doc = include_str!("../README.md")]
struct Readme;
