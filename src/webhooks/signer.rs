//! Signs deliveries, for tests of a handler.

use http::{HeaderName, HeaderValue};

use crate::error::Error;
use crate::secret::Secret;
use crate::webhooks::scheme::{SchemeV1, SignatureScheme};
use crate::webhooks::secrets::Secrets;

/// Signs deliveries as Dari does, for tests of your handler.
///
/// ```
/// use dari::webhooks::{WebhookSigner, WebhookVerifier};
///
/// let body = br#"{"id": "wh_1", "type": "session.completed", "data": {}}"#;
/// let (name, value) = WebhookSigner::new("whsec_test")?.sign(body);
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert(name, value);
/// let event = WebhookVerifier::new("whsec_test")?.verify(&headers, body)?;
/// assert_eq!(event.id, "wh_1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct WebhookSigner<S = SchemeV1> {
    secrets: Secrets,
    scheme: S,
}

impl WebhookSigner {
    /// Returns a signer with one secret.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a secret that is empty, or has white space around it.
    ///
    /// ```
    /// use dari::webhooks::WebhookSigner;
    ///
    /// assert!(WebhookSigner::new("whsec_test").is_ok());
    /// assert!(WebhookSigner::new("whsec_test\n").is_err());
    /// ```
    pub fn new(secret: impl Into<Secret>) -> Result<Self, Error> {
        Ok(Self { secrets: Secrets::new(secret.into())?, scheme: SchemeV1 })
    }
}

impl<S> WebhookSigner<S> {
    /// Signs with one more secret, as during a rotation.
    ///
    /// # Errors
    ///
    /// Those of [`new`](WebhookSigner::new).
    ///
    /// ```
    /// use dari::webhooks::WebhookSigner;
    ///
    /// let signer = WebhookSigner::new("whsec_new")?.and_secret("whsec_old")?;
    /// let (_, value) = signer.sign(b"{}");
    /// assert_eq!(value.to_str()?.split(',').count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn and_secret(self, secret: impl Into<Secret>) -> Result<Self, Error> {
        Ok(Self { secrets: self.secrets.and(secret.into())?, ..self })
    }

    /// Signs in another way.
    ///
    /// ```
    /// use dari::webhooks::{SchemeV1, WebhookSigner};
    ///
    /// let signer = WebhookSigner::new("whsec_test")?.with_scheme(SchemeV1::default());
    /// # Ok::<(), dari::Error>(())
    /// ```
    #[must_use]
    pub fn with_scheme<T: SignatureScheme>(self, scheme: T) -> WebhookSigner<T> {
        WebhookSigner { secrets: self.secrets, scheme }
    }
}

impl<S: SignatureScheme> WebhookSigner<S> {
    /// Returns the header for a body: its name and its value.
    ///
    /// The value has one signature for each secret. Send exactly these bytes: JSON that is encoded
    /// again may be other bytes.
    ///
    /// ```
    /// use dari::webhooks::WebhookSigner;
    ///
    /// let (name, value) = WebhookSigner::new("whsec_test")?.sign(b"{}");
    /// assert_eq!(name, "dari-webhook-signature");
    /// assert!(value.to_str()?.starts_with("v1="));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> (HeaderName, HeaderValue) {
        (self.scheme.header(), self.scheme.sign(self.secrets.as_slice(), body))
    }
}
