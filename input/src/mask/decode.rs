//! Text without its escapes, and what runs of base64 in it hold.

use std::ops::Range;

use zeroize::Zeroizing;

use super::steps::step;

/// Kinds of escapes, as bits.
pub(super) const PERCENT: u8 = 1;
pub(super) const JSON: u8 = 2;
pub(super) const HTML: u8 = 4;
pub(super) const ALL: u8 = PERCENT | JSON | HTML;
/// What a cut went through is no escape.
pub(super) const CUT_IS_TEXT: u8 = 8;

/// In which ways a text is decoded. The last three differ only where an escape was cut, or a character that looks like the beginning of one.
pub(super) const WAYS: [u8; 6] = [
    PERCENT,
    JSON,
    HTML,
    PERCENT | CUT_IS_TEXT,
    JSON | CUT_IS_TEXT,
    HTML | CUT_IS_TEXT,
];

/// How many encodings, one within the other, are looked through.
pub(super) const LAYERS: u8 = 4;

/// Where a text was cut: a mark of somebody who shortened it, or of a decoder that met half a character.
const MARKS: [&[u8; 3]; 3] = [b"...", ELLIPSIS, b"\xEF\xBF\xBD"];
const ELLIPSIS: &[u8; 3] = b"\xE2\x80\xA6";

/// Between pieces that do not belong together. No needle holds it, since it is no byte of UTF-8.
const BOUNDARY: u8 = 0xFF;

/// What [`class`] says of other characters.
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
    classes
}

/// The value of a character of base64, or [`OTHER`].
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

const CHUNK: usize = 16;
/// In the component, bytes of code count more than time.
const NEAR: usize = if cfg!(target_arch = "wasm32") {
    usize::MAX
} else {
    CHUNK
};

/// A text in pieces: what is no escape of these kinds, and the escape that follows.
pub(super) struct Pieces<'a> {
    text: &'a [u8],
    at: usize,
    /// What these kinds begin with.
    markers: [u8; 3],
    /// Whether the text's end is a cut.
    cut: bool,
    cut_is_text: bool,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(text: &'a [u8], kinds: u8, cut: bool) -> Self {
        let of = |kind, marker: u8| (kinds & kind != 0).then_some(marker);
        let (percent, json, html) = (of(PERCENT, b'%'), of(JSON, b'\\'), of(HTML, b'&'));
        // The same byte several times where there are fewer kinds.
        let any = percent.or(json).or(html).unwrap_or_default();
        let markers = [percent, json, html].map(|marker| marker.unwrap_or(any));
        Self {
            text,
            at: 0,
            markers,
            cut,
            cut_is_text: kinds & CUT_IS_TEXT != 0,
        }
    }

    /// How many bytes to the next marker.
    fn literal(&self, rest: &[u8]) -> Option<usize> {
        let [a, b, c] = self.markers;
        let is_marker = |byte: u8| (byte == a) | (byte == b) | (byte == c);
        // What is near is found soonest byte by byte, what is far in chunks that a compiler makes vectors of.
        let (near, mut far) = rest.split_at_checked(NEAR).unwrap_or((rest, &[]));
        if let Some(found) = near.iter().position(|byte| is_marker(*byte)) {
            return Some(found);
        }
        let mut skipped = near.len();
        while let Some((chunk, rest)) = far.split_first_chunk::<CHUNK>()
            && !chunk.iter().fold(false, |found, byte| found | is_marker(*byte))
        {
            skipped += CHUNK;
            far = rest;
        }
        Some(skipped + far.iter().position(|byte| is_marker(*byte))?)
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
        (!self.cut_is_text && self.is_cut(end)).then_some(([0; 4], 0, end))
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
            Some(c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
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
        Some(([c, 0, 0, 0], 1, at + 2))
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
    type Item = (Range<usize>, Option<Escape>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.at;
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let Some(marker) = self.literal(rest) else {
                step(rest.len());
                self.at = self.text.len();
                return Some((begin..self.at, None));
            };
            step(marker + 1);
            self.at += marker;
            if let Some(escape) = self.escape(self.at) {
                let literal = begin..self.at;
                self.at = escape.source.end;
                return Some((literal, Some(escape)));
            }
            self.at += 1;
        }
        (self.at > begin).then_some((begin..self.at, None))
    }
}

