//! Nothing lost, nothing twice: cuts at every byte, and a cursor in another process.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::fake::{Fake, Piece, event, events, frame, frames, read, resumed_after};
use crate::stream::{Cursor, EventStream};

const LEDGER: u64 = 200;

/// Cuts at every second byte from `first_cut` on; two tests share the offsets and the work.
async fn cut_at_every_second_byte(first_cut: usize) {
    let bytes: Vec<u8> = (1..=LEDGER).map(frame).collect::<String>().into_bytes();
    let expected: Vec<_> = (1..=LEDGER).collect();
    for cut in (first_cut..=bytes.len()).step_by(2) {
        let first = bytes[..cut].to_vec();
        let fake = Fake::new(move |n, last| {
            if n > 0 {
                return Ok(vec![frames(resumed_after(last) + 1..=LEDGER), Piece::Hold]);
            }
            let end = if cut % 2 == 0 { vec![] } else { vec![Piece::Break] };
            Ok([vec![Piece::Bytes(first.clone())], end].concat())
        });
        let mut stream = fake.stream();
        assert_eq!(read(&mut stream, LEDGER as usize).await, expected, "cut at {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_ends_at_any_even_byte_arrives_whole_once_and_in_order() {
    cut_at_every_second_byte(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_breaks_off_at_any_odd_byte_arrives_whole_once_and_in_order() {
    cut_at_every_second_byte(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_resumes_behind_the_last_event_delivered() {
    let fake = Fake::new(|n, _| match n {
        0 => Ok(vec![frames(1..=3)]),
        _ => Ok(vec![frames(4..=5), Piece::Hold]),
    });
    let mut stream = fake.stream();
    read(&mut stream, 2).await;
    assert_eq!(
        stream.cursor().unwrap().to_string(),
        "2@s:evt_2",
        "3 has come but is not delivered"
    );
    read(&mut stream, 3).await;
    assert_eq!(fake.resumed(), [None, Some("s:evt_3".to_owned())]);
    assert_eq!(stream.stats().reconnects, 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_an_id_keeps_the_resume_point() {
    let fake = Fake::new(|n, _| {
        let idless = |n: u64| {
            Piece::Bytes(
                frame(n).lines().skip(1).map(|l| format!("{l}\n")).collect::<String>().into_bytes(),
            )
        };
        match n {
            0 => Ok(vec![
                frames(1..=2),
                idless(3),
                Piece::Bytes(b"id\ndata: ".to_vec()),
                Piece::Bytes(frame(4).into_bytes()[24..].to_vec()),
            ]),
            _ => Ok(vec![frames(3..=6), Piece::Hold]),
        }
    });
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 3).await, [1, 2, 3]);
    assert_eq!(stream.cursor().unwrap().to_string(), "3@s:evt_2");
    let (mut numbers, mut errors) = (Vec::new(), 0);
    while numbers.len() < 3 {
        match stream.try_next().await {
            Ok(event) => numbers.push(event.unwrap().sequence_number.unwrap()),
            Err(_) => errors += 1,
        }
    }
    assert_eq!((numbers, errors), (vec![4, 5, 6], 1));
    assert_eq!(fake.resumed()[1].as_deref(), Some("s:evt_2"));
    assert_eq!(stream.stats().duplicates, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stored_cursor_goes_on_in_another_process_also_with_a_gap_or_a_replay_at_the_seam() {
    // What the second process' first connection sends, given the place to resume from.
    type Seam = fn(u64) -> Vec<Piece>;
    let seams: [Seam; 4] = [
        |at| vec![frames(at + 1..=20), Piece::Hold],
        |_| vec![frames(1..=20), Piece::Hold],
        |at| vec![frames(at..=20), Piece::Hold],
        |at| vec![frames(at + 4..=20), Piece::Hold],
    ];
    for (number, seam) in seams.into_iter().enumerate() {
        for stop in 1..=15 {
            let mut first = Fake::new(|_, _| Ok(vec![frames(1..=20), Piece::Hold])).stream();
            let mut numbers = read(&mut first, stop).await;
            let stored = first.cursor().unwrap().to_string();
            drop(first);
            let fake = Fake::new(move |_, last| Ok(seam(resumed_after(last))));
            let fake = fake.list(|limit| Ok(events(1..=limit.min(20))));
            let mut second = fake.stream().after(stored.parse::<Cursor>().unwrap());
            numbers.extend(read(&mut second, 20 - stop).await);
            assert_eq!(numbers, (1..=20).collect::<Vec<_>>(), "seam {number}, stopped at {stop}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_id_alone_resumes_and_drops_the_event_at_the_seam() {
    let fake = Fake::new(|_, _| Ok(vec![frames(7..=9), Piece::Hold]));
    let mut stream = fake.stream().after(&event(7).id);
    assert_eq!(read(&mut stream, 2).await, [8, 9]);
    assert_eq!(fake.resumed(), [Some("s:evt_7".to_owned())]);
    assert!(fake.listed().is_empty());
}

/// Polls once and drops the future, as often as it takes.
async fn read_by_single_polls(stream: &mut EventStream, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let once = std::future::poll_fn(|context| {
            let mut next = Box::pin(stream.try_next());
            Poll::Ready(Pin::as_mut(&mut next).poll(context))
        });
        match once.await {
            Poll::Ready(event) => numbers.push(event.unwrap().unwrap().sequence_number.unwrap()),
            // The clock is paused: this lets it move on to the next thing that is due.
            Poll::Pending => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    numbers
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_at_every_await_point_loses_nothing() {
    let newest = Arc::new(AtomicU64::new(0));
    let recorded = newest.clone();
    let fake = Fake::new(move |_, last| {
        let at = resumed_after(last);
        newest.store(at + 6, Ordering::Relaxed);
        let mut pieces = vec![Piece::Yield];
        // Two events whole, a jump that the list fills, and a third that is cut.
        let bytes: String = [at + 1, at + 2, at + 5, at + 6].map(frame).concat();
        let cut = bytes.len() - 20;
        for byte in bytes.as_bytes()[..cut].chunks(7) {
            pieces.extend([Piece::Bytes(byte.to_vec()), Piece::Yield]);
        }
        Ok(pieces)
    });
    let fake = fake.list(move |limit| Ok(events(1..=limit.min(recorded.load(Ordering::Relaxed)))));
    let mut stream = fake.stream();
    let numbers = read_by_single_polls(&mut stream, 100).await;
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    assert!(stream.stats().gaps >= 15 && stream.stats().reconnects >= 15, "{:?}", stream.stats());
}
