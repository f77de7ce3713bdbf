//! What a stream leaves behind, and how many fit beside each other.

use dari::EventStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::LEDGER;
use crate::support::ledger::{Ledger, Opened, ended, held, read, stream};
use crate::support::raw::{PATIENCE, Step};

/// Polls a stream until `there` says so; no event may come.
async fn poll_until(stream: &mut EventStream, there: impl Fn() -> bool + Send + Sync) {
    let reached = async {
        while !there() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        event = stream.try_next() => panic!("{event:?}"),
        reached = tokio::time::timeout(PATIENCE, reached) => reached.expect("it is never reached"),
    }
}

/// Waits until no more tasks are alive than there were.
async fn only(tasks: usize) {
    let gone = async {
        while Handle::current().metrics().num_alive_tasks() > tasks {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("a task stays alive");
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn dropping_a_stream_closes_its_socket_and_leaves_no_task() {
    let server = Ledger::start(|opened| held(opened.frames(1..=3))).await;
    let (client, before) = (server.client(), tasks());
    let mut stream = stream(&client, "sess_1");
    assert_eq!(read(&mut stream, 3).await, [1, 2, 3]);
    assert!(tasks() > before, "the server's and the connection's");
    drop(stream);
    server.left(1).await;
    only(before).await;
    assert_eq!(server.resumed().len(), 1);
}

#[tokio::test]
async fn dropping_a_stream_that_is_connecting_closes_its_socket_and_leaves_no_task() {
    let server = Ledger::start(|_| vec![Step::Hold]).await;
    let (client, before) = (server.client(), tasks());
    let mut stream = stream(&client, "sess_1");
    poll_until(&mut stream, || !server.resumed().is_empty()).await;
    drop(stream);
    server.left(1).await;
    only(before).await;
}

#[tokio::test]
async fn dropping_a_stream_that_fills_a_gap_closes_both_sockets_and_leaves_no_task() {
    let gap = |opened: &Opened| held(opened.frames([1, 4]));
    let server = Ledger::start_answering(gap, |_, _| vec![Step::Hold]).await;
    let (client, before) = (server.client(), tasks());
    let mut stream = stream(&client, "sess_1");
    assert_eq!(read(&mut stream, 1).await, [1]);
    poll_until(&mut stream, || server.lists() == 1).await;
    drop(stream);
    server.left(2).await;
    only(before).await;
}

#[tokio::test]
async fn a_stream_dropped_between_two_connections_does_not_connect_again() {
    let server = Ledger::start(|opened| ended(opened.frames(1..=2))).await;
    let (client, before) = (server.client(), tasks());
    let mut stream = stream(&client, "sess_1");
    assert_eq!(read(&mut stream, 2).await, [1, 2]);
    let once = std::future::poll_fn(|context| {
        let mut next = Box::pin(stream.try_next());
        std::task::Poll::Ready(next.as_mut().poll(context))
    });
    assert!(once.await.is_pending());
    drop(stream);
    only(before).await;
    assert_eq!(server.resumed().len(), 1);
}

#[tokio::test]
async fn a_stream_that_nobody_asks_connects_nowhere() {
    let server = Ledger::start(|opened| opened.rest(LEDGER)).await;
    let before = tasks();
    drop(server.stream().after("sess_1:evt_1".parse::<dari::Cursor>().unwrap()));
    only(before).await;
    assert!(server.resumed().is_empty());
}

#[tokio::test]
async fn two_hundred_streams_run_side_by_side_on_one_client() {
    const STREAMS: usize = 200;
    let server = Ledger::start(|opened| match opened.number {
        // The first connections end in the middle of an event.
        0 => ended(&opened.frames(1..=6)[..1_000]),
        _ => opened.rest(LEDGER),
    })
    .await;
    let client = server.client();
    let mut running = JoinSet::new();
    for number in 0..STREAMS {
        let mut stream = stream(&client, &format!("sess_{number}"));
        running.spawn(async move {
            let numbers = read(&mut stream, LEDGER as usize).await;
            (stream, numbers)
        });
    }
    let mut streams = running.join_all().await;
    for (stream, numbers) in &streams {
        assert_eq!(*numbers, (1..=LEDGER).collect::<Vec<_>>());
        assert_eq!(stream.stats().reconnects, 1);
    }
    // All are open at once; each is left with its stream.
    streams.clear();
    server.left(STREAMS as u32).await;
}
