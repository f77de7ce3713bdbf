//! Which events are new, repeated, late, or missing; pure.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;

use crate::events::Event;
use crate::stream::Cursor;

/// How many events without a sequence number are remembered, to know them again.
const REMEMBERED: usize = 1024;
/// How many accepted gaps are remembered, to let a late event in.
const OPEN_GAPS: usize = 256;

/// What to do with an event that arrived.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is the next one.
    Deliver,
    /// It was delivered before.
    Duplicate,
    /// It is new, and these before it have not been seen.
    Gap(RangeInclusive<u64>),
    /// It is from a gap that was accepted.
    Late,
}

/// The order of one session, as far as it was delivered.
#[derive(Debug)]
pub(super) struct Order {
    last: Option<u64>,
    /// Whether the stream began at the ledger's first event, so that a missing start is a gap.
    from_start: bool,
    gaps: VecDeque<RangeInclusive<u64>>,
    seen: VecDeque<u128>,
    hashers: [RandomState; 2],
}

impl Order {
    pub(super) fn new() -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { last: None, from_start: true, gaps: VecDeque::new(), seen: VecDeque::new(), hashers }
    }

    pub(super) fn resume(&mut self, cursor: &Cursor) {
        self.from_start = false;
        self.last = cursor.sequence_number;
        if let Some(id) = &cursor.id {
            self.remember(id.as_str());
        }
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    pub(super) fn gaps(&self) -> impl Iterator<Item = &RangeInclusive<u64>> {
        self.gaps.iter()
    }

    pub(super) fn judge(&self, event: &Event) -> Verdict {
        let Some(number) = event.sequence_number else {
            let known = self.seen.contains(&self.fingerprint(event.id.as_str()));
            return if known { Verdict::Duplicate } else { Verdict::Deliver };
        };
        match self.last {
            // Assumption (contract §5): without a cursor the ledger begins at its event 1.
            None if self.from_start && number > 1 => Verdict::Gap(1..=number - 1),
            None if self.seen.contains(&self.fingerprint(event.id.as_str())) => Verdict::Duplicate,
            None => Verdict::Deliver,
            Some(last) if number <= last => {
                let late = self.gaps.iter().any(|gap| gap.contains(&number));
                if late { Verdict::Late } else { Verdict::Duplicate }
            }
            Some(last) if number == last.saturating_add(1) => Verdict::Deliver,
            Some(last) => Verdict::Gap(last + 1..=number - 1),
        }
    }

    /// Notes that an event is delivered.
    pub(super) fn delivered(&mut self, event: &Event) {
        match event.sequence_number {
            None => self.remember(event.id.as_str()),
            Some(number) if self.last.is_none_or(|last| number > last) => self.last = Some(number),
            Some(number) => self.take_from_gap(number),
        }
    }

    /// Notes that events are missing for good; returns how many.
    pub(super) fn accept(&mut self, gap: RangeInclusive<u64>) -> u64 {
        let missing = (gap.end() - gap.start()).saturating_add(1);
        self.gaps.push_back(gap);
        self.forget_oldest_gaps();
        missing
    }

    fn forget_oldest_gaps(&mut self) {
        while self.gaps.len() > OPEN_GAPS {
            self.gaps.pop_front();
        }
    }

    fn take_from_gap(&mut self, number: u64) {
        let Some(at) = self.gaps.iter().position(|gap| gap.contains(&number)) else { return };
        let Some(gap) = self.gaps.remove(at) else { return };
        let halves = [
            (number < *gap.end()).then(|| number + 1..=*gap.end()),
            (number > *gap.start()).then(|| *gap.start()..=number - 1),
        ];
        halves.into_iter().flatten().for_each(|half| self.gaps.insert(at, half));
        self.forget_oldest_gaps();
    }

    fn remember(&mut self, id: &str) {
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        let fingerprint = self.fingerprint(id);
        self.seen.push_back(fingerprint);
    }

    /// Returns 128 bits in place of an id, whose length is the server's choice.
    fn fingerprint(&self, id: &str) -> u128 {
        let [high, low] = &self.hashers;
        u128::from(high.hash_one(id)) << 64 | u128::from(low.hash_one(id))
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Verdict};
    use crate::events::Event;

    fn event(id: &str, number: Option<u64>) -> Event {
        let number = number.map_or("null".to_owned(), |number| number.to_string());
        let json = format!(
            r#"{{"id":"{id}","session_id":"s","sequence_number":{number},"type":"t","data":{{}},
                "created_at":"2026-04-21T18:40:00Z"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn numbered(number: u64) -> Event {
        event(&format!("evt_{number}"), Some(number))
    }

    fn after(numbers: &[u64]) -> Order {
        let mut order = Order::new();
        numbers.iter().for_each(|number| order.delivered(&numbered(*number)));
        order
    }

    #[test]
    fn events_are_taken_once_and_in_order() {
        let order = after(&[1, 2]);
        assert_eq!(order.judge(&numbered(3)), Verdict::Deliver);
        assert_eq!(order.judge(&numbered(2)), Verdict::Duplicate);
        assert_eq!(order.judge(&numbered(1)), Verdict::Duplicate);
        assert_eq!(order.judge(&numbered(6)), Verdict::Gap(3..=5));
        assert_eq!(order.judge(&numbered(u64::MAX)), Verdict::Gap(3..=u64::MAX - 1));
    }

    #[test]
    fn a_missing_start_is_a_gap_unless_the_stream_was_resumed() {
        assert_eq!(Order::new().judge(&numbered(1)), Verdict::Deliver);
        assert_eq!(Order::new().judge(&numbered(0)), Verdict::Deliver);
        assert_eq!(Order::new().judge(&numbered(4)), Verdict::Gap(1..=3));
        let mut order = Order::new();
        order.resume(&"@evt_3".parse().unwrap());
        assert_eq!(order.judge(&numbered(4)), Verdict::Deliver);
        assert_eq!(order.judge(&numbered(3)), Verdict::Duplicate, "the event at the seam");
        order.resume(&"3@evt_3".parse().unwrap());
        assert_eq!(order.judge(&numbered(5)), Verdict::Gap(4..=4));
    }

    #[test]
    fn an_event_from_an_accepted_gap_is_late_once() {
        let mut order = after(&[1]);
        assert_eq!(order.accept(2..=4), 3);
        order.delivered(&numbered(5));
        assert_eq!(order.judge(&numbered(3)), Verdict::Late);
        order.delivered(&numbered(3));
        assert_eq!(order.judge(&numbered(3)), Verdict::Duplicate);
        assert_eq!(order.gaps().cloned().collect::<Vec<_>>(), [2..=2, 4..=4]);
        for number in [4, 2] {
            assert_eq!(order.judge(&numbered(number)), Verdict::Late);
            order.delivered(&numbered(number));
        }
        assert_eq!(order.gaps().count(), 0);
        assert_eq!(order.last(), Some(5));
    }

    #[test]
    fn events_without_numbers_are_known_by_their_ids_within_bounded_memory() {
        let mut order = Order::new();
        for n in 0..5_000 {
            let event = event(&format!("e{n}"), None);
            assert_eq!(order.judge(&event), Verdict::Deliver);
            order.delivered(&event);
            assert_eq!(order.judge(&event), Verdict::Duplicate);
        }
        assert_eq!(order.seen.len(), super::REMEMBERED);
    }

    #[test]
    fn gaps_without_end_stay_bounded() {
        let mut order = after(&[1]);
        order.accept(2..=100_000);
        order.delivered(&numbered(100_001));
        (1..10_000).for_each(|n| order.delivered(&numbered(2 * n + 1)));
        assert_eq!(order.gaps().count(), super::OPEN_GAPS);
        let mut order = Order::new();
        for n in 0..10_000 {
            order.accept(n * 2..=n * 2);
        }
        assert_eq!(order.gaps().count(), super::OPEN_GAPS);
    }
}
