//! The key under which the service knows a repeated request again.

/// A key of idempotency: 128 random bits, or the caller's own.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    text: String,
    pub(crate) place: KeyPlace,
    /// A key the caller can give again makes a repeat of the whole call harmless.
    pub(crate) is_callers: bool,
}

/// Where in a request its key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    /// In the header `Idempotency-Key`.
    Header,
    /// In the body, as whoever encodes it has put it there.
    Body,
}

impl Key {
    /// Returns a new key of 128 random bits, 32 characters as text.
    pub(crate) fn random(place: KeyPlace) -> Self {
        let text = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        Self { text, place, is_callers: false }
    }

    /// Puts the caller's own key in the place of the random one.
    pub(crate) fn replace(&mut self, text: String) {
        self.text = text;
        self.is_callers = true;
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}
