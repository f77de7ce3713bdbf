//! The security review names its tests, and every test that it names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::plan::read_sources;

/// Returns every test of the crate as `module::name`.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for (folder, prefix) in [("src", ""), ("tests/it", ""), ("tests/memory", "memory::")] {
        for source in read_sources(&root.join(folder)) {
            let module = source.path.trim_end_matches(".rs").replace('/', "::");
            let module = module.trim_end_matches("::main").to_owned();
            let inline = source.text.find("\nmod tests {").filter(|_| folder == "src");
            for (at, name) in functions(&source.text) {
                let tests = if inline.is_some_and(|start| at > start) { "tests::" } else { "" };
                found.insert(format!("{prefix}{module}::{tests}{name}"));
            }
        }
    }
    found
}

/// Returns the functions that are tests, and where they stand.
fn functions(text: &str) -> Vec<(usize, &str)> {
    let marks = ["#[test]", "#[tokio::test"].into_iter().flat_map(|mark| text.match_indices(mark));
    marks
        .filter_map(|(at, _)| {
            let start = text[at..].find("fn ").map(|start| at + start + 3)?;
            Some((start, text[start..].split('(').next()?))
        })
        .collect()
}

#[test]
fn every_test_that_the_review_names_exists() {
    let review = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/SECURITY.md")).unwrap();
    let known = tests();
    assert!(known.len() > 500, "only {} tests were found", known.len());
    let mut rows = 0;
    for row in review.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |")) {
        let (_, last) = row.trim_end_matches([' ', '|']).rsplit_once('|').unwrap();
        let named: Vec<_> = last.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(known.contains(name), "there is no test {name}: {row}");
        }
        rows += 1;
    }
    assert!(rows > 20, "only {rows} rows");
}

#[test]
fn a_test_that_does_not_exist_would_be_noticed() {
    let known = tests();
    assert!(known.contains("security::every_test_that_the_review_names_exists"));
    assert!(known.contains("ids::tests::text_that_a_url_would_fold_away_is_refused"));
    assert!(!known.contains("security::every_test_that_the_review_names"));
    assert!(!known.contains("ids::text_that_a_url_would_fold_away_is_refused"));
}
