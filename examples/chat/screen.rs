//! The screen: lines that stay, and below them one that shows that the agent is at work.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::time::Instant;

use crate::terminal::{Paint, Tone, one_line};

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// Returns to the start of the line and empties it.
const ERASE: &str = "\r\x1b[K";

pub(crate) struct Screen<W> {
    out: W,
    paint: Paint,
    /// Whether there is a screen to draw on, or only a place for lines.
    draws: bool,
    /// Whether what is typed stands on the screen already.
    echoes: bool,
    frame: usize,
    spinning: bool,
}

impl Screen<io::Stdout> {
    pub(crate) fn standard() -> Self {
        let (draws, echoes) = (stdout().is_terminal(), stdin().is_terminal());
        let (out, paint) = (stdout(), Paint::for_stdout());
        Self { out, paint, draws, echoes, frame: 0, spinning: false }
    }
}

impl<W: Write> Screen<W> {
    /// Writes lines that stay. The text must be harmless.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.still()?;
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Writes lines that stay, in a colour.
    pub(crate) fn toned(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let painted = self.paint.tone(tone, text);
        self.line(&painted)
    }

    /// Shows the next picture of the spinner, in place of the one before.
    pub(crate) fn spin(&mut self, what: &str, since: Instant) -> io::Result<()> {
        if !self.draws {
            return Ok(());
        }
        let picture = FRAMES[self.frame % FRAMES.len()];
        self.frame += 1;
        self.spinning = true;
        let line = format!("{picture} {} {} s", one_line(what, 50), since.elapsed().as_secs());
        write!(self.out, "{ERASE}{}", self.paint.tone(Tone::Aside, &line))?;
        self.out.flush()
    }

    /// Takes the spinner away.
    pub(crate) fn still(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.spinning) {
            write!(self.out, "{ERASE}")?;
        }
        self.out.flush()
    }

    /// Asks for a line.
    pub(crate) fn prompt(&mut self) -> io::Result<()> {
        self.still()?;
        if self.echoes {
            write!(self.out, "> ")?;
        }
        self.out.flush()
    }

    /// Shows a line that came from a file or a pipe as if it had been typed.
    pub(crate) fn typed(&mut self, text: &str) -> io::Result<()> {
        if self.echoes { Ok(()) } else { self.line(&format!("> {text}")) }
    }

    /// Ends the line of the prompt, when none was typed.
    pub(crate) fn end_prompt(&mut self) -> io::Result<()> {
        if self.echoes { self.line("") } else { Ok(()) }
    }
}

#[cfg(test)]
impl Screen<Vec<u8>> {
    /// Returns a screen that remembers what it was shown, with or without a spinner.
    pub(crate) fn remembering(spinner: &str) -> Self {
        let (draws, paint) = (!spinner.is_empty(), Paint::default());
        Self { out: Vec::new(), paint, draws, echoes: true, frame: 0, spinning: false }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;
    use std::time::Instant;

    #[test]
    fn the_spinner_leaves_nothing_behind() {
        let mut screen = Screen::remembering("with a spinner");
        screen.spin("working", Instant::now()).unwrap();
        screen.spin("working", Instant::now()).unwrap();
        screen.line("Hello").unwrap();
        screen.line("again").unwrap();
        let text = screen.text();
        let (erased, left) = text.rsplit_once("\r\x1b[K").unwrap();
        assert_eq!(left, "Hello\nagain\n");
        assert!(erased.contains("⠋ working 0 s") && erased.contains("⠙ working 0 s"), "{erased:?}");
    }

    #[test]
    fn a_file_gets_lines_only() {
        let mut screen = Screen::remembering("");
        screen.spin("working", Instant::now()).unwrap();
        screen.line("Hello").unwrap();
        assert_eq!(screen.text(), "Hello\n");
    }
}
