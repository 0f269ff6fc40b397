//! Terminal output: text without control characters, and colours.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

/// When to write in colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

impl Colour {
    /// Whether to use them on this stream.
    pub(crate) fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Auto => stream.is_terminal(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Text built line by line.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    colours: bool,
}

/// The style of a word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Plain,
    Bold,
    Good,
    Bad,
}

impl Page {
    pub(crate) fn new(colours: bool) -> Self {
        Self {
            text: String::new(),
            colours,
        }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, text: &str) {
        self.toned(text, Tone::Plain);
    }

    /// The same, with a style.
    pub(crate) fn toned(&mut self, text: &str, tone: Tone) {
        let line = self.tone(text, tone);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// `  title         text`
    pub(crate) fn row(&mut self, title: &str, text: &str, tone: Tone) {
        let text = self.tone(text, tone);
        let _infallible = writeln!(self.text, "  {title:<13} {}", text.trim_end());
    }

    /// A table; the first cell of each row is styled.
    pub(crate) fn table<const N: usize>(&mut self, rows: &[(Tone, [String; N])]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|(_, cells)| cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        for (tone, cells) in rows {
            let mut line = String::new();
            for (column, cell) in cells.iter().enumerate() {
                let shown = self.tone(cell, if column == 0 { *tone } else { Tone::Plain });
                let room = (width(column) + 2).saturating_sub(cell.chars().count());
                let _infallible = write!(line, "{shown}{:room$}", "");
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn tone(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Bold => "1",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Plain => return printable(text),
        };
        match self.colours {
            true => format!("\u{1b}[{code}m{}\u{1b}[0m", printable(text)),
            false => printable(text),
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// Replaces characters that control a terminal or reorder text, which may come from the network or a file.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| c.is_ascii_control() || steers(c);
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for log lines, which keep their colours and line ends.
pub(crate) fn readable(log: &str) -> String {
    log.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// JSON with these characters escaped. JSON syntax is ASCII, so they only occur in strings, where ASCII control characters are already escaped.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) {
            let _infallible = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Control characters beyond the first 32, and characters that reorder text. All have 16 bits.
fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Writes to standard output. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The same for one JSON value.
pub(crate) fn print_json(json: &str) -> io::Result<()> {
    print(&format!("{}\n", escaped(json)))
}

/// Adds a member, given as JSON, to a JSON object. All other bytes stay unchanged.
pub(crate) fn with_member(object: &str, name: &str, json: &str) -> String {
    let Some(members) = object.trim_end().strip_suffix('}') else {
        return object.to_owned();
    };
    let comma = if members.ends_with('{') { "" } else { "," };
    format!("{members}{comma}{}:{json}}}", serde_json::Value::from(name))
}

/// Adds the warnings to a JSON object, if there are any.
pub(crate) fn with_warnings(json: &str, warnings: &[String]) -> String {
    if warnings.is_empty() {
        return json.to_owned();
    }
    with_member(json, "warnings", &serde_json::Value::from(warnings).to_string())
}

/// Standard output as a writer, with the rules of [`print()`].
#[derive(Debug)]
pub(crate) struct Out;

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().lock().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().lock().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Writes to standard error and ignores failures.
pub(crate) fn print_stderr(text: &str) {
    let _nobody_reads = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a warning.
pub(crate) fn warn(what: &str) {
    print_stderr(&format!("warning: {}\n", printable(what)));
}

/// Prints an error.
pub(crate) fn print_error(what: &str) {
    print_stderr(&format!("flow-starter: {}\n", printable(what)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_text_cannot_control_the_terminal() {
        let mut page = Page::new(true);
        page.row("body", "\u{1b}]0;title\u{7} \u{202e}reversed\r\nnext", Tone::Bold);
        assert_eq!(
            page.into_text(),
            "  body          \u{1b}[1m\u{fffd}]0;title\u{fffd} \u{fffd}reversed\u{fffd}\u{fffd}next\u{1b}[0m\n"
        );
    }

    #[test]
    fn json_keeps_its_values_and_steers_no_terminal() {
        let text = "a\u{7f}\u{85}\u{9b}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{1b}\n\"\\ü\u{1f600}";
        let json = serde_json::to_string_pretty(&serde_json::json!({ "x": text })).unwrap();
        let shown = escaped(&json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["x"], text);
        assert!(
            !shown.contains(|c: char| steers(c) || (c.is_control() && c != '\n')),
            "{shown:?}"
        );
        assert!(shown.contains("\\u009b\\u202e") && shown.contains('ü'), "{shown}");
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let mut page = Page::new(false);
        let row = |a: &str, b: &str| (Tone::Good, [a.to_owned(), b.to_owned()]);
        page.table(&[row("✓", "one"), row("longer", "two")]);
        assert_eq!(page.into_text(), "✓       one\nlonger  two\n");
    }
}
