//! Agents and their versions: looked at, deleted, and made of sources.

use std::time::Duration;

use serde::Serialize;

use super::agent::Agent;
use super::ledger::written;
use super::{Answer, Organization, State, Visit, place};
use crate::emulator::bundle::{Announced, Bundle};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::ScriptedAgent;

/// The sum of no bytes: a scripted agent has no source.
const NO_SOURCE: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A version; its place among all versions makes its id.
#[derive(Debug)]
pub(super) struct Version {
    /// The place of its agent among all agents.
    agent: usize,
    archive_sha256: String,
    size_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Agents<'a> {
    agents: Vec<&'a Agent>,
}

#[derive(Serialize)]
struct Versions<'a> {
    agent: Summary<'a>,
    versions: Vec<VersionView<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    id: &'a str,
    active_version_id: &'a str,
}

#[derive(Serialize)]
struct VersionView<'a> {
    id: String,
    is_active: bool,
    archive_sha256: &'a str,
    size_bytes: Option<u64>,
}

#[derive(Serialize)]
struct OneVersion<'a> {
    agent: Summary<'a>,
    version: Owned<'a>,
}

#[derive(Serialize)]
struct Owned<'a> {
    id: &'a str,
    agent_id: &'a str,
}

/// What answers a publication: the agent, and both names of what clients look for.
#[derive(Serialize)]
struct Published<'a> {
    agent_id: &'a str,
    version_id: &'a str,
    #[serde(flatten)]
    agent: &'a Agent,
}

impl Version {
    /// Returns the only version of a scripted agent.
    pub(super) fn scripted(agent: usize) -> Self {
        Self { agent, archive_sha256: NO_SOURCE.to_owned(), size_bytes: None }
    }
}

impl State {
    /// Lists the agents that are not deleted, oldest first.
    pub(in crate::emulator) fn agents(&mut self, visit: Visit) -> Answer {
        self.advance(visit.now);
        let mine = visit.organization == Organization::Owner;
        let agents = self.agents.iter().filter(|agent| mine && agent.deleted_at.is_none());
        Ok(written(&Agents { agents: agents.collect() }))
    }

    pub(in crate::emulator) fn agent(&mut self, visit: Visit, id: &str) -> Answer {
        let place = self.find_agent(visit, id)?;
        self.agent_at(place).map(written)
    }

    /// Deletes an agent; deleting it again changes nothing.
    pub(in crate::emulator) fn delete_agent(&mut self, visit: Visit, id: &str) -> Answer {
        let place = self.find_agent(visit, id)?;
        let now = self.epoch.stamp(visit.now);
        let agent = self.agents.get_mut(place).ok_or(Refusal::NotFound("Agent"))?;
        agent.deleted_at.get_or_insert(now);
        Ok(written(agent))
    }

    /// Lists the versions of an agent, oldest first.
    pub(in crate::emulator) fn versions(&mut self, visit: Visit, id: &str) -> Answer {
        let place = self.find_agent(visit, id)?;
        let agent = self.agent_at(place)?;
        let numbered = self.versions.iter().zip(1..);
        let its_own = numbered.filter(|(version, _)| version.agent == place);
        let versions = its_own.map(|(version, number)| {
            let id = version_id(number);
            VersionView {
                is_active: id == agent.active_version_id,
                id,
                archive_sha256: &version.archive_sha256,
                size_bytes: version.size_bytes,
            }
        });
        Ok(written(&Versions { agent: summary(agent), versions: versions.collect() }))
    }

    pub(in crate::emulator) fn version(
        &mut self,
        visit: Visit,
        agent_id: &str,
        id: &str,
    ) -> Answer {
        let place = self.find_agent(visit, agent_id)?;
        if !self.has_version(place, id) {
            return Err(Refusal::NotFound("Version"));
        }
        let agent = self.agent_at(place)?;
        let version = Owned { id, agent_id: &agent.id };
        Ok(written(&OneVersion { agent: summary(agent), version }))
    }

    /// Returns an agent that is not deleted: only with such a one something new begins.
    pub(super) fn find_live_agent(&mut self, visit: Visit, id: &str) -> Result<usize, Refusal> {
        let place = self.find_agent(visit, id)?;
        match self.agent_at(place)?.deleted_at {
            Some(_) => Err(Refusal::NotFound("Agent")),
            None => Ok(place),
        }
    }

    pub(super) fn has_version(&self, agent: usize, id: &str) -> bool {
        let version = place(id, "ver_").and_then(|place| self.versions.get(place));
        version.is_some_and(|version| version.agent == agent)
    }

    /// Adds a version to the agent at this place, or to the one that the manifest names.
    pub(super) fn publish(
        &mut self,
        now: Duration,
        agent: Option<usize>,
        (bundle, source): (&Bundle, &Announced),
    ) -> Answer {
        let is_named = |agent: &Agent| agent.deleted_at.is_none() && agent.name == bundle.name;
        let known = agent.or_else(|| self.agents.iter().position(is_named));
        let place = known.unwrap_or(self.agents.len());
        self.versions.push(Version {
            agent: place,
            archive_sha256: source.sha256.clone(),
            size_bytes: Some(source.size_bytes),
        });
        let version_id = version_id(self.versions.len());
        if known.is_none() {
            let script = self.script_of(&bundle.name);
            let mut agent = Agent::new(place + 1, script, self.epoch.stamp(now));
            agent.name.clone_from(&bundle.name);
            self.agents.push(agent);
        }
        let agent = self.agents.get_mut(place).ok_or(Refusal::NotFound("Agent"))?;
        agent.active_version_id = version_id;
        let (agent_id, version_id) = (&agent.id, &agent.active_version_id);
        Ok(written(&Published { agent_id, version_id, agent }))
    }

    /// Returns the script of an agent of this name, or an echo.
    fn script_of(&self, name: &str) -> ScriptedAgent {
        let known = self.agents.iter().find(|agent| agent.script.name() == name);
        known.map_or_else(|| ScriptedAgent::named(name), |agent| agent.script.clone())
    }

    fn agent_at(&self, place: usize) -> Result<&Agent, Refusal> {
        self.agents.get(place).ok_or(Refusal::NotFound("Agent"))
    }
}

fn version_id(number: usize) -> String {
    format!("ver_{number}")
}

fn summary(agent: &Agent) -> Summary<'_> {
    Summary { id: &agent.id, active_version_id: &agent.active_version_id }
}
