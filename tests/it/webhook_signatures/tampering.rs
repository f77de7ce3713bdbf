//! No byte of a body or of a signature can be changed, left out or added.

use dari::webhooks::{WebhookError, WebhookSigner, WebhookVerifier};
use http::header::{HeaderMap, HeaderValue};
use proptest::prelude::{ProptestConfig, any, proptest};

use super::{BODY, SECRET, signed, verifier};

/// Returns every text that differs from `bytes` in the bits of one byte.
fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len()).flat_map(move |place| {
        (1..=255).map(move |bits| {
            let mut copy = bytes.to_vec();
            copy[place] ^= bits;
            copy
        })
    })
}

#[test]
fn every_change_of_one_byte_of_the_body_is_refused() {
    let good = signed(SECRET, BODY);
    verifier().verify_signature(&good, BODY).unwrap();
    let mut tried = 0;
    for body in changed(BODY) {
        tried += 1;
        let refused = verifier().verify_signature(&good, &body);
        assert_eq!(refused, Err(WebhookError::WrongSignature), "{body:?}");
    }
    assert_eq!(tried, 255 * BODY.len());
}

#[test]
fn every_change_of_one_byte_of_the_signature_is_refused() {
    let good = signed(SECRET, BODY);
    let mut tried = 0;
    for value in changed(good.as_bytes()) {
        if let Ok(text) = std::str::from_utf8(&value) {
            let error = verifier().verify_signature(text, BODY).unwrap_err();
            assert_eq!(error.status(), 401, "{text}");
        }
        // What no header can carry cannot arrive.
        let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
        tried += 1;
        let mut headers = HeaderMap::new();
        headers.insert("dari-webhook-signature", value);
        let error = verifier().verify(&headers, BODY).unwrap_err();
        assert_eq!(error.status(), 401, "{headers:?}");
    }
    assert!(tried > 200 * good.len(), "{tried}");
}

#[test]
fn a_body_with_a_byte_less_or_more_is_refused() {
    let good = signed(SECRET, BODY);
    for place in 0..BODY.len() {
        let without = [&BODY[..place], &BODY[place + 1..]].concat();
        let with = [&BODY[..place], b" ", &BODY[place..]].concat();
        for body in [&without, &with, &BODY[..place]] {
            let refused = verifier().verify_signature(&good, body);
            assert_eq!(refused, Err(WebhookError::WrongSignature), "{place}");
        }
    }
    for tail in [" ", "\n", "\0", "{}"] {
        let body = [BODY, tail.as_bytes()].concat();
        verifier().verify_signature(&good, &body).unwrap_err();
    }
}

#[test]
fn a_signature_that_was_cut_is_refused() {
    let good = signed(SECRET, BODY);
    for place in 0..good.len() {
        verifier().verify_signature(&good[..place], BODY).unwrap_err();
        verifier().verify_signature(&good[place + 1..], BODY).unwrap_err();
        let without = format!("{}{}", &good[..place], &good[place + 1..]);
        verifier().verify_signature(&without, BODY).unwrap_err();
    }
}

#[test]
fn the_same_json_in_other_bytes_is_refused() {
    let value: serde_json::Value = serde_json::from_slice(BODY).unwrap();
    let other = serde_json::to_vec(&value).unwrap();
    let refused = verifier().verify_signature(&signed(SECRET, BODY), &other);
    assert_eq!(refused, Err(WebhookError::WrongSignature));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn what_is_signed_is_accepted_under_its_secret_alone(
        secret in "[!-~]{1,200}",
        other in "[!-~]{1,200}",
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let (name, value) = WebhookSigner::new(&*secret).unwrap().sign(&body);
        let headers = HeaderMap::from_iter([(name, value)]);
        let verify = |secret: &str| WebhookVerifier::new(secret).unwrap().verify(&headers, &body);
        // Random bytes are no event: that they were read is what shows that they were accepted.
        assert!(!matches!(verify(&secret), Err(error) if error.status() == 401));
        if other != secret {
            assert_eq!(verify(&other), Err(WebhookError::WrongSignature));
        }
    }

    #[test]
    fn no_header_that_was_made_up_is_accepted(
        value in "(v1|t|V1|v2)?[ =,;0-9a-f]{0,80}|\\PC{0,80}|(v1=[0-9a-f]{64},?){1,3}",
    ) {
        let error = verifier().verify_signature(&value, BODY).unwrap_err();
        assert_eq!(error.status(), 401, "{value}");
    }
}
