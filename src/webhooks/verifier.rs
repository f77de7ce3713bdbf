//! Verifies deliveries, and reads those that are genuine.

use http::HeaderMap;

use crate::error::Error;
use crate::secret::Secret;
use crate::webhooks::scheme::{SchemeV1, SignatureScheme};
use crate::webhooks::secrets::Secrets;
use crate::webhooks::{WebhookError, WebhookEvent};

/// Verifies that deliveries came from Dari, and reads them.
///
/// ```
/// use dari::webhooks::{WebhookError, WebhookEvent, WebhookVerifier};
///
/// let verifier = WebhookVerifier::new("whsec_current")?.and_secret("whsec_previous")?;
///
/// fn handle(
///     verifier: &WebhookVerifier,
///     headers: &http::HeaderMap,
///     body: &[u8],
/// ) -> Result<WebhookEvent, http::StatusCode> {
///     verifier.verify(headers, body).map_err(|error: WebhookError| error.status())
/// }
/// assert_eq!(handle(&verifier, &http::HeaderMap::new(), b"{}").unwrap_err(), 401);
/// # Ok::<(), dari::Error>(())
/// ```
///
/// Give it the body as it arrived: JSON that was parsed and encoded again may be other bytes. The
/// signature is checked in constant time, before anything of the body is parsed.
#[derive(Clone, Debug)]
pub struct WebhookVerifier<S = SchemeV1> {
    secrets: Secrets,
    scheme: S,
}

impl WebhookVerifier {
    /// Returns a verifier with one secret, the whole `whsec_...`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a secret that is empty, or has white space around it.
    ///
    /// ```
    /// use dari::webhooks::WebhookVerifier;
    ///
    /// assert!(WebhookVerifier::new("whsec_test").is_ok());
    /// assert!(WebhookVerifier::new("").is_err());
    /// ```
    pub fn new(secret: impl Into<Secret>) -> Result<Self, Error> {
        Ok(Self { secrets: Secrets::new(secret.into())?, scheme: SchemeV1 })
    }
}

impl<S> WebhookVerifier<S> {
    /// Accepts deliveries signed with one more secret.
    ///
    /// For a rotation: add the new secret to all instances as soon as it is known, and drop the
    /// old one when deliveries signed with it have run out.
    ///
    /// # Errors
    ///
    /// Those of [`new`](WebhookVerifier::new).
    ///
    /// ```
    /// use dari::webhooks::WebhookVerifier;
    ///
    /// let verifier = WebhookVerifier::new("whsec_new")?.and_secret("whsec_old")?;
    /// # Ok::<(), dari::Error>(())
    /// ```
    pub fn and_secret(self, secret: impl Into<Secret>) -> Result<Self, Error> {
        Ok(Self { secrets: self.secrets.and(secret.into())?, ..self })
    }

    /// Verifies in another way than [`SchemeV1`].
    ///
    /// ```
    /// use dari::webhooks::{SchemeV1, WebhookVerifier};
    ///
    /// // See `SignatureScheme` for one of your own.
    /// let verifier = WebhookVerifier::new("whsec_test")?.with_scheme(SchemeV1::default());
    /// # Ok::<(), dari::Error>(())
    /// ```
    #[must_use]
    pub fn with_scheme<T: SignatureScheme>(self, scheme: T) -> WebhookVerifier<T> {
        WebhookVerifier { secrets: self.secrets, scheme }
    }
}

impl<S: SignatureScheme> WebhookVerifier<S> {
    /// Returns the event of a delivery, if its signature is good.
    ///
    /// A header that is repeated is read as one list, as if its lines were joined with commas: a
    /// proxy may join them (RFC 9110 §5.3). One line that cannot be read refuses all of them.
    ///
    /// # Errors
    ///
    /// Fails when no signature is good, and when the body is no event; see [`WebhookError`].
    ///
    /// ```
    /// use dari::webhooks::{WebhookSigner, WebhookVerifier};
    /// use http::HeaderMap;
    ///
    /// let body = br#"{"id": "wh_1", "type": "session.completed", "data": {}}"#;
    /// let headers = HeaderMap::from_iter([WebhookSigner::new("whsec_test")?.sign(body)]);
    /// let verifier = WebhookVerifier::new("whsec_test")?;
    /// assert_eq!(verifier.verify(&headers, body)?.id, "wh_1");
    /// assert!(verifier.verify(&headers, b"{}").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<WebhookEvent, WebhookError> {
        let mut lines = Vec::new();
        for line in headers.get_all(self.scheme.header()) {
            let Ok(line) = line.to_str() else { return Err(WebhookError::MalformedSignature) };
            lines.push(line);
        }
        if lines.is_empty() {
            return Err(WebhookError::MissingSignature);
        }
        self.verify_signature(&lines.join(","), body)
    }

    /// Returns the event of a delivery, by its header's value.
    ///
    /// For frameworks without [`HeaderMap`]. Join the lines of a repeated header with commas.
    ///
    /// ```
    /// use dari::webhooks::{WebhookError, WebhookVerifier};
    ///
    /// let verifier = WebhookVerifier::new("whsec_current")?;
    /// let forged = verifier.verify_signature("v1=00", b"{}");
    /// assert_eq!(forged.unwrap_err(), WebhookError::MalformedSignature);
    /// # Ok::<(), dari::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`verify`](Self::verify).
    pub fn verify_signature(&self, value: &str, body: &[u8]) -> Result<WebhookEvent, WebhookError> {
        self.scheme.verify(self.secrets.as_slice(), value, body)?;
        WebhookEvent::read(body)
    }
}
