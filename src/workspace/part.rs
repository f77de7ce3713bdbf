//! Writes a download beside its place; what is not whole never gets there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use crate::error::{CallFacts, DecodeError, Error, one_line};
use crate::workspace::Download;
use crate::workspace::end::read_end;

/// A file in the making, and what takes it away when it is dropped.
///
/// It is made and written by blocking tasks that own it: if the caller's future is dropped while
/// one of them runs, its result is dropped with the file in it.
pub(super) struct Part<G> {
    pub(super) file: File,
    pub(super) guard: G,
}

/// What went wrong away from the network.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What came cannot be taken: the entry, if it is one, and why.
    Archive(String, String),
    /// A file cannot be written.
    Disk(PathBuf, io::Error),
}

/// Removes a file, unless it has been moved to its place.
struct Unfinished(Option<PathBuf>);

/// Writes a download to a file that is there whole or not at all.
pub(super) async fn to_file(download: Download, path: PathBuf) -> Result<u64, Error> {
    let facts = download.facts().clone();
    let place = path.clone();
    let part = blocking(move || create_beside(&place)).await.map_err(|it| it.told(&facts))?;
    let (part, size) = fill(download, part, &path).await?;
    blocking(move || finish(part, &path)).await.map_err(|it| it.told(&facts))?;
    Ok(size)
}

/// Writes all of a download, and returns its size.
pub(super) async fn fill<G: Send + 'static>(
    mut download: Download,
    mut part: Part<G>,
    path: &Path,
) -> Result<(Part<G>, u64), Error> {
    let mut size = 0;
    while let Some(bytes) = download.try_next().await? {
        size += bytes.len() as u64;
        let path = path.to_owned();
        let write = move || match part.file.write_all(&bytes) {
            Ok(()) => Ok(part),
            Err(error) => Err(Trouble::Disk(path, error)),
        };
        part = blocking(write).await.map_err(|it| it.told(download.facts()))?;
    }
    Ok((part, size))
}

/// Returns a name that nobody else has.
pub(super) fn part_name() -> String {
    format!(".dari-{:016x}.part", fastrand::u64(..))
}

/// Runs what blocks where it may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let ended = spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(Trouble::Disk(PathBuf::new(), io::Error::other(error))))
}

fn create_beside(place: &Path) -> Result<Part<Unfinished>, Trouble> {
    let path = place.with_file_name(part_name());
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
    let file = file.map_err(|error| Trouble::Disk(place.to_owned(), error))?;
    Ok(Part { file, guard: Unfinished(Some(path)) })
}

fn finish(part: Part<Unfinished>, place: &Path) -> Result<(), Trouble> {
    let Part { mut file, mut guard } = part;
    let disk = |error| Trouble::Disk(place.to_owned(), error);
    if read_end(&mut file).map_err(disk)?.is_none() {
        return Err(Trouble::not_whole());
    }
    file.sync_all().map_err(disk)?;
    // Closed first: some systems do not rename an open file.
    drop(file);
    guard.move_to(place).map_err(disk)
}

impl Trouble {
    pub(super) fn not_whole() -> Self {
        Self::Archive(String::new(), "it is not a whole zip archive".to_owned())
    }

    pub(super) fn told(self, facts: &CallFacts) -> Error {
        let facts = facts.clone();
        match self {
            Self::Disk(path, error) => {
                Error::file(facts, &format!("cannot write {}", path.display()), error)
            }
            Self::Archive(entry, reason) => Error::Decode(Box::new(DecodeError {
                facts,
                path: one_line(&entry, 512),
                reason: one_line(&reason, 512),
                excerpt: String::new(),
            })),
        }
    }
}

impl Unfinished {
    fn move_to(&mut self, place: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, place)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // There is nobody left to tell of a failure.
            let _ = fs::remove_file(path);
        }
    }
}
