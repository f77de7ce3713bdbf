//! What the examples for a terminal share: text made harmless, and colours where they are wanted.

use std::env;
use std::io::{IsTerminal, stdout};

/// Colours for the standard output, or none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Paint(bool);

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    /// Said by this program, about the rest.
    Aside,
    Good,
    Bad,
}

impl Paint {
    /// Returns colours where a person looks on who has not asked for none.
    pub(crate) fn for_stdout() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let unable = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self(stdout().is_terminal() && !unwanted && !unable)
    }

    /// Returns this text in its colour. It must be harmless already.
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Aside => "2",
            Tone::Good => "36",
            Tone::Bad => "31",
        };
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Returns text that cannot drive a terminal.
///
/// A model can be talked into writing escape sequences, which move the cursor, rewrite what was
/// said before, or fill the clipboard. Control characters are shown as pictures, such as `␛`; those
/// that turn the direction of writing as `�`. Line ends stay, and a tab is four spaces.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\u{2028}' | '\u{2029}' => shown.push('\n'),
            '\t' => shown.push_str("    "),
            '\r' => {}
            '\0'..='\x1f' => shown.push(picture(character)),
            '\x7f' => shown.push('␡'),
            '\u{80}'..='\u{9f}' => shown.push('\u{fffd}'),
            '\u{61c}' | '\u{200e}' | '\u{200f}' => shown.push('\u{fffd}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.push('\u{fffd}'),
            other => shown.push(other),
        }
    }
    shown
}

/// Returns harmless text on one line of at most so many characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(most) {
        let keep = line.char_indices().nth(most.saturating_sub(1)).map_or(cut, |(at, _)| at);
        line.truncate(keep);
        line.push('…');
    }
    line
}

fn picture(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::{one_line, plain};

    #[test]
    fn text_keeps_its_lines_and_loses_its_power() {
        assert_eq!(plain("a\tb\r\nc"), "a    b\nc");
        assert_eq!(plain("Grüße 👩‍🚀 日本"), "Grüße 👩‍🚀 日本");
        assert_eq!(plain("\x1b]0;owned\x07\x1b[2J"), "␛]0;owned␇␛[2J");
        assert_eq!(plain("over\rwritten\x08\x7f"), "overwritten␈␡");
        assert_eq!(plain("\u{9b}2J \u{202e}txt.exe\u{2066}"), "\u{fffd}2J \u{fffd}txt.exe\u{fffd}");
    }

    #[test]
    fn no_control_character_is_left_but_the_line_end() {
        let all: String = ('\0'..='\u{2fff}').chain(['\u{feff}', '\u{10ffff}']).collect();
        assert!(plain(&all).chars().all(|it| it == '\n' || !it.is_control()));
        assert!(!one_line(&all, usize::MAX).contains(char::is_control));
    }

    #[test]
    fn a_line_is_cut_where_it_is_too_long() {
        assert_eq!(one_line(" a\n b  c ", 9), "a b c");
        assert_eq!(one_line("äöüß", 4), "äöüß");
        assert_eq!(one_line("äöüßa", 4), "äöü…");
        assert_eq!(one_line("abc", 0), "…");
    }
}
