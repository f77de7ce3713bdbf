//! The docs of `src` as data: public methods, what stands above them, and the examples in it.

use std::collections::BTreeSet;

use super::plan::Source;

/// A public method of an inherent `impl`, or a constructor.
pub(crate) struct Method {
    /// Where it stands, such as `stream.rs:143`.
    pub(crate) place: String,
    /// The file or folder of `src` that it belongs to.
    pub(crate) noun: String,
    /// The type, without its parameters.
    pub(crate) owner: String,
    pub(crate) name: String,
    /// From `fn` to the body.
    pub(crate) signature: String,
    /// The lines of its doc comment.
    pub(crate) docs: Vec<String>,
}

/// An HTTP operation: its method, and its path with `{}` for what varies.
pub(crate) type Operation = (String, String);

/// Returns all methods of these files but those of tests.
pub(crate) fn methods(sources: &[Source]) -> Vec<Method> {
    sources.iter().filter(|source| is_documented(source)).flat_map(methods_of).collect()
}

fn methods_of(source: &Source) -> Vec<Method> {
    let lines: Vec<_> = code(source).lines().collect();
    let (mut found, mut owner, mut docs) = (Vec::new(), None, Vec::new());
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            owner = owner_of(line);
        }
        let text = line.trim();
        if let Some(doc) = text.strip_prefix("///") {
            docs.push(doc.strip_prefix(' ').unwrap_or(doc).to_owned());
            continue;
        }
        if text.starts_with("#[") {
            continue;
        }
        let signature = line.strip_prefix("    pub ").and_then(|rest| {
            rest.strip_prefix("fn ")
                .or(rest.strip_prefix("async fn "))
                .or(rest.strip_prefix("const fn "))
        });
        if let (Some(start), Some(owner)) = (signature, &owner) {
            let more = lines[at..].iter().take_while(|line| !line.trim_start().starts_with("///"));
            let whole = more.map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            found.push(Method {
                place: format!("{}:{}", source.path, at + 1),
                noun: noun(source),
                owner: String::clone(owner),
                name: identifier(start),
                signature: whole.split(" {").next().unwrap().to_owned(),
                docs: std::mem::take(&mut docs),
            });
        }
        docs.clear();
    }
    found
}

/// Returns the examples in the docs of a noun, those of its modules included.
pub(crate) fn examples_of(sources: &[Source], noun_wanted: &str) -> Vec<String> {
    let own = sources.iter().filter(|source| is_documented(source) && noun(source) == noun_wanted);
    own.flat_map(|source| {
        let comments = code(source).lines().filter_map(|line| {
            let line = line.trim();
            let doc = line.strip_prefix("///").or(line.strip_prefix("//!"))?;
            Some(doc.strip_prefix(' ').unwrap_or(doc).to_owned())
        });
        examples(&comments.collect::<Vec<_>>())
    })
    .collect()
}

/// Returns the code blocks among these lines.
pub(crate) fn examples(lines: &[String]) -> Vec<String> {
    let text = lines.join("\n");
    let mut blocks = Vec::new();
    for (at, part) in format!("\n{text}").split("\n```").enumerate() {
        if at % 2 == 1 {
            blocks.push(part.split_once('\n').map_or("", |(_language, code)| code).to_owned());
        }
    }
    blocks
}

/// Returns the operations in a text: `` `GET /v1/agents` ``, or `` `GET`, `PUT /v1/x` `` for two.
pub(crate) fn operations(text: &str) -> BTreeSet<Operation> {
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
    let quoted: Vec<_> = text.split('`').skip(1).step_by(2).collect();
    let (mut found, mut path) = (BTreeSet::new(), None);
    for word in quoted.into_iter().rev() {
        let method = match word.split_once(' ') {
            Some((method, rest)) if rest.starts_with('/') => {
                path = Some(template(rest));
                method
            }
            _ => word,
        };
        match (METHODS.contains(&method), &path) {
            (true, Some(path)) => drop(found.insert((method.to_owned(), path.clone()))),
            (true, None) => {}
            (false, _) => path = None,
        }
    }
    found
}

/// Returns a path with `{}` for each part in braces.
pub(crate) fn template(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Returns the rows of a table of Markdown in a module's docs, each as its cells.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! |"));
    lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Returns where the links of a text lead: `[get](Agents::get)` to `Agents::get`.
pub(crate) fn links(text: &str) -> Vec<String> {
    let after = text.split("](").skip(1);
    after.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

fn is_documented(source: &Source) -> bool {
    let aside = ["lib.rs", "guide.rs"].contains(&source.path.as_str());
    !aside && !source.path.starts_with("bin/") && !source.path.contains("tests")
}

/// Returns the text above its unit tests.
fn code(source: &Source) -> &str {
    source.text.split("#[cfg(test)]\nmod").next().unwrap()
}

fn noun(source: &Source) -> String {
    let first = source.path.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

/// Returns the type of `impl<'a, T> Call<'a, T> {`; none where a trait is implemented.
fn owner_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    if rest.contains(" for ") {
        return None;
    }
    let mut depth = 0;
    let parameters = rest.find(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        depth == 0
    })?;
    let name = rest[parameters..].trim_start_matches(['>', ' ']);
    Some(identifier(name))
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
