//! Text without its escapes, and what runs of base64 in it hold.

use std::ops::Range;

use super::steps::step;

/// Kinds of escapes, as bits.
pub(super) const PERCENT: u8 = 1;
pub(super) const JSON: u8 = 2;
pub(super) const HTML: u8 = 4;
pub(super) const ALL: u8 = PERCENT | JSON | HTML;
pub(super) const KINDS: [u8; 3] = [PERCENT, JSON, HTML];

/// How many encodings, one within the other, are looked through.
pub(super) const LAYERS: u8 = 4;

/// Where a text was cut: a mark of somebody who shortened it, or of a decoder that met half a character.
const MARKS: [&[u8; 3]; 3] = [b"...", ELLIPSIS, b"\xEF\xBF\xBD"];
const ELLIPSIS: &[u8; 3] = b"\xE2\x80\xA6";

/// Between pieces that do not belong together. No needle holds it, since it is no byte of UTF-8.
const BOUNDARY: u8 = 0xFF;

/// The values of [`class`] from here on are no characters of base64; the lower bits say which kind of escape begins here.
const OTHER: u8 = 0x80;

static CLASSES: [u8; 256] = classes();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn classes() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut classes = [OTHER; 256];
    let mut at = 0;
    while at < alphabet.len() {
        classes[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    // The URL-safe alphabet (RFC 4648, section 5).
    classes[b'-' as usize] = 62;
    classes[b'_' as usize] = 63;
    classes[b'%' as usize] = OTHER | PERCENT;
    classes[b'\\' as usize] = OTHER | JSON;
    classes[b'&' as usize] = OTHER | HTML;
    classes
}

/// The value of a character of base64, or [`OTHER`] with the kind of escape that the byte begins.
fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(OTHER)
}

pub(super) fn is_mark(text: &[u8], at: usize) -> bool {
    // Few bytes begin one.
    matches!(text.get(at), Some(b'.' | 0xE2 | 0xEF))
        && at
            .checked_add(3)
            .and_then(|end| text.get(at..end))
            .is_some_and(|found| MARKS.iter().any(|mark| found == *mark))
}

pub(super) fn marks<'a>() -> impl Iterator<Item = &'a [u8]> {
    MARKS.iter().map(|mark| mark.as_slice())
}

/// The kinds whose escapes may be in the text.
pub(super) fn kinds(text: &[u8]) -> u8 {
    step(text.len());
    let bit = |found, kind| if found { kind } else { 0 };
    text.iter().fold(0, |kinds, byte| {
        kinds | bit(*byte == b'%', PERCENT) | bit(*byte == b'\\', JSON) | bit(*byte == b'&', HTML)
    })
}

/// What `decode` or `base64` may write for a text of this length, and what is left for the mark of a cut.
pub(super) fn room(len: usize) -> usize {
    len + 16
}

/// An escape in a text, and the bytes that it stands for. None for one that a cut went through.
pub(super) struct Escape {
    pub(super) source: Range<usize>,
    bytes: [u8; 4],
    len: usize,
}

