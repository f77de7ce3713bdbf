//! An archive that is ready to be uploaded, with its sum and size.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempPath;
use tokio::task::spawn_blocking;

use crate::error::Error;
use crate::publish::packing::{Packing, Sum, pack};
use crate::publish::source::{AgentSource, Kind, SourceDirectory};
use crate::publish::unusable::Unusable;
use crate::source_snapshots::ArchiveContent;

const NAME: &str = "agents.publish";

/// The archive of an agent's source, with its sum and size.
///
/// [`agents().publish`](crate::Agents::publish) makes one by itself; on its own it shows what would
/// be published, or goes with the single steps of
/// [`source_snapshots`](crate::Client::source_snapshots).
///
/// A packed directory stands in a temporary file, which is gone when the archive and its clones
/// are dropped.
#[derive(Clone)]
pub struct SourceArchive {
    data: Data,
    sha256: String,
    size_bytes: u64,
    paths: Vec<String>,
}

#[derive(Clone)]
enum Data {
    Bytes(Bytes),
    File(PathBuf),
    Packed(Arc<TempPath>),
}

impl SourceArchive {
    /// Packs a directory, or takes in an archive that is ready.
    ///
    /// What becomes of a directory is said at [`SourceDirectory`]. A ready archive is only summed up,
    /// and its file must stay as it is until it is uploaded.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a source that breaks the rules, naming the path; [`Error::File`]
    /// when something cannot be read, or the temporary file not be written.
    ///
    /// ```no_run
    /// # async fn example() -> dari::Result<()> {
    /// use dari::SourceArchive;
    ///
    /// let archive = SourceArchive::pack("agents/support").await?;
    /// println!("{} bytes, {}", archive.size_bytes(), archive.sha256());
    /// println!("{}", archive.paths().join("\n"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pack(
        source: impl Into<AgentSource>,
    ) -> Pin<Box<dyn Future<Output = Result<Self, Error>> + Send>> {
        let source = source.into();
        Box::pin(async move {
            let (packing, _waiting) = Packing::new();
            let made = spawn_blocking(move || Self::make(source, &packing)).await;
            made.unwrap_or(Err(Unusable::GivenUp)).map_err(|error| error.into_error(NAME))
        })
    }

    /// Returns the SHA-256 in lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Returns the paths of the files in it, sorted.
    ///
    /// Of an archive that was ready, none: it is not looked into.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Opens it for reading.
    ///
    /// # Errors
    ///
    /// When its file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.data {
            Data::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Data::File(path) => Box::new(File::open(path)?),
            Data::Packed(path) => Box::new(File::open(&**path)?),
        })
    }

    fn make(source: AgentSource, packing: &Packing) -> Result<Self, Unusable> {
        match source.0 {
            Kind::Bytes(bytes) => Self::ready(Data::Bytes(bytes.clone()), &*bytes, packing),
            Kind::Directory(directory) => Self::packed(&directory, packing),
            Kind::Path(path) => {
                // Asked before the opening: opening a pipe would wait for its other end.
                let metadata = std::fs::metadata(&path).map_err(Unusable::unreadable(&path))?;
                if metadata.is_dir() {
                    return Self::packed(&SourceDirectory::new(path), packing);
                }
                if !metadata.is_file() {
                    let shown = path.display().to_string();
                    return Unusable::refused(&shown, "is neither a file nor a directory");
                }
                let file = File::open(&path).map_err(Unusable::unreadable(&path))?;
                Self::ready(Data::File(path), file, packing)
            }
        }
    }

    fn packed(directory: &SourceDirectory, packing: &Packing) -> Result<Self, Unusable> {
        let packed = pack(directory, packing)?;
        Ok(Self {
            data: Data::Packed(Arc::new(packed.file)),
            size_bytes: packed.sum.size,
            sha256: packed.sum.hex(),
            paths: packed.paths,
        })
    }

    fn ready(data: Data, mut archive: impl Read, packing: &Packing) -> Result<Self, Unusable> {
        let unreadable = |error| Unusable::Unreadable("the archive cannot be read".into(), error);
        let mut sum = Sum::default();
        let mut piece = vec![0; 64 << 10];
        let mut is_gzip = false;
        loop {
            packing.go_on()?;
            let length = match archive.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(unreadable)?,
            };
            let read = piece.get(..length).unwrap_or_default();
            if sum.size == 0 {
                is_gzip = read.starts_with(&[0x1f, 0x8b]);
            }
            if !is_gzip {
                return Err(Unusable::Refused("it is no directory and no tar.gz archive".into()));
            }
            if read.is_empty() {
                break;
            }
            sum.add(read);
        }
        let size_bytes = sum.size;
        Ok(Self { data, size_bytes, sha256: sum.hex(), paths: Vec::new() })
    }
}

impl From<SourceArchive> for ArchiveContent {
    fn from(archive: SourceArchive) -> Self {
        match archive.data {
            Data::Bytes(bytes) => bytes.into(),
            Data::File(path) => path.into(),
            Data::Packed(path) => Self::temporary(path.to_path_buf(), path),
        }
    }
}

impl From<&SourceArchive> for ArchiveContent {
    fn from(archive: &SourceArchive) -> Self {
        archive.clone().into()
    }
}

/// Shows sum and size.
impl fmt::Debug for SourceArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceArchive")
            .field("sha256", &self.sha256)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}
