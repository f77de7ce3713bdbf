//! A proxy that cuts connections in the middle of what the server says, or holds requests back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

/// What a proxy does to the connections it passes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cutting {
    /// Each ends after some bytes of the server, by a reset or cleanly.
    ///
    /// How many is drawn between these, small ones as often as large ones by their logarithm.
    Within(usize, usize),
    /// A POST never reaches the server.
    PostsHeld,
    /// The reply to a POST never comes back.
    RepliesToPostsHeld,
}

/// A proxy before a server.
pub(crate) struct CuttingProxy {
    pub(crate) url: String,
    cuts: Arc<AtomicUsize>,
    held: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl CuttingProxy {
    pub(crate) async fn start(server: &str, cutting: Cutting) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let (cuts, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (count, signal) = (cuts.clone(), held.clone());
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            let mut random = fastrand::Rng::with_seed(42);
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let passage = Passage {
                    left: match cutting {
                        Cutting::Within(least, most) => {
                            let factor = (most as f64 / least as f64).powf(random.f64());
                            (least as f64 * factor) as usize
                        }
                        _ => usize::MAX,
                    },
                    resets: random.bool(),
                    cutting,
                    cuts: count.clone(),
                    held: signal.clone(),
                };
                open.spawn(passage.pass(client, server));
                while open.try_join_next().is_some() {}
            }
        });
        Self { url, cuts, held, task }
    }

    /// Returns how many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    /// Waits until a POST, or the reply to one, is held.
    pub(crate) async fn held(&self) {
        self.held.acquire().await.unwrap().forget();
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection through the proxy.
struct Passage {
    left: usize,
    resets: bool,
    cutting: Cutting,
    cuts: Arc<AtomicUsize>,
    held: Arc<Semaphore>,
}

impl Passage {
    async fn pass(mut self, mut client: TcpStream, mut server: TcpStream) {
        let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        let mut posted = false;
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let Ok(length @ 1..) = read else { return };
                    // A client sends a request in one piece, and none before the reply to the last.
                    posted |= up.starts_with(b"POST ");
                    if posted && self.cutting == Cutting::PostsHeld {
                        return self.hold(client).await;
                    }
                    if server.write_all(&up[..length]).await.is_err() {
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let Ok(length @ 1..) = read else { return };
                    if posted && self.cutting == Cutting::RepliesToPostsHeld {
                        return self.hold(client).await;
                    }
                    let length = length.min(self.left);
                    self.left -= length;
                    if client.write_all(&down[..length]).await.is_err() {
                        return;
                    }
                    if self.left == 0 {
                        return self.cut(&client);
                    }
                }
            }
        }
    }

    fn cut(&self, client: &TcpStream) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
        if self.resets {
            client.set_zero_linger().unwrap();
        }
    }

    async fn hold(&self, mut client: TcpStream) {
        self.held.add_permits(1);
        // Until the client goes away.
        let _gone = client.read(&mut [0]).await;
    }
}
