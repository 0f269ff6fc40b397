//! A JSON text's values, where they stand: so that one of them can be replaced, and every other byte stays as it was.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::walk;

/// A text that is known to be a JSON object or array. It is looked through as it stands: an input of megabytes is not held once more.
#[derive(Clone, Copy)]
pub struct Document<'a>(&'a str);

impl<'a> Document<'a> {
    /// None where the text is neither.
    pub fn of(json: &'a str) -> Option<Self> {
        let begins = json.trim_start_matches(WHITE_SPACE).starts_with(['{', '[']);
        (begins && serde_json::from_str::<IgnoredAny>(json).is_ok()).then_some(Self(json))
    }

    /// The text itself.
    pub fn json(self) -> &'a str {
        self.0
    }

    /// Its values, in order.
    pub fn scalars(self) -> Scalars<'a> {
        Scalars {
            json: self.0,
            at: 0,
            depth: 0,
            field: "",
            member: None,
        }
    }
}

const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A text, number, `true`, `false` or `null`, and under which names of its object it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar<'a> {
    json: &'a str,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// The object's member that it is, or is in, as a JSON literal.
    field: &'a str,
    /// The member of that member, where it is an object.
    member: Option<&'a str>,
    /// 1 for the object's own members.
    depth: usize,
}

impl<'a> Scalar<'a> {
    /// As it is written.
    pub fn raw(&self) -> &'a str {
        self.json.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        self.raw().starts_with('"')
    }

    /// The text, or the digits of a number; none for the others, and for a text with half of a surrogate pair.
    pub fn text(&self) -> Option<Zeroizing<String>> {
        match self.raw().as_bytes().first()? {
            b'"' => serde_json::from_str(self.raw()).ok().map(Zeroizing::new),
            b'-' | b'0'..=b'9' => Some(Zeroizing::new(self.raw().to_owned())),
            _ => None,
        }
    }

    /// The name of the object's member that it is, or is in.
    pub fn field(&self) -> Cow<'a, str> {
        name(self.field)
    }

    /// Whether it is the object's own member itself.
    pub fn is_member(&self) -> bool {
        self.depth == 1
    }

    /// The name under which it stands in that member, where that is an object and it stands right in it.
    pub fn member(&self) -> Option<Cow<'a, str>> {
        self.member.filter(|_| self.depth == 2).map(name)
    }

    /// The same, also where it stands deeper under that name.
    pub fn nearest_member(&self) -> Option<Cow<'a, str>> {
        self.member.filter(|_| self.depth >= 2).map(name)
    }

    /// `authentication.password`.
    pub fn path(&self) -> String {
        match self.member() {
            Some(member) => format!("{}.{member}", self.field()),
            None => self.field().into_owned(),
        }
    }
}

/// What a name's literal says.
fn name(literal: &str) -> Cow<'_, str> {
    match literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(serde_json::from_str(literal).unwrap_or_default()),
    }
}

/// Goes through a text that is known to be JSON, so that only ends have to be found.
#[derive(Clone, Debug)]
pub struct Scalars<'a> {
    json: &'a str,
    at: usize,
    depth: usize,
    field: &'a str,
    member: Option<&'a str>,
}

impl<'a> Iterator for Scalars<'a> {
    type Item = Scalar<'a>;

    fn next(&mut self) -> Option<Scalar<'a>> {
        let bytes = self.json.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => {}
                _ => {
                    let range = self.at..self.at + walk::value(bytes.get(self.at..)?);
                    self.at = range.end;
                    if !is_name(bytes, range.end) {
                        return Some(Scalar {
                            json: self.json,
                            range,
                            field: self.field,
                            member: self.member,
                            depth: self.depth,
                        });
                    }
                    let name = self.json.get(range)?;
                    match self.depth {
                        1 => (self.field, self.member) = (name, None),
                        2 => self.member = Some(name),
                        _ => {}
                    }
                    continue;
                }
            }
            self.at += 1;
        }
    }
}

fn is_name(bytes: &[u8], end: usize) -> bool {
    let mut after = bytes.iter().skip(end);
    after.find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) == Some(&b':')
}

/// `text` with pieces of it replaced; written into the room that it gets at the start, since a text that grows leaves copies behind.
pub fn spliced<T: AsRef<str>>(text: &str, pieces: &[(Range<usize>, T)]) -> Zeroizing<String> {
    let room = text.len() + pieces.iter().map(|(_, piece)| piece.as_ref().len()).sum::<usize>();
    let mut out = Zeroizing::new(String::with_capacity(room));
    let mut from = 0;
    for (range, piece) in pieces {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(piece.as_ref());
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_under_its_names() {
        let json = r#" {"a" : "x,}\"", "b":{"c":-1.5e3,"d":[true,{"e":null}]},"f\u0067":["y"], "authentication":{"password":"p\u0077"}} "#;
        let found: Vec<_> = Document::of(json)
            .unwrap()
            .scalars()
            .map(|scalar| (scalar.path(), scalar.raw(), scalar.is_member()))
            .collect();
        let expected = [
            ("a", r#""x,}\"""#, true),
            ("b.c", "-1.5e3", false),
            ("b", "true", false),
            ("b", "null", false),
            ("fg", r#""y""#, false),
            ("authentication.password", r#""p\u0077""#, false),
        ];
        assert_eq!(
            found,
            expected.map(|(path, raw, member)| (path.to_owned(), raw, member))
        );
        let last = Document::of(json).unwrap().scalars().last().unwrap();
        assert_eq!(last.text().unwrap().as_str(), "pw");
    }

    #[test]
    fn only_objects_and_arrays_have_scalars() {
        for json in ["", "1", "\"x\"", "{", "{\"a\":}", "{} {}", "nul"] {
            assert!(Document::of(json).is_none(), "{json}");
        }
        assert_eq!(Document::of("[]").unwrap().scalars().next(), None);
    }
}
