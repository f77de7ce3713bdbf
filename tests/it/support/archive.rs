//! Zip archives, good ones and such that no honest program makes.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The signature of an entry in the directory, and the places of its fields.
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_MADE_BY: usize = 4;
const ENTRY_SIZE: usize = 24;
const ENTRY_NAME_LENGTH: usize = 28;
const ENTRY_ATTRIBUTES: usize = 38;
const ENTRY_PLACE: usize = 42;
const ENTRY_NAME: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_NAME: usize = 30;

/// Returns an archive of these files, as a server would send it.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    pack(files, CompressionMethod::Deflated)
}

/// Returns an archive whose files are not compressed.
pub(crate) fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    pack(files, CompressionMethod::Stored)
}

/// Returns an archive whose only entry has this name, whatever it is.
pub(crate) fn named(name: &str) -> Vec<u8> {
    renamed(stored(&[(&"x".repeat(name.len()), b"evil")]), 0, name)
}

/// Gives the n-th entry another name of the same length.
pub(crate) fn renamed(mut archive: Vec<u8>, number: usize, name: &str) -> Vec<u8> {
    let entry = entry(&archive, number);
    archive[entry + ENTRY_NAME..][..name.len()].copy_from_slice(name.as_bytes());
    let local = find(&archive, LOCAL, number);
    archive[local + LOCAL_NAME..][..name.len()].copy_from_slice(name.as_bytes());
    archive
}

/// Gives the n-th entry a mode of Unix, with the bits that say what it is.
pub(crate) fn with_mode(mut archive: Vec<u8>, number: usize, mode: u32) -> Vec<u8> {
    let entry = entry(&archive, number);
    // Made by Unix, version 3.0.
    archive[entry + ENTRY_MADE_BY..][..2].copy_from_slice(&[30, 3]);
    archive[entry + ENTRY_ATTRIBUTES..][..4].copy_from_slice(&(mode << 16).to_le_bytes());
    archive
}

/// Lets the directory tell another size of the n-th entry.
pub(crate) fn with_told_size(mut archive: Vec<u8>, number: usize, size: u32) -> Vec<u8> {
    let entry = entry(&archive, number);
    archive[entry + ENTRY_SIZE..][..4].copy_from_slice(&size.to_le_bytes());
    archive
}

/// Lets all entries share the content of the first, for which they must have names as long.
pub(crate) fn overlapping(mut archive: Vec<u8>, entries: usize) -> Vec<u8> {
    let first = entry(&archive, 0);
    let fields = archive[first + 16..first + ENTRY_NAME_LENGTH].to_vec();
    for number in 1..entries {
        let entry = entry(&archive, number);
        archive[entry + 16..entry + ENTRY_NAME_LENGTH].copy_from_slice(&fields);
        archive[entry + ENTRY_PLACE..][..4].fill(0);
    }
    archive
}

/// Gives an archive the end of a large one (ZIP64), which tells this number of entries.
pub(crate) fn with_large_end(mut archive: Vec<u8>, entries: u64) -> Vec<u8> {
    let at = archive.len() - 22;
    let mut end = archive.split_off(at);
    let field =
        |from: usize| u64::from(u32::from_le_bytes(end[from..from + 4].try_into().unwrap()));
    let (size, place) = (field(12), field(16));
    archive.extend(b"PK\x06\x06");
    archive.extend(44_u64.to_le_bytes());
    archive.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    archive.extend([entries, entries, size, place].map(u64::to_le_bytes).concat());
    archive.extend(b"PK\x06\x07\0\0\0\0");
    archive.extend((at as u64).to_le_bytes());
    archive.extend([1, 0, 0, 0]);
    end[8..12].fill(0xFF);
    archive.extend(end);
    archive
}

fn pack(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in files {
        if let Some(directory) = name.strip_suffix('/') {
            writer.add_directory(directory, options).unwrap();
            continue;
        }
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn entry(archive: &[u8], number: usize) -> usize {
    find(archive, ENTRY, number)
}

/// Returns the place of the n-th record with this signature.
fn find(archive: &[u8], signature: &[u8], number: usize) -> usize {
    let places = archive.windows(4).enumerate().filter(|(_, bytes)| *bytes == signature);
    places.map(|(at, _)| at).nth(number).unwrap()
}
