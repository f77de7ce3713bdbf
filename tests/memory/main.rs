//! What streams and transfers hold in memory, measured; a binary of its own, for the heap is the process's.
//!
//! The server runs on a thread that has its bytes on its stack: all that is counted is the client's.

#[cfg(feature = "workspace")]
mod archives;
mod capacity;
mod transfers;

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};

use dari::{Client, Error, EventStream, Limits};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What a connection may hold besides an event, while bytes come and when they are read: buffers of
/// at most 408 KiB, of which one is being filled, one is on its way, and one is being decoded.
const CONNECTION: usize = 2 * MIB;

/// What an event may cost in the making, as a multiple of its size, or of the ceiling where it is
/// larger: the buffer it is collected in is copied to one of twice the size when it is full, and the
/// decoder takes another as large for what comes next before it hands the event out.
const IN_THE_MAKING: usize = 4;

/// What a small event of 190 bytes may hold.
const SMALL_EVENT: usize = KIB;

/// Runs a test while no other runs.
fn alone<T>(test: impl Future<Output = T>) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Returns the stream of a session whose server sends what `body` writes, and then nothing.
fn stream<F>(event_limit: usize, body: F) -> EventStream
where
    F: FnOnce(&mut TcpStream) -> io::Result<()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        // A whole request, for it is small; a client that goes away ends the thread.
        let _gone = socket.read(&mut [0; 4 * KIB]);
        let _gone = socket.write_all(head.as_bytes()).and_then(|()| body(&mut socket));
        let _gone = socket.read(&mut [0]);
    });
    let limits = Limits::default().event(event_limit);
    let client = Client::builder("dari_1").base_url(url).limits(limits).build().unwrap();
    client.sessions().stream(&"sess_1".parse().unwrap())
}

/// Writes the frame of an event into a buffer, and returns what is left of it.
fn frame(buffer: &mut &mut [u8], number: u64) -> io::Result<()> {
    write!(
        buffer,
        "id: evt_{number}\ndata: {{\"id\":\"evt_{number}\",\"session_id\":\"sess_1\",\
         \"sequence_number\":{number},\"type\":\"note\",\"data\":{{\"text\":\"a small event\"}},\
         \"created_at\":\"2026-04-21T18:40:00Z\"}}\n\n"
    )
}

/// Sends the events of these numbers in writes of many.
fn send_events(socket: &mut TcpStream, numbers: std::ops::RangeInclusive<u64>) -> io::Result<()> {
    const MOST: usize = 256;
    let mut numbers = numbers.peekable();
    let mut bytes = [0; 64 * KIB];
    while numbers.peek().is_some() {
        let mut left = &mut bytes[..];
        numbers.by_ref().take(200).try_for_each(|number| frame(&mut left, number))?;
        let unused = left.len();
        assert!(unused >= MOST, "the buffer has room");
        socket.write_all(&bytes[..64 * KIB - unused])?;
    }
    Ok(())
}

/// Sends so many bytes, made of a piece that comes again and again.
fn send_endless(socket: &mut TcpStream, piece: &[u8], bytes: usize) -> io::Result<()> {
    let mut pieces = [0; 64 * KIB];
    pieces.iter_mut().zip(piece.iter().cycle()).for_each(|(to, from)| *to = *from);
    let whole = &pieces[..pieces.len() / piece.len() * piece.len()];
    (0..bytes / whole.len()).try_for_each(|_| socket.write_all(whole))
}

async fn number(stream: &mut EventStream) -> u64 {
    stream.try_next().await.unwrap().unwrap().sequence_number.unwrap()
}

/// Returns how far the heap has been above a level since the last measurement.
#[track_caller]
fn assert_peak(level: usize, ceiling: usize, what: &str) {
    let peak = HEAP.peak_usage().saturating_sub(level);
    println!("{what}: {} KiB of {} KiB", peak / KIB, ceiling / KIB);
    assert!(peak <= ceiling, "{what}: {peak} bytes, {ceiling} allowed");
}

