//! Ways to get one message over HTTP, each decoding the same `dari::Message`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dari::{Client, Message, MessageId};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::Failure;

/// What a task of a benchmark may fail with.
type TaskFailure = Box<dyn std::error::Error + Send + Sync>;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One way to get a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Getter {
    /// This crate: `messages().get(..)` with everything on.
    Dari,
    /// `reqwest` with a timeout and `.json()`.
    Reqwest,
    /// `hyper`'s pooled client, its body collected: what HTTP costs.
    Hyper,
}

/// A getter ready to run.
#[derive(Clone)]
enum Ready {
    Dari(Client, MessageId),
    Reqwest(reqwest::Client, String),
    Hyper(Box<Hyper<HttpConnector, Empty<Bytes>>>, hyper::Uri),
}

impl Getter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dari, Self::Reqwest, Self::Hyper];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dari => "dari",
            Self::Reqwest => "reqwest",
            Self::Hyper => "hyper",
        }
    }

    /// Gets the message `count` times, `at_once` of them in flight; returns how long each took.
    ///
    /// # Errors
    ///
    /// Fails when any of them does.
    pub async fn run(
        self,
        server: &str,
        count: usize,
        at_once: usize,
    ) -> Result<Vec<Duration>, Failure> {
        let ready = Arc::new(self.ready(server)?);
        // Connections and buffers are there before anything is measured.
        ready.get().await.map_err(|failure| failure.to_string())?;
        let mut workers = JoinSet::new();
        for worker in 0..at_once {
            let (ready, share) = (ready.clone(), count / at_once);
            let share = share + usize::from(worker < count % at_once);
            workers.spawn_local(async move { ready.get_all(share).await });
        }
        let mut times = Vec::with_capacity(count);
        while let Some(done) = workers.join_next().await {
            times.extend(done?.map_err(|failure| failure.to_string())?);
        }
        Ok(times)
    }

    fn ready(self, server: &str) -> Result<Ready, Failure> {
        let url = format!("{server}/v1/messages/msg_123");
        Ok(match self {
            Self::Dari => {
                let client = Client::builder("dari_benchmark").base_url(server).build()?;
                Ready::Dari(client, "msg_123".parse()?)
            }
            Self::Reqwest => {
                let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
                Ready::Reqwest(client, url)
            }
            Self::Hyper => Ready::Hyper(
                Box::new(Hyper::builder(TokioExecutor::new()).build_http()),
                url.parse()?,
            ),
        })
    }
}

impl Ready {
    async fn get_all(&self, count: usize) -> Result<Vec<Duration>, TaskFailure> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            let message = self.get().await?;
            times.push(started.elapsed());
            if message.id != "msg_123" {
                return Err("another message came".into());
            }
        }
        Ok(times)
    }

    async fn get(&self) -> Result<Message, TaskFailure> {
        match self {
            Self::Dari(client, id) => Ok(client.messages().get(id).await?),
            Self::Reqwest(client, url) => {
                let request = client.get(url).bearer_auth("dari_benchmark");
                Ok(request.send().await?.error_for_status()?.json().await?)
            }
            Self::Hyper(client, uri) => {
                let request = hyper::Request::get(uri.clone())
                    .header("authorization", "Bearer dari_benchmark")
                    .body(Empty::new())?;
                let body = client.request(request).await?.into_body().collect().await?.to_bytes();
                Ok(serde_json::from_slice(&body)?)
            }
        }
    }
}
