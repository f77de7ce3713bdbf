//! The house plan of `ARCHITECTURE.md` as a check: who stands where, and who may import whom.

mod paths;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path as FilePath;

use paths::{Path, is, matches, paths, tree, without_tests};
use tokens::{Token, tokens};

/// A row of the house plan, from the top down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Vocabulary,
    Pure,
    Client,
    Transport,
    Patience,
    Resources,
    Workflows,
    Aside,
}

/// Where each file of `src` stands; a folder stands where the file of its name does.
const ROWS: [(&str, Row); 36] = [
    ("ids", Row::Vocabulary),
    ("status", Row::Vocabulary),
    ("time", Row::Vocabulary),
    ("secret", Row::Vocabulary),
    ("json", Row::Vocabulary),
    ("object", Row::Vocabulary),
    ("error", Row::Vocabulary),
    ("content", Row::Pure),
    ("events", Row::Pure),
    ("retry", Row::Pure),
    ("request", Row::Pure),
    ("client", Row::Client),
    ("trace", Row::Transport),
    ("http", Row::Transport),
    ("sse", Row::Transport),
    ("poll", Row::Patience),
    ("stream", Row::Patience),
    ("call", Row::Patience),
    ("sessions", Row::Resources),
    ("messages", Row::Resources),
    ("agents", Row::Resources),
    ("transcript", Row::Resources),
    ("files", Row::Resources),
    ("batches", Row::Resources),
    ("workspace", Row::Resources),
    ("costs", Row::Resources),
    ("versions", Row::Resources),
    ("source_snapshots", Row::Resources),
    ("webhook_config", Row::Resources),
    ("tools", Row::Workflows),
    ("publish", Row::Workflows),
    ("webhooks", Row::Aside),
    ("emulator", Row::Aside),
    ("guide", Row::Aside),
    ("bin", Row::Aside),
    ("fuzzing", Row::Aside),
];

/// The only import within the vocabulary.
const IN_VOCABULARY: (&str, &str) = ("object", "json");

/// The only import of what stands aside: the emulator signs as the scheme says.
const OF_ASIDE: (&str, &str) = ("emulator", "webhooks");

/// What holds a resource's operations; resources share their entities, not these.
pub(crate) const HANDLES: [&str; 10] = [
    "AgentWebhook",
    "Agents",
    "Batches",
    "Costs",
    "Files",
    "Messages",
    "Sessions",
    "SourceSnapshots",
    "Transcripts",
    "Workspaces",
];

const NO_NAMES: [&str; 5] = ["types", "models", "utils", "common", "prelude"];

/// Spellings that belong to a few files, or to none.
const RESERVED: [(&[&str], &[&str]); 8] = [
    (&[".", "execute", "("], &["http"]),
    (&[".", "send", "(", ")"], &["http"]),
    (&[".", "http", "."], &["http"]),
    (&["TcpStream"], &["http", "emulator"]),
    (&["sse_core"], &["sse"]),
    (&["#", "[", "path"], &[]),
    (&["include", "!"], &[]),
    (&["extern", "crate"], &[]),
];

/// What of reqwest sends or receives, and the files that may name it.
const ON_THE_WIRE: ([&str; 6], [&str; 2]) =
    (["Request", "RequestBuilder", "Response", "blocking", "get", "*"], ["http", "sse"]);

/// What has no place where neither a clock is read nor a socket touched: the pure rows, and webhooks.
const NOT_PURE: [&str; 4] = ["Instant", "SystemTime", "reqwest", "tokio"];

/// A file of `src`, its path with `/` from there.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Returns what breaks the house plan, one line each.
pub(crate) fn breaches(sources: &[Source]) -> Vec<String> {
    let mut check = Check::new(sources);
    check.order();
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        check.placement(source);
        check.contents(source);
    }
    check.circles();
    check.found
}

