//! Sources of agents, as the emulator reads them: a tar.gz that leads nowhere, with a manifest.

use std::io::{Read, Write};
use std::path::{Component, Path};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::emulator::probe_bundle;
use crate::fuzzing::split;

const BLOCK: usize = 512;

/// Checks a source: as it is, or as a tar archive whose sums are put right and that is packed.
///
/// An even first byte means the latter, so that most inputs get past the sums.
pub fn bundles(data: &[u8]) {
    let (choice, rest) = split(data, 1);
    let archive = if choice.first().is_none_or(|byte| byte % 2 == 0) {
        packed(&with_sums(rest))
    } else {
        rest.to_vec()
    };
    let Ok(bundle) = probe_bundle(&archive) else { return };
    assert!(!bundle.name.trim().is_empty());
    assert!(bundle.manifest.is_object(), "{:?}", bundle.manifest);
    let asks = bundle.manifest.pointer("/instructions/system").is_some_and(|path| path.is_string());
    assert_eq!(asks, bundle.system_prompt.is_some());
    assert!(bundle.system_prompt.is_none_or(|text| text.len() <= 3 << 20));
    names(&archive).iter().for_each(|name| assert_leads_down(name));
}

/// Puts the sum of each header right, as far as sizes tell where the next one is.
fn with_sums(tar: &[u8]) -> Vec<u8> {
    let (mut tar, mut at) = (tar.to_vec(), 0);
    while let Some(header) = tar.get_mut(at..at + BLOCK) {
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let digits = String::from_utf8_lossy(&header[124..136]).into_owned();
        let digits = digits.trim_matches(['\0', ' ']);
        let size = usize::from_str_radix(digits, 8).unwrap_or_default().min(tar.len());
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
    tar
}

fn packed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// Reads the names of an archive that was taken.
fn names(archive: &[u8]) -> Vec<Vec<u8>> {
    let mut tar = Vec::new();
    MultiGzDecoder::new(archive).read_to_end(&mut tar).unwrap();
    let mut entries = tar::Archive::new(&*tar);
    entries.entries().unwrap().map(|entry| entry.unwrap().path_bytes().into_owned()).collect()
}

fn assert_leads_down(name: &[u8]) {
    let name = String::from_utf8_lossy(name);
    for component in Path::new(&*name).components() {
        let is_plain = matches!(component, Component::Normal(_) | Component::CurDir);
        assert!(is_plain, "{name:?} was taken");
    }
}
