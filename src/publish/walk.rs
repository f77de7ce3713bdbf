//! Finds the files of a directory, and refuses what leads out of it.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, Metadata};
use std::path::{Path, PathBuf};

use crate::publish::packing::Packing;
use crate::publish::rules::{Is, Rules};
use crate::publish::source::SourceDirectory;
use crate::publish::unusable::Unusable;

/// How deep directories may be nested, links included.
const DEEPEST: usize = 200;

/// A file that goes into the archive.
pub(super) struct Found {
    /// Where it is, no link on the way.
    pub(super) place: PathBuf,
    pub(super) metadata: Metadata,
}

/// The files by their paths in the archive, sorted.
pub(super) type Listing = BTreeMap<String, Found>;

/// Returns all files that are not left out.
pub(super) fn list(source: &SourceDirectory, packing: &Packing) -> Result<Listing, Unusable> {
    let shown = source.path.display();
    let root = fs::canonicalize(&source.path).map_err(Unusable::unreadable(&source.path))?;
    let rules = Rules::new(&root, source)?;
    let mut walk = Walk {
        source,
        packing,
        rules,
        open: Vec::new(),
        folders: 0,
        listing: Listing::new(),
        size: 0,
    };
    walk.folder(&root, "")?;
    if walk.listing.is_empty() {
        return Unusable::refused(&shown.to_string(), "has no file that is not left out");
    }
    Ok(walk.listing)
}

struct Walk<'a> {
    source: &'a SourceDirectory,
    packing: &'a Packing,
    rules: Rules,
    /// The directories the walk is in, from the root down, no link on the way.
    open: Vec<PathBuf>,
    /// How many directories were walked through: links can multiply them without any file.
    folders: usize,
    listing: Listing,
    size: u64,
}

impl Walk<'_> {
    fn folder(&mut self, place: &Path, path: &str) -> Result<(), Unusable> {
        if self.open.iter().any(|open| open == place) {
            return Unusable::refused(path, "is a link that leads in a circle");
        }
        if self.open.len() > DEEPEST {
            return Unusable::refused(path, "is nested more than 200 directories deep");
        }
        self.folders += 1;
        if self.folders > self.source.max_files {
            let limit = format!("is one more than {} directories", self.source.max_files);
            return Unusable::refused(path, &limit);
        }
        self.open.push(place.to_owned());
        let entries = fs::read_dir(place).map_err(Unusable::unreadable(place))?;
        for entry in entries {
            self.packing.go_on()?;
            self.entry(&entry.map_err(Unusable::unreadable(place))?, path)?;
        }
        self.open.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, folder: &str) -> Result<(), Unusable> {
        let name = entry.file_name();
        let path = Path::new(folder).join(&name);
        let place = entry.path();
        let metadata = fs::symlink_metadata(&place).map_err(Unusable::unreadable(&path))?;
        let below = self.below_root(&place).unwrap_or_default();
        // Behind a link, what is left out in its own place stays out.
        if self.rules.leave_out(&path, Is::of(&metadata))?
            || (below != path && self.rules.leave_out(&below, Is::of(&metadata))?)
        {
            return Ok(());
        }
        let Some(name) = name.to_str() else {
            return Unusable::refused(&path.to_string_lossy(), "has a name that is not UTF-8");
        };
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if metadata.is_symlink() {
            return self.link(&place, &path);
        }
        self.found(place, path, metadata)
    }

    fn found(&mut self, place: PathBuf, path: String, metadata: Metadata) -> Result<(), Unusable> {
        if metadata.is_dir() {
            return self.folder(&place, &path);
        }
        if !metadata.is_file() {
            return Unusable::refused(&path, "is neither a file nor a directory");
        }
        self.size = self.size.saturating_add(metadata.len());
        if self.size > self.source.max_size {
            let limit = format!("makes the source larger than {} bytes", self.source.max_size);
            return Unusable::refused(&path, &limit);
        }
        if self.listing.len() >= self.source.max_files {
            let limit = format!("is one more than {} files", self.source.max_files);
            return Unusable::refused(&path, &limit);
        }
        self.listing.insert(path, Found { place, metadata });
        Ok(())
    }

    fn link(&mut self, place: &Path, path: &str) -> Result<(), Unusable> {
        let target = match fs::canonicalize(place) {
            Ok(target) => target,
            Err(error) => {
                let reason = format!("is a link that cannot be followed: {error}");
                return Unusable::refused(path, &reason);
            }
        };
        let Some(below) = self.below_root(&target) else {
            return Unusable::refused(path, "is a link that leads out of the directory");
        };
        let metadata = fs::symlink_metadata(&target).map_err(Unusable::unreadable(path))?;
        if metadata.is_dir() && self.rules.leave_out(Path::new(path), Is::Directory)? {
            return Ok(());
        }
        let is_root = below.as_os_str().is_empty();
        if !is_root && self.rules.leave_out_from_above(&below, Is::of(&metadata))? {
            return Unusable::refused(path, "is a link to something that is left out");
        }
        self.found(target, path.to_owned(), metadata)
    }

    fn below_root(&self, place: &Path) -> Option<PathBuf> {
        place.strip_prefix(self.open.first()?).ok().map(Path::to_owned)
    }
}
