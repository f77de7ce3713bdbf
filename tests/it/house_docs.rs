//! The docs teach what there is: every operation, every method of a handle, every guide.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::docs::{
    Method, Operation, examples, examples_of, links, methods, operations, rows, template,
};
use crate::support::plan::{HANDLES, Source, read_sources};

/// What else is used like a handle: each method has an example of its own.
const LIKE_HANDLES: [&str; 11] = [
    "Client",
    "Download",
    "Emulator",
    "EventStream",
    "Publish",
    "RunTools",
    "TextStream",
    "Tools",
    "UploadSnapshot",
    "WebhookSigner",
    "WebhookVerifier",
];

/// The upload's address is given by the service; the emulator has it here.
const UPLOAD: (&str, &str) = ("PUT", "/uploads/{}");

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(path: &str) -> String {
    fs::read_to_string(src().join(path)).unwrap()
}

fn guides() -> Vec<(String, String)> {
    let mut guides = Vec::new();
    for entry in fs::read_dir(src().join("guide")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        guides.push((name, fs::read_to_string(&path).unwrap()));
    }
    assert!(guides.len() >= 8, "only {} guides were read", guides.len());
    guides
}

#[test]
fn every_method_of_a_handle_has_an_example() {
    let methods = methods(&read_sources(&src()));
    let of_handles = methods.iter().filter(|method| {
        let owner = method.owner.as_str();
        HANDLES.contains(&owner) || LIKE_HANDLES.contains(&owner)
    });
    let (with, without): (Vec<_>, Vec<_>) =
        of_handles.partition(|method| !examples(&method.docs).is_empty());
    let without: Vec<_> = without.into_iter().map(named).collect();
    assert!(without.is_empty(), "no example:\n{}", without.join("\n"));
    assert!(with.len() > 90, "only {} were found", with.len());
}

#[test]
fn every_option_of_a_builder_is_shown_in_an_example() {
    let sources = read_sources(&src());
    let methods = methods(&sources);
    let options: Vec<_> = methods.iter().filter(|method| is_option(method)).collect();
    assert!(options.len() > 130, "only {} were found", options.len());
    let missing: Vec<_> =
        options.into_iter().filter(|method| !is_shown(method, &sources)).map(named).collect();
    assert!(missing.is_empty(), "in no example:\n{}", missing.join("\n"));
}

/// Returns whether a method makes a value to go on with: a constructor, or an option.
fn is_option(method: &Method) -> bool {
    let gives = method.signature.split(" -> ").nth(1).unwrap_or_default();
    gives.starts_with("Self") || method.owner.ends_with("Builder")
}

fn is_shown(method: &Method, sources: &[Source]) -> bool {
    if !examples(&method.docs).is_empty() {
        return true;
    }
    let stem = method.owner.strip_suffix("Builder").unwrap_or(&method.owner);
    let takes_self = method.signature.split(')').next().unwrap().contains("self");
    let is_named =
        |example: &str| ["Call", "Wait"].contains(&stem) || example.contains(&format!("{stem}::"));
    examples_of(sources, &method.noun).iter().any(|example| match takes_self {
        true => is_named(example) && example.contains(&format!(".{}(", method.name)),
        false => example.contains(&format!("{stem}::{}", method.name)),
    })
}

fn named(method: &Method) -> String {
    format!("{} {}::{}", method.place, method.owner, method.name)
}

#[test]
fn the_crate_docs_have_a_table_of_every_http_operation() {
    let lib = read("lib.rs");
    let mut told: BTreeSet<Operation> = BTreeSet::new();
    for row in rows(&lib) {
        if row[0].contains("`PUT` to the address reserved") {
            told.insert((UPLOAD.0.to_owned(), UPLOAD.1.to_owned()));
        }
        told.extend(operations(&row[0]));
    }
    assert_eq!(told, of_the_emulator());
}

