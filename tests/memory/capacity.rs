//! The capacity that is behind an event when the next one begins, which decides what that one costs.

use std::io::{self, Write};
use std::net::TcpStream;

use crate::{
    CONNECTION, IN_THE_MAKING, KIB, MIB, alone, assert_peak, level, number, send_endless,
    send_events, stream,
};

const LARGE: usize = 8 * MIB;

const LINE: usize = 512;

/// Sends event 1 with so many bytes of data, in one write.
fn send_first(socket: &mut TcpStream, size: usize) -> io::Result<()> {
    let event = b"data: {\"id\":\"evt_1\",\"session_id\":\"sess_1\",\"sequence_number\":1,\
                  \"type\":\"note\",\"created_at\":\"2026-04-21T18:40:00Z\",\"data\":{}}";
    let mut bytes = [b' '; 2 * KIB];
    bytes[..event.len()].copy_from_slice(event);
    let end = "data: ".len() + size;
    bytes[end..end + 2].copy_from_slice(b"\n\n");
    socket.write_all(&bytes[..end + 2])
}

/// Sends event 2, whose data is blank lines of JSON: the decoder collects it line by line.
fn send_large(socket: &mut TcpStream) -> io::Result<()> {
    let mut line = [b' '; LINE];
    line[..5].copy_from_slice(b"data:");
    line[LINE - 1] = b'\n';
    socket.write_all(
        b"data: {\"id\":\"evt_2\",\"session_id\":\"sess_1\",\"sequence_number\":2,\
          \"type\":\"note\",\"created_at\":\"2026-04-21T18:40:00Z\",\"data\":[\n",
    )?;
    send_endless(socket, &line, LARGE)?;
    socket.write_all(b"data: ]}\n\n")
}

#[test]
fn an_event_costs_a_small_multiple_of_its_size_whatever_capacity_it_found() {
    // Lines shorter than the first event only ever double its capacity, however the bytes arrive. So
    // the last capacity is known: from what the large event needs to almost twice as much.
    for first in [520, 600, 700, 800, 900, 1_000] {
        alone(async move {
            let mut stream = stream(16 * MIB, move |socket| {
                send_first(socket, first)?;
                send_large(socket)?;
                send_events(socket, 3..=3)
            });
            assert_eq!(number(&mut stream).await, 1);
            let level = level();
            let large = stream.try_next().await.unwrap().unwrap();
            let size = large.data.get().len();
            assert!(size > LARGE / LINE * (LINE - 8), "{size}");
            let what = format!("an event of 8 MiB behind one of {first} bytes");
            assert_peak(level, IN_THE_MAKING * size + CONNECTION, &what);
            assert_eq!(number(&mut stream).await, 3);
        });
    }
}

#[test]
fn an_event_of_bytes_that_are_no_text_costs_a_bounded_multiple_of_its_size() {
    // Each becomes a character of three bytes, in a text that grows by doubling beside the buffers.
    const NO_TEXT: usize = 10;
    alone(async {
        let mut stream = stream(16 * MIB, |socket| {
            send_events(socket, 1..=1)?;
            socket.write_all(
                b"data: {\"id\":\"evt_2\",\"session_id\":\"sess_1\",\"sequence_number\":2,\
                  \"type\":\"note\",\"created_at\":\"2026-04-21T18:40:00Z\",\"data\":\"",
            )?;
            send_endless(socket, b"\xff", LARGE)?;
            socket.write_all(b"\"}\n\n")?;
            send_events(socket, 3..=3)
        });
        assert_eq!(number(&mut stream).await, 1);
        let level = level();
        let large = stream.try_next().await.unwrap().unwrap();
        assert!(large.data.get().len() >= 3 * LARGE, "{}", large.data.get().len());
        assert_peak(level, NO_TEXT * LARGE + CONNECTION, "an event of 8 MiB that are no text");
        assert_eq!(number(&mut stream).await, 3);
    });
}
