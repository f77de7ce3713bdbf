//! What is uploaded: bytes, a file, or a reader.

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::io::AsyncRead;

use crate::http::Source;

/// What is uploaded, and under which name.
///
/// ```
/// use dari::FileSource;
///
/// let from_memory = FileSource::bytes("notes.txt", "Remember the milk.");
/// let from_disk = FileSource::path("reports/march.pdf");
/// let from_anywhere = FileSource::reader("log.txt", tokio::io::empty());
/// ```
pub struct FileSource {
    pub(super) name: String,
    pub(super) source: Source,
}

impl FileSource {
    /// Returns bytes in memory, under this name.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), source: Source::Bytes(bytes.into()) }
    }

    /// Returns a regular file, under its own name.
    ///
    /// It is opened when the call is awaited, and read a piece at a time. What is appended to it
    /// after that is left out; if it is cut short, the upload fails.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.to_string_lossy().into_owned(), source: Source::File(path) }
    }

    /// Returns what a reader gives until its end, under this name.
    ///
    /// Its size is not known, so the request is sent in chunks and progress has no total; some
    /// proxies refuse that. Use [`sized_reader`](Self::sized_reader) where the size is known.
    pub fn reader(name: impl Into<String>, reader: impl AsyncRead + Send + 'static) -> Self {
        Self { name: name.into(), source: Source::Reader(Box::pin(reader), None) }
    }

    /// Returns what a reader gives, which must be so many bytes.
    ///
    /// The upload fails if it gives fewer, or more together with the last of them. Once it has given
    /// as many it is not read any more, so it needs no end.
    ///
    /// ```
    /// use dari::FileSource;
    ///
    /// let source = FileSource::sized_reader("numbers.txt", 5, &b"1 2 3"[..]);
    /// ```
    pub fn sized_reader(
        name: impl Into<String>,
        size_bytes: u64,
        reader: impl AsyncRead + Send + 'static,
    ) -> Self {
        Self { name: name.into(), source: Source::Reader(Box::pin(reader), Some(size_bytes)) }
    }
}

impl From<PathBuf> for FileSource {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl From<&Path> for FileSource {
    fn from(path: &Path) -> Self {
        Self::path(path)
    }
}

impl From<&PathBuf> for FileSource {
    fn from(path: &PathBuf) -> Self {
        Self::path(path)
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource").field("name", &self.name).finish_non_exhaustive()
    }
}
