//! A delivery is read only if its signature is good, and whatever is odd about it refuses it.

mod header;
mod rotation;
mod tampering;
mod vectors;

use dari::webhooks::{
    SchemeV1, SignatureScheme, WebhookError, WebhookEvent, WebhookSigner, WebhookVerifier,
};
use dari::{Error, Secret};
use http::header::{HeaderMap, HeaderName, HeaderValue};

const SECRET: &str = "whsec_7Qm2vXo0sY5tKc9LrE1nZb4Jd8Wf3Hg6";
const OTHER: &str = "whsec_oA4rPz8Vt1Kd6Ly3Xq9Ne0Cg5Bj2Mw7H";
const BODY: &[u8] = br#"{"id": "wh_1", "type": "tool.call_requested", "session_id": "sess_1",
    "data": {"message_id": "msg_1", "tool_call_id": "call_1"}}"#;

fn verifier() -> WebhookVerifier {
    WebhookVerifier::new(SECRET).unwrap()
}

/// Returns the whole header's value for a body.
fn signed(secret: &str, body: &[u8]) -> String {
    let (_, value) = WebhookSigner::new(secret).unwrap().sign(body);
    value.to_str().unwrap().to_owned()
}

/// Returns headers with these lines of the signature header, among others.
fn headers(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    for line in lines {
        headers.append("Dari-Webhook-Signature", HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

fn verify(lines: &[&str]) -> Result<WebhookEvent, WebhookError> {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    verifier().verify(&headers(&lines), BODY)
}

#[track_caller]
fn assert_refused(value: &str, expected: &WebhookError) {
    for result in [verify(&[value]), verifier().verify_signature(value, BODY)] {
        let error = result.expect_err("a bad signature was accepted");
        assert_eq!(error, *expected, "{value:?}");
        assert_eq!(error.status(), 401);
    }
}

#[test]
fn a_good_signature_gives_the_event_from_headers_and_from_text() {
    let good = signed(SECRET, BODY);
    assert!(good.starts_with("v1=") && good.len() == 3 + 64, "{good}");
    let event = verify(&[&good]).unwrap();
    assert_eq!(event.id, "wh_1");
    assert_eq!(verifier().verify_signature(&good, BODY).unwrap(), event);
}

#[test]
fn the_signer_gives_the_header_that_the_verifier_reads() {
    let (name, value) = WebhookSigner::new(SECRET).unwrap().sign(BODY);
    assert_eq!(name, "dari-webhook-signature");
    let named = HeaderName::from_bytes(b"DARI-WEBHOOK-SIGNATURE").unwrap();
    for name in [name, named] {
        let headers = HeaderMap::from_iter([(name, value.clone())]);
        verifier().verify(&headers, BODY).unwrap();
    }
}

#[test]
fn a_missing_header_is_refused() {
    assert_eq!(verify(&[]), Err(WebhookError::MissingSignature));
    assert_eq!(verify(&[]).unwrap_err().status(), 401);
    let elsewhere = HeaderMap::from_iter([(
        HeaderName::from_static("webhook-signature"),
        HeaderValue::try_from(signed(SECRET, BODY)).unwrap(),
    )]);
    assert_eq!(verifier().verify(&elsewhere, BODY), Err(WebhookError::MissingSignature));
}

#[test]
fn a_signature_of_another_secret_or_another_body_is_refused() {
    assert_refused(&signed(OTHER, BODY), &WebhookError::WrongSignature);
    assert_refused(&signed(SECRET, b"{}"), &WebhookError::WrongSignature);
    let without_prefix = SECRET.strip_prefix("whsec_").unwrap();
    assert_refused(&signed(without_prefix, BODY), &WebhookError::WrongSignature);
    assert_refused(&format!("v1={}", "0".repeat(64)), &WebhookError::WrongSignature);
}

#[test]
fn a_body_is_not_read_before_its_signature_is_good() {
    for body in [&b""[..], b"not json", b"\xff\xfe", br#"{"id": ""}"#, b"[]"] {
        let refused = verifier().verify_signature(&signed(OTHER, body), body);
        assert_eq!(refused, Err(WebhookError::WrongSignature));
        assert_eq!(verifier().verify_signature("", body), Err(WebhookError::MalformedSignature));
        assert_eq!(verifier().verify(&HeaderMap::new(), body), Err(WebhookError::MissingSignature));

        let error = verifier().verify_signature(&signed(SECRET, body), body).unwrap_err();
        assert!(matches!(error, WebhookError::Body { .. }), "{error:?}");
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn a_secret_that_is_empty_or_has_white_space_around_it_is_refused() {
    for (secret, reason) in
        [("", "empty"), (" ", "white space"), ("whsec_a\n", "line break"), ("\twhsec_a", "white")]
    {
        let refused = [
            WebhookVerifier::new(secret).map(drop),
            WebhookVerifier::new(SECRET).unwrap().and_secret(secret).map(drop),
            WebhookSigner::new(secret).map(drop),
            WebhookSigner::new(SECRET).unwrap().and_secret(secret).map(drop),
        ];
        for error in refused.map(Result::unwrap_err) {
            assert!(matches!(error, Error::Config(_)), "{error:?}");
            assert!(error.to_string().contains(reason), "{secret:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("whsec_a"), "{error:?}");
        }
    }
}

#[test]
fn nothing_that_prints_shows_a_secret_or_a_signature() {
    let signer = WebhookSigner::new(SECRET).unwrap();
    let good = signed(SECRET, BODY);
    let long = format!("{}=1", "x".repeat(10_000));
    let lines = ["", "v1=00", "t=1", &long, "a\nb=1", &good[4..], &signed(OTHER, BODY)];
    let errors = lines.map(|line| verifier().verify_signature(line, BODY).unwrap_err());
    let shown = format!("{:?} {:#?} {signer:?} {errors:?}", verifier(), verifier());
    let lines = errors.iter().map(ToString::to_string);
    for text in lines.clone().chain([shown]) {
        assert!(!text.contains("7Qm2vXo0") && !text.contains(&good[5..30]), "{text}");
        assert!(!text.contains(&signed(OTHER, BODY)[5..30]), "{text}");
    }
    for line in lines {
        assert!(line.len() < 120 && !line.contains('\n'), "{line}");
        assert!(line.starts_with("webhook: "), "{line}");
    }
}

/// Signs by the length of a body, as nobody should.
struct ByLength;

impl SignatureScheme for ByLength {
    fn header(&self) -> HeaderName {
        HeaderName::from_static("x-length")
    }

    fn sign(&self, secrets: &[Secret], body: &[u8]) -> HeaderValue {
        HeaderValue::from(body.len() + secrets.len())
    }

    fn verify(&self, secrets: &[Secret], value: &str, body: &[u8]) -> Result<(), WebhookError> {
        let good = value == (body.len() + secrets.len()).to_string();
        if good { Ok(()) } else { Err(WebhookError::WrongSignature) }
    }
}

#[test]
fn the_scheme_can_be_replaced() {
    let verifier = verifier().with_scheme(ByLength);
    let (name, value) = WebhookSigner::new(SECRET).unwrap().with_scheme(ByLength).sign(BODY);
    assert_eq!((name.as_str(), &value), ("x-length", &HeaderValue::from(BODY.len() + 1)));
    verifier.verify(&HeaderMap::from_iter([(name, value)]), BODY).unwrap();
    assert_eq!(verifier.verify_signature("1", BODY), Err(WebhookError::WrongSignature));
    let unsigned = verifier.verify(&headers(&[signed(SECRET, BODY).as_bytes()]), BODY);
    assert_eq!(unsigned, Err(WebhookError::MissingSignature));
    assert_eq!(SchemeV1::default().header(), "dari-webhook-signature");
}
