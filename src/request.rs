//! A request as a value: what to send, and what a repeat of it would do.

mod key;
mod path;

use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use url::Url;

use crate::error::Error;
use crate::retry::Repeat;

pub(crate) use key::{Key, KeyPlace, unforeseeable};
pub(crate) use path::{Path, placeholders, route};

/// One request of the API, without host, key or limits.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) repeat: Repeat,
    pub(crate) key: Option<Key>,
    pub(crate) body: Option<Bytes>,
    /// Whether the reply holds a secret, so that no error may quote it.
    pub(crate) confidential: bool,
    pub(crate) path: Path,
    query: Vec<(String, String)>,
}

/// Shows no body and no query, which may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)
    }
}

impl Request {
    pub(crate) fn get(operation: &'static str, path: Path) -> Self {
        Self {
            operation,
            method: Method::GET,
            repeat: Repeat::Safe,
            key: None,
            body: None,
            confidential: false,
            path,
            query: Vec::new(),
        }
    }

    pub(crate) fn post(operation: &'static str, path: Path, repeat: Repeat) -> Self {
        Self { method: Method::POST, repeat, ..Self::get(operation, path) }
    }

    pub(crate) fn put(operation: &'static str, path: Path) -> Self {
        Self { method: Method::PUT, ..Self::get(operation, path) }
    }

    pub(crate) fn delete(operation: &'static str, path: Path) -> Self {
        Self { method: Method::DELETE, ..Self::get(operation, path) }
    }

    /// Says that the reply holds a secret.
    pub(crate) fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// Returns a request that a key makes safe to repeat.
    pub(crate) fn keyed_post(operation: &'static str, path: Path, key: Key) -> Self {
        Self { key: Some(key), ..Self::post(operation, path, Repeat::Keyed) }
    }

    pub(crate) fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Encodes the body once, for all attempts.
    pub(crate) fn json<T: Serialize>(mut self, body: &T) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Error::invalid(self.operation, "body", error.to_string()))?;
        self.body = Some(bytes.into());
        Ok(self)
    }

    /// Returns the address below `base`, each id as one percent-encoded segment.
    pub(crate) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(self.path.segments());
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, Request};
    use proptest::prelude::{ProptestConfig, proptest};
    use url::Url;

    fn get(id: &str) -> Request {
        Request::get("test", Path::new("/v1/messages/{message_id}", &[id]))
    }

    fn url(base: &str, id: &str) -> String {
        let base = Url::parse(base).unwrap();
        get(id).url(&base).to_string()
    }

    #[test]
    fn a_base_may_end_in_a_slash_and_have_a_path() {
        let expected = "https://gw.example/dari/v1/messages/msg_1";
        assert_eq!(url("https://gw.example/dari", "msg_1"), expected);
        assert_eq!(url("https://gw.example/dari/", "msg_1"), expected);
        assert_eq!(url("https://gw.example", "m"), "https://gw.example/v1/messages/m");
    }

    #[test]
    fn an_id_stays_one_segment() {
        let base = "https://api.example";
        assert_eq!(url(base, "a/../b"), "https://api.example/v1/messages/a%2F..%2Fb");
        assert_eq!(url(base, "%2e%2e"), "https://api.example/v1/messages/%252e%252e");
        assert_eq!(url(base, "a?b#c"), "https://api.example/v1/messages/a%3Fb%23c");
        assert_eq!(url(base, "a\\b c"), "https://api.example/v1/messages/a%5Cb%20c");
        assert_eq!(url(base, "sess_1:evt_1"), "https://api.example/v1/messages/sess_1:evt_1");
    }

    #[test]
    fn a_query_is_encoded() {
        let base = Url::parse("https://api.example").unwrap();
        let request =
            Request::get("test", Path::new("/v1/sessions", &[])).query("metadata.a&b", "c=d e");
        assert_eq!(
            request.url(&base).as_str(),
            "https://api.example/v1/sessions?metadata.a%26b=c%3Dd+e"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_id_leaves_its_segment_or_changes_the_host(text in "\\PC{1,40}") {
            let Ok(id) = text.parse::<crate::ids::MessageId>() else { return Ok(()) };
            let base = Url::parse("https://api.example/gw").unwrap();
            let url = get(id.as_str()).url(&base);
            assert_eq!(url.host_str(), Some("api.example"));
            assert_eq!(url.query(), None);
            assert_eq!(url.fragment(), None);
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            assert_eq!(segments.len(), 4, "{url}");
            let decoded = percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap();
            assert_eq!(decoded, id.as_str(), "{url}");
        }
    }
}
