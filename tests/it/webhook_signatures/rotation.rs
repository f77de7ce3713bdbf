//! While a secret is replaced, both are good, on either side.

use dari::webhooks::{WebhookError, WebhookSigner, WebhookVerifier};

use super::{BODY, OTHER, SECRET, headers, signed, verifier};

const THIRD: &str = "whsec_Zc3Wd7Rf1Tg9Yh5Uj0Ik4Ol8Pm2Qn6Sb";

fn rotating() -> WebhookVerifier {
    WebhookVerifier::new(OTHER).unwrap().and_secret(SECRET).unwrap()
}

#[test]
fn a_verifier_with_two_secrets_accepts_either_and_no_third() {
    for secret in [SECRET, OTHER] {
        rotating().verify_signature(&signed(secret, BODY), BODY).unwrap();
    }
    let refused = rotating().verify_signature(&signed(THIRD, BODY), BODY);
    assert_eq!(refused, Err(WebhookError::WrongSignature));
}

#[test]
fn a_delivery_signed_with_two_secrets_is_accepted_by_either() {
    for secrets in [[SECRET, OTHER], [OTHER, SECRET]] {
        let signer = WebhookSigner::new(secrets[0]).unwrap().and_secret(secrets[1]).unwrap();
        let (_, value) = signer.sign(BODY);
        assert_eq!(value.to_str().unwrap(), secrets.map(|secret| signed(secret, BODY)).join(","));
        for secret in secrets {
            let verifier = WebhookVerifier::new(secret).unwrap();
            verifier.verify(&headers(&[value.as_bytes()]), BODY).unwrap();
        }
        let third = WebhookVerifier::new(THIRD).unwrap();
        let refused = third.verify(&headers(&[value.as_bytes()]), BODY);
        assert_eq!(refused, Err(WebhookError::WrongSignature));
    }
}

#[test]
fn every_signature_of_the_header_is_tried() {
    let wrong = format!("v1={}", "0".repeat(64));
    for place in 0..50 {
        let mut elements = vec![wrong.clone(); 50];
        elements[place] = signed(SECRET, BODY);
        verifier().verify_signature(&elements.join(","), BODY).unwrap();
        rotating().verify_signature(&elements.join(", "), BODY).unwrap();
    }
    let refused = verifier().verify_signature(&vec![wrong; 50].join(","), BODY);
    assert_eq!(refused, Err(WebhookError::WrongSignature));
}
