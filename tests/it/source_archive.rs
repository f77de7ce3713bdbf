//! What becomes of a directory: which files, in which bytes, and what is refused.

#[cfg(unix)]
mod links;
mod lists;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::time::{Duration, SystemTime};

use dari::{AgentSource, Error, SourceArchive, SourceDirectory};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::support::folder::Folder;

/// Returns the files of an archive with their texts.
async fn packed(source: impl Into<AgentSource>) -> BTreeMap<String, String> {
    let archive = SourceArchive::pack(source).await.unwrap();
    let mut files = BTreeMap::new();
    let mut tar = tar::Archive::new(GzDecoder::new(archive.open().unwrap()));
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert!(entry.header().entry_type().is_file(), "only files");
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(path, text);
    }
    assert!(files.keys().eq(archive.paths()), "{:?}", archive.paths());
    files
}

async fn paths(source: impl Into<AgentSource>) -> Vec<String> {
    packed(source).await.into_keys().collect()
}

/// Returns why a source is refused; nothing but the source may be blamed.
async fn refusal(source: impl Into<AgentSource>) -> String {
    let error = SourceArchive::pack(source).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid(invalid) if invalid.field() == "source"), "{error:?}");
    assert_eq!(error.operation(), Some("agents.publish"));
    let text = error.to_string();
    let reason = text.strip_prefix("agents.publish: invalid source: ").unwrap();
    reason.strip_suffix("; nothing was sent").unwrap().to_owned()
}

