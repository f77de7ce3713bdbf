//! The thread that serves: start, and stop when dropped.

use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::deliver::deliver;
use super::line::{Cutter, Lines};
use super::routes::router;
use super::service::Service;

/// A running server; dropping it ends all it holds.
pub(super) struct Server {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Returns a server that accepts connections.
    pub(super) async fn start(service: Service, port: u16) -> io::Result<Self> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("port {port} of 127.0.0.1: {error}"))
        };
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(named)?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let run = move || match set_up(listener, service) {
            Ok(runtime) => {
                let _ = ready.send(Ok(()));
                // Ends when the sender is dropped; then the runtime goes, with every task in it.
                let _ = runtime.block_on(stopped);
            }
            Err(error) => drop(ready.send(Err(error))),
        };
        let thread = thread::Builder::new().name("dari-emulator".to_owned()).spawn(run)?;
        let server = Self { url, stop: Some(stop), thread: Some(thread) };
        started.await.map_err(io::Error::other)??;
        Ok(server)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A script may own the emulator it runs in; a thread cannot wait for itself.
        if thread.thread().id() != thread::current().id() {
            let _ = thread.join();
        }
    }
}

/// Returns a runtime in which the service is being served.
fn set_up(listener: StdListener, service: Service) -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _context = runtime.enter();
        TcpListener::from_std(listener)?
    };
    let service = Arc::new(service);
    let routes = router(service.clone()).into_make_service_with_connect_info::<Cutter>();
    runtime.spawn(deliver(service));
    runtime.spawn(async { axum::serve(Lines(listener), routes).await });
    Ok(runtime)
}
