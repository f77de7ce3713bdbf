//! Headers both ways: what a server says of itself, and what a caller puts into a request.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::call::{Call, Plain};
use crate::files::UploadFile;
use crate::fuzzing::{KEY, client, two_texts};
use crate::http::probe;
use crate::request::{Key, KeyPlace, Request, route};
use crate::retry::{Repeat, RetryPolicy, retry_after};
use crate::{FileSource, UploadedFile};

/// Takes two texts, cut at a zero byte, for names and values of headers.
pub fn headers(data: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(data) {
        asked_delay(&value);
        request_id(value);
    }
    refusal(data);
    let Some((first, second)) = two_texts(data) else { return };
    added(first, second);
    idempotency_key(first);
    form(first, second);
}

fn asked_delay(value: &HeaderValue) {
    let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value.clone())]);
    let now = Duration::ZERO;
    let Some(delay) = retry_after(&headers, now) else { return };
    let text = value.to_str().unwrap().trim();
    match text.parse::<u64>() {
        Ok(seconds) => assert_eq!(delay, Duration::from_secs(seconds)),
        // The year 9999 is the last that a date can name.
        Err(_) => assert!(delay < Duration::from_secs(8030 * 366 * 86400), "{text}: {delay:?}"),
    }
    let obeyed = RetryPolicy::default().obeys(delay);
    assert_eq!(obeyed, delay <= Duration::from_secs(60));
}

fn request_id(value: HeaderValue) {
    let headers = HeaderMap::from_iter([("x-request-id".parse().unwrap(), value)]);
    let Some(id) = probe::request_id(client(), &headers) else { return };
    assert_printable(&id, 128);
}

/// What the body of a refusal says goes into one line of bounded length, without the key.
fn refusal(body: &[u8]) {
    let error = probe::refusal(client(), body);
    assert_printable(&error.to_string(), 2048);
    let shown = format!("{error:?}");
    assert!(!shown.contains(KEY), "{shown}");
}

fn assert_printable(text: &str, limit: usize) {
    assert!(text.len() <= limit + '…'.len_utf8(), "{} bytes", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(!text.contains(KEY), "{text:?}");
}

/// A header of the caller's own is refused or is one header more.
fn added(name: &str, value: &str) {
    let request = Request::get("fuzz", route!("/v1/agents"));
    let call = Call::<(), Plain>::plain(client(), request.clone()).header(name, value);
    let Ok((_, _, settings)) = call.into_parts("fuzz") else { return };
    let all = probe::headers(client(), &request, settings.headers).unwrap();
    assert_ours(&all);
    let own: Vec<_> = all.get_all(name).iter().collect();
    assert_eq!(own, [value], "{name:?}");
}

fn idempotency_key(text: &str) {
    let mut key = Key::random(KeyPlace::Header);
    key.replace(text.to_owned());
    let request = Request::keyed_post("fuzz", route!("/v1/agents"), key);
    let Ok(all) = probe::headers(client(), &request, HeaderMap::new()) else { return };
    assert_ours(&all);
    let sent = all.get("idempotency-key").expect("a key that is taken is sent");
    assert_eq!(sent.as_bytes(), text.as_bytes());
    assert_eq!(all.get_all("idempotency-key").iter().count(), 1);
}

fn assert_ours(all: &HeaderMap) {
    let keys: Vec<_> = all.get_all(header::AUTHORIZATION).iter().collect();
    assert_eq!(keys, [&format!("Bearer {KEY}")]);
    assert!(keys[0].is_sensitive());
    for (name, value) in all {
        let is_harmless = |byte: &u8| !matches!(byte, b'\r' | b'\n' | 0);
        assert!(value.as_bytes().iter().all(is_harmless), "{name}: {value:?}");
    }
}

/// A form has one part with three lines of head, whatever its file is called.
fn form(name: &str, media_type: &str) {
    let source = FileSource::bytes(name, "content");
    let call: Call<'_, UploadedFile, UploadFile> = client().files().upload(source);
    let mut call = call.content_type(media_type);
    let Ok(upload) = call.operation.take() else { return };
    let head = std::str::from_utf8(&upload.envelope.head).unwrap();
    let lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines.len(), 5, "{head:?}");
    assert_eq!(head.matches(['\r', '\n']).count(), 8, "{head:?}");
    let disposition = "content-disposition: form-data; name=\"file\"; filename=\"";
    let file_name = lines[1].strip_prefix(disposition).unwrap().strip_suffix('"').unwrap();
    assert!(!file_name.contains(['"', '/', '\\']), "{file_name:?}");
    assert!(!file_name.chars().any(char::is_control), "{file_name:?}");
    assert_eq!(lines[2], format!("content-type: {media_type}"));
    let request = Request::post("fuzz", route!("/v1/files"), Repeat::Unsafe);
    assert_ours(&probe::headers(client(), &request, HeaderMap::new()).unwrap());
}
