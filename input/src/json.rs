//! JSON read one level at a time.
//!
//! A value is kept as the text it came in ([`Raw`]) until somebody asks what it is, so that a body goes out with its key order, its large
//! integers and its decimals unchanged, and no number is ever turned into a float.
//!
//! serde_json reads the whole text once; after that, only ends have to be found (`walk`), and each level is gone through once more. Its own
//! `RawValue` would do, but that type's "invalid type" message (which nobody sees) brings the printing of floats with it, a tenth of the
//! component; so would each of serde's own types. Hence the visitor below, which takes whatever comes.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

mod scalars;
mod walk;

pub use scalars::{Document, Scalar, Scalars, spliced};

/// The text of one JSON value, without the white space around it. It is known to be JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub fn get(self) -> &'a str {
        self.0
    }
}

/// One JSON value, its members and items still unread.
#[derive(PartialEq, Eq, Debug)]
pub enum Json<'a> {
    Null,
    Bool(&'a str),
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Raw<'a>>),
    Object(Vec<(Cow<'a, str>, Raw<'a>)>),
}

/// The text is no JSON; where it stops being so. serde_json's own message is left behind: it can quote the input, and so a credential.
#[derive(PartialEq, Eq, Debug)]
pub struct NotJson {
    pub line: usize,
    pub column: usize,
}

/// The whole text as one JSON value, nested as deeply as it likes.
pub fn parse(text: &str) -> Result<Raw<'_>, NotJson> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(Raw(text.trim_matches(SPACE))),
        Err(error) => Err(NotJson {
            line: error.line(),
            column: error.column(),
        }),
    }
}

/// Whether the whole text is JSON that other readers take as well: not nested beyond 100, with no half of a surrogate pair and no number
/// beyond a double's range. Common readers stop at these (serde_json at a depth of 127), and the component's answer stands inside an object.
pub fn is_readable(text: &str) -> bool {
    match parse(text) {
        Ok(_) if walk::is_plain(text.as_bytes(), DEPTH_MAX) => true,
        Ok(_) => read(text).is_some_and(|Shape { depth, .. }| depth <= DEPTH_MAX),
        Err(_) => false,
    }
}

/// White space as JSON knows it.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
const DEPTH_MAX: usize = 100;

impl<'a> Json<'a> {
    /// What `raw` is. None only for a text (or a member's name) that is no Unicode: a lone surrogate.
    pub fn of(Raw(text): Raw<'a>) -> Option<Self> {
        Some(match text.bytes().next()? {
            b'n' => Self::Null,
            b't' | b'f' => Self::Bool(text),
            b'"' => Self::Text(string(text)?),
            b'[' => {
                let mut items = Vec::new();
                each(text, |rest| {
                    let (item, rest) = split(rest)?;
                    items.push(item);
                    Some(rest)
                })?;
                Self::List(items)
            }
            b'{' => {
                let mut members = Vec::new();
                each(text, |rest| {
                    let (Raw(name), rest) = split(rest)?;
                    let (value, rest) = split(trimmed(trimmed(rest).strip_prefix(':')?))?;
                    members.push((string(name)?, value));
                    Some(rest)
                })?;
                Self::Object(members)
            }
            _ => Self::Number(text),
        })
    }

    /// The member `name`; of several, the last, as JSON readers commonly do.
    pub fn member(&self, name: &str) -> Option<Json<'a>> {
        let Self::Object(members) = self else { return None };
        let (_, raw) = members.iter().rev().find(|(key, _)| key == name)?;
        Self::of(*raw)
    }
}

/// What a string says.
fn string(literal: &str) -> Option<Cow<'_, str>> {
    match literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.bytes().any(|byte| byte == b'\\') => Some(Cow::Borrowed(plain)),
        _ => Some(Cow::Owned(read(literal)?.string)),
    }
}

/// The value that the text begins with, and what follows it.
fn split(text: &str) -> Option<(Raw<'_>, &str)> {
    let (value, rest) = text.split_at_checked(walk::value(text.as_bytes()))?;
    Some((Raw(value), rest))
}

/// Walks over the items of a list or an object, which `text` is known to be: `item` takes one from the text's beginning, and gives the rest.
fn each<'a>(text: &'a str, mut item: impl FnMut(&'a str) -> Option<&'a str>) -> Option<()> {
    let mut rest = trimmed(text.get(1..)?);
    if rest.starts_with([']', '}']) {
        return Some(());
    }
    loop {
        rest = trimmed(item(rest)?);
        match rest.strip_prefix(',') {
            Some(next) => rest = trimmed(next),
            None => return Some(()),
        }
    }
}

fn trimmed(text: &str) -> &str {
    // Few writers put white space there.
    match text.as_bytes().first() {
        Some(b' ' | b'\t' | b'\n' | b'\r') => text.trim_start_matches(SPACE),
        _ => text,
    }
}

/// Reads the whole text for good.
fn read(text: &str) -> Option<Shape> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let shape = Reader.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(shape)
}

/// What is left of a value that was read.
#[derive(Default)]
struct Shape {
    /// The text it stands for, where it is one.
    string: String,
    /// How many lists and objects stand in each other.
    depth: usize,
}

struct Reader;

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape {
            string: text.to_owned(),
            depth: 0,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut inner = 0;
        while let Some(item) = seq.next_element_seed(Self)? {
            inner = item.depth.max(inner);
        }
        Ok(Shape {
            depth: inner + 1,
            ..Shape::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut inner = 0;
        while map.next_key_seed(Self)?.is_some() {
            inner = map.next_value_seed(Self)?.depth.max(inner);
        }
        Ok(Shape {
            depth: inner + 1,
            ..Shape::default()
        })
    }
}

/// `text` as a JSON string, quotes included (section 7). Allocated at its full size: a buffer that grows leaves copies behind.
pub fn quote(text: &str) -> String {
    let size = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    let mut out = String::with_capacity(text.bytes().map(size).sum::<usize>() + 2);
    push_quoted(&mut out, text);
    out
}

/// The same, appended.
pub fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // Most texts have nothing to escape, and go out in one piece.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        out.push_str(rest.get(..at).unwrap_or_default());
        match rest.as_bytes().get(at).copied().unwrap_or_default() {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            control => {
                out.push_str(if control < 0x10 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(u32::from(control) % 16, 16));
            }
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
pub mod tests;
