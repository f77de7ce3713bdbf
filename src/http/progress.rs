//! How far a transfer is, and who is told.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How far an upload or a download is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The bytes of the content that have moved.
    ///
    /// Of an upload, those handed to the connection: the last few may still be on their way.
    pub bytes: u64,
    /// The size of the content, where it is known.
    pub total: Option<u64>,
}

/// A callback, or none; its clones are the same one.
pub(crate) struct Watcher<P = Progress>(Option<Arc<Mutex<Callback<P>>>>);

type Callback<P> = dyn FnMut(P) + Send;

impl<P> Watcher<P> {
    pub(crate) fn new(callback: impl FnMut(P) + Send + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(callback))))
    }

    pub(crate) fn tell(&self, progress: P) {
        if let Some(callback) = &self.0 {
            callback.lock().unwrap_or_else(PoisonError::into_inner)(progress);
        }
    }
}

impl<P> Default for Watcher<P> {
    fn default() -> Self {
        Self(None)
    }
}

impl<P> Clone for Watcher<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P> fmt::Debug for Watcher<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a callback" } else { "nobody" })
    }
}
