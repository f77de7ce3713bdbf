//! What a new session shall be like.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::ids::VersionId;
use crate::secret::{self, Secret};

/// What a new session shall be like; every option has the service's default.
///
/// ```
/// use dari::NewSession;
///
/// let session = NewSession::new()
///     .name("Ticket T-1042")
///     .metadata("team", "support")
///     .secret("CRM_TOKEN", "t0ps3cret")
///     .llm_id("llm_fast")
///     .llm_api_key("sk-t0ps3cret")
///     .version_id("ver_7".parse()?)
///     .storage_binding_id("storage_1")
///     .allow_internet();
/// let offline = NewSession::new().deny_internet();
/// assert!(!format!("{session:?}").contains("t0ps3cret"));
/// # Ok::<(), dari::ParseIdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use = "options do nothing until they are given to a call"]
pub struct NewSession {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_binding_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "expose_all")]
    secrets: BTreeMap<String, Secret>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::option::serialize")]
    llm_api_key: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    internet_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    llm_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<VersionId>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl NewSession {
    /// Returns options that leave everything to the service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Binds storage to the session.
    pub fn storage_binding_id(mut self, id: impl Into<String>) -> Self {
        self.storage_binding_id = Some(id.into());
        self
    }

    /// Gives the agent a secret.
    ///
    /// The name consists of `A` to `Z`, `0` to `9` and `_`, and does not start with a digit; the value is
    /// not empty (contract §3). Secrets never come back.
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.secrets.insert(name.into(), value.into());
        self
    }

    /// Sets the key for the language model; it never comes back.
    pub fn llm_api_key(mut self, key: impl Into<Secret>) -> Self {
        self.llm_api_key = Some(key.into());
        self
    }

    /// Lets the session's tools reach the internet.
    pub fn allow_internet(mut self) -> Self {
        self.internet_access = Some(true);
        self
    }

    /// Keeps the session's tools from the internet.
    pub fn deny_internet(mut self) -> Self {
        self.internet_access = Some(false);
        self
    }

    /// Sets the language model.
    pub fn llm_id(mut self, id: impl Into<String>) -> Self {
        self.llm_id = Some(id.into());
        self
    }

    /// Pins a version of the agent other than the active one.
    pub fn version_id(mut self, id: VersionId) -> Self {
        self.version_id = Some(id);
        self
    }

    /// Adds a field to the session's metadata, by which sessions can be listed.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    pub(crate) fn check(&self, operation: &'static str) -> Result<(), Error> {
        for (name, value) in &self.secrets {
            if !is_secret_name(name) {
                // Not quoted: it may be the secret itself, swapped with its name.
                let reason = "it is not of the form [A-Z_][A-Z0-9_]*";
                return Err(Error::invalid(operation, "secret name", reason));
            }
            if value.expose().is_empty() {
                return Err(Error::invalid(operation, "secret", format!("{name} is empty")));
            }
        }
        if self.llm_api_key.as_ref().is_some_and(|key| key.expose().is_empty()) {
            return Err(Error::invalid(operation, "llm_api_key", "it is empty"));
        }
        Ok(())
    }
}

fn is_secret_name(name: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    let first = name.bytes().next().is_some_and(upper);
    first && name.bytes().all(|byte| upper(byte) || byte.is_ascii_digit())
}

fn expose_all<S>(secrets: &BTreeMap<String, Secret>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
{
    serializer.collect_map(secrets.iter().map(|(name, secret)| (name, secret.expose())))
}
