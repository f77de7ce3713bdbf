//! Why a delivery is refused, and what to answer.

use http::StatusCode;

use crate::error::one_line;
use crate::json::Misfit;

/// Why a delivery is refused.
///
/// [`status`](Self::status) is the answer for the sender. `Display` is one line for the log: no
/// secret, no signature, and of a body at most the value that is wrong.
///
/// ```
/// use dari::webhooks::{WebhookError, WebhookVerifier};
///
/// let verifier = WebhookVerifier::new("whsec_test")?;
/// let error = verifier.verify_signature("t=1776796800,v1=00", b"{}").unwrap_err();
/// assert_eq!(error, WebhookError::UnknownElement { name: "t".to_owned() });
/// assert_eq!(error.status(), 401);
/// # Ok::<(), dari::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no signature at all.
    #[error("webhook: the request has no signature header")]
    MissingSignature,
    /// The signature header is not of the form that the scheme knows.
    #[error("webhook: the signature header is malformed")]
    MalformedSignature,
    /// The signature header has an element that the scheme does not know, such as `t=`.
    ///
    /// It may change what is signed, so the whole header is refused, a good signature beside it
    /// included.
    #[error("webhook: the signature header has an unknown element {name:?}")]
    UnknownElement {
        /// The element's name, or `(not shown)` for one that is longer than 16 bytes or has
        /// other characters than letters, digits, `_` and `-`: it may be a signature.
        name: String,
    },
    /// No signature fits the body under any of the secrets.
    #[error("webhook: no signature fits the body under a known secret")]
    WrongSignature,
    /// The signature is good, but the body is no event.
    #[error("webhook: cannot read the body{}{path}: {reason}", if path.is_empty() { "" } else { " at " })]
    Body {
        /// Where in the body, such as `id`; empty when the body as a whole is no event.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

impl WebhookError {
    /// Returns the HTTP status to answer with.
    ///
    /// 401 when the sender is not proven to be Dari, 400 when it is, and the body is no event.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Body { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    pub(super) fn body(misfit: &Misfit) -> Self {
        Self::Body { path: one_line(&misfit.path, 128), reason: one_line(&misfit.reason, 512) }
    }
}
