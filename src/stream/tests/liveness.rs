//! Silence, patience, and the delays between connections; the clock is paused.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{Fake, Piece, broken, busy, frames, read, refused, resumed_after};
use crate::error::Error;
use crate::stream::ReconnectPolicy;

fn comment() -> Piece {
    Piece::Bytes(b": heartbeat\n\n".to_vec())
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_noticed_at_the_idle_limit() {
    for limit in [60, 7] {
        let fake = Fake::new(|n, _| match n {
            0 => Ok(vec![frames([1]), Piece::Hold]),
            _ => Ok(vec![frames([2]), Piece::Hold]),
        });
        let mut stream = fake.stream().idle_timeout(seconds(limit));
        let start = Instant::now();
        read(&mut stream, 2).await;
        let noticed = fake.opened()[1].1 - start;
        assert!(noticed >= seconds(limit) && noticed < seconds(limit + 1), "{noticed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_quiet_stream_open() {
    let fake = Fake::new(|_, _| {
        let night = (0..2_000).flat_map(|_| [Piece::Silence(seconds(15)), comment()]);
        Ok(night.chain([frames([1]), Piece::Hold]).collect())
    });
    let mut stream = fake.stream();
    let start = Instant::now();
    read(&mut stream, 1).await;
    assert!(start.elapsed() >= seconds(8 * 3600));
    assert_eq!(fake.opened().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_night_of_cut_connections_does_not_exhaust_patience() {
    let policy = ReconnectPolicy::default().max_attempts(3);
    let fake = Fake::new(|n, _| match n {
        0..500 => Ok(vec![Piece::Silence(seconds(45))]),
        _ => Ok(vec![frames([1]), Piece::Hold]),
    });
    let mut stream = fake.stream().reconnect(policy);
    assert_eq!(read(&mut stream, 1).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_for_ever_gets_no_more_than_the_policys_attempts() {
    let failures: [fn() -> super::fake::Opened; 4] = [
        || Err(broken()),
        || Err(refused(503)),
        || Ok(vec![]),
        || Ok(vec![comment(), Piece::Break]),
    ];
    for fail in failures {
        let fake = Fake::new(move |_, _| fail());
        let mut stream = fake.stream().reconnect(ReconnectPolicy::default().max_attempts(5));
        let error = stream.try_next().await.unwrap_err();
        let Error::Stream(_) = &error else { panic!("{error:?}") };
        assert_eq!(error.to_string(), "sessions.stream: no progress in 5 connections");
        assert_eq!(fake.opened().len(), 5);
        stream.try_next().await.unwrap_err();
        assert_eq!(fake.opened().len(), 10, "asking again begins with fresh patience");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_says_nothing_is_told_in_the_end() {
    let fake = Fake::new(|_, _| Ok(vec![Piece::Hold]));
    let mut stream = fake.stream().reconnect(ReconnectPolicy::default().max_attempts(5));
    assert!(stream.try_next().await.unwrap_err().is_retryable());
    assert_eq!(fake.opened().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn clients_that_were_told_the_same_time_do_not_return_at_once() {
    let delays = || async {
        let fake = Fake::new(|n, _| match n {
            0 => Ok(vec![Piece::Bytes(b"retry: 20000\n\n".to_vec())]),
            _ => Ok(vec![frames([1]), Piece::Hold]),
        });
        read(&mut fake.stream(), 1).await;
        fake.opened()[1].1 - fake.opened()[0].1
    };
    let (mut all, mut count) = (Vec::new(), 0);
    while count < 20 {
        all.push(delays().await);
        count += 1;
    }
    assert!(all.iter().all(|delay| *delay >= seconds(20)), "{all:?}");
    assert!(all.iter().any(|delay| *delay != all[0]), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_with_retry_after_is_not_asked_again_before() {
    let fake = Fake::new(|n, _| match n {
        0 => Err(busy(3600)),
        _ => Ok(vec![frames([1]), Piece::Hold]),
    });
    let mut stream = fake.stream();
    stream.try_next().await.unwrap_err();
    read(&mut stream, 1).await;
    assert!(fake.opened()[1].1 - fake.opened()[0].1 >= seconds(60));
}

#[tokio::test(start_paused = true)]
async fn only_progress_refills_patience() {
    let policy = || ReconnectPolicy::default().max_attempts(3);
    // The end of a connection counts as well, so that one failure more is all there is between.
    let progress = Fake::new(|n, last| match n % 2 {
        0 => Err(broken()),
        _ => Ok(vec![frames([resumed_after(last) + 1])]),
    });
    let mut stream = progress.stream().reconnect(policy());
    assert_eq!(read(&mut stream, 50).await, (1..=50).collect::<Vec<_>>());
    let repeats = Fake::new(|_, _| Ok(vec![frames([1]), comment()]));
    let mut stream = repeats.stream().reconnect(policy());
    read(&mut stream, 1).await;
    assert!(stream.try_next().await.is_err(), "a duplicate is no progress");
    assert_eq!(repeats.opened().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn delays_between_connections_are_jittered_floored_and_capped() {
    let run = || async {
        let fake = Fake::new(|_, _| Err(broken()));
        let mut stream = fake.stream().reconnect(ReconnectPolicy::default().max_attempts(40));
        stream.try_next().await.unwrap_err();
        let moments: Vec<_> = fake.opened().iter().map(|(_, moment)| *moment).collect();
        moments.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    };
    let (first, second) = (run().await, run().await);
    // The timer's grain is a millisecond.
    let all = || first.iter().chain(&second);
    assert!(all().all(|delay| *delay >= Duration::from_millis(100)));
    assert!(all().all(|delay| *delay <= Duration::from_millis(15_001)));
    assert!(all().any(|delay| *delay > seconds(8)), "they grow");
    assert!(first[0] <= Duration::from_millis(251));
    assert_ne!(first, second, "they are drawn");
}

#[tokio::test(start_paused = true)]
async fn the_servers_retry_is_obeyed_within_reason() {
    for (retry, least, most) in [
        ("0", Duration::from_millis(100), Duration::from_millis(251)),
        ("2000", seconds(2), Duration::from_millis(2_201)),
        ("999999999", seconds(30), Duration::from_millis(33_001)),
        ("abc", Duration::from_millis(100), Duration::from_millis(251)),
        ("-5", Duration::from_millis(100), Duration::from_millis(251)),
    ] {
        let fake = Fake::new(move |n, _| match n {
            0 => Ok(vec![Piece::Bytes(format!("retry: {retry}\n\n").into_bytes())]),
            _ => Ok(vec![frames([1]), Piece::Hold]),
        });
        read(&mut fake.stream(), 1).await;
        let delay = fake.opened()[1].1 - fake.opened()[0].1;
        assert!(delay >= least && delay <= most, "retry: {retry} gave {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_on_reconnect_is_waited_for_and_an_excessive_one_is_told() {
    let fake = Fake::new(|n, _| match n {
        0 => Err(busy(40)),
        _ => Ok(vec![frames([1]), Piece::Hold]),
    });
    let start = Instant::now();
    read(&mut fake.stream(), 1).await;
    assert!(start.elapsed() >= seconds(40));
    let mut stream = Fake::new(|_, _| Err(busy(61))).stream();
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(seconds(61)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_at_once_and_asked_again_after_a_delay() {
    for status in [301, 400, 401, 403, 404, 410, 422] {
        let fake = Fake::new(move |n, _| match n {
            0 => Ok(vec![frames([1])]),
            1 => Err(refused(status)),
            _ => Ok(vec![frames([2]), Piece::Hold]),
        });
        let mut stream = fake.stream();
        read(&mut stream, 1).await;
        assert_eq!(stream.try_next().await.unwrap_err().status().unwrap(), status);
        assert_eq!(read(&mut stream, 1).await, [2], "asking again goes on");
        let opened = fake.opened();
        assert!(opened[2].1 - opened[1].1 >= Duration::from_millis(100));
    }
    for status in [408, 429, 500, 502, 503, 504] {
        let fake = Fake::new(move |n, _| match n {
            0 | 1 => Err(refused(status)),
            _ => Ok(vec![frames([1]), Piece::Hold]),
        });
        assert_eq!(read(&mut fake.stream(), 1).await, [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_pauses_does_not_lose_its_connection() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1]), frames([2]), Piece::Hold]));
    let mut stream = fake.stream();
    read(&mut stream, 1).await;
    tokio::time::sleep(seconds(600)).await;
    read(&mut stream, 1).await;
    assert_eq!(fake.opened().len(), 1, "the bytes were there all along");
}
