//! What is published: a directory, or an archive that is ready.

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// What is published: a directory, or a ready tar.gz archive.
///
/// A ready archive is sent as it is, links in it included: what is in it is for the service to check.
/// Text and paths name either of the two; bytes are an archive. A [`SourceDirectory`] is a
/// directory with options.
#[derive(Clone)]
pub struct AgentSource(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    Directory(SourceDirectory),
    /// A directory or an archive, whichever it turns out to be.
    Path(PathBuf),
    Bytes(Bytes),
}

/// A directory to be published, and what of it is left out.
///
/// # What is in the archive
///
/// The files below the directory, sorted by path; empty directories are not kept. Times, owners
/// and all permissions but *executable* are left out, so that the same files make the same archive
/// on any machine that knows that permission, and with the same sum where the same version of the
/// compressor packs it.
///
/// Links are followed, and the archive holds what they lead to in their place. A link that leads out
/// of the directory, nowhere, in a circle, or to something left out is refused, and so is
/// anything that is neither file nor directory, a name that is not UTF-8, and a directory without
/// any file in it.
///
/// # What is left out
///
/// Everything named `.git`; what a `.gitignore` of the directory or of one below it says; what the
/// `.dariignore` of the directory says, which has the same syntax and the last word, so that
/// `!dist/` takes in what `.gitignore` leaves out; and above both, the patterns given to
/// [`ignore`](Self::ignore). Git's ignore lists outside of the directory are not read, nor is its
/// index: a file that is tracked and ignored is left out.
///
/// ```
/// use dari::SourceDirectory;
///
/// let source = SourceDirectory::new("agents/support")
///     .ignore(["*.log", "/drafts"])
///     .max_files(500)
///     .max_size(20 << 20);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a source does nothing until it is published"]
pub struct SourceDirectory {
    pub(super) path: PathBuf,
    pub(super) ignore: Vec<String>,
    pub(super) max_files: usize,
    pub(super) max_size: u64,
}

impl SourceDirectory {
    /// Returns a source of all files below this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ignore: Vec::new(), max_files: 100_000, max_size: 1 << 30 }
    }

    /// Leaves out what matches one of these patterns.
    ///
    /// They have the syntax of `.gitignore` and stand above the lists in files; one that starts with
    /// `!` takes in again.
    pub fn ignore<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.ignore.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Sets how many files there may be. Default 100,000.
    ///
    /// And as many directories, where each counts as often as links lead to it.
    /// Past it the source is refused, before anything is sent.
    pub fn max_files(mut self, files: usize) -> Self {
        self.max_files = files;
        self
    }

    /// Sets how large the files may be together. Default 1 GiB.
    ///
    /// Past it the source is refused, before anything is sent.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = bytes;
        self
    }
}

impl From<SourceDirectory> for AgentSource {
    fn from(directory: SourceDirectory) -> Self {
        Self(Kind::Directory(directory))
    }
}

impl From<&str> for AgentSource {
    fn from(path: &str) -> Self {
        Self(Kind::Path(path.into()))
    }
}

impl From<String> for AgentSource {
    fn from(path: String) -> Self {
        Self(Kind::Path(path.into()))
    }
}

impl From<&Path> for AgentSource {
    fn from(path: &Path) -> Self {
        Self(Kind::Path(path.into()))
    }
}

impl From<&PathBuf> for AgentSource {
    fn from(path: &PathBuf) -> Self {
        Self(Kind::Path(path.clone()))
    }
}

impl From<PathBuf> for AgentSource {
    fn from(path: PathBuf) -> Self {
        Self(Kind::Path(path))
    }
}

impl From<Bytes> for AgentSource {
    fn from(archive: Bytes) -> Self {
        Self(Kind::Bytes(archive))
    }
}

impl From<Vec<u8>> for AgentSource {
    fn from(archive: Vec<u8>) -> Self {
        Self(Kind::Bytes(archive.into()))
    }
}

/// Shows paths, and of bytes how many.
impl fmt::Debug for AgentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Directory(directory) => fmt::Debug::fmt(directory, f),
            Kind::Path(path) => fmt::Debug::fmt(path, f),
            Kind::Bytes(archive) => write!(f, "{} bytes", archive.len()),
        }
    }
}