/// Returns the Rust files below `root`, sorted by path.
pub(crate) fn read_sources(root: &FilePath) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let names = path.strip_prefix(root).unwrap().iter();
                let names: Vec<_> = names.map(|name| name.to_str().unwrap()).collect();
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source { path: names.join("/"), text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

struct Check {
    /// The modules in the order of `lib.rs`.
    order: Vec<String>,
    /// What `lib.rs` makes public, and the module it comes from.
    public: BTreeMap<String, String>,
    /// Modules of unit tests that are files of their own.
    tests: Vec<Vec<String>>,
    imports: BTreeSet<(String, String)>,
    found: Vec<String>,
}

impl Check {
    fn new(sources: &[Source]) -> Self {
        let lib = sources.iter().find(|source| source.path == "lib.rs").unwrap();
        let lib = tokens(&lib.text, 1);
        let mods = (0..lib.len()).filter(|at| is(&lib, *at, "mod") && is(&lib, at + 2, ";"));
        let uses = (0..lib.len()).filter(|at| matches(&lib, *at, &["pub", "use"]));
        let exports = uses.flat_map(|at| tree(&lib, at + 2)).filter_map(|path| {
            let [module, .., name] = path.segments.as_slice() else {
                return None;
            };
            Some((path.renamed.unwrap_or_else(|| name.clone()), module.clone()))
        });
        Self {
            order: mods.map(|at| lib[at + 1].text.clone()).collect(),
            public: exports.collect(),
            tests: sources.iter().flat_map(test_files).collect(),
            imports: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// The order of `lib.rs` must not contradict the rows.
    fn order(&mut self) {
        for pair in self.order.windows(2) {
            if row(&pair[0]) > row(&pair[1]) {
                self.found.push(format!(
                    "lib.rs: `{}` belongs to a row above that of `{}`, and stands below it",
                    pair[1], pair[0]
                ));
            }
        }
    }

    fn placement(&mut self, source: &Source) {
        let module = module_of(&source.path);
        if let Some(name) = module.iter().find(|name| NO_NAMES.contains(&name.as_str())) {
            self.refuse(source, 1, &format!("`{name}` says nothing of what is in it"));
        }
        match row(&module[0]) {
            None => self.refuse(source, 1, "has no row in the house plan"),
            Some(_) if module[0] == "bin" || self.order.contains(&module[0]) => {}
            Some(_) => self.refuse(source, 1, "has no `mod` line in lib.rs"),
        }
    }

    fn contents(&mut self, source: &Source) {
        let module = module_of(&source.path);
        if self.tests.iter().any(|tests| module.starts_with(tests)) {
            return;
        }
        let (tokens, _) = without_tests(&tokens(&source.text, 1));
        self.spelling(source, &tokens);
        for path in paths(&tokens, &module) {
            if let Some(reason) = self.import(&module[0], &path) {
                self.refuse(source, path.line, &format!("`{}` {reason}", path.segments.join("::")));
            }
        }
    }

    fn spelling(&mut self, source: &Source, tokens: &[Token]) {
        let noun = &*module_of(&source.path)[0];
        let pure = row(noun) <= Some(Row::Pure) || noun == "webhooks";
        for (at, Token { text, line }) in tokens.iter().enumerate() {
            if pure && NOT_PURE.contains(&text.as_str()) {
                self.refuse(source, *line, &format!("`{text}` in a row without clock and socket"));
            }
            for (pattern, owners) in RESERVED {
                if matches(tokens, at, pattern) && !owners.contains(&noun) {
                    let pattern = pattern.concat();
                    self.refuse(source, *line, &format!("`{pattern}` is for {owners:?} alone"));
                }
            }
        }
    }

    /// Returns why `noun` may not name `path`.
    fn import(&mut self, noun: &str, path: &Path) -> Option<String> {
        let [first, rest @ ..] = path.segments.as_slice() else {
            return Some("takes in the whole crate".to_owned());
        };
        if first == "reqwest" {
            let (names, owners) = ON_THE_WIRE;
            let sends = rest.first().is_none_or(|name| names.contains(&name.as_str()));
            return (sends && !owners.contains(&noun)).then(|| "is for http and sse".to_owned());
        }
        let target = match (self.order.contains(first), self.public.get(first)) {
            (true, _) => first.clone(),
            (false, Some(module)) => module.clone(),
            (false, None) if first == "*" => return Some("takes in the whole crate".to_owned()),
            (false, None) => return Some("is in no module that lib.rs names".to_owned()),
        };
        if target == noun {
            return None;
        }
        self.imports.insert((noun.to_owned(), target.clone()));
        self.refusal(noun, &target, &path.segments)
    }

    fn refusal(&self, noun: &str, target: &str, segments: &[String]) -> Option<String> {
        let place = |noun: &str| self.order.iter().position(|other| other == noun);
        let exported = |name: &String| self.public.get(name).is_some_and(|from| from == target);
        let handle = |name: &String| HANDLES.contains(&name.as_str());
        let reason = match row(noun) {
            // Tests in all but name: they look wherever there is a promise.
            _ if noun == "fuzzing" => return None,
            _ if (noun, target) == OF_ASIDE => return None,
            _ if row(target) == Some(Row::Aside) => "stands aside: nobody imports it",
            Some(Row::Vocabulary) if (noun, target) == IN_VOCABULARY => return None,
            Some(Row::Vocabulary) => "is ours: the vocabulary imports nothing of ours",
            _ if place(target) > place(noun) => "stands below: imports point up",
            Some(Row::Resources) if segments.iter().any(handle) => "is another resource's handle",
            Some(Row::Aside) if noun == "emulator" && !segments.iter().any(exported) => {
                "is not public: the emulator lives on what users have"
            }
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// Drops modules that nobody imports or that import nobody, until only circles are left.
    fn circles(&mut self) {
        let mut left = self.imports.clone();
        loop {
            let importers: BTreeSet<_> = left.iter().map(|(from, _)| from.clone()).collect();
            let imported: BTreeSet<_> = left.iter().map(|(_, to)| to.clone()).collect();
            let before = left.len();
            left.retain(|(from, to)| imported.contains(from) && importers.contains(to));
            if left.len() == before {
                break;
            }
        }
        if !left.is_empty() {
            let edges: Vec<_> = left.iter().map(|(from, to)| format!("{from} -> {to}")).collect();
            self.found.push(format!("imports in a circle: {}", edges.join(", ")));
        }
    }

    fn refuse(&mut self, source: &Source, line: usize, reason: &str) {
        self.found.push(format!("{}:{line}: {reason}", source.path));
    }
}

fn row(noun: &str) -> Option<Row> {
    ROWS.iter().find(|(name, _)| *name == noun).map(|(_, row)| *row)
}

/// Returns the module of a file: `client/builder.rs` is `client::builder`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

fn test_files(source: &Source) -> Vec<Vec<String>> {
    let (_, names) = without_tests(&tokens(&source.text, 1));
    let here = module_of(&source.path);
    names.into_iter().map(|name| [here.clone(), vec![name]].concat()).collect()
}
