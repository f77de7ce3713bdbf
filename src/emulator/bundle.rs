//! What the service reads in an uploaded source: a tar.gz with a manifest in its root.

mod yaml;

use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tar::{Archive, Entry};

/// The manifest, a mapping with a `name`.
///
/// The contract names a manifest, not its file: an assumption after the service's public pages, as
/// are its field `instructions.system`, the path of the system prompt, and that no more is asked.
const MANIFEST: &str = "dari.yml";
/// The most that an archive may unpack to, 1 GiB.
const UNPACKED_LIMIT: u64 = 1 << 30;
/// The most that is read of the manifest or a prompt, 1 MiB.
const TEXT_LIMIT: u64 = 1 << 20;

/// What the service knows of a source that passed its check.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bundle {
    pub(crate) name: String,
    pub(crate) manifest: Value,
    pub(crate) system_prompt: Option<String>,
}

/// What was announced of an archive.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    pub(super) sha256: String,
    pub(super) size_bytes: u64,
}

impl Announced {
    /// Checks an archive, and reads it; or tells why it fails.
    pub(super) fn check(&self, archive: &[u8]) -> Result<Bundle, String> {
        let size = archive.len();
        if size as u64 != self.size_bytes {
            let announced = self.size_bytes;
            return Err(format!("size_bytes is {announced}, but {size} bytes were uploaded"));
        }
        let sum = sha256(archive);
        if sum != self.sha256 {
            return Err(format!("sha256 is {}, but that of the upload is {sum}", self.sha256));
        }
        let manifest = text_at(archive, MANIFEST)?;
        let manifest = manifest.ok_or_else(|| format!("There is no {MANIFEST} in the root"))?;
        bundle(yaml::read(&manifest).map_err(|why| format!("{MANIFEST}: {why}"))?, archive)
    }
}

/// Checks an archive that is what was announced, for the fuzz targets.
#[cfg(any(test, fuzzing))]
pub(crate) fn probe(archive: &[u8]) -> Result<Bundle, String> {
    let announced = Announced { sha256: sha256(archive), size_bytes: archive.len() as u64 };
    announced.check(archive)
}

/// Returns the SHA-256 in lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bundle(manifest: Value, archive: &[u8]) -> Result<Bundle, String> {
    let name = manifest.get("name").and_then(Value::as_str).map(str::trim);
    let name = name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| format!("{MANIFEST}: there is no name"))?.to_owned();
    let mut system_prompt = None;
    if let Some(path) = manifest.pointer("/instructions/system").and_then(Value::as_str) {
        let plain = plain(Path::new(path)).unwrap_or_default();
        system_prompt = text_at(archive, &plain)?;
        if system_prompt.is_none() {
            return Err(format!("{MANIFEST}: instructions.system: there is no file {path}"));
        }
    }
    Ok(Bundle { name, manifest, system_prompt })
}

/// Returns the text at a path of an archive, all of which must be readable.
fn text_at(archive: &[u8], wanted: &str) -> Result<Option<String>, String> {
    let unreadable = |error: io::Error| format!("The archive is no readable tar.gz: {error}");
    let mut found = None;
    let mut tar = Archive::new(MultiGzDecoder::new(archive).take(UNPACKED_LIMIT));
    for entry in tar.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = plain(Path::new(&shown));
        let path = path.ok_or_else(|| format!("The archive has the unsafe path {shown}"))?;
        if leads_out(&entry).map_err(unreadable)? {
            return Err(format!("The archive has a link that leads out of it: {shown}"));
        }
        if path == wanted && entry.header().entry_type().is_file() {
            let mut text = Vec::new();
            entry.by_ref().take(TEXT_LIMIT).read_to_end(&mut text).map_err(unreadable)?;
            found = Some(String::from_utf8_lossy(&text).into_owned());
        }
        io::copy(&mut entry, &mut io::sink()).map_err(unreadable)?;
    }
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(unreadable)?;
    if rest.limit() == 0 {
        return Err("The archive unpacks to more than 1 GiB".to_owned());
    }
    Ok(found)
}

/// Returns whether an entry is a link to something outside of the archive.
fn leads_out<R: Read>(entry: &Entry<'_, R>) -> io::Result<bool> {
    let (kind, path) = (entry.header().entry_type(), entry.path()?);
    let Some(target) = entry.link_name()?.filter(|_| kind.is_symlink() || kind.is_hard_link())
    else {
        return Ok(false);
    };
    // A hard link names its target from the root, a symbolic one from where it stands.
    let start = path.parent().filter(|_| kind.is_symlink()).unwrap_or(Path::new(""));
    let mut depth = 0_usize;
    for component in start.join(target).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return Ok(true),
        }
    }
    Ok(false)
}

/// Returns a relative path without `.`, unless it leads elsewhere.
fn plain(path: &Path) -> Option<String> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str()?),
            _ => return None,
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests;
