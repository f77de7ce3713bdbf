//! Addresses: no id leaves its path segment, no address lets the key go where it must not.

use http::Uri;
use url::Url;

use crate::client::probe::checked_base_url;
use crate::fuzzing::{client, two_texts};
use crate::request::{Path, Request};
use crate::{AgentId, BatchId, EventId, FileId, MessageId, SessionId, SourceSnapshotId, VersionId};

/// Puts two texts, cut at a zero byte, into every place of an address.
pub fn addresses(data: &[u8]) {
    let Some((first, second)) = two_texts(data) else { return };
    let ids = [
        first.parse::<AgentId>().map(String::from),
        first.parse::<BatchId>().map(String::from),
        first.parse::<EventId>().map(String::from),
        first.parse::<FileId>().map(String::from),
        first.parse::<MessageId>().map(String::from),
        first.parse::<SessionId>().map(String::from),
        first.parse::<SourceSnapshotId>().map(String::from),
        first.parse::<VersionId>().map(String::from),
    ];
    let taken = ids.iter().flatten().count();
    assert!(taken == 0 || taken == ids.len(), "kinds of ids do not agree on {first:?}");
    if let Some(Ok(id)) = ids.first() {
        assert_eq!(id, first);
        for base in ["https://api.example", "http://[::1]:8080/a/gateway/"] {
            one_segment(&Url::parse(base).unwrap(), id, second);
        }
    }
    base_url(first, second);
    upload_url(first);
}

/// An id is one segment, whatever is in it, and changes nothing else.
fn one_segment(base: &Url, id: &str, value: &str) {
    let path = Path::new("/v1/sessions/{session_id}/events", &[id]);
    let plain = Request::get("fuzz", path.clone()).url(base);
    let url = Request::get("fuzz", path).query(format!("metadata.{id}"), value).url(base);
    assert_eq!((plain.query(), plain.path()), (None, url.path()));
    // As the HTTP library reads it: from its text.
    for url in [&url, &Url::parse(url.as_str()).unwrap()] {
        assert_eq!(
            (url.scheme(), url.host(), url.port()),
            (base.scheme(), base.host(), base.port())
        );
        assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
        let found: Vec<_> = url.path_segments().unwrap().collect();
        let above = base.path_segments().unwrap().filter(|segment| !segment.is_empty()).count();
        assert_eq!(found.len(), above + 4, "{url}");
        assert_eq!(decoded(found[above + 2]), id, "{url}");
        let query: Vec<_> = url.query_pairs().collect();
        assert_eq!(query, [(format!("metadata.{id}").into(), value.into())]);
    }
    let uri: Uri = url.as_str().parse().expect("the HTTP library takes it");
    assert_eq!(uri.host(), base.host_str());
    assert_eq!(uri.path(), url.path());
}

/// An address that is taken keeps the key in headers, and on TLS or this machine.
fn base_url(text: &str, id: &str) {
    let Ok(url) = checked_base_url(text) else { return };
    assert_eq!((url.username(), url.password()), ("", None), "{text:?}");
    assert_eq!((url.query(), url.fragment()), (None, None), "{text:?}");
    confined(&url);
    if id.parse::<SessionId>().is_ok() {
        let below = Request::get("fuzz", Path::new("/v1/sessions/{session_id}", &[id])).url(&url);
        assert_eq!((below.host(), below.port()), (url.host(), url.port()));
        assert!(below.path().contains("/v1/sessions/"), "{below}");
        confined(&below);
    }
}

/// A presigned address that is taken goes over TLS or stays on this machine.
fn upload_url(text: &str) {
    let Ok(url) = client().inner().upload_url(text) else { return };
    assert_eq!((url.username(), url.password()), ("", None), "{text:?}");
    confined(&url);
}

/// Asks another parser than the one that decided.
fn confined(url: &Url) {
    // What the HTTP library cannot read is never sent.
    let Ok(uri) = url.as_str().parse::<Uri>() else { return };
    let host = uri.host().expect("an address that is taken has a host");
    assert_eq!(Some(host), url.host_str(), "two parsers see two hosts in {url}");
    if uri.scheme_str() == Some("https") {
        return;
    }
    assert_eq!(uri.scheme_str(), Some("http"), "{url}");
    let number = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_here =
        number.map_or(host == "localhost", |address| address.to_canonical().is_loopback());
    assert!(is_here, "plain HTTP to {host}");
}

/// Undoes percent-encoding.
fn decoded(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two hex digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("an id is text")
}
