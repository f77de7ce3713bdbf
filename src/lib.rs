//! Typed async client for the Dari managed-agents API.
#[cfg(feature = "emulator")]
pub mod emulator;
mod ids;
pub use ids::{AgentId, EventId, FileId, MessageId, ParseIdError, SessionId, ToolCallId, VersionId};