/// A text without some encoding.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Where escapes were.
    pub(super) escapes: Vec<usize>,
    /// Whether a cut went through an escape.
    pub(super) cut: bool,
}

impl Decoded {
    /// Empty, with room for `len` bytes and a mark: a buffer that grows leaves copies behind.
    pub(super) fn clear(&mut self, len: usize) {
        self.bytes.clear();
        self.escapes.clear();
        self.cut = false;
        let room = len + 2 * ELLIPSIS.len();
        if self.bytes.capacity() < room {
            self.bytes = Zeroizing::new(Vec::with_capacity(room));
        }
    }
}

/// Writes `text` without its escapes. With none, it writes nothing and says so.
pub(super) fn decode(text: &[u8], kinds: u8, cut: bool, out: &mut Decoded) -> bool {
    out.clear(text.len());
    let Decoded {
        bytes,
        escapes,
        cut: is_cut,
    } = out;
    for (literal, escape) in Pieces::new(text, kinds, cut) {
        if literal.len() == text.len() {
            return false;
        }
        if !literal.is_empty() {
            bytes.extend_from_slice(text.get(literal).unwrap_or_default());
        }
        if let Some(escape) = escape {
            // Near ones count as one.
            if escapes.last().is_none_or(|last| last + 2 < bytes.len()) {
                escapes.push(bytes.len());
            }
            *is_cut |= escape.bytes().is_empty();
            for byte in escape.bytes() {
                bytes.push(*byte);
            }
        }
    }
    if cut {
        bytes.extend_from_slice(ELLIPSIS);
    }
    !escapes.is_empty()
}

/// How many characters of base64 hold so many bytes.
pub(super) fn shortest_run(bytes: usize) -> usize {
    (bytes * 8).div_ceil(6)
}

/// Whether an escape of any kind begins with this.
pub(super) const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

pub(super) const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// A run of base64 in a text, and where its bytes begin in the decoded text.
pub(super) struct Run {
    text: Range<usize>,
    at: usize,
}

/// Finds the runs of at least `shortest` characters, and the shorter ones next to a cut if there may be `cuts`. `escapes` leaves only those that
/// an escape stands in or next to: the others are as they were before decoding.
pub(super) fn runs(
    text: &[u8],
    escapes: Option<&[usize]>,
    shortest: usize,
    cuts: bool,
    end_is_cut: bool,
    runs: &mut Vec<Run>,
) {
    runs.clear();
    let mut escapes = escapes.map(|escapes| escapes.iter().copied().peekable());
    let least = if cuts || end_is_cut { MARKED } else { shortest };
    let mut begin = 0;
    while let Some(first) = text.get(begin..begin + least) {
        // From the right: what stands before the last byte that is no base64 needs no look.
        if let Some(other) = first.iter().rposition(|byte| class(*byte) >= OTHER) {
            step(least - other);
            begin += other + 1;
            continue;
        }
        let rest = text.get(begin + least..).unwrap_or_default();
        let end = begin + least + rest.iter().position(|byte| class(*byte) >= OTHER).unwrap_or(rest.len());
        step(end - begin);
        let run = begin..end;
        begin = end;
        if run.len() < shortest && !cut_before(text, run.start) && !cut_after(text, end, end_is_cut) {
            continue;
        }
        if let Some(escapes) = &mut escapes {
            while escapes.next_if(|escape| escape + 5 < run.start).is_some() {
                step(1);
            }
            if escapes.peek().is_none_or(|escape| *escape > end + 2) {
                continue;
            }
        }
        runs.push(Run { text: run, at: 0 });
    }
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
