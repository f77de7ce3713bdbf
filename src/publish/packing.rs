//! Packs: the same files make the same bytes.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tempfile::{NamedTempFile, TempPath};

use crate::publish::source::SourceDirectory;
use crate::publish::unusable::Unusable;
use crate::publish::walk::{Found, Listing, list};

/// Packing under way; it ends soon after its [`Waiting`] is dropped.
pub(super) struct Packing(Arc<AtomicBool>);

/// Someone who waits for a packing.
pub(super) struct Waiting(Arc<AtomicBool>);

/// An archive on the disk, gone when this is dropped.
pub(super) struct Packed {
    pub(super) file: TempPath,
    pub(super) sum: Sum,
    pub(super) paths: Vec<String>,
}

/// The sum and the size of what went by.
#[derive(Default)]
pub(super) struct Sum {
    hash: Sha256,
    pub(super) size: u64,
}

impl Packing {
    pub(super) fn new() -> (Self, Waiting) {
        let given_up = Arc::new(AtomicBool::new(false));
        (Self(given_up.clone()), Waiting(given_up))
    }

    pub(super) fn go_on(&self) -> Result<(), Unusable> {
        if self.0.load(Ordering::Relaxed) { Err(Unusable::GivenUp) } else { Ok(()) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Sum {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Returns the SHA-256 in lower-case hex.
    pub(super) fn hex(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Packs a directory into a temporary file.
pub(super) fn pack(source: &SourceDirectory, packing: &Packing) -> Result<Packed, Unusable> {
    let listing = list(source, packing)?;
    let broken = |error| Unusable::Unreadable("the archive cannot be written".to_owned(), error);
    let (file, path) = NamedTempFile::new().map_err(broken)?.into_parts();
    let summing = Summing { inner: BufWriter::new(file), sum: Sum::default() };
    // No name and no time in the head: they would be part of the sum.
    let gzip = GzBuilder::new().mtime(0).write(summing, Compression::default());
    let mut tar = Builder::new(gzip);
    for (path, found) in &listing {
        append(&mut tar, (path, found), packing)?;
    }
    let summing = tar.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(broken)?;
    summing.inner.into_inner().map_err(|error| broken(error.into_error()))?;
    let paths = Listing::into_keys(listing).collect();
    Ok(Packed { file: path, sum: summing.sum, paths })
}

fn append<W: Write>(
    tar: &mut Builder<W>,
    (path, found): (&str, &Found),
    packing: &Packing,
) -> Result<(), Unusable> {
    packing.go_on()?;
    let file = File::open(&found.place).map_err(Unusable::unreadable(path))?;
    let metadata = file.metadata().map_err(Unusable::unreadable(path))?;
    if !is_same(&metadata, &found.metadata) {
        return Unusable::refused(path, "was changed while it was packed");
    }
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(metadata.len());
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(if is_executable(&metadata) { 0o755 } else { 0o644 });
    let mut content = Content { file: file.take(metadata.len()), packing };
    let appended = tar.append_data(&mut header, Path::new(path), &mut content);
    packing.go_on()?;
    appended.map_err(Unusable::unreadable(path))?;
    if content.file.limit() > 0 {
        return Unusable::refused(path, "was cut while it was packed");
    }
    Ok(())
}

/// A file on its way into the archive.
struct Content<'a> {
    file: io::Take<File>,
    packing: &'a Packing,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.packing.go_on().map_err(|_given_up| io::Error::other("given up"))?;
        self.file.read(buffer)
    }
}

/// Writes on, and sums up what it has written.
struct Summing<W> {
    inner: W,
    sum: Sum,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.add(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Returns whether what was opened is what was found: a link may have taken its place.
#[cfg(unix)]
fn is_same(opened: &Metadata, found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |it: &Metadata| (it.dev(), it.ino(), it.len());
    opened.is_file() && identity(opened) == identity(found)
}

#[cfg(not(unix))]
fn is_same(opened: &Metadata, found: &Metadata) -> bool {
    opened.is_file() && opened.len() == found.len()
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}
