//! How a delivery is signed: all that is assumed of signatures, in one type.

use std::fmt::Write as _;

use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use sha2::Sha256;

use crate::secret::Secret;
use crate::webhooks::WebhookError;

/// How deliveries are signed.
///
/// [`SchemeV1`] is the one of the service, partly assumed. Where deliveries are signed in another
/// way, implement this, and give it to
/// [`WebhookVerifier::with_scheme`](crate::webhooks::WebhookVerifier::with_scheme).
///
/// ```
/// use dari::Secret;
/// use dari::webhooks::{SchemeV1, SignatureScheme, WebhookError, WebhookVerifier};
/// use http::{HeaderName, HeaderValue};
///
/// /// The same signatures in the header that a gateway makes of it.
/// struct BehindGateway(SchemeV1);
///
/// impl SignatureScheme for BehindGateway {
///     fn header(&self) -> HeaderName {
///         HeaderName::from_static("x-gateway-signature")
///     }
///
///     fn sign(&self, secrets: &[Secret], body: &[u8]) -> HeaderValue {
///         self.0.sign(secrets, body)
///     }
///
///     fn verify(&self, secrets: &[Secret], value: &str, body: &[u8]) -> Result<(), WebhookError> {
///         self.0.verify(secrets, value, body)
///     }
/// }
///
/// let verifier = WebhookVerifier::new("whsec_test")?;
/// let verifier = verifier.with_scheme(BehindGateway(SchemeV1::default()));
/// # Ok::<(), dari::Error>(())
/// ```
pub trait SignatureScheme {
    /// Returns the name of the header that carries signatures.
    fn header(&self) -> HeaderName;

    /// Returns the header's value for a body, signed with each secret.
    fn sign(&self, secrets: &[Secret], body: &[u8]) -> HeaderValue;

    /// Checks a header's value against a body.
    ///
    /// Several lines of the header arrive as one value, with a comma between them.
    ///
    /// # Errors
    ///
    /// Fails unless a signature fits the body under one of the secrets. Compare in constant time,
    /// and refuse what you do not know.
    fn verify(&self, secrets: &[Secret], value: &str, body: &[u8]) -> Result<(), WebhookError>;
}

/// The scheme of contract §7: `Dari-Webhook-Signature: v1=...`.
///
/// Documented: the header, `v1=`, and HMAC-SHA256 over the exact bytes of the body. Assumed, and
/// stated nowhere else in the crate:
///
/// - a signature is written as 64 lower-case hex digits;
/// - the key is the whole secret, its `whsec_` included;
/// - several signatures stand in one header with commas between them, spaces allowed around a comma;
/// - there is no time stamp.
///
/// Anything else in the header, an element such as `t=` or an upper-case digit, refuses the whole
/// header: an element that is not known may change what is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemeV1;

impl SignatureScheme for SchemeV1 {
    fn header(&self) -> HeaderName {
        HeaderName::from_static("dari-webhook-signature")
    }

    fn sign(&self, secrets: &[Secret], body: &[u8]) -> HeaderValue {
        let tags = secrets.iter().filter_map(|secret| tag(secret, body));
        let elements: Vec<_> = tags.map(|tag| format!("{NAME}={}", hex(tag.as_bytes()))).collect();
        // Hex digits always make a header value; an empty one would be refused.
        HeaderValue::try_from(elements.join(",")).unwrap_or(HeaderValue::from_static(""))
    }

    fn verify(&self, secrets: &[Secret], value: &str, body: &[u8]) -> Result<(), WebhookError> {
        let given = value.split(',').map(element).collect::<Result<Vec<_>, _>>()?;
        let mut found = false;
        // Neither loop stops early, so that time tells nothing about what was compared.
        for secret in secrets {
            let Some(expected) = tag(secret, body) else { continue };
            for given in &given {
                found |= expected == CtOutput::new((*given).into());
            }
        }
        if found { Ok(()) } else { Err(WebhookError::WrongSignature) }
    }
}

const NAME: &str = "v1";

const TAG_BYTES: usize = 32;

/// A code of a body under a secret; compared in constant time.
type Tag = CtOutput<Hmac<Sha256>>;

fn tag(secret: &Secret, body: &[u8]) -> Option<Tag> {
    let key = secret.expose().as_bytes();
    if key.is_empty() {
        return None;
    }
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(mac.chain_update(body).finalize())
}

fn element(text: &str) -> Result<[u8; TAG_BYTES], WebhookError> {
    match text.trim_matches([' ', '\t']).split_once('=') {
        Some((NAME, digits)) => unhex(digits).ok_or(WebhookError::MalformedSignature),
        Some((name, _)) => Err(WebhookError::UnknownElement { name: shown(name) }),
        None => Err(WebhookError::MalformedSignature),
    }
}

/// Returns the name of an element that is not known, unless it may be something else.
///
/// A signature of another scheme, or a secret set as the header by mistake, may end in `=`.
fn shown(name: &str) -> String {
    const LONGEST_NAME: usize = 16;
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_short = name.len() <= LONGEST_NAME && name.chars().all(is_name);
    if is_short { name.to_owned() } else { "(not shown)".to_owned() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(digits: &str) -> Option<[u8; TAG_BYTES]> {
    let mut bytes = [0; TAG_BYTES];
    if digits.len() != 2 * TAG_BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SchemeV1, SignatureScheme, hex, unhex};
    use crate::secret::Secret;
    use crate::webhooks::WebhookError;

    #[test]
    fn only_64_lower_case_digits_are_a_signature() {
        let bytes: [u8; 32] = std::array::from_fn(|n| (n * 8 + 7) as u8);
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        let digits = "0f".repeat(32);
        for bad in ["", "0", &digits[1..], &digits[2..], &(digits.clone() + "0"), &"0F".repeat(32)]
        {
            assert_eq!(unhex(bad), None, "{bad}");
        }
        for bad in ['g', 'F', ' ', '/', ':', '`', '\0', 'é'] {
            let text: String = digits.chars().take(62).chain([bad, '0']).collect();
            assert_eq!(unhex(&text), None, "{bad:?}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing_and_fits_nothing() {
        let empty = [Secret::from("")];
        assert_eq!(SchemeV1.sign(&empty, b"{}"), "");
        let by_empty_key = "v1=".to_owned() + &"0".repeat(64);
        let refused = SchemeV1.verify(&empty, &by_empty_key, b"{}");
        assert_eq!(refused, Err(WebhookError::WrongSignature));
        assert_eq!(SchemeV1.verify(&[], &by_empty_key, b"{}"), Err(WebhookError::WrongSignature));
    }
}
