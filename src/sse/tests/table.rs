//! Cases written from the HTML standard, each cut at every byte.
//!
//! A file of cases is a list of rules, and a case is `[name, input, frames]`, with a fourth item
//! where the frames are not what the standard says. A frame is its data, `[id, data]`, or a delay
//! in milliseconds; a text may be a list of parts; `\xff` stands for a byte.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;

use super::super::Frame;
use super::{ROOMY, decode, event, model};

const FILES: [&str; 4] = [
    include_str!("cases/framing.json"),
    include_str!("cases/fields.json"),
    include_str!("cases/ids.json"),
    include_str!("cases/bytes.json"),
];

#[derive(Deserialize)]
struct Rule {
    rule: String,
    cases: Vec<Line>,
}

#[derive(Deserialize)]
struct Line(String, Text, Vec<Wanted>, #[serde(default)] Option<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Retry(u64),
    WithId(Text, Text),
    Data(Text),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Plain(String),
    Repeated { times: usize, of: String },
}

pub(super) struct Case {
    /// The rule and the case's own name.
    pub(super) name: String,
    pub(super) input: Vec<u8>,
    pub(super) frames: Vec<Frame>,
    deviation: Option<String>,
}

impl Text {
    fn whole(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Parts(parts) => parts.iter().map(Part::whole).collect(),
        }
    }
}

impl Part {
    fn whole(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Repeated { times, of } => of.repeat(*times),
        }
    }
}

impl From<&Wanted> for Frame {
    fn from(wanted: &Wanted) -> Self {
        match wanted {
            Wanted::Retry(milliseconds) => Self::Retry(Duration::from_millis(*milliseconds)),
            Wanted::WithId(id, data) => event(Some(&id.whole()), data.whole()),
            Wanted::Data(data) => event(None, data.whole()),
        }
    }
}

/// Returns the bytes of a text in which `\xff` stands for one.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

pub(super) fn cases() -> Vec<Case> {
    let rules = FILES.map(|file| serde_json::from_str::<Vec<Rule>>(file).unwrap());
    let case = |rule: &str, Line(name, input, frames, deviation): Line| Case {
        name: format!("{rule}: {name}"),
        input: bytes(&input.whole()),
        frames: frames.iter().map(Frame::from).collect(),
        deviation,
    };
    rules
        .into_iter()
        .flatten()
        .flat_map(|Rule { rule, cases }| cases.into_iter().map(move |line| case(&rule, line)))
        .collect()
}

#[test]
fn every_case_of_the_standard_is_decoded_whole() {
    for Case { name, input, frames, .. } in cases() {
        assert_eq!(decode(ROOMY, [&input[..]]), frames, "{name}");
    }
}

#[test]
fn every_case_of_the_standard_is_decoded_byte_by_byte() {
    for Case { name, input, frames, .. } in cases() {
        assert_eq!(decode(ROOMY, input.chunks(1)), frames, "{name}");
    }
}

#[test]
fn every_case_of_the_standard_is_decoded_in_two_pieces_cut_anywhere() {
    for Case { name, input, frames, .. } in cases() {
        for cut in 0..=input.len() {
            let (before, after) = input.split_at(cut);
            assert_eq!(decode(ROOMY, [before, after]), frames, "{name}, cut at {cut}");
        }
    }
}

#[test]
fn the_model_of_the_standard_agrees_with_every_case() {
    for Case { name, input, frames, .. } in cases() {
        assert_eq!(model::frames(&input), frames, "{name}");
    }
}

#[test]
fn there_are_more_than_350_cases_and_no_two_are_the_same() {
    let cases = cases();
    assert!(cases.len() > 350, "{}", cases.len());
    let names: HashSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len());
    let mut inputs = HashSet::new();
    for case in &cases {
        assert!(inputs.insert(&case.input), "{} repeats an input", case.name);
    }
}

#[test]
fn only_a_delay_over_32_bits_is_not_as_the_standard_says() {
    let deviating: Vec<_> =
        cases().into_iter().filter(|case| case.deviation.is_some()).map(|case| case.name).collect();
    assert_eq!(deviating.len(), 4, "{deviating:?}");
    assert!(deviating.iter().all(|name| name.contains(" retry: ")), "{deviating:?}");
}
