//! A server that does with each connection what a test says, byte by byte.

use std::future::Future;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that hands the n-th connection, from 0, to a function.
pub(crate) struct SocketServer {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl SocketServer {
    pub(crate) async fn start<F, S>(serve: F) -> Self
    where
        F: Fn(usize, Connection) -> S + Send + Sync + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = Arc::new(serve);
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            for number in 0.. {
                let Ok((socket, _)) = listener.accept().await else { return };
                socket.set_nodelay(true).unwrap();
                let connection = Connection { socket, unread: Vec::new() };
                open.spawn(serve(number, connection));
                while open.try_join_next().is_some() {}
            }
        });
        Self { url, task }
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, and what was read of it ahead.
pub(crate) struct Connection {
    socket: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Reads up to and with these bytes; `None` if the client goes away before.
    pub(crate) async fn read_to(&mut self, end: &str) -> Option<String> {
        loop {
            let found = self.unread.windows(end.len()).position(|part| part == end.as_bytes());
            if let Some(at) = found {
                let rest = self.unread.split_off(at + end.len());
                let read = std::mem::replace(&mut self.unread, rest);
                return Some(String::from_utf8(read).unwrap());
            }
            if self.socket.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Reads until the client sends no more, and returns how much that was.
    pub(crate) async fn read_all(&mut self) -> usize {
        let mut length = std::mem::take(&mut self.unread).len();
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = self.socket.read(&mut buffer).await {
            length += read;
        }
        length
    }

    /// Writes bytes; a client that has gone away is no fault of the server.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _gone = self.socket.write_all(bytes).await;
    }

    /// Closes the side to the client, and waits until the client has closed its own.
    pub(crate) async fn close(mut self) {
        let _gone = self.socket.shutdown().await;
        self.read_all().await;
    }
}
