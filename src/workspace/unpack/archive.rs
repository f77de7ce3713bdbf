//! A zip archive whose directory is read under a ceiling; names the zip library alone.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::workspace::end::{End, has_end_mark, read_end};
use crate::workspace::part::Trouble;

/// What the directory of an archive may take, for each entry allowed and once.
const BYTES_AN_ENTRY: u64 = 1 << 10;
const BYTES_ONCE: u64 = 256 << 10;

/// The bits of a Unix mode that say what a thing is.
const KIND_OF_FILE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
const EXECUTABLE: u32 = 0o111;

pub(super) struct Archive(ZipArchive<Guarded>);

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

/// A file as the library may see it while it reads the directory: only so much of it, and zeros
/// where the directory has not begun.
///
/// The library holds the whole directory of an archive in memory, whatever its size. Where the last
/// end does not please it, it looks for another one further up, in the content of entries too, and
/// makes room for as many entries as that one tells.
struct Guarded {
    inner: BufReader<File>,
    position: u64,
    view: Rc<View>,
}

/// What may be seen.
struct View {
    /// Bytes that may still be read.
    left: Cell<u64>,
    /// Where zeros end.
    start: Cell<u64>,
}

impl Archive {
    /// Reads the directory of an archive with so many entries at most.
    pub(super) fn open(mut file: File, most: u64) -> Result<Self, Trouble> {
        let refused = |reason: String| Trouble::Archive(String::new(), reason);
        let end = read_end(&mut file).map_err(|error| refused(error.to_string()))?;
        let End { entries: told, directory } = end.ok_or_else(Trouble::not_whole)?;
        // Before the library makes room for as many.
        if told > most {
            return Err(refused(format!("it has {told} entries, {most} are allowed")));
        }
        let budget = most.saturating_mul(BYTES_AN_ENTRY).saturating_add(BYTES_ONCE);
        if directory.end - directory.start > budget {
            return Err(refused("its directory is too large".to_owned()));
        }
        if has_end_mark(&mut file, &directory).map_err(|error| refused(error.to_string()))? {
            return Err(refused("its directory holds the end of another".to_owned()));
        }
        let view = Rc::new(View { left: Cell::new(budget), start: Cell::new(directory.start) });
        let guarded = Guarded { inner: BufReader::new(file), position: 0, view: view.clone() };
        let archive = ZipArchive::new(guarded).map_err(|error| refused(error.to_string()))?;
        view.left.set(u64::MAX);
        view.start.set(0);
        // The library keeps one of several entries with the same name, and says nothing.
        if told != archive.len() as u64 {
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

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let left = self.view.left.get().checked_sub(length as u64);
        let left = left.ok_or_else(|| io::Error::other("its directory is too large"))?;
        self.view.left.set(left);
        let hidden = self.view.start.get().saturating_sub(self.position);
        let hidden = usize::try_from(hidden).unwrap_or(usize::MAX).min(length);
        buffer.get_mut(..hidden).unwrap_or_default().fill(0);
        self.position = self.position.saturating_add(length as u64);
        Ok(length)
    }
}

impl Seek for Guarded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.inner.seek(to)?;
        Ok(self.position)
    }
}
