//! How a zip archive ends, read without a library: one end, and nothing that could pass for another.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// How a zip archive ends: this, 18 more bytes, and a comment of up to 64 KiB.
const END_MARK: &[u8; 4] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LONGEST_END: u64 = END_SIZE as u64 + 0xFFFF;
/// What stands before it in one with large numbers: a record, and the place of the record.
const LARGE_END_MARK: &[u8; 4] = b"PK\x06\x06";
const LARGE_END_SIZE: u64 = 56;
const LOCATOR_MARK: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_SIZE: u64 = 20;

/// What the end of an archive tells.
#[cfg_attr(not(feature = "workspace"), allow(dead_code, reason = "for who unpacks"))]
pub(super) struct End {
    /// How many entries there are.
    pub(super) entries: u64,
    /// Where the directory of the entries begins, up to where the end does.
    pub(super) directory: Range<u64>,
}

/// Returns what the end of an archive tells, if it ends as a zip archive does.
///
/// A reply whose length was not announced can break off without anybody noticing. The last mark of
/// an end counts, and its record must reach to the last byte: where two readers could each find an
/// end of their own, what one has checked is not what the other reads.
pub(super) fn read_end(file: &mut File) -> io::Result<Option<End>> {
    let size = file.seek(SeekFrom::End(0))?;
    let start = size.saturating_sub(LONGEST_END);
    let tail = bytes_at(file, start, LONGEST_END)?;
    let Some(place) = tail.windows(END_MARK.len()).rposition(|bytes| bytes == END_MARK) else {
        return Ok(None);
    };
    let (at, record) = (start + place as u64, tail.get(place..).unwrap_or_default());
    let Some(comment) = number(record, END_SIZE - 2, 2) else { return Ok(None) };
    if END_SIZE as u64 + comment != record.len() as u64 {
        return Ok(None);
    }
    let told = Told { here: number(record, 8, 2), all: number(record, 10, 2) };
    let directory = number(record, 16, 4);
    let is_large = told.all == Some(0xFFFF) || directory == Some(0xFFFF_FFFF);
    if let (true, Some(locator)) = (is_large, at.checked_sub(LOCATOR_SIZE)) {
        let bytes = bytes_at(file, locator, LOCATOR_SIZE)?;
        if bytes.starts_with(LOCATOR_MARK) {
            return large_end(file, at, number(&bytes, 8, 8));
        }
    }
    Ok(told.end(directory, at))
}

/// Returns whether the mark of an end stands in these bytes.
#[cfg(feature = "workspace")]
pub(super) fn has_end_mark(file: &mut File, range: &Range<u64>) -> io::Result<bool> {
    file.seek(SeekFrom::Start(range.start))?;
    let (mark, mut last) = (u32::from_be_bytes(*END_MARK), 0);
    for byte in io::BufReader::new(file.take(range.end.saturating_sub(range.start))).bytes() {
        last = last << 8 | u32::from(byte?);
        if last == mark {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many entries are told: in this file, and in all files of an archive.
struct Told {
    here: Option<u64>,
    all: Option<u64>,
}

impl Told {
    fn end(self, directory: Option<u64>, at: u64) -> Option<End> {
        let entries = self.here.filter(|_| self.here == self.all)?;
        let start = if entries == 0 { at } else { directory? };
        (start <= at).then_some(End { entries, directory: start..at })
    }
}

/// Returns what the larger end record tells that may stand before the other (ZIP64).
///
/// It must stand right before its locator, which must say so, and have the size of one without
/// extensions.
fn large_end(file: &mut File, end: u64, told_at: Option<u64>) -> io::Result<Option<End>> {
    let Some(at) = end.checked_sub(LOCATOR_SIZE + LARGE_END_SIZE) else { return Ok(None) };
    let record = bytes_at(file, at, LARGE_END_SIZE)?;
    let is_whole = number(&record, 4, 8) == Some(LARGE_END_SIZE - 12);
    if told_at != Some(at) || !record.starts_with(LARGE_END_MARK) || !is_whole {
        return Ok(None);
    }
    let told = Told { here: number(&record, 24, 8), all: number(&record, 32, 8) };
    Ok(told.end(number(&record, 48, 8), end))
}

fn bytes_at(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the number of so many bytes at a place, the lowest byte first.
fn number(record: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = record.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
