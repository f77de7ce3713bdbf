//! Archives that mean harm, and what of them reaches the disk: nothing.

mod ceilings;
mod places;

use dari::{Client, Error, SessionId, UnpackLimits, Unpacked};

use crate::support::archive::{named, renamed, stored, with_mode, with_told_size, zip};
use crate::support::folder::Folder;
use crate::support::raw::RawServer;
use crate::support::{chain, client};

fn session() -> SessionId {
    "sess_1".parse().unwrap()
}

/// A server of one archive, and a client of it.
struct Archive {
    client: Client,
    _server: RawServer,
}

impl Archive {
    async fn of(archive: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", archive.len());
        let server = RawServer::always([head.as_bytes(), archive].concat()).await;
        Self { client: client(&server.url), _server: server }
    }

    async fn unpack(&self, folder: &Folder) -> Result<Unpacked, Error> {
        self.unpack_within(folder, UnpackLimits::default()).await
    }

    async fn unpack_within(
        &self,
        folder: &Folder,
        limits: UnpackLimits,
    ) -> Result<Unpacked, Error> {
        let call = self.client.workspace().download(&session()).unpack_limits(limits);
        call.unpack_into(folder.join("out")).await
    }
}

/// Unpacks an archive that must be refused, and returns why.
async fn refusal(archive: &[u8]) -> String {
    let folder = Folder::new();
    let error = Archive::of(archive).await.unpack(&folder).await.expect_err("refused");
    assert!(matches!(error, Error::Decode(_)), "{error:?}");
    assert!(!error.is_retryable() && !error.may_have_happened());
    assert!(folder.listing().is_empty(), "{:?}", folder.listing());
    chain(&error)
}

#[tokio::test]
async fn a_good_archive_is_unpacked_and_counted() {
    let folder = Folder::new();
    let archive =
        zip(&[("a/", b""), ("a/b.txt", b"one"), ("c/d/e", b""), ("./f", b"three"), ("ü", b"4")]);
    let made = Archive::of(&archive).await.unpack(&folder).await.unwrap();
    assert_eq!((made.files, made.directories, made.bytes), (4, 3, 9));
    let expected = [
        "out/",
        "out/a/",
        "out/a/b.txt: one",
        "out/c/",
        "out/c/d/",
        "out/c/d/e: ",
        "out/f: three",
        "out/ü: 4",
    ];
    assert_eq!(folder.listing(), expected);
}

#[tokio::test]
async fn an_empty_archive_makes_an_empty_directory() {
    let folder = Folder::new();
    let made = Archive::of(&zip(&[])).await.unpack(&folder).await.unwrap();
    assert_eq!(made, Unpacked::default());
    assert_eq!(folder.listing(), ["out/"]);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_refused() {
    for name in [
        "../evil",
        "a/../../evil",
        "a/..",
        "..",
        "/etc/evil",
        "//host/evil",
        "/",
        "C:/evil",
        "c:evil",
        "a/C:b",
        "..\\evil",
        "a\\b",
        "\\evil",
        "\\\\host\\evil",
        "a\0b",
        "a\nb",
        "a//b",
        ".",
    ] {
        let text = refusal(&named(name)).await;
        assert!(
            text.contains("workspace.download") && text.contains("its name"),
            "{name:?}: {text}"
        );
        assert!(!text.contains(['\0', '\n']), "{text:?}");
    }
}

#[tokio::test]
async fn a_bad_entry_behind_good_ones_undoes_them_all() {
    let good: Vec<_> = (0..20).map(|number| format!("good{number}/file")).collect();
    let mut files: Vec<_> = good.iter().map(|name| (name.as_str(), &b"good"[..])).collect();
    files.push(("xxxxxxx", b"evil"));
    let text = refusal(&renamed(stored(&files), 20, "../evil")).await;
    assert!(text.contains("../evil"), "{text}");
}

#[tokio::test]
async fn links_and_special_files_are_refused() {
    for (kind, reason) in [
        (0o120_777, "it is a link"),
        (0o010_644, "neither a file nor a directory"),
        (0o020_666, "neither a file nor a directory"),
        (0o060_660, "neither a file nor a directory"),
        (0o140_755, "neither a file nor a directory"),
        (0o040_755, "neither a file nor a directory"),
    ] {
        let archive =
            stored(&[("good", b"good"), ("link", b"/etc/passwd"), ("link/evil", b"evil")]);
        let text = refusal(&with_mode(archive, 1, kind)).await;
        assert!(text.contains(reason), "{kind:o}: {text}");
    }
    let text = refusal(&with_mode(stored(&[("link/", b"")]), 0, 0o120_777)).await;
    assert!(text.contains("it is a link"), "{text}");
}

#[tokio::test]
async fn names_that_are_one_are_refused() {
    let pair = |first: &str, second: &str| {
        let other = "x".repeat(second.len());
        renamed(stored(&[(first, b"one"), (&other, b"two")]), 1, second)
    };
    for (archive, reason) in [
        (pair("same", "same"), "twice"),
        (pair("./a", "a"), "already"),
        (pair("Same", "sAME"), "only in case"),
        (pair("ÄÖ", "äö"), "only in case"),
        (pair("dir/a", "Dir/b"), "only in case"),
        (pair("a", "a/b"), "already"),
        (pair("a/b", "a"), "already"),
    ] {
        let text = refusal(&archive).await;
        assert!(text.contains(reason), "{text}");
    }
}

#[tokio::test]
async fn sizes_and_checksums_that_do_not_hold_are_refused() {
    let text = vec![b'a'; 10_000];
    let archive = zip(&[("a", &text)]);
    for size in [0, 1, 9_999, 10_001, u32::MAX - 1] {
        let reason = refusal(&with_told_size(archive.clone(), 0, size)).await;
        assert!(reason.contains("10000 bytes, and should have"), "{size}: {reason}");
    }
    let mut archive = stored(&[("a", &text)]);
    archive[5_000] ^= 1;
    assert!(refusal(&archive).await.to_lowercase().contains("checksum"));
}

#[tokio::test]
async fn what_is_no_archive_is_refused() {
    let archive = zip(&[("a", b"one"), ("b", b"two")]);
    for broken in [&b""[..], b"<html></html>", &archive[..archive.len() - 1], &archive[1..]] {
        refusal(broken).await;
    }
    // An end that tells wrong numbers or places: refused, or read as it was.
    for at in archive.len() - 14..archive.len() - 2 {
        let mut broken = archive.clone();
        broken[at] ^= 0x40;
        let folder = Folder::new();
        match Archive::of(&broken).await.unpack(&folder).await {
            Ok(_) => assert_eq!(folder.listing(), ["out/", "out/a: one", "out/b: two"]),
            Err(_) => assert!(folder.listing().is_empty()),
        }
    }
}
