//! Faults on request: what each does to a real client, and what that leaves on the service.

mod bytes;
mod calls;
mod chaos;
mod life;
mod routes;
mod streams;

use std::time::Duration;

use dari::emulator::{Emulator, FaultKind};
use dari::{Client, RetryPolicy, SessionId};

/// An emulator with one idle session, and a client that repeats without waiting.
struct Scene {
    emulator: Emulator,
    client: Client,
    session: SessionId,
}

impl Scene {
    async fn new() -> Self {
        Self::of(Emulator::start().await.unwrap()).await
    }

    async fn of(emulator: Emulator) -> Self {
        let policy = RetryPolicy::default().first_delay(Duration::ZERO);
        let client = emulator.client_builder().retry(policy).build().unwrap();
        let session = client.sessions().create(&emulator.agent()).await.unwrap().id;
        emulator.clear_requests();
        Self { emulator, client, session }
    }

    /// Returns the fault and the status of every request since the session was created.
    fn met(&self) -> Vec<(Option<FaultKind>, Option<u16>)> {
        let requests = self.emulator.requests();
        requests.iter().map(|request| (request.fault(), request.status())).collect()
    }

    /// Returns how many messages and sessions there are.
    async fn ledger(&self) -> (usize, usize) {
        let client = self.emulator.client().unwrap();
        let messages = client.messages().list(&self.session).await.unwrap().messages.len();
        (messages, client.sessions().list().await.unwrap().sessions.len())
    }
}
