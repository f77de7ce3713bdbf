//! A proxy that passes requests on and can lose the reply on its way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dari::emulator::Emulator;
use dari::{Client, RetryPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A proxy before a server that loses the first replies whole.
pub(crate) struct LossyProxy {
    pub(crate) url: String,
    passed: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl LossyProxy {
    pub(crate) async fn start(server: &str, lost: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let passed = Arc::new(AtomicUsize::new(0));
        let count = passed.clone();
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(&server).await.unwrap();
                if number < lost {
                    open.spawn(lose(socket, server));
                } else {
                    open.spawn(pass(socket, server));
                }
            }
        });
        Self { url, passed, task }
    }

    /// Returns a client of the proxy that has the emulator's key and repeats without waiting.
    pub(crate) fn client(&self, emulator: &Emulator) -> Client {
        let policy = RetryPolicy::default().first_delay(Duration::ZERO);
        Client::builder(emulator.api_key()).base_url(&*self.url).retry(policy).build().unwrap()
    }

    /// Returns how many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Drop for LossyProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream) {
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

async fn lose(mut client: TcpStream, mut server: TcpStream) {
    let mut bytes = vec![0; 64 << 10];
    let mut first = [0; 1];
    loop {
        tokio::select! {
            read = client.read(&mut bytes) => match read {
                Ok(length @ 1..) => server.write_all(&bytes[..length]).await.unwrap(),
                _ => return,
            },
            // The server has answered, so it has acted: nobody will hear of it.
            read = server.read(&mut first) => {
                assert_eq!(read.unwrap(), 1);
                client.set_zero_linger().unwrap();
                return;
            }
        }
    }
}
