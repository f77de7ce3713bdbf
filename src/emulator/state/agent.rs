//! An agent: its script, and what answers show of it.

use serde::Serialize;

use crate::emulator::script::ScriptedAgent;

/// An agent as the contract describes it (§2).
#[derive(Debug, Serialize)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) active_version_id: String,
    pub(super) created_at: String,
    pub(super) deleted_at: Option<String>,
    #[serde(skip)]
    pub(super) script: ScriptedAgent,
}

impl Agent {
    /// Returns the agent with this number, which has one version.
    pub(super) fn new(number: usize, script: ScriptedAgent, created_at: String) -> Self {
        Self {
            id: format!("agt_{number}"),
            name: script.name().to_owned(),
            active_version_id: format!("ver_{number}"),
            created_at,
            deleted_at: None,
            script,
        }
    }
}