impl Escape {
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

pub(super) enum Piece {
    Literal(Range<usize>),
    Escape(Escape),
}

/// A text in pieces: what is no escape of these kinds, and escapes.
pub(super) struct Pieces<'a> {
    text: &'a [u8],
    at: usize,
    kinds: u8,
    /// Whether the text's end is a cut.
    cut: bool,
    next: Option<Escape>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(text: &'a [u8], kinds: u8, cut: bool) -> Self {
        let (at, next) = (0, None);
        Self {
            text,
            at,
            kinds,
            cut,
            next,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    fn is_cut(&self, at: usize) -> bool {
        (self.cut && at >= self.text.len()) || is_mark(self.text, at)
    }

    fn escape(&self, at: usize) -> Option<Escape> {
        let (bytes, len, end) = match self.byte(at)? {
            b'%' => self.percent(at),
            b'\\' => self.json(at),
            _ => self.html(at),
        }?;
        Some(Escape {
            source: at..end,
            bytes,
            len,
        })
    }

    /// What an escape that ends here stands for if a cut went through it: nothing.
    fn cut_at(&self, end: usize) -> Option<([u8; 4], usize, usize)> {
        self.is_cut(end).then_some(([0; 4], 0, end))
    }

    fn percent(&self, at: usize) -> Option<([u8; 4], usize, usize)> {
        let (digits, value) = self.hex(at + 1, 2);
        if digits < 2 {
            return self.cut_at(at + 1 + digits);
        }
        Some(([value as u8, 0, 0, 0], 1, at + 3))
    }

    /// RFC 8259, section 7.
    fn json(&self, at: usize) -> Option<([u8; 4], usize, usize)> {
        let c = match self.byte(at + 1) {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let (digits, high) = self.hex(at + 2, 4);
                if digits < 4 {
                    return self.cut_at(at + 2 + digits);
                }
                if !matches!(high, 0xD800..0xDC00) {
                    return utf8(char::from_u32(high)?, at + 6);
                }
                // The other half of a surrogate pair.
                for (distance, expected) in [(6, b'\\'), (7, b'u')] {
                    if self.byte(at + distance) != Some(expected) {
                        return self.cut_at(at + distance);
                    }
                }
                let (digits, low) = self.hex(at + 8, 4);
                if digits < 4 {
                    return self.cut_at(at + 8 + digits);
                }
                let low = matches!(low, 0xDC00..0xE000).then_some(low)?;
                return utf8(
                    char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))?,
                    at + 12,
                );
            }
            _ => return self.cut_at(at + 1),
        };
        utf8(c, at + 2)
    }

    /// The characters that writers of HTML escape, and all of them by number, with leading zeros.
    fn html(&self, at: usize) -> Option<([u8; 4], usize, usize)> {
        let mut end = at + 1;
        let c = if self.byte(end) == Some(b'#') {
            end += 1;
            let radix = if matches!(self.byte(end), Some(b'x' | b'X')) {
                16
            } else {
                10
            };
            end += usize::from(radix == 16);
            while self.byte(end) == Some(b'0') {
                step(1);
                end += 1;
            }
            let mut value = 0;
            let most = end + 7;
            while end < most
                && let Some(digit) = self.byte(end).and_then(|byte| char::from(byte).to_digit(radix))
            {
                value = value * radix + digit;
                end += 1;
            }
            char::from_u32(value)
        } else {
            let begin = end;
            while end < begin + 6 && self.byte(end).is_some_and(|byte| byte.is_ascii_alphabetic()) {
                end += 1;
            }
            let name = self.text.get(begin..end)?;
            let known = ENTITIES
                .iter()
                .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
            known.map(|(_, c)| *c)
        };
        match (self.byte(end), c) {
            (Some(b';'), Some(c)) => utf8(c, end + 1),
            _ => self.cut_at(end),
        }
    }

    /// How many hexadecimal digits stand there, up to so many, and their value.
    fn hex(&self, at: usize, most: usize) -> (usize, u32) {
        let (mut digits, mut value) = (0, 0);
        while digits < most
            && let Some(digit) = self.byte(at + digits).and_then(|byte| char::from(byte).to_digit(16))
        {
            value = value * 16 + digit;
            digits += 1;
        }
        (digits, value)
    }
}

const ENTITIES: [(&str, char); 6] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("hellip", '…'),
];

fn utf8(c: char, end: usize) -> Option<([u8; 4], usize, usize)> {
    let mut bytes = [0; 4];
    let len = c.encode_utf8(&mut bytes).len();
    Some((bytes, len, end))
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let begin = self.at;
        while self.next.is_none() {
            let rest = self.text.get(self.at..)?;
            let marker = rest.iter().position(|byte| {
                let class = class(*byte);
                class > OTHER && class & self.kinds != 0
            });
            step(marker.unwrap_or(rest.len()) + 1);
            let Some(marker) = marker else {
                self.at = self.text.len();
                break;
            };
            self.at += marker;
            self.next = self.escape(self.at);
            self.at += usize::from(self.next.is_none());
        }
        if self.at > begin {
            return Some(Piece::Literal(begin..self.at));
        }
        let escape = self.next.take()?;
        self.at = escape.source.end;
        Some(Piece::Escape(escape))
    }
}

/// Writes `text` without its escapes, and adds where in `out` they were. With none, it writes nothing and says so.
pub(super) fn decode(text: &[u8], kinds: u8, cut: bool, out: &mut Vec<u8>, escapes: &mut Vec<usize>) -> bool {
    for piece in Pieces::new(text, kinds, cut) {
        match piece {
            Piece::Literal(range) if range.len() == text.len() => return false,
            Piece::Literal(range) => out.extend_from_slice(text.get(range).unwrap_or_default()),
            Piece::Escape(escape) => {
                escapes.push(out.len());
                out.extend_from_slice(escape.bytes());
            }
        }
    }
    if cut {
        out.extend_from_slice(ELLIPSIS);
    }
    !escapes.is_empty()
}

