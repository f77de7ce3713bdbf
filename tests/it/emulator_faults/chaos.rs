//! Random faults: nothing is lost, nothing happens twice, and a seed tells the same story again.

use std::collections::BTreeMap;
use std::time::Duration;

use dari::emulator::{Chaos, Emulator, FaultKind};
use dari::{Error, RetryPolicy};

use super::Scene;
use crate::support::ledger::{read, stream};

const TURNS: usize = 40;
/// Of an echoed turn, in a session that is idle again after each.
const EVENTS_OF_A_TURN: usize = 6;

/// Sends turns one by one through these faults and returns the faults met.
async fn soak(chaos: Chaos) -> BTreeMap<FaultKind, usize> {
    let builder = Emulator::builder().heartbeat(Duration::from_millis(50));
    let scene = Scene::of(builder.start().await.unwrap()).await;
    let policy = RetryPolicy::default().first_delay(Duration::from_millis(1)).max_attempts(40);
    let builder = scene.emulator.client_builder().retry(policy.max_delay(Duration::ZERO));
    let client = builder.retry_budget(1_000_000).build().unwrap();
    scene.emulator.inject_chaos(chaos);
    for number in 0..TURNS {
        let sent = client.messages().send(&scene.session, format!("{number}")).await.unwrap();
        let wait = client.messages().wait(&sent.message.id);
        let message = wait.poll_interval(Duration::from_millis(1)).await.unwrap();
        assert_eq!(message.text(), number.to_string());
    }
    let mut events = stream(&client, scene.session.as_str());
    events = events.idle_timeout(Duration::from_millis(200));
    let numbers = read(&mut events, TURNS * EVENTS_OF_A_TURN).await;
    assert_eq!(numbers, (1..=(TURNS * EVENTS_OF_A_TURN) as u64).collect::<Vec<_>>());
    let met = scene.emulator.fault_counts();
    scene.emulator.clear_faults();
    assert_eq!(scene.ledger().await.0, TURNS);
    met
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_by_random_faults() {
    let mut met = BTreeMap::new();
    for seed in 1..=4 {
        let chaos = Chaos::seeded(seed).rate(0.4).max_delay(Duration::from_millis(2));
        for (kind, count) in soak(chaos).await {
            *met.entry(kind).or_insert(0) += count;
        }
    }
    for kind in [
        FaultKind::Status,
        FaultKind::Delay,
        FaultKind::CutBody,
        FaultKind::NoAnswer,
        FaultKind::Disconnect,
    ] {
        assert!(met.get(&kind).is_some_and(|count| *count >= 5), "{kind}: {met:?}");
    }
    assert!(!met.contains_key(&FaultKind::Garbage), "{met:?}");
}

#[tokio::test]
async fn streams_come_through_every_random_fault_of_theirs() {
    let kinds = [
        FaultKind::EndStream,
        FaultKind::StallStream,
        FaultKind::RepeatEvents,
        FaultKind::SkipEvents,
        FaultKind::CutBody,
    ];
    for kind in kinds {
        let scene = Scene::new().await;
        for number in 0..10 {
            scene.client.messages().send(&scene.session, format!("{number}")).await.unwrap();
            scene.client.sessions().get(&scene.session).await.unwrap();
        }
        scene.emulator.inject_chaos(Chaos::seeded(3).rate(0.7).only([kind]));
        let mut events = stream(&scene.client, scene.session.as_str());
        events = events.idle_timeout(Duration::from_millis(100));
        let numbers = read(&mut events, 10 * EVENTS_OF_A_TURN).await;
        assert_eq!(numbers, (1..=60).collect::<Vec<_>>(), "{kind}");
        let counts = scene.emulator.fault_counts();
        assert!(counts.keys().eq([&kind]), "{kind}: {counts:?}");
    }
}

#[tokio::test]
async fn a_send_without_a_key_meets_only_what_shows_that_nothing_happened() {
    let scene = Scene::new().await;
    scene.emulator.inject_chaos(Chaos::seeded(5).rate(1.0).max_delay(Duration::ZERO));
    let mut created = 1;
    for _ in 0..30 {
        let create = scene.client.sessions().create(&scene.emulator.agent());
        match create.retry(RetryPolicy::none()).await {
            Ok(_) => created += 1,
            Err(error) => {
                assert!(matches!(error, Error::Api(_)) && error.is_rate_limited(), "{error:?}");
                assert!(!error.may_have_happened());
            }
        }
    }
    let counts = scene.emulator.fault_counts();
    assert_eq!(counts.values().sum::<usize>(), 30);
    assert!(counts.keys().eq([&FaultKind::Status, &FaultKind::Delay]), "{counts:?}");
    scene.emulator.clear_faults();
    assert_eq!(scene.ledger().await.1, created);
}

#[tokio::test]
async fn the_same_seed_and_requests_meet_the_same_faults() {
    let mut stories = Vec::new();
    for seed in [9, 9, 10] {
        let scene = Scene::new().await;
        scene.emulator.inject_chaos(Chaos::seeded(seed).rate(0.5).max_delay(Duration::ZERO));
        for _ in 0..40 {
            let call = scene.client.sessions().get(&scene.session);
            let _either = call.retry(RetryPolicy::none()).await;
        }
        stories.push(scene.met());
    }
    assert_eq!(stories[0], stories[1]);
    assert_ne!(stories[0], stories[2]);
}

#[tokio::test]
async fn a_rate_is_a_share_of_the_requests() {
    for (rate, low, high) in [(0.0, 0, 0), (f64::NAN, 0, 0), (0.25, 20, 80), (7.0, 200, 200)] {
        let scene = Scene::new().await;
        scene.emulator.inject_chaos(Chaos::seeded(1).rate(rate).only([FaultKind::Status]));
        for _ in 0..200 {
            let call = scene.client.sessions().get(&scene.session);
            let _either = call.retry(RetryPolicy::none()).await;
        }
        let met: usize = scene.emulator.fault_counts().values().sum();
        assert!((low..=high).contains(&met), "{rate}: {met}");
    }
}
