//! A server that answers every request with the same reply, on raw sockets in threads of its own.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Serves this JSON on a free port until the process ends.
///
/// # Errors
///
/// Fails when no port can be had.
pub fn start(json: &str) -> io::Result<SocketAddr> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        json.len()
    );
    let reply = Arc::new((head + json).into_bytes());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let reply = reply.clone();
            // A client that closes its connection is done with it.
            thread::spawn(move || answer(socket, &reply));
        }
    });
    Ok(address)
}

fn answer(mut socket: TcpStream, reply: &[u8]) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut lines = BufReader::new(socket.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        // None of the requests has a body: an empty line is their end.
        if line.trim_end().is_empty() {
            socket.write_all(reply)?;
        }
    }
}
