//! What a request asks for at its origin: the trigger's path as it stands, and the query.

use zeroize::{Zeroize, Zeroizing};

use super::encode::{form, push_form};
use crate::message::cut;
use crate::{Invalid, Sensitive};

/// What people write most, with a sentence of its own.
const REFUSED: [(u8, &str); 3] = [
    (
        b'#',
        "must not hold `#`: a fragment is never sent; write `%23` where the character is meant",
    ),
    (b'\\', "must not hold a backslash: separate with `/`"),
    (b' ', "must not hold a space: write `%20`"),
];

/// A path and query in RFC 3986's characters, sent byte for byte. It can hold a credential, and is wiped when it is dropped.
pub struct Target(String);

impl Drop for Target {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Target {
    /// Takes `text` as it stands: nothing in it is decoded or encoded again. `source` names it in a sentence, `field` in the input.
    pub fn parse(text: &str, source: &str, field: &'static str) -> Result<Self, Invalid> {
        Self::with_room(text, 0, source, field)
    }

    /// The same with the query parameters `query`, form-encoded, after what the path's own query holds, and room for one more.
    pub fn with_query(
        text: &str,
        query: &[(String, Sensitive)],
        more: Option<(&str, &str)>,
        source: &str,
        field: &'static str,
    ) -> Result<Self, Invalid> {
        let encoded = |name: &str, value: &str| (name.len() + value.len()) * 3 + 2;
        let room = query.iter().map(|(name, value)| encoded(name, value)).sum::<usize>();
        let room = room + more.map_or(0, |(name, value)| encoded(name, value));
        let mut target = Self::with_room(text, room, source, field)?;
        for (name, value) in query {
            target.add_query(name, value);
        }
        Ok(target)
    }

    fn with_room(text: &str, room: usize, source: &str, field: &'static str) -> Result<Self, Invalid> {
        let bad = |what: &str| Invalid::of(field, [source, " ", what, "."].concat());
        let quoting = |what: String, unquoted: &'static str| {
            Invalid::quoting(field, [source, " ", &what, "."].concat(), unquoted)
        };
        if text.is_empty() {
            return Err(bad("is missing: for example `/api/sn_cico/flow_starter/my_flow`"));
        }
        if !text.starts_with('/') {
            return Err(bad(
                "must begin with `/`; of a whole URL, enter only what follows the host: for example `/api/sn_cico/flow_starter/my_flow`",
            ));
        }
        if text.starts_with("//") {
            return Err(bad(
                "must not begin with `//`: a server would take what follows for a host name",
            ));
        }
        if !text.is_ascii() {
            return quoting(
                format!(
                    "holds characters that a URL cannot: write them percent-encoded, `{}`",
                    cut(&ascii(text), 200)
                ),
                "The path holds characters that a URL cannot: write them percent-encoded, `%C3%BC` for `ü`.",
            );
        }
        if let Some((_, what)) = REFUSED.iter().find(|(byte, _)| text.as_bytes().contains(byte)) {
            return Err(bad(what));
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        for part in [path, query] {
            if !percent_encoded(part) {
                return Err(bad(
                    "holds a `%` without two hexadecimal digits: write `%25` where the character itself is meant",
                ));
            }
        }
        let path_character = |b: &u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(b);
        let foreign = path.bytes().find(|b| !path_character(b));
        if let Some(byte) = foreign.or_else(|| query.bytes().find(|b| !path_character(b) && *b != b'?')) {
            return match char::from(byte) {
                c if c.is_ascii_control() => Err(bad("holds a control character")),
                c => quoting(
                    format!("holds `{c}`, which a URL cannot: write it percent-encoded, `%{byte:02X}`"),
                    "The path holds a character that a URL cannot: write it percent-encoded, `%7B` for `{`.",
                ),
            };
        }
        if has_dot_segment(path) {
            return Err(bad(
                "must not hold the segments `.` and `..`, in any spelling: write the path they lead to",
            ));
        }
        let mut target = String::with_capacity(text.len() + room);
        target.push_str(text);
        Ok(Self(target))
    }

    /// Adds a query parameter, form-encoded.
    pub fn add_query(&mut self, name: &str, value: &str) {
        match self.0.split_once('?') {
            None => self.0.push('?'),
            Some((_, query)) if !query.is_empty() && !query.ends_with('&') => self.0.push('&'),
            Some(_) => {}
        }
        push_form(&mut self.0, name);
        self.0.push('=');
        push_form(&mut self.0, value);
    }

    /// Whether the query, the path's own included, has a parameter of this name.
    pub fn has_query(&self, name: &str) -> bool {
        let encoded = form(name);
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|parameter| {
            let known = parameter.split('=').next().unwrap_or_default();
            known == encoded || known == name
        })
    }

    /// The path's segments as a server may see them that decodes them, takes a backslash for a slash, drops parameters and empty segments,
    /// walks `.` and `..`, and ignores letter case.
    pub fn segments(&self) -> Zeroizing<Vec<Vec<u8>>> {
        let path = self.0.split_once('?').map_or(&*self.0, |(path, _)| path);
        // Some decode twice.
        let mut path = decoded(&decoded(path.as_bytes()));
        path.make_ascii_lowercase();
        let segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
        let bare = segments.map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default());
        let mut walked = Zeroizing::new(Vec::<Vec<u8>>::new());
        for segment in bare {
            match segment {
                b"" | b"." => {}
                b".." => drop(walked.pop()),
                _ => walked.push(segment.to_vec()),
            }
        }
        walked
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Percent-decoded, in a buffer that is wiped and never grows.
fn decoded(path: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(path.len()));
    out.extend(percent_encoding::percent_decode(path));
    out
}

fn percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// A server may decode the path, take a backslash for a slash, and drop a segment's parameters (`..;x`) before it walks: segments are looked
/// at as it would then see them.
fn has_dot_segment(path: &str) -> bool {
    let path = decoded(path.as_bytes());
    let mut segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
    segments.any(|segment| matches!(segment.split(|byte| *byte == b';').next(), Some(b"." | b"..")))
}

/// `text` with everything beyond ASCII percent-encoded.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii() {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
