//! Deliveries of webhooks: none is taken without a good signature, and none makes the reader panic.

use http::{HeaderMap, HeaderValue};

use crate::fuzzing::split;
use crate::webhooks::{WebhookError, WebhookEvent, WebhookSigner, WebhookVerifier};

const SECRET: &str = "whsec_fuzz";

/// Forges and changes a delivery.
///
/// The first two bytes say what to change, the third how long the header is, the rest is header and body.
pub fn deliveries(data: &[u8]) {
    let (settings, rest) = split(data, 3);
    let [change, place, length] = settings else { return };
    let (header, body) = split(rest, usize::from(*length));
    forged(header, body);
    signed(body);
    changed(body, *change, usize::from(*place));
}

fn verifier() -> WebhookVerifier {
    WebhookVerifier::new(SECRET).unwrap()
}

fn sign(body: &[u8]) -> HeaderValue {
    WebhookSigner::new(SECRET).unwrap().sign(body).1
}

/// A header that was made up fits only if it holds the signature itself.
fn forged(header: &[u8], body: &[u8]) {
    let good = sign(body);
    let Ok(value) = HeaderValue::from_bytes(header) else { return };
    let lines = HeaderMap::from_iter([("dari-webhook-signature".parse().unwrap(), value)]);
    let verified = verifier().verify(&lines, body);
    if is_taken(&verified) {
        let text = std::str::from_utf8(header).unwrap();
        assert!(text.contains(good.to_str().unwrap()), "{text:?} was taken");
    }
    if let Ok(text) = std::str::from_utf8(header) {
        // A stray control character is for HTTP to refuse.
        if text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            assert_eq!(verifier().verify_signature(text, body), verified);
        }
    }
    if let Err(error) = verified {
        assert!(!error.to_string().contains(char::is_control), "{error}");
        assert!(error.to_string().len() < 1024, "{error}");
    }
}

/// A delivery with a good signature is read, and means the same when it is encoded.
fn signed(body: &[u8]) {
    let good = sign(body);
    let read = verifier().verify_signature(good.to_str().unwrap(), body);
    assert!(is_taken(&read), "{read:?}");
    let Ok(event) = read else { return };
    drop((event.created_at(), event.agent_id(), event.session_id(), event.message_id()));
    drop((event.batch_id(), event.kind()));
    let encoded = serde_json::to_vec(&event).unwrap();
    let again: WebhookEvent = serde_json::from_slice(&encoded).expect("it can be decoded again");
    assert_eq!(again, event);
    assert_eq!(serde_json::to_vec(&again).unwrap(), encoded);
}

/// A body that is not the one that was signed is refused, whatever it says.
fn changed(body: &[u8], change: u8, place: usize) {
    let good = sign(body);
    let mut other = body.to_vec();
    let place = place % (other.len() + 1);
    match (change % 4, other.get_mut(place)) {
        (0, Some(byte)) => *byte ^= 1 << (change >> 2 & 7),
        (1, Some(_)) => drop(other.remove(place)),
        (2, Some(_)) => other.truncate(place),
        _ => other.insert(place, change),
    }
    if other == body {
        return;
    }
    let verified = verifier().verify_signature(good.to_str().unwrap(), &other);
    assert_eq!(verified, Err(WebhookError::WrongSignature));
}

/// Returns whether the signature was taken, be the body an event or not.
fn is_taken(verified: &Result<WebhookEvent, WebhookError>) -> bool {
    matches!(verified, Ok(_) | Err(WebhookError::Body { .. }))
}
