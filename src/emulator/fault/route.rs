//! Which requests a fault happens to.

macro_rules! routes {
    ($($variant:ident = $name:literal: $method:literal $path:literal;)*) => {
        /// Which requests a fault happens to.
        ///
        /// Each operation of the contract has a variant, whose name in a behaviour file is written
        /// like `get_message`; [`Route::path`] is for everything else.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Route {
            /// Every request; `any` in a behaviour file.
            Any,
            $(#[doc = concat!("`", $method, " ", $path, "`, or `", $name, "`.")] $variant,)*
            /// What [`Route::path`] returns; `POST /v1/files` in a behaviour file.
            #[non_exhaustive]
            Path {
                /// The method, such as `POST`.
                method: String,
                /// The path, in which `{id}` stands for one segment.
                path: String,
            },
        }

        /// The names of all operations.
        const NAMES: &[&str] = &[$($name),*];

        impl Route {
            fn named(name: &str) -> Option<Self> {
                match name {
                    "any" => Some(Self::Any),
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn method_and_path(&self) -> Option<(&str, &str)> {
                match self {
                    Self::Any => None,
                    $(Self::$variant => Some(($method, $path)),)*
                    Self::Path { method, path } => Some((method, path)),
                }
            }
        }
    };
}

routes! {
    SendAgentMessage = "send_agent_message": "POST" "/v1/agents/{agent_id}/messages";
    CreateSession = "create_session": "POST" "/v1/agents/{agent_id}/sessions";
    ListAgentSessions = "list_agent_sessions": "GET" "/v1/agents/{agent_id}/sessions";
    ListSessions = "list_sessions": "GET" "/v1/sessions";
    GetSession = "get_session": "GET" "/v1/sessions/{session_id}";
    SendEvents = "send_events": "POST" "/v1/sessions/{session_id}/events";
    ListEvents = "list_events": "GET" "/v1/sessions/{session_id}/events";
    StreamEvents = "stream_events": "GET" "/v1/sessions/{session_id}/stream";
    ListMessages = "list_messages": "GET" "/v1/sessions/{session_id}/messages";
    GetMessage = "get_message": "GET" "/v1/messages/{message_id}";
    GetTranscript = "get_transcript": "GET" "/v1/sessions/{session_id}/transcript";
    ListAgents = "list_agents": "GET" "/v1/agents";
    GetAgent = "get_agent": "GET" "/v1/agents/{agent_id}";
    DeleteAgent = "delete_agent": "DELETE" "/v1/agents/{agent_id}";
    CreateAgent = "create_agent": "POST" "/v1/agents";
    ListVersions = "list_versions": "GET" "/v1/agents/{agent_id}/versions";
    GetVersion = "get_version": "GET" "/v1/agents/{agent_id}/versions/{version_id}";
    CreateVersion = "create_version": "POST" "/v1/agents/{agent_id}/versions";
    ReserveSnapshot = "reserve_snapshot": "POST" "/v1/source-snapshots";
    UploadSnapshot = "upload_snapshot": "PUT" "/uploads/{token}";
    FinalizeSnapshot = "finalize_snapshot": "POST" "/v1/source-snapshots/{snapshot_id}/finalize";
    GetManifest = "get_manifest": "GET" "/v1/source-snapshots/{snapshot_id}/manifest";
    DeleteSnapshot = "delete_snapshot": "DELETE" "/v1/source-snapshots/{snapshot_id}";
    GetWebhook = "get_webhook": "GET" "/v1/agents/{agent_id}/webhook";
    SetWebhook = "set_webhook": "PUT" "/v1/agents/{agent_id}/webhook";
    DeleteWebhook = "delete_webhook": "DELETE" "/v1/agents/{agent_id}/webhook";
    RotateWebhookSecret = "rotate_webhook_secret": "POST" "/v1/agents/{agent_id}/webhook/rotate-secret";
    UploadFile = "upload_file": "POST" "/v1/files";
    GetWorkspace = "get_workspace": "GET" "/v1/sessions/{session_id}/workspace.zip";
    CreateBatch = "create_batch": "POST" "/v1/session-batches";
    GetBatch = "get_batch": "GET" "/v1/session-batches/{batch_id}";
    GetCost = "get_cost": "GET" "/v1/costs/sessions/{session_id}";
}

impl Route {
    /// Returns a route by method and path.
    ///
    /// A segment of the path in braces stands for any one segment, each other one for itself.
    ///
    /// ```
    /// use dari::emulator::Route;
    ///
    /// let sends = Route::path("POST", "/v1/agents/{agent_id}/messages");
    /// let one_session = Route::path("GET", "/v1/sessions/sess_1");
    /// # assert_ne!(sends, one_session);
    /// ```
    pub fn path(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self::Path { method: method.into(), path: path.into() }
    }

    /// Reads a route as it is written in a behaviour file.
    pub(in crate::emulator) fn read(text: &str) -> Result<Self, String> {
        if let Some(route) = Self::named(text) {
            return Ok(route);
        }
        match text.split_once(' ') {
            Some((method, path)) if path.starts_with('/') => Ok(Self::path(method, path)),
            _ => Err(format!(
                "`{text}` is no route: use a method and a path such as `GET /v1/sessions`, `any`, \
                 or one of {}",
                NAMES.join(", ")
            )),
        }
    }

    pub(super) fn may_be_a_stream(&self) -> bool {
        let Some((method, path)) = self.method_and_path() else {
            return true;
        };
        Self::StreamEvents.matches(method, path)
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let Some((wanted, template)) = self.method_and_path() else {
            return true;
        };
        wanted.eq_ignore_ascii_case(method) && fits(template, path)
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if stands_for(wanted, given) => {}
            _ => return false,
        }
    }
}

fn stands_for(wanted: &str, given: &str) -> bool {
    let open = wanted.starts_with('{') && wanted.ends_with('}');
    if open { !given.is_empty() } else { wanted == given }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_in_braces_stands_for_one_segment() {
        let route = Route::path("get", "/v1/sessions/{id}/events");
        assert!(route.matches("GET", "/v1/sessions/sess_1/events"));
        for path in ["/v1/sessions//events", "/v1/sessions/a/b/events", "/v1/sessions/a/events/"] {
            assert!(!route.matches("GET", path), "{path}");
        }
        assert!(!route.matches("POST", "/v1/sessions/sess_1/events"));
        assert!(Route::Any.matches("PUT", "/x"));
        assert!(Route::GetMessage.matches("GET", "/v1/messages/msg_1"));
        assert!(!Route::GetMessage.matches("GET", "/v1/messages/msg_1/x"));
    }

    #[test]
    fn every_route_is_read_by_its_name_and_by_its_path() {
        for name in NAMES {
            let route = Route::read(name).unwrap();
            let (method, path) = route.method_and_path().unwrap();
            let same = Route::read(&format!("{method} {path}")).unwrap();
            assert!(same.matches(method, path) && route.matches(method, path), "{name}");
        }
        assert_eq!(Route::read("any"), Ok(Route::Any));
        let refused = Route::read("get_mesage").unwrap_err();
        assert!(refused.contains("`get_mesage`") && refused.contains("get_message,"), "{refused}");
    }
}
