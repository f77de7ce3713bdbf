//! A directory of our own inside the target, and the move from there to the places meant.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::workspace::part::{Part, Trouble, part_name};

/// Removes what was unpacked, unless it has been moved to its place.
pub(super) struct Staging {
    target: PathBuf,
    /// Whether the target was made for this.
    is_new: bool,
    root: PathBuf,
}

/// From where to where.
type Moves = Vec<(PathBuf, PathBuf)>;

impl Staging {
    /// Makes the directory, and the file for the archive in it.
    pub(super) fn create(target: &Path) -> Result<Part<Self>, Trouble> {
        let disk = |error| Trouble::Disk(target.to_owned(), error);
        let is_new = match fs::metadata(target) {
            Ok(found) if found.is_dir() => false,
            Ok(_) => {
                let what = "it exists and is no directory";
                return Err(disk(io::Error::new(io::ErrorKind::NotADirectory, what)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(target).map_err(disk)?;
                true
            }
            Err(error) => return Err(disk(error)),
        };
        let root = target.join(part_name());
        let guard = Self { target: target.to_owned(), is_new, root };
        create_private(&guard.root).map_err(disk)?;
        fs::create_dir(guard.tree()).map_err(disk)?;
        let path = guard.root.join("archive.zip");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        Ok(Part { file: file.map_err(disk)?, guard })
    }

    /// Returns where to unpack to.
    pub(super) fn tree(&self) -> PathBuf {
        self.root.join("tree")
    }

    /// Moves everything to its place, or nothing.
    pub(super) fn finish(mut self) -> Result<(), Trouble> {
        let mut moves = Moves::new();
        plan(&self.tree(), &self.target, &mut moves)?;
        for (done, (from, to)) in moves.iter().enumerate() {
            let Err(error) = fs::rename(from, to) else { continue };
            for (from, to) in moves.iter().take(done).rev() {
                // Back to where all of it is removed.
                let _ = fs::rename(to, from);
            }
            return Err(Trouble::Disk(to.clone(), error));
        }
        self.is_new = false;
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // There is nobody left to tell of a failure.
        let _ = fs::remove_dir_all(&self.root);
        if self.is_new {
            let _ = fs::remove_dir(&self.target);
        }
    }
}

/// Finds the moves that bring what is below `from` to `to` and meet nothing there.
fn plan(from: &Path, to: &Path, moves: &mut Moves) -> Result<(), Trouble> {
    let found = fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in found.map_err(|error| Trouble::Disk(from.to_owned(), error))? {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match fs::symlink_metadata(&to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => moves.push((from, to)),
            Err(error) => return Err(Trouble::Disk(to, error)),
            // Of a link this is never true, wherever it leads.
            Ok(there) if there.is_dir() && from.is_dir() => plan(&from, &to, moves)?,
            Ok(_) => {
                let what = "it exists already, and nothing is overwritten";
                return Err(Trouble::Disk(to, io::Error::new(io::ErrorKind::AlreadyExists, what)));
            }
        }
    }
    Ok(())
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
