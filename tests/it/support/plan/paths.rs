//! The paths in a file's tokens, each spelled from the root of the crate.

use super::tokens::Token;

/// A path as the compiler would resolve it, `["ids", "AgentId"]` for `crate::ids::AgentId`.
///
/// A path into `reqwest` keeps that name in front.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) renamed: Option<String>,
    pub(crate) line: usize,
}

/// Takes modules of unit tests out; returns the rest, and the names of test modules in other files.
pub(crate) fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let (mut rest, mut elsewhere) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some(named) = test_module(tokens, at) else {
            rest.push(tokens[at].clone());
            at += 1;
            continue;
        };
        if is(tokens, named + 1, ";") {
            elsewhere.push(tokens[named].text.clone());
        }
        at = item_end(tokens, named + 1);
    }
    (rest, elsewhere)
}

/// Returns every path in `tokens` that starts at `crate`, `super` or `reqwest`.
pub(crate) fn paths(tokens: &[Token], module: &[String]) -> Vec<Path> {
    let (mut found, mut depth) = (Vec::new(), 0_usize);
    let mut inline: Vec<(usize, String)> = Vec::new();
    for at in 0..tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                depth += 1;
                if at >= 2 && is(tokens, at - 2, "mod") {
                    inline.push((depth, tokens[at - 1].text.clone()));
                }
            }
            "}" => {
                inline.retain(|(opened, _)| *opened < depth);
                depth = depth.saturating_sub(1);
            }
            "crate" | "super" | "reqwest" if starts(tokens, at) => {
                let names = inline.iter().map(|(_, name)| name);
                let here: Vec<String> = module.iter().chain(names).cloned().collect();
                let (next, prefix) = prefix(tokens, at, here);
                let found = &mut found;
                Tree { tokens, found }.read(next, prefix);
            }
            _ => {}
        }
    }
    found
}

/// Returns the paths of a `use`, read from the token after it.
pub(crate) fn tree(tokens: &[Token], at: usize) -> Vec<Path> {
    let mut found = Vec::new();
    let mut tree = Tree { tokens, found: &mut found };
    tree.read(at, Vec::new());
    found
}

/// Returns whether the token at `at` reads `text`.
pub(crate) fn is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.text == text)
}

/// Returns whether `pattern` stands at `at`.
pub(crate) fn matches(tokens: &[Token], at: usize, pattern: &[&str]) -> bool {
    pattern.iter().enumerate().all(|(ahead, text)| is(tokens, at + ahead, text))
}

fn test_module(tokens: &[Token], at: usize) -> Option<usize> {
    let alone = matches(tokens, at, &["#", "[", "cfg", "(", "test", ")", "]"]);
    let among = matches(tokens, at, &["#", "[", "cfg", "(", "all", "(", "test", ","]);
    if !alone && !among {
        return None;
    }
    let mut at = at;
    while is(tokens, at, "#") {
        at = closing(tokens, at + 1) + 1;
    }
    if is(tokens, at, "pub") {
        at += 1;
        at = if is(tokens, at, "(") { closing(tokens, at) + 1 } else { at };
    }
    is(tokens, at, "mod").then_some(at + 1)
}

fn item_end(tokens: &[Token], at: usize) -> usize {
    if is(tokens, at, "{") { closing(tokens, at) + 1 } else { at + 1 }
}

/// Returns where the bracket at `at` is closed.
fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    tokens.len()
}

/// Returns whether a path starts here: `crate::x`, `self::super::x`, `crate as x`, `pub(crate)` not.
fn starts(tokens: &[Token], at: usize) -> bool {
    let goes_on = is(tokens, at + 1, "::") || is(tokens, at + 1, "as");
    let inside = at > 0 && is(tokens, at - 1, "::");
    let after_self = at > 1 && inside && is(tokens, at - 2, "self");
    goes_on && (!inside || (after_self && is(tokens, at, "super")))
}

/// Returns where the path goes on, and what stands before that, from the root.
fn prefix(tokens: &[Token], at: usize, mut here: Vec<String>) -> (usize, Vec<String>) {
    let past = |at: usize| at + 1 + usize::from(is(tokens, at + 1, "::"));
    match tokens[at].text.as_str() {
        "crate" => (past(at), Vec::new()),
        "super" => {
            here.pop();
            (past(at), here)
        }
        root => (past(at), vec![root.to_owned()]),
    }
}

struct Tree<'a> {
    tokens: &'a [Token],
    found: &'a mut Vec<Path>,
}

impl Tree<'_> {
    /// Reads the segment at `at` and all after it; returns where the path ends.
    fn read(&mut self, at: usize, mut prefix: Vec<String>) -> usize {
        match self.text(at) {
            "{" => return self.group(at, &prefix),
            "as" => return self.leaf(at, prefix),
            "self" => {}
            "super" => drop(prefix.pop()),
            segment if is_segment(segment) => prefix.push(segment.to_owned()),
            _ => return self.leaf(at, prefix),
        }
        let beyond = self.text(at + 2);
        if is(self.tokens, at + 1, "::") && (beyond == "{" || is_segment(beyond)) {
            return self.read(at + 2, prefix);
        }
        self.leaf(at + 1, prefix)
    }

    fn group(&mut self, open: usize, prefix: &[String]) -> usize {
        let end = closing(self.tokens, open);
        let mut at = open + 1;
        while at < end {
            // Past the member and its comma.
            at = self.read(at, prefix.to_vec()) + 1;
        }
        end + 1
    }

    fn leaf(&mut self, at: usize, segments: Vec<String>) -> usize {
        let line = self.tokens.get(at - 1).map_or(0, |token| token.line);
        let renamed = is(self.tokens, at, "as").then(|| self.text(at + 1).to_owned());
        let end = if renamed.is_some() { at + 2 } else { at };
        self.found.push(Path { segments, renamed, line });
        end
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }
}

fn is_segment(text: &str) -> bool {
    text == "*" || text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
