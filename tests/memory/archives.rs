//! Archives that lie about how many entries they have: no room is made for them.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use dari::Error;

use crate::transfers::client;
use crate::{KIB, MIB, alone, assert_peak, level};

const SIZE: usize = 64 * MIB;
/// What a download may hold, and the directory of an archive with the entries that are allowed.
const UNPACKING: usize = 13 * MIB;

fn end(entries: u16, directory: usize, comment: usize) -> Vec<u8> {
    let numbers = [0, 0, entries, entries].map(u16::to_le_bytes).concat();
    let (directory, comment) = ((directory as u32).to_le_bytes(), (comment as u16).to_le_bytes());
    [b"PK\x05\x06", &*numbers, &47_u32.to_le_bytes(), &directory, &comment].concat()
}

/// Returns the ends of a large archive that stand at a place, and tell as many entries as a library
/// believes of one of this size.
fn lying_end(at: usize) -> Vec<u8> {
    let entries = (at / 48) as u64;
    let mut bytes = [b"PK\x06\x06".as_slice(), &44_u64.to_le_bytes(), &[45, 0, 45, 0]].concat();
    bytes.extend([0; 8]);
    bytes.extend([entries, entries, entries * 46, entries + 1].map(u64::to_le_bytes).concat());
    bytes.extend([b"PK\x06\x07\0\0\0\0".as_slice(), &(at as u64).to_le_bytes()].concat());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(end(0xFFFF, 0xFFFF_FFFF, 0));
    bytes
}

/// The directory of one entry called `a`.
fn directory() -> Vec<u8> {
    let mut entry = [b"PK\x01\x02".as_slice(), &[0; 43]].concat();
    entry[28] = 1;
    entry[46] = b'a';
    entry
}

/// Sends so many bytes of nothing, and then these.
fn send(socket: &mut TcpStream, tail: &[u8]) -> io::Result<()> {
    let piece = [0; 64 * KIB];
    let _request = socket.read(&mut [0; 4 * KIB])?;
    let length = SIZE + tail.len();
    write!(socket, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")?;
    (0..SIZE / piece.len()).try_for_each(|_| socket.write_all(&piece))?;
    socket.write_all(tail)
}

#[test]
fn an_archive_with_a_second_end_gets_no_room_for_what_that_one_tells() {
    let entry = directory();
    let in_the_comment = {
        let lie = lying_end(SIZE + entry.len() + 22);
        let honest = end(1, SIZE, lie.len() + 1);
        // One byte more: the lie does not reach to the last one, as an honest end does.
        [&*entry, &honest, &lie, b"."].concat()
    };
    let before_a_broken_one = [lying_end(SIZE), end(1, SIZE + 98, 0)].concat();
    let among_the_entries = [&*entry, &lying_end(SIZE + entry.len()), &end(1, SIZE, 0)].concat();
    let before_the_directory = [&*lying_end(SIZE), &entry[..40], &end(1, SIZE + 98, 0)].concat();
    for tail in [in_the_comment, before_a_broken_one, among_the_entries, before_the_directory] {
        alone(async {
            let client = client(move |socket| send(socket, &tail));
            let level = level();
            let folder = std::env::temp_dir().join(format!("dari-lie-{}", std::process::id()));
            let session = "sess_1".parse().unwrap();
            let error = client.workspace().download(&session).unpack_into(&folder).await;
            assert_peak(level, UNPACKING, "an archive with two ends");
            assert!(matches!(error, Err(Error::Decode(_))), "{error:?}");
            assert!(!folder.exists());
        });
    }
}
