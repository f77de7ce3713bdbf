//! Typed async client for the Dari managed-agents API.
mod ids;
pub use ids::{AgentId, EventId, FileId, MessageId, ParseIdError, SessionId, ToolCallId, VersionId};
