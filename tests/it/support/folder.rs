//! A directory of a test's own, removed with all in it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // A process that was killed leaves its directories, and its id is given again.
        for _ in 0..10_000 {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("dari-test-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                made => {
                    made.unwrap();
                    return Self(path);
                }
            }
        }
        panic!("every name is taken");
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(feature = "emulator")]
impl Folder {
    /// Returns a path in the directory.
    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

#[cfg(all(feature = "emulator", feature = "workspace"))]
impl Folder {
    /// Returns whether there is nothing in the directory.
    pub(crate) fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).unwrap().next().is_none()
    }

    /// Returns all there is below the directory, sorted: a path and what is there.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.0).unwrap().to_str().unwrap();
                let kind = std::fs::symlink_metadata(&path).unwrap();
                if kind.is_dir() {
                    found.push(format!("{name}/"));
                    folders.push(path);
                } else if kind.is_symlink() {
                    found.push(format!("{name} -> link"));
                } else {
                    let text = std::fs::read(&path).unwrap();
                    found.push(format!("{name}: {}", String::from_utf8_lossy(&text)));
                }
            }
        }
        found.sort();
        found
    }
}

#[cfg(feature = "publish")]
impl Folder {
    /// Returns a directory with these files, made in this order.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// Writes a file, and makes the directories on its way.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    #[cfg(unix)]
    pub(crate) fn link(&self, path: &str, target: impl AsRef<Path>) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
