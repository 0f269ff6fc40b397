//! A text as a reader sees it who takes away one kind of escapes, with the way back to the text itself.
//!
//! A server can write a secret in many ways: `%2F`, `%2f` or `/`, `\u0022` or `\"`. Looking for the secret in what they all mean finds
//! each of them, mixed as they may be.

use std::ops::Range;

use memchr::memmem;
use zeroize::Zeroizing;

/// What a text means to one kind of reader.
pub(super) struct View {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each byte begins in the text; none where it is the text itself.
    begins: Option<Vec<u32>>,
    /// The text's own length.
    len: usize,
}

/// Reads one escape at the beginning of a text: what it means, and how many bytes it takes.
type Escape = fn(&str) -> Option<(char, usize)>;

impl View {
    /// The text itself, and it without each kind of escapes that it may have, one after the other: each is larger than the text.
    pub(super) fn all(text: &str) -> impl Iterator<Item = Self> {
        let ways: [fn(&str) -> Option<Self>; 5] = [
            |text| Some(Self::plain(text)),
            |text| text.contains('%').then(|| Self::without_percent(text, false)),
            |text| text.contains('+').then(|| Self::without_percent(text, true)),
            |text| text.contains('\\').then(|| Self::without(text, json)),
            |text| text.contains('&').then(|| Self::without(text, html)),
        ];
        ways.into_iter().filter_map(move |way| way(text))
    }

    fn plain(text: &str) -> Self {
        Self {
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
            begins: None,
            len: text.len(),
        }
    }

    fn without(text: &str, escape: Escape) -> Self {
        let mut view = Self::with_room(text);
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let first = rest.chars().next().map_or((' ', 1), |c| (c, c.len_utf8()));
            let (c, length) = escape(rest).unwrap_or(first);
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                view.push(byte, at);
            }
            at += length;
        }
        view
    }

    /// Byte by byte: what a character is, several of them say together.
    fn without_percent(text: &str, plus_is_space: bool) -> Self {
        let mut view = Self::with_room(text);
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            let (byte, length) = match (byte, text.get(at + 1..at + 3).and_then(hex)) {
                (b'%', Some(code)) => (code as u8, 3),
                (b'+', _) if plus_is_space => (b' ', 1),
                (byte, _) => (*byte, 1),
            };
            view.push(byte, at);
            at += length;
        }
        view
    }

    /// No view is longer than its text, so it never grows, which would leave copies behind.
    fn with_room(text: &str) -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(text.len())),
            begins: Some(Vec::with_capacity(text.len())),
            len: text.len(),
        }
    }

    fn push(&mut self, byte: u8, begin: usize) {
        self.bytes.push(byte);
        if let Some(begins) = &mut self.begins {
            begins.push(u32::try_from(begin).unwrap_or(u32::MAX));
        }
    }

    /// Adds where in the text `needle` stands, also where it overlaps itself.
    pub(super) fn find(&self, needle: &str, found: &mut Vec<Range<usize>>) {
        let place = |at: usize| match &self.begins {
            None => at,
            Some(begins) => begins.get(at).map_or(self.len, |begin| *begin as usize),
        };
        let (needle, mut from) = (needle.as_bytes(), 0);
        while let Some(at) = self.bytes.get(from..).and_then(|rest| memmem::find(rest, needle)) {
            let begin = from + at;
            found.push(place(begin)..place(begin + needle.len()));
            from = begin + 1;
        }
    }
}

fn hex(digits: &str) -> Option<u32> {
    digits
        .bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())?
}

/// RFC 8259, section 7.
fn json(text: &str) -> Option<(char, usize)> {
    let mut chars = text.strip_prefix('\\')?.chars();
    let simple = match chars.next()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let unit = |text: &str| text.strip_prefix("\\u").and_then(|rest| hex(rest.get(..4)?));
            let high = unit(text)?;
            if let Some(c) = char::from_u32(high) {
                return Some((c, 6));
            }
            let low = text.get(6..).and_then(unit)?;
            let pair = char::decode_utf16([high as u16, low as u16]).next()?.ok()?;
            return Some((pair, 12));
        }
        _ => return None,
    };
    Some((simple, 2))
}

/// The characters that writers of HTML escape, and all of them by number.
fn html(text: &str) -> Option<(char, usize)> {
    let (name, _) = text
        .strip_prefix('&')?
        .split_once(';')
        .filter(|(name, _)| name.len() <= 8)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => hex(digits)?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, name.len() + 2))
}
