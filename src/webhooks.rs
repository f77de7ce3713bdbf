//! Webhooks: verify that a delivery came from Dari, and read it.
//!
//! Nothing here sends, receives or waits: a handler in any framework passes on the headers and the
//! raw body, and answers with the status it gets. The feature `webhooks` turns the module on;
//! contract §7 has the facts. Where events are delivered is set with
//! [`agents().webhook`](crate::Agents::webhook).
//!
//! A whole service on the emulator stands in the [guide](crate::guide::webhooks).
//!
//! # A handler
//!
//! 1. Verify the bytes as they arrived. If that fails, answer [`WebhookError::status`].
//! 2. Keep the event together with its [`id`](WebhookEvent::id), unless the id is known already.
//! 3. Answer 2xx at once, a known id included: what is not answered in time is delivered again.
//! 4. Work on the event afterwards, elsewhere.
//!
//! An event comes **at least once**, and perhaps twice at the same moment. Its id is the same each
//! time, so the id decides, and checking it and keeping it must be one step. The id also keeps out
//! a delivery that somebody recorded and sends again: the signature has no time in it (an
//! assumption), so it stays good. Remember ids for as long as the secret is in use, if you can.
//!
//! Events may come **out of order**: a `session.completed` before the tool call that led to it.
//! Take an event as a hint to look, with `messages().get(..)` for example, not as a step of a
//! protocol.
//!
//! # Deduplicate in a database
//!
//! The table is inbox and memory in one; `id` is its primary key.
//!
//! ```sql
//! INSERT INTO dari_webhook_events (id, type, body) VALUES ($1, $2, $3)
//! ON CONFLICT (id) DO NOTHING;
//! ```
//!
//! One row inserted: a new event. None: a known one. Answer 2xx to both, after the commit; when the
//! insert fails, answer 503, and the event is delivered again. A worker takes the rows that are not
//! done, and marks each done in the transaction that has its effect. Do not keep the id alone and
//! then work: a crash in between loses the event, for the next delivery of it is a known one.
//!
//! # Deduplicate in memory
//!
//! Enough where one process gets all deliveries, and losing events in a restart is acceptable. This
//! handler knows no framework, and remembers the last 10,000 ids.
//!
//! ```
//! use std::collections::{HashSet, VecDeque};
//! use std::sync::{Mutex, mpsc};
//!
//! use dari::WebhookId;
//! use dari::webhooks::{WebhookEvent, WebhookSigner, WebhookVerifier};
//! use http::{HeaderMap, StatusCode};
//!
//! struct Handler {
//!     verifier: WebhookVerifier,
//!     seen: Mutex<Seen>,
//!     work: mpsc::SyncSender<WebhookEvent>,
//! }
//!
//! #[derive(Default)]
//! struct Seen {
//!     ids: HashSet<WebhookId>,
//!     order: VecDeque<WebhookId>,
//! }
//!
//! impl Handler {
//!     fn handle(&self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
//!         let event = match self.verifier.verify(headers, body) {
//!             Ok(event) => event,
//!             Err(error) => return error.status(),
//!         };
//!         let mut seen = self.seen.lock().unwrap();
//!         if seen.ids.contains(&event.id) {
//!             return StatusCode::NO_CONTENT;
//!         }
//!         let id = event.id.clone();
//!         // A full queue: forget the event, and have it delivered again.
//!         if self.work.try_send(event).is_err() {
//!             return StatusCode::SERVICE_UNAVAILABLE;
//!         }
//!         seen.remember(id);
//!         StatusCode::NO_CONTENT
//!     }
//! }
//!
//! impl Seen {
//!     fn remember(&mut self, id: WebhookId) {
//!         self.ids.insert(id.clone());
//!         self.order.push_back(id);
//!         if self.order.len() > 10_000 {
//!             let oldest = self.order.pop_front();
//!             oldest.map(|id| self.ids.remove(&id));
//!         }
//!     }
//! }
//!
//! // A test of the handler needs no service: the signer makes deliveries.
//! let (work, events) = mpsc::sync_channel(100);
//! let verifier = WebhookVerifier::new("whsec_test")?;
//! let handler = Handler { verifier, seen: Mutex::default(), work };
//!
//! let body = br#"{"id": "wh_1", "type": "session.completed", "data": {}}"#;
//! let signed = HeaderMap::from_iter([WebhookSigner::new("whsec_test")?.sign(body)]);
//! let forged = HeaderMap::from_iter([WebhookSigner::new("whsec_other")?.sign(body)]);
//!
//! assert_eq!(handler.handle(&forged, body), 401);
//! assert_eq!(handler.handle(&signed, body), 204);
//! assert_eq!(handler.handle(&signed, body), 204);
//! assert_eq!(events.try_iter().count(), 1);
//! # Ok::<(), dari::Error>(())
//! ```

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
