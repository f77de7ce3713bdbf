//! Writes entries below a directory of our own, and counts what really comes out.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::workspace::part::Trouble;
use crate::workspace::unpack::archive::{Entry, Kind};
use crate::workspace::unpack::names::{System, steps};
use crate::workspace::unpack::{Job, Unpacked};

/// What may come out before the ratio counts, 10 MiB.
const FREE_OF_RATIO: u64 = 10 << 20;
const PIECE: usize = 64 << 10;

pub(super) struct Tree<'a> {
    root: PathBuf,
    job: &'a Job,
    /// By its path in lower case: the path as it was spelled, and whether it is a directory.
    taken: HashMap<String, (String, Is)>,
    made: Unpacked,
    piece: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Directory,
    File,
}

impl<'a> Tree<'a> {
    /// Returns what writes below `root`, which must be new.
    pub(super) fn new(root: PathBuf, job: &'a Job) -> Self {
        Self { root, job, taken: HashMap::new(), made: Unpacked::default(), piece: vec![0; PIECE] }
    }

    pub(super) fn made(&self) -> Unpacked {
        self.made
    }

    pub(super) fn add(&mut self, mut entry: Entry<'_>) -> Result<(), Trouble> {
        let name = entry.name.clone();
        let refused = |reason: String| Trouble::Archive(name.clone(), reason);
        let steps = steps(&name, System::HERE).map_err(|reason| refused(reason.to_owned()))?;
        let Some((last, parents)) = steps.split_last() else {
            return Ok(());
        };
        let (mut spelled, mut path) = (String::new(), self.root.clone());
        for step in parents {
            descend(&mut spelled, &mut path, step);
            self.directory(&spelled, &path).map_err(|it| it.of(&name))?;
        }
        descend(&mut spelled, &mut path, last);
        if entry.kind == Kind::Directory {
            return self.directory(&spelled, &path).map_err(|it| it.of(&name));
        }
        if !self.take(&spelled, Is::File).map_err(|it| it.of(&name))? {
            return Err(refused("it stands in the archive twice".to_owned()));
        }
        self.made.files += 1;
        let file = create(&path, entry.kind).map_err(|it| Trouble::Disk(path.clone(), it))?;
        self.copy(&mut entry, (file, &path))
    }

    fn directory(&mut self, spelled: &str, path: &Path) -> Result<(), Trouble> {
        if self.take(spelled, Is::Directory)? {
            self.made.directories += 1;
            fs::create_dir(path).map_err(|error| Trouble::Disk(path.to_owned(), error))?;
        }
        Ok(())
    }

    /// Notes what a path is, and returns whether it is new.
    fn take(&mut self, spelled: &str, is: Is) -> Result<bool, Trouble> {
        let refused = |reason| Err(Trouble::Archive(String::new(), reason));
        match self.taken.entry(spelled.to_lowercase()) {
            Slot::Vacant(slot) => {
                slot.insert((spelled.to_owned(), is));
            }
            Slot::Occupied(slot) => {
                let (other, other_is) = slot.get();
                return match other == spelled {
                    true if is == Is::Directory && *other_is == is => Ok(false),
                    true => {
                        refused("something of its name stands in the archive already".to_owned())
                    }
                    false => refused(format!("its name differs from {other} only in case")),
                };
            }
        }
        let most = self.job.options.limits.entries;
        if self.taken.len() as u64 > most {
            return refused(format!("more than {most} files and directories"));
        }
        Ok(true)
    }

    fn copy(
        &mut self,
        entry: &mut Entry<'_>,
        (mut file, path): (File, &Path),
    ) -> Result<(), Trouble> {
        let refused = |reason: String| Trouble::Archive(entry.name.clone(), reason);
        let disk = |error| Trouble::Disk(path.to_owned(), error);
        let mut size = 0;
        loop {
            if self.job.stopped.load(Ordering::Relaxed) {
                return Err(refused("the unpacking was given up".to_owned()));
            }
            let read = entry.content.read(&mut self.piece);
            let length = read.map_err(|error| refused(error.to_string()))?;
            if length == 0 {
                break;
            }
            size += length as u64;
            self.made.bytes += length as u64;
            self.check_size().map_err(refused)?;
            file.write_all(self.piece.get(..length).unwrap_or_default()).map_err(disk)?;
        }
        if size == entry.told_size {
            return Ok(());
        }
        Err(refused(format!("it has {size} bytes, and should have {}", entry.told_size)))
    }

    fn check_size(&self) -> Result<(), String> {
        let limits = &self.job.options.limits;
        if self.made.bytes > limits.bytes {
            return Err(format!("more than {} bytes are unpacked", limits.bytes));
        }
        let fair = self.job.size.saturating_mul(limits.ratio).max(FREE_OF_RATIO);
        if self.made.bytes > fair {
            return Err(format!("the archive grows to more than {} times its size", limits.ratio));
        }
        Ok(())
    }
}

impl Trouble {
    /// Names the entry where it is not named yet.
    fn of(self, entry: &str) -> Self {
        match self {
            Self::Archive(_, reason) => Self::Archive(entry.to_owned(), reason),
            disk @ Self::Disk(..) => disk,
        }
    }
}

fn descend(spelled: &mut String, path: &mut PathBuf, step: &str) {
    if !spelled.is_empty() {
        spelled.push('/');
    }
    spelled.push_str(step);
    path.push(step);
}

/// Creates a file that must be new: two names may be one to this file system.
fn create(path: &Path, kind: Kind) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        if kind == Kind::Program { 0o777 } else { 0o666 },
    );
    #[cfg(not(unix))]
    let _ = kind;
    options.open(path)
}
