//! A server of ledgers on a raw socket, in threads of its own.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::ledger::Ledger;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-store\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Ledgers by the id of their session.
pub type Ledgers = Arc<HashMap<&'static str, Ledger>>;

/// Serves `GET /v1/sessions/{id}/stream` on a free port until the process ends.
///
/// # Errors
///
/// Fails when no port can be had.
pub fn start(ledgers: Ledgers) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let ledgers = ledgers.clone();
            // A client that has seen enough closes its socket: no failure of the server.
            thread::spawn(move || answer(socket, &ledgers));
        }
    });
    Ok(address)
}

fn answer(mut socket: TcpStream, ledgers: &Ledgers) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let id = read_session(&socket)?;
    let ledger = ledgers.get(&*id).ok_or_else(|| io::Error::other("no such session"))?;
    socket.write_all(HEAD)?;
    for bytes in ledger.writes() {
        socket.write_all(bytes)?;
    }
    socket.write_all(LAST_CHUNK)?;
    // Closed by the client, so that none sees a reset before the last event.
    io::copy(&mut socket, &mut io::sink()).map(drop)
}

fn read_session(socket: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(socket).lines();
    let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let id = first.split('/').nth(3).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(id.to_owned())
}
