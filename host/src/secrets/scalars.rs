//! A JSON text's values, where they stand: so that one of them can be replaced, and every other byte stays as it was.

use std::ops::Range;

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// A text, number, `true`, `false` or `null` of a JSON object, and under which names it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar<'a> {
    json: &'a str,
    pub(crate) range: Range<usize>,
    /// The object's member that it is, or is in, as a JSON literal.
    field: &'a str,
    /// The member of that member, where it is an object.
    member: Option<&'a str>,
    /// 1 for the object's own members.
    depth: usize,
}

impl<'a> Scalar<'a> {
    /// As it is written.
    pub(crate) fn raw(&self) -> &'a str {
        self.json.get(self.range.clone()).unwrap_or_default()
    }

    pub(crate) fn is_text(&self) -> bool {
        self.raw().starts_with('"')
    }

    /// The text, or the digits of a number; none for the others, and for a text with half of a surrogate pair.
    pub(crate) fn text(&self) -> Option<Zeroizing<String>> {
        match self.raw().as_bytes().first()? {
            b'"' => serde_json::from_str(self.raw()).ok().map(Zeroizing::new),
            b'-' | b'0'..=b'9' => Some(Zeroizing::new(self.raw().to_owned())),
            _ => None,
        }
    }

    /// The name of the object's member that it is, or is in.
    pub(crate) fn field(&self) -> String {
        serde_json::from_str(self.field).unwrap_or_default()
    }

    /// Whether it is the object's own member itself.
    pub(crate) fn is_member(&self) -> bool {
        self.depth == 1
    }

    /// The name under which it stands in that member, where that is an object and it stands right in it.
    pub(crate) fn member(&self) -> Option<String> {
        (self.depth == 2)
            .then(|| serde_json::from_str(self.member?).ok())
            .flatten()
    }

    /// The same, also where it stands deeper under that name.
    pub(crate) fn nearest_member(&self) -> Option<String> {
        serde_json::from_str(self.member.filter(|_| self.depth >= 2)?).ok()
    }

    /// `authentication.password`.
    pub(crate) fn path(&self) -> String {
        match self.member() {
            Some(member) => format!("{}.{member}", self.field()),
            None => self.field(),
        }
    }
}

/// The values in a JSON object or array, in order; none where the text is neither.
pub(crate) fn scalars(json: &str) -> Option<Vec<Scalar<'_>>> {
    if !json.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(['{', '['])
        || serde_json::from_str::<IgnoredAny>(json).is_err()
    {
        return None;
    }
    // From here on it is known to be JSON, and only ends have to be found.
    let bytes = json.as_bytes();
    let mut found = Vec::new();
    let (mut field, mut member, mut depth, mut at) = ("", None, 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => {}
            _ => {
                let end = end(bytes, at);
                let raw = json.get(at..end)?;
                if is_name(bytes, end) {
                    match depth {
                        1 => (field, member) = (raw, None),
                        2 => member = Some(raw),
                        _ => {}
                    }
                } else {
                    found.push(Scalar {
                        json,
                        range: at..end,
                        field,
                        member,
                        depth,
                    });
                }
                at = end;
                continue;
            }
        }
        at += 1;
    }
    Some(found)
}

fn end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    if bytes.get(from) == Some(&b'"') {
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        return at;
    }
    while bytes
        .get(at)
        .is_some_and(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | b']'))
    {
        at += 1;
    }
    at
}

fn is_name(bytes: &[u8], end: usize) -> bool {
    let after = bytes
        .iter()
        .skip(end)
        .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    after == Some(&b':')
}

/// `text` with pieces of it replaced; written into the room that it gets at the start, since a text that grows leaves copies behind.
pub(crate) fn spliced<T: AsRef<str>>(text: &str, pieces: &[(Range<usize>, T)]) -> Zeroizing<String> {
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
        let found: Vec<_> = scalars(json)
            .unwrap()
            .iter()
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
        let last = scalars(json).unwrap().pop().unwrap();
        assert_eq!(last.text().unwrap().as_str(), "pw");
    }

    #[test]
    fn what_is_no_object_or_array_has_none() {
        for json in ["", "1", "\"x\"", "{", "{\"a\":}", "{} {}", "nul"] {
            assert_eq!(scalars(json), None, "{json}");
        }
        assert_eq!(scalars("[]"), Some(Vec::new()));
    }
}
