//! Ten thousand events through hundreds of random faults: none lost, none twice, none astray.

use std::time::Duration;

use super::fake::{Fake, Opened, Piece, broken, busy, events, frame, refused, resumed_after};
use crate::error::Error;
use crate::stream::ReconnectPolicy;

const LEDGER: u64 = 10_000;

/// A server that does something else wrong at each connection.
struct Chaos {
    random: fastrand::Rng,
    faults: usize,
    /// The newest event there is: the list has it as soon as the stream has tried to send it.
    newest: u64,
}

impl Chaos {
    fn open(&mut self, last: Option<&str>) -> Opened {
        self.faults += 1;
        match self.random.u8(0..20) {
            0 => return Err(broken()),
            1 => return Err(refused([500, 502, 503][self.random.usize(0..3)])),
            2 => return Err(busy(self.random.u64(0..20))),
            3 => return Ok(vec![]),
            4 => return Ok(vec![Piece::Hold]),
            _ => {}
        }
        let at = resumed_after(last);
        let text = self.frames(at);
        let bytes = self.line_ends(text).into_bytes();
        // Anywhere: inside a line, a character, a line end.
        let cut = self.random.usize(0..=bytes.len());
        let mut pieces = self.chunks(&bytes[..cut]);
        match self.random.u8(0..3) {
            0 => pieces.push(Piece::Break),
            1 => pieces.push(Piece::Hold),
            _ => {}
        }
        Ok(pieces)
    }

    /// Returns some frames from about here, with everything a frame can suffer.
    fn frames(&mut self, at: u64) -> String {
        let mut text = String::new();
        if self.random.bool() {
            text.push('\u{feff}');
        }
        let retry = ["0", "999999999", "abc", "15"];
        if self.random.u8(0..4) == 0 {
            text += &format!("retry: {}\n\n", retry[self.random.usize(0..retry.len())]);
        }
        let replay = self.random.u64(0..4);
        let mut number = (at + 1).saturating_sub(replay).max(1);
        let end = (at + self.random.u64(1..120)).min(LEDGER);
        self.newest = self.newest.max(end);
        while number <= end {
            text += &self.suffer(number);
            // A jump that the list can fill.
            number += if self.random.u8(0..25) == 0 { self.random.u64(2..6) } else { 1 };
        }
        text
    }

    fn suffer(&mut self, number: u64) -> String {
        let frame = frame(number);
        let (_id, idless) = frame.split_once('\n').unwrap();
        match self.random.u8(0..30) {
            0 => frame.repeat(2),
            1 => idless.to_owned(),
            2 => format!(": comment\n\n{frame}"),
            3 => format!("data: garbage\n\n{frame}"),
            4 if number < self.newest => format!("{}{frame}", self::frame(number + 1)),
            _ => frame,
        }
    }

    fn line_ends(&mut self, text: String) -> String {
        match self.random.u8(0..3) {
            0 => text,
            1 => text.replace('\n', "\r\n"),
            _ => text.replace('\n', "\r"),
        }
    }

    fn chunks(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let size = [1, 7, 1400, 65_536][self.random.usize(0..4)];
        let mut pieces: Vec<_> = bytes.chunks(size).map(|c| Piece::Bytes(c.to_vec())).collect();
        if self.random.u8(0..4) == 0 {
            pieces.insert(pieces.len() / 2, Piece::Silence(Duration::from_secs(59)));
        }
        pieces
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_events_come_through_hundreds_of_faults() {
    let ledger = std::sync::Arc::new(events(1..=LEDGER));
    for seed in [fastrand::u64(..), 1, 2] {
        let chaos = std::sync::Arc::new(std::sync::Mutex::new(Chaos {
            random: fastrand::Rng::with_seed(seed),
            faults: 0,
            newest: 0,
        }));
        let server = chaos.clone();
        let fake = Fake::new(move |_, last| server.lock().unwrap().open(last));
        let mut trouble = fastrand::Rng::with_seed(seed);
        let (ledger, recorded) = (ledger.clone(), chaos.clone());
        let fake = fake.list(move |limit| match trouble.u8(0..5) {
            0 => Err(broken()),
            _ => Ok(ledger[..limit.min(recorded.lock().unwrap().newest) as usize].to_vec()),
        });
        let mut stream = fake.stream().reconnect(ReconnectPolicy::default().max_attempts(1000));
        let mut expected = 1;
        while expected <= LEDGER {
            match stream.try_next().await {
                Ok(Some(event)) => {
                    assert_eq!(event.sequence_number, Some(expected), "seed {seed}");
                    expected += 1;
                }
                Err(Error::Stream(error)) if error.source.is_none() => {}
                other => panic!("seed {seed}: {other:?}"),
            }
        }
        let (faults, stats) = (chaos.lock().unwrap().faults, stream.stats());
        assert!(faults >= 200, "seed {seed}: only {faults} faults");
        assert_eq!((stats.missing, stats.late), (0, 0), "seed {seed}: {stats:?}");
        assert!(stats.gaps > 100 && stats.duplicates > 100, "seed {seed}: {stats:?}");
    }
}
