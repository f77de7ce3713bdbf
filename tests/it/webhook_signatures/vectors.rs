//! Signatures computed by another implementation, in `data/webhook-vectors.txt`.

use dari::Secret;
use dari::webhooks::{SchemeV1, SignatureScheme, WebhookError};

struct Vector {
    secret: Secret,
    body: Vec<u8>,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../data/webhook-vectors.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [secret, body, signature] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let body = if body == "-" { Vec::new() } else { bytes(body) };
            Vector { secret: secret.into(), body, signature: signature.to_owned() }
        })
        .collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let places = (0..hex.len()).step_by(2);
    places.map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

#[test]
fn openssl_computes_the_same_signatures() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 18);
    for Vector { secret, body, signature } in &vectors {
        let value = format!("v1={signature}");
        let secrets = [secret.clone()];
        assert_eq!(SchemeV1::default().sign(&secrets, body), value);
        SchemeV1::default().verify(&secrets, &value, body).unwrap();
    }
}

#[test]
fn no_vector_fits_another() {
    let vectors = vectors();
    for (n, one) in vectors.iter().enumerate() {
        for (m, other) in vectors.iter().enumerate().filter(|(m, _)| *m != n) {
            let value = format!("v1={}", other.signature);
            let refused =
                SchemeV1::default().verify(std::slice::from_ref(&one.secret), &value, &one.body);
            assert_eq!(refused, Err(WebhookError::WrongSignature), "{n} {m}");
        }
    }
}
