//! Text of strangers made fit to be read: characters that hide, JSON, and fences of code.

use dari::RawJson;

/// How deep JSON may be nested to be indented; deeper, the spaces would outgrow the page.
const DEEPEST: usize = 64;

/// A piece of a message.
pub(crate) enum Piece<'a> {
    Prose(&'a str),
    Code(&'a str),
}

/// Returns text in which every character that a browser would hide or obey is seen.
///
/// Those are control characters, and the ones that turn the direction of what follows.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        let turns = matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if turns || (c.is_control() && !matches!(c, '\n' | '\t')) {
            shown += &format!("[U+{:04X}]", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Splits a message at the fences that agents put around code.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut at, mut fence) = (0, 0, None);
    for line in text.split_inclusive('\n') {
        let (from, trimmed) = (at, line.trim());
        at += line.len();
        let ticks = trimmed.bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            None if ticks >= 3 && !trimmed[ticks..].contains('`') => {
                pieces.push(Piece::Prose(&text[start..from]));
                (start, fence) = (at, Some(ticks));
            }
            Some(open) if ticks >= open && ticks == trimmed.len() => {
                pieces.push(Piece::Code(&text[start..from]));
                (start, fence) = (at, None);
            }
            _ => {}
        }
    }
    let rest = &text[start..];
    pieces.push(if fence.is_some() { Piece::Code(rest) } else { Piece::Prose(rest) });
    pieces.retain(|piece| {
        let (Piece::Prose(text) | Piece::Code(text)) = piece;
        !text.trim().is_empty()
    });
    pieces
}

/// Returns JSON as a person reads it: text as it is, and the rest indented.
///
/// It works on the letters, so that every digit and the order of fields stay as they were sent.
pub(crate) fn readable(json: &RawJson) -> String {
    if let Ok(text) = json.parse::<String>() {
        return text;
    }
    indented(json.get()).unwrap_or_else(|| json.get().to_owned())
}

/// Returns `None` for what is nested too deep.
fn indented(json: &str) -> Option<String> {
    let mut out = String::with_capacity(2 * json.len());
    let (mut depth, mut opened, mut quoted, mut escaped) = (0_usize, false, false, false);
    for c in json.chars() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        depth = depth.checked_sub(closes.into())?;
        if opened != closes {
            new_line(&mut out, depth);
        }
        opened = matches!(c, '{' | '[');
        depth += usize::from(opened);
        if depth > DEEPEST {
            return None;
        }
        out.push(c);
        match c {
            ',' => new_line(&mut out, depth),
            ':' => out.push(' '),
            _ => quoted = c == '"',
        }
    }
    Some(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}
