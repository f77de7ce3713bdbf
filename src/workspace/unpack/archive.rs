//! A zip archive whose directory is read under a ceiling; names the zip library alone.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::workspace::part::{Trouble, count_entries};

/// What the directory of an archive may take, for each entry allowed and once.
const BYTES_AN_ENTRY: u64 = 1 << 10;
const BYTES_ONCE: u64 = 256 << 10;

/// The bits of a Unix mode that say what a thing is.
const KIND_OF_FILE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
const EXECUTABLE: u32 = 0o111;

pub(super) struct Archive(ZipArchive<Metered>);

/// One entry, as the archive has it.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The size the archive tells.
    pub(super) told_size: u64,
    pub(super) content: &'a mut dyn Read,
}

/// What an entry becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Program,
    Directory,
}

/// A file of which only so much may be read, until that no longer counts.
///
/// The library holds the whole directory of an archive in memory, whatever its size, and looks for
/// another one further up when the last is broken.
struct Metered {
    inner: BufReader<File>,
    left: Rc<Cell<u64>>,
}

impl Archive {
    /// Reads the directory of an archive with so many entries at most.
    pub(super) fn open(mut file: File, most: u64) -> Result<Self, Trouble> {
        let refused = |reason: String| Trouble::Archive(String::new(), reason);
        let told = count_entries(&mut file).map_err(|error| refused(error.to_string()))?;
        let told = told.ok_or_else(Trouble::not_whole)?;
        let too_many = |number| refused(format!("it has {number} entries, {most} are allowed"));
        // Before the library makes room for as many.
        if told > most {
            return Err(too_many(told));
        }
        let budget = most.saturating_mul(BYTES_AN_ENTRY).saturating_add(BYTES_ONCE);
        let left = Rc::new(Cell::new(budget));
        let metered = Metered { inner: BufReader::new(file), left: left.clone() };
        let archive = ZipArchive::new(metered).map_err(|error| refused(error.to_string()))?;
        left.set(u64::MAX);
        let number = archive.len() as u64;
        if number > most {
            return Err(too_many(number));
        }
        // The library keeps one of several entries with the same name, and says nothing.
        if told != number {
            return Err(refused("an entry stands in it twice".to_owned()));
        }
        Ok(Self(archive))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn with_entry<T>(
        &mut self,
        index: u64,
        work: impl FnOnce(Entry<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let name = self.0.name_for_index(index).unwrap_or_default().to_owned();
        let mut content = match self.0.by_index(index) {
            Ok(content) => content,
            Err(error) => return Err(Trouble::Archive(name, error.to_string())),
        };
        // Many archives have UTF-8 without saying so; the library then reads an old code page.
        let name = std::str::from_utf8(content.name_raw()).map_or(name, str::to_owned);
        let (kind, told_size) = (kind_of(&content, &name)?, content.size());
        work(Entry { name, kind, told_size, content: &mut content })
    }
}

fn kind_of<R: Read>(entry: &ZipFile<'_, R>, name: &str) -> Result<Kind, Trouble> {
    let mode = entry.unix_mode().unwrap_or_default();
    let refused = |reason: &str| Err(Trouble::Archive(name.to_owned(), reason.to_owned()));
    match (mode & KIND_OF_FILE, name.ends_with('/')) {
        (LINK, _) => refused("it is a link"),
        // Some programs mark a directory by its name alone.
        (0 | DIRECTORY | REGULAR, true) => Ok(Kind::Directory),
        (0 | REGULAR, false) if mode & EXECUTABLE != 0 => Ok(Kind::Program),
        (0 | REGULAR, false) => Ok(Kind::File),
        _ => refused("it is neither a file nor a directory"),
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(length as u64);
        let left = left.ok_or_else(|| io::Error::other("its directory is too large"))?;
        self.left.set(left);
        Ok(length)
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
