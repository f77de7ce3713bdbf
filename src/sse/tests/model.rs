//! Sections 9.2.5 and 9.2.6 of the HTML standard, word by word and all at once.

use std::time::Duration;

use super::super::Frame;
use super::{ROOMY, event};

/// What the standard calls the buffers, and what a limit adds to them.
#[derive(Default)]
struct Buffers {
    limit: usize,
    skipping: bool,
    data: String,
    last_event_id: String,
    /// The last event ID as the blank line before left it.
    settled: String,
    /// The last event ID of the event dispatched before; ours only tells a change.
    told: String,
}

/// Returns the frames of a whole stream.
pub(super) fn frames(stream: &[u8]) -> Vec<Frame> {
    frames_within(ROOMY, stream)
}

/// Returns the frames of a whole stream that ends with a line end and is UTF-8.
///
/// Data, an id or a type over the limit makes its event one `TooLarge`, of which only delays
/// count. The standard has no limit.
pub(super) fn frames_within(limit: usize, stream: &[u8]) -> Vec<Frame> {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut buffers = Buffers { limit, ..Buffers::default() };
    // What has no line end is pending data, and discarded.
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .filter_map(|line| buffers.line(line))
        .collect()
}

impl Buffers {
    fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "retry" => return delay(value),
            _ if self.skipping => {}
            "data" if self.data.len() + value.len() > self.limit => return self.skip(),
            "id" | "event" if value.len() > self.limit => return self.skip(),
            "data" => self.data.extend([value, "\n"]),
            "id" if !value.contains('\0') => self.last_event_id = value.into(),
            _ => {}
        }
        None
    }

    fn skip(&mut self) -> Option<Frame> {
        self.skipping = true;
        self.data.clear();
        self.last_event_id.clone_from(&self.settled);
        Some(Frame::TooLarge)
    }

    fn dispatch(&mut self) -> Option<Frame> {
        self.skipping = false;
        self.settled.clone_from(&self.last_event_id);
        let mut data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return None;
        }
        data.pop();
        let id = &self.last_event_id;
        let frame = event((*id != self.told && !id.is_empty()).then_some(id), data);
        self.told.clone_from(&self.last_event_id);
        Some(frame)
    }
}

/// Differs from the standard: a delay over 32 bits is none.
fn delay(value: &str) -> Option<Frame> {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds: u32 = value.parse().ok()?;
    Some(Frame::Retry(Duration::from_millis(milliseconds.into())))
}