fn bytes(archive: &SourceArchive) -> Vec<u8> {
    let mut bytes = Vec::new();
    archive.open().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn the_same_files_make_the_same_archive_wherever_and_whenever() {
    let files = [("b.txt", "b"), ("a/z.txt", "z"), ("a.txt", "a"), ("a/b/c.txt", "c")];
    let first = Folder::with(&files);
    let mut turned = files;
    turned.reverse();
    let second = Folder::with(&turned);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options()
        .write(true)
        .open(second.path().join("b.txt"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    fs::create_dir(second.path().join("empty")).unwrap();
    let first = SourceArchive::pack(first.path()).await.unwrap();
    let second = SourceArchive::pack(second.path()).await.unwrap();
    assert_eq!(first.sha256(), second.sha256());
    assert_eq!(bytes(&first), bytes(&second));
    assert_eq!(first.paths(), ["a.txt", "a/b/c.txt", "a/z.txt", "b.txt"]);
    assert_eq!(first.size_bytes(), bytes(&first).len() as u64);
    // What is compressed is fixed for good; how, is up to the compressor's version.
    let tar = {
        let mut tar = Vec::new();
        GzDecoder::new(&*bytes(&first)).read_to_end(&mut tar).unwrap();
        tar
    };
    assert_eq!(tar.len(), 4 * 1024 + 1024, "a header and a block for each file, and the end");
    let sum: String = Sha256::digest(&tar).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sum, "a56dc5ea672984f2b53c87b2c662d494d3b28c95f88bfff2b0298d9d868f3401");
    assert_eq!(&bytes(&first)[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "no time, no name");
}

#[cfg(unix)]
#[tokio::test]
async fn of_all_permissions_only_executable_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let mut sums = Vec::new();
    for (plain, executable) in [(0o600, 0o700), (0o666, 0o775)] {
        let folder = Folder::new();
        set(&folder.write("plain", "x"), plain);
        set(&folder.write("run.sh", "x"), executable);
        let archive = SourceArchive::pack(folder.path()).await.unwrap();
        let mut tar = tar::Archive::new(GzDecoder::new(archive.open().unwrap()));
        let modes = tar.entries().unwrap().map(|entry| {
            let header = entry.unwrap().header().clone();
            let owner = (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
            assert_eq!(owner, (0, 0, 0));
            header.mode().unwrap()
        });
        assert_eq!(modes.collect::<Vec<_>>(), [0o644, 0o755]);
        sums.push(archive.sha256().to_owned());
    }
    assert_eq!(sums[0], sums[1]);
}

#[tokio::test]
async fn long_and_foreign_names_come_through() {
    let long = format!("{}/{}.txt", "d".repeat(120), "n".repeat(200));
    let folder =
        Folder::with(&[(&long, "long"), ("ключ/日本.txt", "foreign"), ("a b'c\".txt", "")]);
    let files = packed(folder.path()).await;
    assert_eq!(files[&long], "long");
    assert_eq!(files["ключ/日本.txt"], "foreign");
    assert_eq!(files["a b'c\".txt"], "");
}

#[tokio::test]
async fn a_directory_without_a_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    let shown = folder.path().display();
    assert_eq!(refusal(folder.path()).await, format!("`{shown}` has no file that is not left out"));
    folder.write("a/.git/config", "x");
    assert!(refusal(folder.path()).await.ends_with("has no file that is not left out"));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_an_error_of_the_file() {
    let folder = Folder::new();
    let error = SourceArchive::pack(folder.path().join("nowhere")).await.unwrap_err();
    let Error::File(file) = &error else { panic!("{error:?}") };
    assert_eq!(file.io_error().kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("nowhere` cannot be read"), "{error}");
    assert!(!error.is_retryable() && !error.may_have_happened());
}

#[tokio::test]
async fn ceilings_are_refused_before_anything_is_packed() {
    let folder = Folder::with(&[("a", "12345"), ("b", "12345"), ("c", "12345")]);
    let source = || SourceDirectory::new(folder.path());
    assert!(refusal(source().max_files(2)).await.ends_with("is one more than 2 files"));
    let refused = refusal(source().max_size(14)).await;
    assert!(refused.ends_with("makes the source larger than 14 bytes"), "{refused}");
    assert_eq!(paths(source().max_files(3).max_size(15)).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_ready_archive_is_taken_as_it_is() {
    let folder = Folder::with(&[("dari.yml", "name: a")]);
    let made = bytes(&SourceArchive::pack(folder.path()).await.unwrap());
    let path = folder.write("ready.tar.gz", &made);
    for source in [AgentSource::from(&path), AgentSource::from(made.clone())] {
        let archive = SourceArchive::pack(source).await.unwrap();
        assert_eq!(bytes(&archive), made);
        assert_eq!(archive.size_bytes(), made.len() as u64);
        assert!(archive.paths().is_empty());
    }
    for other in [&b""[..], b"\x1f", b"PK\x03\x04"] {
        let refused = refusal(other.to_vec()).await;
        assert_eq!(refused, "it is no directory and no tar.gz archive");
    }
}

#[tokio::test]
async fn the_temporary_file_is_gone_with_the_last_clone() {
    let folder = Folder::with(&[("dari.yml", "name: a")]);
    let archive = SourceArchive::pack(folder.path()).await.unwrap();
    let clone = archive.clone();
    drop(archive);
    let mut reader = clone.open().unwrap();
    drop(clone);
    let mut bytes = Vec::new();
    // On systems that delete open files this still reads; elsewhere the file stays until here.
    reader.read_to_end(&mut bytes).unwrap();
    assert!(tar::Archive::new(GzDecoder::new(Cursor::new(bytes))).entries().unwrap().count() == 1);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_neither_file_nor_directory_is_refused() {
    let folder = Folder::with(&[("a", "x")]);
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    assert_eq!(refusal(folder.path()).await, "`socket` is neither a file nor a directory");
    let ignored = SourceDirectory::new(folder.path()).ignore(["socket"]);
    assert_eq!(paths(ignored).await, ["a"]);
    let alone = refusal(folder.path().join("socket")).await;
    assert!(alone.ends_with("is neither a file nor a directory"), "{alone}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_is_not_utf_8_is_refused_unless_left_out() {
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::with(&[("a", "x")]);
    let odd = std::ffi::OsStr::from_bytes(b"d\xff.txt");
    fs::write(folder.path().join(odd), "x").unwrap();
    assert_eq!(refusal(folder.path()).await, "`d\u{fffd}.txt` has a name that is not UTF-8");
    assert_eq!(paths(SourceDirectory::new(folder.path()).ignore(["d*"])).await, ["a"]);
}
