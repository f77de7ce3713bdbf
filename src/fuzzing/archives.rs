//! Workspaces: an archive is unpacked whole within its limits, or leaves no trace.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::workspace::unpack_bytes;
use crate::{UnpackLimits, Unpacked};

const MOST_ENTRIES: u64 = 16;
const MOST_BYTES: u64 = 1 << 16;

/// Unpacks an archive beside a file that must stay as it is.
pub fn archives(data: &[u8]) {
    let place = Place::new();
    let target = place.0.join("target");
    let limits = UnpackLimits::default().entries(MOST_ENTRIES).bytes(MOST_BYTES);
    match unpack_bytes(data, &target, limits) {
        Ok(told) => check(told, &target),
        Err(reason) => {
            assert!(!target.exists(), "refused for {reason}, and left something behind");
        }
    }
    assert_eq!(fs::read(place.0.join("outside")).unwrap(), b"untouched");
    let beside = fs::read_dir(&place.0).unwrap().count();
    assert_eq!(beside, 1 + usize::from(target.exists()), "something was written outside");
}

/// What is there is what was told, and no more than allowed.
fn check(told: Unpacked, target: &Path) {
    let mut found = Unpacked::default();
    count(target, &mut found);
    assert_eq!(found, told);
    assert!(found.files + found.directories <= MOST_ENTRIES, "{found:?}");
    assert!(found.bytes <= MOST_BYTES, "{found:?}");
}

fn count(folder: &Path, found: &mut Unpacked) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap();
        assert!(kind.is_dir() || kind.is_file(), "{} is something else", path.display());
        if kind.is_dir() {
            found.directories += 1;
            count(&path, found);
        } else {
            found.files += 1;
            found.bytes += kind.len();
        }
    }
}

/// A directory of its own, in memory where the system has such a place.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let place = base.join(format!("dari-fuzz-{}-{number}", std::process::id()));
        fs::create_dir(&place).unwrap();
        fs::write(place.join("outside"), b"untouched").unwrap();
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed is found by the next run, which has other names.
        let _ = fs::remove_dir_all(&self.0);
    }
}