/// Returns the operations that the emulator has a name for.
fn of_the_emulator() -> BTreeSet<Operation> {
    let text = read("emulator/fault/route.rs");
    let (_, list) = text.split_once("\nroutes! {\n").unwrap();
    let list = list.split_once("\n}\n").unwrap().0.lines();
    let quoted = list.map(|line| line.split('"').collect::<Vec<_>>());
    let found: BTreeSet<_> =
        quoted.map(|parts| (parts[3].to_owned(), template(parts[5]))).collect();
    assert!(found.len() > 30, "only {} operations were read", found.len());
    found
}

#[test]
fn a_method_in_the_table_says_in_its_own_docs_what_it_sends() {
    let methods = methods(&read_sources(&src()));
    let docs_of = |target: &str| {
        let (owner, name) = target.split_once("::")?;
        methods.iter().find(|method| method.owner == owner && method.name == name)
    };
    for row in rows(&read("lib.rs")) {
        let told: BTreeSet<_> = links(row.get(1).map_or("", String::as_str))
            .iter()
            .filter_map(|target| docs_of(target))
            .flat_map(|method| operations(&method.docs.join("\n")))
            .collect();
        for operation in operations(&row[0]) {
            assert!(told.contains(&operation), "{operation:?}: only {told:?}");
        }
    }
}

#[test]
fn every_guide_is_linked_and_all_its_code_is_run() {
    let (lib, index) = (read("lib.rs"), read("guide.rs"));
    for (name, text) in guides() {
        assert!(lib.contains(&format!("](guide::{name})")), "{name} in lib.rs");
        assert!(index.contains(&format!("]({name})")), "{name} in guide.rs");
        assert!(index.contains(&format!("{name}: \"guide/{name}.md\";")), "{name} has no page");
        assert!(text.lines().count() <= 400, "{name} is too long");
        let fences: Vec<_> = text.lines().filter(|line| line.starts_with("```")).collect();
        let odd =
            fences.iter().find(|fence| !["```", "```rust", "```sql", "```toml"].contains(fence));
        assert_eq!(odd, None, "{name}: all code of a guide is compiled and run");
        assert!(fences.contains(&"```rust"), "{name} shows no code");
    }
}

#[test]
fn the_list_at_the_head_of_a_guide_has_all_its_headings() {
    for (name, text) in guides() {
        // Hidden lines of code start like headings.
        let mut in_code = false;
        let visible = text.lines().filter(|line| {
            in_code ^= line.starts_with("```");
            !in_code
        });
        let visible: Vec<_> = visible.filter_map(|line| line.strip_prefix("# ")).collect();
        let listed: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("- [")?.split_once("](#"))
            .map(|(heading, _)| heading)
            .collect();
        assert_eq!(listed, visible, "{name}");
    }
}

#[test]
fn the_readers_of_docs_see_what_they_should() {
    let lines = ["Text", "```no_run", "a();", "```", "More", "```", "b();", "```"];
    let lines: Vec<_> = lines.map(str::to_owned).to_vec();
    assert_eq!(examples(&lines), ["a();", "b();"]);
    let pair = |method: &str, path: &str| (method.to_owned(), path.to_owned());
    let two = operations("`GET`, `PUT /v1/agents/{agent_id}/webhook` and `x`");
    let path = "/v1/agents/{}/webhook";
    assert_eq!(two, BTreeSet::from([pair("GET", path), pair("PUT", path)]));
    assert_eq!(operations("`PUT` to the address"), BTreeSet::new());
    let text = "impl<'a, T: X<u8>> Call<'a, T> {\n    /// Says.\n    ///\n    /// ```\n    /// x\n    /// ```\n    #[must_use]\n    pub fn say(\n        self,\n    ) -> Self {\n    }\n}\nimpl Debug for Call {\n    pub fn no() {}\n}\n";
    let source = Source { path: "call.rs".to_owned(), text: text.to_owned() };
    let found = methods(&[source]);
    assert_eq!(found.len(), 1);
    assert_eq!((named(&found[0]).as_str(), &*found[0].noun), ("call.rs:8 Call::say", "call"));
    assert_eq!((examples(&found[0].docs).len(), is_option(&found[0])), (1, true));
}
