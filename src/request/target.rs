//! What a request asks for at its origin: the trigger's path as it stands, and the query.

use super::encode::form;
use crate::error::{Invalid, cut};

/// What people write most, with a sentence of its own.
const REFUSED: [(u8, &str); 3] = [
    (
        b'#',
        "must not hold `#`: a fragment is never sent; write `%23` where the character is meant",
    ),
    (b'\\', "must not hold a backslash: separate with `/`"),
    (b' ', "must not hold a space: write `%20`"),
];

/// A path and query in RFC 3986's characters, sent byte for byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target(String);

impl Target {
    /// Takes `text` as it stands: nothing in it is decoded or encoded again. `field` names it in the error's sentence.
    pub fn parse(text: &str, field: &str) -> Result<Self, Invalid> {
        let bad = |what: &str| Invalid(format!("{field} {what}."));
        if text.is_empty() {
            return Err(bad("is missing: for example `/api/sn_cico/flow_starter/my_flow`"));
        }
        if !text.starts_with('/') {
            return Err(bad(
                "must begin with `/`: for example `/api/sn_cico/flow_starter/my_flow`",
            ));
        }
        if text.starts_with("//") {
            return Err(bad(
                "must not begin with `//`: a server would take what follows for a host name",
            ));
        }
        if !text.is_ascii() {
            return Err(bad(&format!(
                "holds characters that a URL cannot: write them percent-encoded, `{}`",
                cut(&ascii(text), 200)
            )));
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
            return Err(match char::from(byte) {
                c if c.is_ascii_control() => bad("holds a control character"),
                c => bad(&format!(
                    "holds `{c}`, which a URL cannot: write it percent-encoded, `%{byte:02X}`"
                )),
            });
        }
        if has_dot_segment(path) {
            return Err(bad(
                "must not hold the segments `.` and `..`, in any spelling: write the path they lead to",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Adds a query parameter, form-encoded, after what the path's own query holds.
    pub fn add_query(&mut self, name: &str, value: &str) {
        match self.0.split_once('?') {
            None => self.0.push('?'),
            Some((_, query)) if !query.is_empty() && !query.ends_with('&') => self.0.push('&'),
            Some(_) => {}
        }
        self.0.push_str(&form(name));
        self.0.push('=');
        self.0.push_str(&form(value));
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

    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    let path: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
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
