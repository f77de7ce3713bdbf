//! Webhooks: verify that a delivery came from Dari, and read it.
//!
//! Nothing here reads or sends: a handler in any framework passes on the headers and the raw body. The feature `webhooks`
//! turns the module on; contract §7 has the facts.

mod assumed;
mod error;
mod event;
mod kind;
mod scheme;
mod secrets;
mod signer;
mod verifier;

pub use error::WebhookError;
pub use event::WebhookEvent;
pub use kind::{BatchEnded, SessionEnded, WebhookEventKind};
pub use scheme::{SchemeV1, SignatureScheme};
pub use signer::WebhookSigner;
pub use verifier::WebhookVerifier;
