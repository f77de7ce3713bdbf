//! What of a directory is left out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::publish::source::SourceDirectory;
use crate::publish::unusable::Unusable;

const OWN_LIST: &str = ".dariignore";
const GIT_LIST: &str = ".gitignore";
/// A list is read whole: past this size it is none.
const LARGEST_LIST: u64 = 1 << 20;

/// What stands at a path: some patterns are for directories alone.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Is {
    Directory,
    Other,
}

impl Is {
    pub(super) fn of(metadata: &Metadata) -> Self {
        if metadata.is_dir() { Self::Directory } else { Self::Other }
    }
}

/// The ignore lists of a directory, each read when it is first needed.
pub(super) struct Rules {
    root: PathBuf,
    given: Gitignore,
    own: Gitignore,
    /// By directory, from the root: the list in it, or an empty one.
    git: HashMap<PathBuf, Gitignore>,
}

impl Rules {
    pub(super) fn new(root: &Path, source: &SourceDirectory) -> Result<Self, Unusable> {
        let given = compile("the patterns of `ignore`", source.ignore.iter().map(String::as_str))?;
        let own = read(root, Path::new(OWN_LIST))?;
        Ok(Self { root: root.to_owned(), given, own, git: HashMap::new() })
    }

    /// Returns whether a path from the root is left out, if nothing above it is.
    pub(super) fn leave_out(&mut self, path: &Path, is: Is) -> Result<bool, Unusable> {
        // In every spelling: where case does not count, each names the same directory.
        if path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(".git")) {
            return Ok(true);
        }
        for list in [&self.given, &self.own] {
            if let Some(verdict) = verdict(list, path, is) {
                return Ok(verdict);
            }
        }
        for folder in path.ancestors().skip(1) {
            let below = path.strip_prefix(folder).unwrap_or(path);
            if let Some(verdict) = verdict(self.git_list(folder)?, below, is) {
                return Ok(verdict);
            }
        }
        Ok(false)
    }

    /// Returns whether a path from the root is left out, or anything above it.
    pub(super) fn leave_out_from_above(&mut self, path: &Path, is: Is) -> Result<bool, Unusable> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.pop();
        for folder in above.into_iter().rev() {
            if self.leave_out(folder, Is::Directory)? {
                return Ok(true);
            }
        }
        self.leave_out(path, is)
    }

    fn git_list(&mut self, folder: &Path) -> Result<&Gitignore, Unusable> {
        Ok(match self.git.entry(folder.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(read(&self.root, &folder.join(GIT_LIST))?),
        })
    }
}

fn verdict(list: &Gitignore, path: &Path, is: Is) -> Option<bool> {
    match list.matched(path, is == Is::Directory) {
        Match::None => None,
        Match::Ignore(_) => Some(true),
        Match::Whitelist(_) => Some(false),
    }
}

/// Reads a list; where there is none, it is empty.
fn read(root: &Path, path: &Path) -> Result<Gitignore, Unusable> {
    let place = root.join(path);
    let shown = path.display().to_string();
    match fs::symlink_metadata(&place) {
        Ok(found) if !found.is_file() => {
            return Unusable::refused(&shown, "is to be an ignore list, and is no file");
        }
        Ok(found) if found.len() > LARGEST_LIST => {
            return Unusable::refused(&shown, "is larger than 1 MiB");
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Gitignore::empty()),
        Err(error) => return Err(Unusable::unreadable(path)(error)),
    }
    let text = fs::read_to_string(&place).map_err(Unusable::unreadable(path))?;
    compile(&format!("`{shown}`"), text.trim_start_matches('\u{feff}').lines())
}

fn compile<'a>(name: &str, lines: impl Iterator<Item = &'a str>) -> Result<Gitignore, Unusable> {
    let mut list = GitignoreBuilder::new("");
    for (number, line) in lines.enumerate() {
        // A line that is skipped would let out what it was meant to keep in.
        list.add_line(None, line)
            .map_err(|error| Unusable::Refused(format!("{name}, line {}: {error}", number + 1)))?;
    }
    list.build().map_err(|error| Unusable::Refused(format!("{name}: {error}")))
}
