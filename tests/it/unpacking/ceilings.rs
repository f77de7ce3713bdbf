//! Archives that grow without end, in number, in size, or in what their directory holds.

use dari::{Error, UnpackLimits};

use super::{Archive, refusal};
use crate::support::archive::{overlapping, renamed, stored, with_large_end, with_told_size, zip};
use crate::support::chain;
use crate::support::folder::Folder;

/// Unpacks within limits, and returns why that failed, or how many bytes came out.
async fn within(archive: &[u8], limits: UnpackLimits) -> Result<u64, String> {
    let folder = Folder::new();
    match Archive::of(archive).await.unpack_within(&folder, limits).await {
        Ok(made) => Ok(made.bytes),
        Err(error) => {
            assert!(matches!(error, Error::Decode(_)), "{error:?}");
            assert!(folder.listing().is_empty());
            Err(chain(&error))
        }
    }
}

#[tokio::test]
async fn a_bomb_is_refused_by_what_comes_out_not_by_what_it_says() {
    let zeros = vec![0; 24 << 20];
    let bomb = zip(&[("bomb", &zeros)]);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    for archive in [bomb.clone(), with_told_size(bomb.clone(), 0, 10)] {
        let text = refusal(&archive).await;
        assert!(text.contains("more than 100 times its size"), "{text}");
    }
    let roomy = UnpackLimits::default().ratio(2000);
    assert_eq!(within(&bomb, roomy.clone()).await, Ok(24 << 20));
    let text = within(&bomb, roomy.bytes((24 << 20) - 1)).await.unwrap_err();
    assert!(text.contains("more than 25165823 bytes are unpacked"), "{text}");
}

#[tokio::test]
async fn a_small_archive_may_be_packed_tightly() {
    let zeros = vec![0; 9 << 20];
    assert_eq!(within(&zip(&[("zeros", &zeros)]), UnpackLimits::default()).await, Ok(9 << 20));
}

#[tokio::test]
async fn entries_that_share_their_content_count_each() {
    let names: Vec<_> = (0..100).map(|number| format!("bomb{number:02}")).collect();
    let zeros = vec![0; 1 << 20];
    let mut files = vec![(names[0].as_str(), &zeros[..])];
    files.extend(names[1..].iter().map(|name| (name.as_str(), &b""[..])));
    let archive = overlapping(zip(&files), 100);
    let text = within(&archive, UnpackLimits::default()).await.unwrap_err();
    assert!(text.contains("more than 100 times its size"), "{text}");
}

#[tokio::test]
async fn files_and_directories_count_also_those_in_names_only() {
    let limits = |number| UnpackLimits::default().entries(number);
    let archive = stored(&[("a/b/c", b"1"), ("d", b"2")]);
    assert_eq!(within(&archive, limits(4)).await, Ok(2));
    let text = within(&archive, limits(3)).await.unwrap_err();
    assert!(text.contains("more than 3 files and directories"), "{text}");
    let text = within(&archive, limits(1)).await.unwrap_err();
    assert!(text.contains("it has 2 entries, 1 are allowed"), "{text}");
    let deep = format!("{}/a", ["d"; 99].join("/"));
    assert_eq!(within(&stored(&[(&deep, b"1")]), limits(100)).await, Ok(1));
    assert!(within(&stored(&[(&deep, b"1")]), limits(99)).await.is_err());
}

#[tokio::test]
async fn ten_thousand_entries_are_the_default() {
    let names: Vec<_> = (0..10_001).map(|number| format!("f{number}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let text = refusal(&stored(&files)).await;
    assert!(text.contains("it has 10001 entries, 10000 are allowed"), "{text}");
}

#[tokio::test]
async fn the_end_of_a_large_archive_is_read_before_the_library_reads_it() {
    let archive = stored(&[("a", b"1"), ("b", b"2")]);
    let default = UnpackLimits::default;
    assert_eq!(within(&with_large_end(archive.clone(), 2), default()).await, Ok(2));
    for told in [10_001, 1 << 40, u64::MAX] {
        let text = refusal(&with_large_end(archive.clone(), told)).await;
        let expected = format!("it has {told} entries, 10000 are allowed");
        assert!(text.contains(&expected), "{text}");
    }
    let twice = with_large_end(renamed(archive, 1, "a"), 2);
    let text = refusal(&twice).await;
    assert!(text.contains("an entry stands in it twice"), "{text}");
}

#[tokio::test]
async fn a_directory_that_would_fill_the_memory_is_not_read() {
    let names: Vec<_> = (0..10).map(|number| format!("{number:0>60000}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let text = within(&stored(&files), UnpackLimits::default().entries(10)).await.unwrap_err();
    assert!(text.contains("its directory is too large"), "{text}");
}
