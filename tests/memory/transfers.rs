//! Uploads and downloads: as much of them is held at 64 MiB as at one.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};

use dari::{Client, FileSource};
use tokio::io::{AsyncRead, ReadBuf};

use crate::{KIB, MIB, alone, assert_peak, level};

const SIZE: usize = 64 * MIB;

/// What a transfer may hold: pieces of 64 KiB and the buffers of a connection.
const TRANSFER: usize = 2 * MIB;

/// Gives so many bytes, made as they are read.
struct Generated(usize);

impl AsyncRead for Generated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = buffer.remaining().min(self.0);
        buffer.initialize_unfilled_to(length).fill(b'x');
        buffer.advance(length);
        self.0 -= length;
        Poll::Ready(Ok(()))
    }
}

/// Returns a client of a server that does this with its one connection, on its own thread's stack.
pub(crate) fn client<F>(serve: F) -> Client
where
    F: FnOnce(&mut TcpStream) -> io::Result<()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _gone = serve(&mut socket);
    });
    Client::builder("dari_1").base_url(url).build().unwrap()
}

/// Takes an upload, and answers with how many bytes came.
fn take_upload(socket: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64 * KIB];
    let mut taken = 0;
    let mut end = [0; 4];
    // The end of the form; chunks have one more of their own, which need not be waited for.
    while end != *b"--\r\n" && end != *b"\r\n\r\n" || taken < SIZE {
        let length = socket.read(&mut buffer)?;
        taken += length;
        for byte in &buffer[length.saturating_sub(4)..length] {
            end.rotate_left(1);
            end[3] = *byte;
        }
    }
    let body = format!("{{\"id\":\"file_1\",\"size_bytes\":{taken}}}");
    let length = body.len();
    write!(socket, "HTTP/1.1 201 Created\r\ncontent-length: {length}\r\n\r\n{body}")?;
    // Until the client goes: closing with something unread would take the answer back.
    while socket.read(&mut buffer)? > 0 {}
    Ok(())
}

/// Sends an archive of 64 MiB of nothing that ends as one does.
fn send_archive(socket: &mut TcpStream) -> io::Result<()> {
    let piece = [0; 64 * KIB];
    let _request = socket.read(&mut [0; 4 * KIB])?;
    let length = SIZE + 22;
    write!(socket, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")?;
    (0..SIZE / piece.len()).try_for_each(|_| socket.write_all(&piece))?;
    socket.write_all(b"PK\x05\x06")?;
    socket.write_all(&[0; 18])
}

#[test]
fn an_upload_of_64_mib_is_never_held_whole() {
    let sources = [
        FileSource::reader("a", Generated(SIZE)),
        FileSource::sized_reader("a", SIZE as u64, Generated(SIZE)),
    ];
    for source in sources {
        alone(async {
            let client = client(take_upload);
            let level = level();
            let file = client.files().upload(source).await.unwrap();
            assert!(file.size_bytes.unwrap() > SIZE as u64);
            assert_peak(level, TRANSFER, "an upload of 64 MiB");
        });
    }
}

#[test]
fn a_download_of_64_mib_is_never_held_whole() {
    let session = "sess_1".parse().unwrap();
    let path = std::env::temp_dir().join(format!("dari-memory-{}.zip", std::process::id()));
    alone(async {
        let client = client(send_archive);
        let level = level();
        let size = client.workspace().download(&session).to_file(&path).await.unwrap();
        assert_eq!(size, SIZE as u64 + 22);
        assert_peak(level, TRANSFER, "a download of 64 MiB to a file");
        std::fs::remove_file(&path).unwrap();
    });
    alone(async {
        let client = client(send_archive);
        let level = level();
        let mut download = client.workspace().download(&session).await.unwrap();
        let mut size = 0;
        while let Some(bytes) = download.try_next().await.unwrap() {
            size += bytes.len();
        }
        assert_eq!(size, SIZE + 22);
        assert_peak(level, TRANSFER, "a download of 64 MiB as a stream");
    });
}
