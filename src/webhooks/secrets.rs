//! The secrets of one webhook: at least one, and none that anybody could guess for being empty.

use crate::error::Error;
use crate::secret::Secret;

#[derive(Clone, Debug)]
pub(super) struct Secrets(Vec<Secret>);

impl Secrets {
    pub(super) fn new(first: Secret) -> Result<Self, Error> {
        Self(Vec::new()).and(first)
    }

    pub(super) fn and(mut self, secret: Secret) -> Result<Self, Error> {
        let text = secret.expose();
        if text.is_empty() {
            return Err(Error::config("the webhook secret is empty"));
        }
        if text.trim() != text {
            let reason = "the webhook secret starts or ends with white space or a line break";
            return Err(Error::config(reason));
        }
        self.0.push(secret);
        Ok(self)
    }

    pub(super) fn as_slice(&self) -> &[Secret] {
        &self.0
    }
}
