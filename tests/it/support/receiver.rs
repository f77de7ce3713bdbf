//! A receiver of webhooks on a raw socket.

use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::raw::{PATIENCE, RawRequest, RawServer, Step, reply};

/// A server that deliveries go to, and what has come.
pub(crate) struct Receiver {
    pub(crate) server: RawServer,
    arrivals: UnboundedReceiver<RawRequest>,
}

impl Receiver {
    /// Starts a receiver that answers every delivery with 204.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| vec![Step::Write(reply("204 No Content", "", ""))]).await
    }

    /// Starts a receiver that answers the n-th delivery, from 0, as its script says.
    pub(crate) async fn answering<S>(script: S) -> Self
    where
        S: Fn(usize) -> Vec<Step> + Send + Sync + 'static,
    {
        let (sender, arrivals) = unbounded_channel();
        let server = RawServer::start(move |number, request| {
            let _ = sender.send(request.clone());
            script(number)
        });
        Self { server: server.await, arrivals }
    }

    /// Returns the address that deliveries go to.
    pub(crate) fn hook(&self) -> String {
        format!("{}/hook", self.server.url)
    }

    /// Waits for the next delivery.
    pub(crate) async fn next(&mut self) -> RawRequest {
        timeout(PATIENCE, self.arrivals.recv()).await.expect("nothing is delivered").unwrap()
    }
}

/// Returns the headers that a verifier asks for.
pub(crate) fn headers(request: &RawRequest) -> HeaderMap {
    let name = "dari-webhook-signature";
    let value = HeaderValue::from_str(request.header(name).unwrap()).unwrap();
    [(http::HeaderName::from_static(name), value)].into_iter().collect()
}
