//! Where the bytes of an upload come from, and how they are read a piece at a time.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::{JoinHandle, spawn_blocking};

/// How much is read and handed on at once, 64 KiB.
const PIECE: usize = 64 << 10;

/// Something that can be read once, of any size.
pub(crate) type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// Where the bytes come from.
pub(crate) enum Source {
    /// From memory; can be read again.
    Bytes(Bytes),
    /// From a file, opened when it is needed; can be read again.
    File(PathBuf),
    /// From a reader, with its size if that is known; what has been read is gone.
    Reader(Reader, Option<u64>),
    /// From nowhere: a reader that was given away.
    Spent,
}

/// A source that is being read.
pub(super) enum Content {
    Bytes(Bytes),
    File(FileReader, u64),
    Reader(Reader, Option<u64>),
}

/// A file that is read on a thread for blocking work, a piece at a time.
///
/// `tokio::fs` does the same, and everybody would have to build it.
pub(super) enum FileReader {
    Idle(File),
    Reading(JoinHandle<(File, io::Result<Bytes>)>),
    /// The thread has ended without it.
    Lost,
}

impl Source {
    /// Returns whether the bytes can be had once more after they have been read.
    pub(super) fn can_be_read_again(&self) -> bool {
        matches!(self, Self::Bytes(_) | Self::File(_))
    }

    pub(super) async fn open(&mut self) -> io::Result<Content> {
        match self {
            Self::Bytes(bytes) => Ok(Content::Bytes(bytes.clone())),
            Self::File(path) => {
                let path = path.clone();
                let opened = spawn_blocking(move || open(&path)).await;
                let (file, size) = opened.map_err(io::Error::other)??;
                Ok(Content::File(FileReader::Idle(file), size))
            }
            Self::Reader(..) | Self::Spent => match std::mem::replace(self, Self::Spent) {
                Self::Reader(reader, size) => Ok(Content::Reader(reader, size)),
                _ => Err(io::Error::other("it has been read already")),
            },
        }
    }
}

impl Content {
    /// Returns how many bytes are to come, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File(_, left) => Some(*left),
            Self::Reader(_, left) => *left,
        }
    }

    /// Returns the next piece; `None` at the end.
    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        match self {
            Self::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(Some(Ok(bytes.split_to(bytes.len().min(PIECE))))),
            // What was appended since the opening is not part of it.
            Self::File(_, 0) => Poll::Ready(None),
            Self::File(file, left) => {
                let read = ready!(file.poll_piece(context));
                let cut = |mut bytes: Bytes| {
                    bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                    bytes
                };
                Poll::Ready(counted(read.map(cut), left).transpose())
            }
            // Not asked once more: it may have no end of its own, such as a socket.
            Self::Reader(_, Some(0)) => Poll::Ready(None),
            Self::Reader(reader, left) => {
                let read = ready!(poll_read(reader.as_mut(), context));
                Poll::Ready(match left {
                    Some(left) => counted(read, left).transpose(),
                    None => read.map(|bytes| (!bytes.is_empty()).then_some(bytes)).transpose(),
                })
            }
        }
    }
}

impl FileReader {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            match std::mem::replace(self, Self::Lost) {
                Self::Idle(mut file) => {
                    *self = Self::Reading(spawn_blocking(move || {
                        let piece = read_piece(&mut file);
                        (file, piece)
                    }));
                }
                Self::Reading(mut reading) => match Pin::new(&mut reading).poll(context) {
                    Poll::Ready(Ok((file, piece))) => {
                        *self = Self::Idle(file);
                        return Poll::Ready(piece);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                    Poll::Pending => {
                        *self = Self::Reading(reading);
                        return Poll::Pending;
                    }
                },
                Self::Lost => return Poll::Ready(Err(io::Error::other("it cannot be read on"))),
            }
        }
    }
}

/// Opens a regular file, and returns its size.
fn open(path: &Path) -> io::Result<(File, u64)> {
    // Asked before the opening: opening a pipe would wait for its other end.
    if !fs::metadata(path)?.is_file() {
        let what = "it is not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn read_piece(file: &mut File) -> io::Result<Bytes> {
    let mut piece = vec![0; PIECE];
    let length = loop {
        match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    piece.truncate(length);
    Ok(piece.into())
}

/// Takes what was read off what is left; both ends of a size that does not hold are errors.
fn counted(read: io::Result<Bytes>, left: &mut u64) -> io::Result<Option<Bytes>> {
    let bytes = read?;
    match left.checked_sub(bytes.len() as u64) {
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "it has more bytes than its size")),
        Some(0) if bytes.is_empty() => Ok(None),
        Some(missing) if bytes.is_empty() => {
            let what = format!("it ended {missing} bytes before its size");
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
        }
        Some(rest) => {
            *left = rest;
            Ok(Some(bytes))
        }
    }
}

fn poll_read<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    context: &mut Context<'_>,
) -> Poll<io::Result<Bytes>> {
    let mut piece = vec![0; PIECE];
    let mut buffer = ReadBuf::new(&mut piece);
    ready!(reader.poll_read(context, &mut buffer))?;
    let length = buffer.filled().len();
    piece.truncate(length);
    Poll::Ready(Ok(piece.into()))
}