/// Starts to measure, and returns the level to measure from.
fn level() -> usize {
    HEAP.reset_peak_usage();
    HEAP.current_usage()
}

#[test]
fn an_endless_event_costs_a_small_multiple_of_its_ceiling() {
    const SENT: usize = 64 * MIB;
    const LIMIT: usize = MIB;
    // The start of what has no end, what it goes on with, and whether it is too large an event.
    let endless: [(&str, &[u8], usize); 5] = [
        ("data: ", b"x", 1),
        ("id: ", b"x", 1),
        ("", b"data: another line of the same event\n", 1),
        (":", b"x", 0),
        ("", b"x", 0),
    ];
    for (start, piece, errors) in endless {
        alone(async move {
            let mut stream = stream(LIMIT, move |socket| {
                send_events(socket, 1..=1)?;
                socket.write_all(start.as_bytes())?;
                send_endless(socket, piece, SENT)?;
                socket.write_all(b"\n\n")?;
                send_events(socket, 2..=2)
            });
            assert_eq!(number(&mut stream).await, 1);
            let level = level();
            for _ in 0..errors {
                let error = stream.try_next().await.unwrap_err();
                assert!(matches!(error, Error::Stream(_)), "{error:?}");
            }
            // Its arrival says that all before has been read.
            assert_eq!(number(&mut stream).await, 2);
            assert_peak(level, IN_THE_MAKING * LIMIT + CONNECTION, "64 MiB without an end");
            assert_eq!(stream.stats().reconnects, 0);
        });
    }
}

#[test]
fn a_million_small_events_hold_no_more_than_a_few() {
    const EVENTS: u64 = 1_000_000;
    alone(async {
        let mut stream = stream(16 * MIB, |socket| send_events(socket, 1..=EVENTS));
        for expected in 1..=1_000 {
            assert_eq!(number(&mut stream).await, expected);
        }
        let level = level();
        for expected in 1_001..=EVENTS {
            assert_eq!(number(&mut stream).await, expected);
        }
        assert_peak(level, CONNECTION, "1,000,000 small events");
        let more = HEAP.current_usage().saturating_sub(level);
        assert!(more <= CONNECTION, "the heap has grown by {more} bytes");
    });
}

#[test]
fn small_events_after_one_of_8_mib_carry_nothing_of_it() {
    const LARGE: usize = 8 * MIB;
    const KEPT: usize = 1_000;
    alone(async {
        let mut stream = stream(16 * MIB, |socket| {
            send_events(socket, 1..=100)?;
            socket.write_all(
                b"data: {\"id\":\"evt_101\",\"session_id\":\"sess_1\",\"sequence_number\":101,\
                  \"type\":\"note\",\"created_at\":\"2026-04-21T18:40:00Z\",\"data\":\"",
            )?;
            send_endless(socket, b"x", LARGE)?;
            socket.write_all(b"\"}\n\n")?;
            send_events(socket, 102..=101 + KEPT as u64)
        });
        for expected in 1..=100 {
            assert_eq!(number(&mut stream).await, expected);
        }
        let before = level();
        let large = stream.try_next().await.unwrap().unwrap();
        assert!(large.data.get().len() > LARGE);
        assert_peak(before, IN_THE_MAKING * LARGE + CONNECTION, "an event of 8 MiB");
        drop(large);
        assert_eq!(number(&mut stream).await, 102);
        let behind = level().saturating_sub(before);
        println!("left behind by an event of 8 MiB: {} KiB", behind / KIB);
        assert!(behind <= CONNECTION, "{behind} bytes are left behind");
        let mut kept = Vec::with_capacity(KEPT);
        for _ in 1..KEPT {
            kept.push(stream.try_next().await.unwrap().unwrap());
        }
        let with = HEAP.current_usage();
        drop(kept);
        let each = (with - HEAP.current_usage()) / (KEPT - 1);
        println!("a small event afterwards: {each} bytes");
        assert!(each <= SMALL_EVENT, "{each} bytes, {SMALL_EVENT} allowed");
    });
}
