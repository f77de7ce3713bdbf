//! The requests the emulator received, for assertions.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

use super::fault::FaultKind;

/// A request as it arrived, whatever its answer was.
///
/// `Debug` shows neither the API key nor the body.
#[derive(Clone)]
pub struct ReceivedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    fault: Option<FaultKind>,
    status: Arc<OnceLock<u16>>,
}

/// What is told of each request once it is answered, or will not be.
pub(super) type Listener = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

/// A request at work; dropping it tells the listener that it is over.
pub(super) struct Exchange {
    request: ReceivedRequest,
    listener: Option<Listener>,
}

/// The newest requests in the order they arrived whole.
#[derive(Debug)]
pub(super) struct RequestLog {
    requests: Mutex<VecDeque<ReceivedRequest>>,
    most: usize,
}

impl ReceivedRequest {
    pub(super) fn new(parts: &Parts, body: Bytes, fault: Option<FaultKind>) -> Self {
        let mut headers = parts.headers.clone();
        for (name, value) in &mut headers {
            value.set_sensitive(name == header::AUTHORIZATION);
        }
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        Self { method, uri, headers, body, fault, status: Arc::default() }
    }

    /// Returns the method, such as `POST`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Returns the path as sent, with its percent-encoding.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns the query as sent, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// Returns the first header of this name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the body; of one over its limit, the beginning.
    ///
    /// The limit is 8 MiB, for an archive 64 MiB, and for a file that of files.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.body.clone()
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// If the body is empty or not JSON.
    pub fn json(&self) -> serde_json::Result<Value> {
        serde_json::from_slice(&self.body)
    }

    /// Returns which fault was injected into it.
    #[must_use]
    pub fn fault(&self) -> Option<FaultKind> {
        self.fault
    }

    /// Returns the status of its answer.
    ///
    /// `None` until the answer has begun, and for good if there is none.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status.get().copied()
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("fault", &self.fault)
            .field("status", &self.status())
            .finish()
    }
}

impl Exchange {
    pub(super) fn new(request: ReceivedRequest, listener: Option<Listener>) -> Self {
        Self { request, listener }
    }

    pub(super) fn answered(&self, status: u16) {
        let _ = self.request.status.set(status);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            // A panic of the user's function must not take a connection with it.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(&self.request)));
        }
    }
}

impl RequestLog {
    /// Returns a log that forgets the oldest of more than so many.
    pub(super) fn new(most: usize) -> Self {
        Self { requests: Mutex::default(), most }
    }

    pub(super) fn add(&self, request: ReceivedRequest) {
        let mut requests = self.lock();
        requests.push_back(request);
        if requests.len() > self.most {
            requests.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<ReceivedRequest> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<ReceivedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
