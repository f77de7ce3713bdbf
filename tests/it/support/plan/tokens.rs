//! Rust source as tokens, without comments, and with the paths that serde reads from text.

/// The serde attributes whose text is a path or a type.
const PATHS_IN_TEXT: [&str; 12] = [
    "bound",
    "crate",
    "default",
    "deserialize_with",
    "from",
    "getter",
    "into",
    "remote",
    "serialize_with",
    "skip_serializing_if",
    "try_from",
    "with",
];

/// A name, a number, `::`, or one other character.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// Returns the tokens of `source`, whose first line has this number.
pub(crate) fn tokens(source: &str, line: usize) -> Vec<Token> {
    let mut lexer = Lexer { rest: source.chars().collect(), at: 0, line, found: Vec::new() };
    while lexer.at < lexer.rest.len() {
        lexer.step();
    }
    lexer.found
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == '\n');
            self.at += 1;
        }
    }

    fn skip_while(&mut self, goes_on: impl Fn(char) -> bool) {
        while self.at < self.rest.len() && goes_on(self.peek(0)) {
            self.skip(1);
        }
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            (c, _) if c.is_whitespace() => self.skip(1),
            ('/', '/') => self.skip_while(|c| c != '\n'),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.quoted(),
            ('\'', _) => self.character_or_lifetime(),
            (':', ':') => self.push("::".to_owned(), 2),
            (c, _) if is_word(c) => self.word(),
            (c, _) => self.push(c.to_string(), 1),
        }
    }

    fn push(&mut self, text: String, length: usize) {
        let line = self.line;
        self.found.push(Token { text, line });
        self.skip(length);
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ if self.at >= self.rest.len() => return,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let mut end = start;
        while self.rest.get(end).is_some_and(|c| is_word(*c)) {
            end += 1;
        }
        let text: String = self.rest[start..end].iter().collect();
        let hashes = self.rest[end..].iter().take_while(|c| **c == '#').count();
        let opens = self.rest.get(end + hashes) == Some(&'"');
        match text.as_str() {
            "r" | "br" | "cr" if opens => {
                self.skip(text.len() + hashes + 1);
                self.raw(hashes);
            }
            // A name like `r#type`: the next step reads the name itself.
            "r" if hashes == 1 => self.skip(2),
            _ => self.push(text, end - start),
        }
    }

    fn raw(&mut self, hashes: usize) {
        let (start, line) = (self.at, self.line);
        let close: Vec<char> = format!("\"{}", "#".repeat(hashes)).chars().collect();
        while self.at < self.rest.len() && !self.rest[self.at..].starts_with(&close) {
            self.skip(1);
        }
        self.text(start, line);
        self.skip(close.len());
    }

    fn quoted(&mut self) {
        self.skip(1);
        let (start, line) = (self.at, self.line);
        while self.at < self.rest.len() && self.peek(0) != '"' {
            self.skip(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.text(start, line);
        self.skip(1);
    }

    /// Keeps the text that began at `start` if it is the value of a serde attribute.
    fn text(&mut self, start: usize, line: usize) {
        let [.., name, equals] = self.found.as_slice() else {
            return;
        };
        let named = PATHS_IN_TEXT.contains(&name.text.as_str());
        if equals.text == "=" && named {
            let end = self.at.min(self.rest.len());
            let text: String = self.rest[start..end].iter().collect();
            self.found.extend(tokens(&text, line));
        }
    }

    fn character_or_lifetime(&mut self) {
        if self.peek(1) == '\\' {
            self.skip(3);
            self.skip_while(|c| c != '\'');
            self.skip(1);
        } else if self.peek(2) == '\'' {
            self.skip(3);
        } else {
            self.skip(1);
            self.skip_while(is_word);
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
