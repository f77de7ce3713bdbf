//! The key under which the service knows a repeated request again.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

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
        Self { text: unforeseeable(), place, is_callers: false }
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

/// Returns 128 bits as text, which nobody outside of the process can foretell.
///
/// Whoever has seen one, as every service does, must not know the next: a file's content could be made
/// to hold it.
pub(crate) fn unforeseeable() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // Hashed under a key of the system's own random bits.
    let state = RandomState::new();
    format!("{:016x}{:016x}", state.hash_one((number, 0_u8)), state.hash_one((number, 1_u8)))
}

#[cfg(test)]
mod tests {
    use super::unforeseeable;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_are_the_same_on_any_thread() {
        let some = || (0..1000).map(|_| unforeseeable()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(some)).collect();
        let all: Vec<_> = threads.into_iter().flat_map(|it| it.join().unwrap()).collect();
        assert!(all.iter().all(|text| text.len() == 32));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4000);
        // No half of it is fixed, and none repeats the other.
        let halves = all.iter().flat_map(|text| [&text[..16], &text[16..]]);
        assert_eq!(halves.collect::<BTreeSet<_>>().len(), 8000);
    }
}