/// A run of base64 in a text, and where its bytes begin in the decoded text.
pub(super) struct Run {
    text: Range<usize>,
    at: usize,
}

/// Finds the runs of at least `shortest` characters, and the shorter ones next to a cut. `escapes` leaves only those that an escape stands in
/// or next to: the others are as they were before decoding.
pub(super) fn runs(text: &[u8], escapes: Option<&[usize]>, shortest: usize, cut: bool, runs: &mut Vec<Run>) {
    runs.clear();
    let mut escapes = escapes.map(|escapes| escapes.iter().copied().peekable());
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(skipped) = rest.iter().position(|byte| class(*byte) < OTHER) else {
            break;
        };
        let begin = at + skipped;
        let rest = text.get(begin..).unwrap_or_default();
        let end = begin + rest.iter().position(|byte| class(*byte) >= OTHER).unwrap_or(rest.len());
        step(end - at + 1);
        at = end;
        if end - begin < MARKED || (end - begin < shortest && !cut_before(text, begin) && !cut_after(text, end, cut)) {
            continue;
        }
        if let Some(escapes) = &mut escapes {
            while escapes.next_if(|escape| escape + 3 < begin).is_some() {
                step(1);
            }
            if escapes.peek().is_none_or(|escape| *escape > end + 2) {
                continue;
            }
        }
        runs.push(Run {
            text: begin..end,
            at: 0,
        });
    }
    step(text.len().saturating_sub(at));
}

/// The characters of base64 that are three bytes: fewer say too little, next to a cut as well.
const MARKED: usize = 4;

fn cut_before(text: &[u8], begin: usize) -> bool {
    begin.checked_sub(3).is_some_and(|before| is_mark(text, before))
}

fn cut_after(text: &[u8], end: usize, cut: bool) -> bool {
    (cut && end == text.len()) || is_mark(text, end)
}

/// Writes what the runs stand for if they begin after `skip` characters, with a mark for each cut next to one.
pub(super) fn base64(text: &[u8], runs: &mut [Run], skip: usize, cut: bool, out: &mut Vec<u8>) {
    let mut marked = None;
    for run in runs {
        let Range { start, end } = run.text;
        if !cut_before(text, start) {
            out.push(BOUNDARY);
        } else if marked != start.checked_sub(3) {
            out.extend_from_slice(ELLIPSIS);
        }
        run.at = out.len();
        let sextets = text.get(start + skip..end).unwrap_or_default();
        step(sextets.len());
        let mut groups = sextets.chunks_exact(4);
        for group in &mut groups {
            let bits = group.iter().fold(0, |bits, byte| bits << 6 | u32::from(class(*byte)));
            let [_, bytes @ ..] = bits.to_be_bytes();
            out.extend_from_slice(&bytes);
        }
        let rest = groups.remainder();
        let bits = rest.iter().fold(0, |bits, byte| bits << 6 | u32::from(class(*byte)));
        let bits = bits << (6 * (4 - rest.len()));
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend_from_slice(bytes.get(..rest.len() * 6 / 8).unwrap_or_default());
        if cut_after(text, end, cut) {
            out.extend_from_slice(ELLIPSIS);
            marked = Some(end);
        }
    }
}

/// Where in the text stands what was found in its runs (in order), with the padding that follows.
pub(super) fn in_text(
    text: &[u8],
    runs: &[Run],
    skip: usize,
    found: &[Range<usize>],
    mut mark: impl FnMut(Range<usize>),
) {
    let mut runs = runs.iter().peekable();
    for found in found {
        while let Some(run) = runs.peek() {
            let chars = run.text.len().saturating_sub(skip);
            let bytes = run.at..run.at + chars * 6 / 8;
            let (from, to) = (found.start.max(bytes.start), found.end.min(bytes.end));
            if from < to {
                let begin = run.text.start + skip;
                let mut end = begin + ((to - run.at) * 8).div_ceil(6);
                if end == run.text.end {
                    let padding = text.get(end..).unwrap_or_default().iter().take(2);
                    end += padding.take_while(|byte| **byte == b'=').count();
                }
                mark(begin + (from - run.at) * 8 / 6..end);
            }
            if found.end <= bytes.end {
                break;
            }
            runs.next();
        }
    }
}
