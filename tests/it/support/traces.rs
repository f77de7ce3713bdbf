//! A subscriber that keeps what it is told, for the thread of one test.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest, set_default};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// Fields by name; what is not text, a signed integer or a truth value is text with `?` before it.
pub(crate) type Fields = BTreeMap<&'static str, Value>;

/// A span, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct SeenSpan {
    pub(crate) metadata: &'static Metadata<'static>,
    /// The span within which it began, as a place in the list.
    pub(crate) parent: Option<usize>,
    pub(crate) fields: Fields,
    /// How often it is held; closed when not at all.
    pub(crate) holders: u32,
}

/// An event, and the span within which it happened.
#[derive(Clone, Debug)]
pub(crate) struct SeenEvent {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) span: Option<usize>,
    pub(crate) fields: Fields,
}

/// Everything that was told while this lives, on the thread that made it.
pub(crate) struct Traces {
    seen: Arc<Mutex<Seen>>,
    _guard: DefaultGuard,
}

#[derive(Default)]
struct Seen {
    spans: Vec<SeenSpan>,
    events: Vec<SeenEvent>,
    entered: Vec<usize>,
}

struct Collector {
    seen: Arc<Mutex<Seen>>,
    level: LevelFilter,
}

impl Traces {
    /// Listens to everything.
    pub(crate) fn start() -> Self {
        Self::start_at(LevelFilter::TRACE)
    }

    /// Listens to this level and those above.
    pub(crate) fn start_at(level: LevelFilter) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        ask_every_thread();
        let guard = set_default(Collector { seen: seen.clone(), level });
        Self { seen, _guard: guard }
    }

    /// Returns the spans, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<SeenSpan> {
        self.seen.lock().unwrap().spans.clone()
    }

    /// Returns the fields of the calls, in the order in which they began.
    pub(crate) fn calls(&self) -> Vec<Fields> {
        let spans = self.spans().into_iter();
        spans.filter(|span| span.metadata.name() == "dari.call").map(|span| span.fields).collect()
    }

    /// Returns the only call.
    pub(crate) fn call(&self) -> Fields {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }

    /// Returns the events of this crate.
    pub(crate) fn events(&self) -> Vec<SeenEvent> {
        let events = self.seen.lock().unwrap().events.clone();
        events.into_iter().filter(|event| event.metadata.target() == "dari").collect()
    }

    /// Returns the fields of the events of this name, without the fields that all of them have.
    pub(crate) fn events_named(&self, name: &str) -> Vec<Fields> {
        let named = self.events().into_iter().filter(|event| event.metadata.name() == name);
        let mut fields: Vec<_> = named.map(|event| event.fields).collect();
        for fields in &mut fields {
            assert!(fields.remove("message").is_some_and(|text| text.is_string()));
            assert!(fields.remove("dari.operation").is_some_and(|text| text.is_string()));
        }
        fields
    }

    /// Returns whether no span is entered now.
    pub(crate) fn is_outside(&self) -> bool {
        self.seen.lock().unwrap().entered.is_empty()
    }

    /// Returns all that was told, by anybody, as text.
    pub(crate) fn text(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let spans = seen.spans.iter().map(|span| (span.metadata, &span.fields));
        let events = seen.events.iter().map(|event| (event.metadata, &event.fields));
        let line = |(metadata, fields): (&Metadata<'_>, &Fields)| {
            format!("{} {} {fields:?}\n", metadata.target(), metadata.name())
        };
        spans.chain(events).map(line).collect()
    }
}

/// Keeps two subscribers that hear nothing, for the tests of all threads.
///
/// As long as there is only one, `tracing` takes the wishes of the thread that passes a place first
/// for those of all threads, and that may be one of a test that listens to nothing.
fn ask_every_thread() {
    static DEAF: OnceLock<[Dispatch; 2]> = OnceLock::new();
    let deaf = || Dispatch::new(Collector { seen: Arc::default(), level: LevelFilter::OFF });
    DEAF.get_or_init(|| [deaf(), deaf()]);
}

impl Collector {
    fn with<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.seen.lock().unwrap())
    }
}

impl Subscriber for Collector {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Read::default();
        attributes.record(&mut fields);
        self.with(|seen| {
            let contextual = attributes.is_contextual().then(|| seen.entered.last().copied());
            let parent = attributes.parent().map(place).or(contextual.flatten());
            let metadata = attributes.metadata();
            seen.spans.push(SeenSpan { metadata, parent, fields: fields.0, holders: 1 });
            Id::from_u64(seen.spans.len() as u64)
        })
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Read::default();
        values.record(&mut fields);
        self.with(|seen| {
            for (name, value) in fields.0 {
                let before = seen.spans[place(span)].fields.insert(name, value);
                assert_eq!(before, None, "{name} is recorded twice");
            }
        });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Read::default();
        event.record(&mut fields);
        self.with(|seen| {
            let span = event.parent().map(place).or(seen.entered.last().copied());
            let metadata = event.metadata();
            seen.events.push(SeenEvent { metadata, span, fields: fields.0 });
        });
    }

    fn enter(&self, span: &Id) {
        self.with(|seen| seen.entered.push(place(span)));
    }

    fn exit(&self, span: &Id) {
        let left = self.with(|seen| seen.entered.pop());
        assert_eq!(left, Some(place(span)), "spans are left in another order than entered");
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.with(|seen| seen.spans[place(span)].holders += 1);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        self.with(|seen| {
            let holders = &mut seen.spans[place(&span)].holders;
            *holders -= 1;
            *holders == 0
        })
    }
}

fn place(span: &Id) -> usize {
    span.into_u64() as usize - 1
}

#[derive(Default)]
struct Read(Fields);

impl Visit for Read {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        // A message is made of a format, which has no other way to come.
        let text = if field.name() == "message" { text } else { format!("?{text}") };
        self.0.insert(field.name(), text.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }
}
