//! What a request asks for at its origin: the trigger's path as it stands, and the query.

use super::encode::form;
use crate::error::{Invalid, cut};

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
            return Err(bad("must begin with `/`: for example `/api/sn_cico/flow_starter/my_flow`"));
        }
        if text.starts_with("//") {
            return Err(bad("must not begin with `//`: a server would take what follows for a host name"));
        }
        if !text.is_ascii() {
            return Err(bad(&format!("holds characters that a URL cannot: write them percent-encoded, `{}`", cut(&ascii(text), 200))));
        }
        if text.contains('#') {
            return Err(bad("must not hold `#`: a fragment is never sent; write `%23` where the character is meant"));
        }
        if text.contains('\\') {
            return Err(bad("must not hold a backslash: separate with `/`"));
        }
        if text.contains(' ') {
            return Err(bad("must not hold a space: write `%20`"));
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        for part in [path, query] {
            if !percent_encoded(part) {
                return Err(bad("holds a `%` without two hexadecimal digits: write `%25` where the character itself is meant"));
            }
        }
        let allowed = |extra: &'static str| {
            move |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c) || extra.contains(c)
        };
        if let Some(c) = path.chars().find(|c| !allowed("")(*c)).or_else(|| query.chars().find(|c| !allowed("?")(*c))) {
            return Err(match c {
                c if c.is_control() => bad("holds a control character"),
                c => bad(&format!("holds `{c}`, which a URL cannot: write it percent-encoded, `%{:02X}`", c as u32)),
            });
        }
        if has_dot_segment(path) {
            return Err(bad("must not hold the segments `.` and `..`, in any spelling: write the path they lead to"));
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

/// A server may decode `%2e`, `%2f` and `%5c`, and drop a segment's parameters (`..;x`), before it walks the path: segments are looked at
/// as it would then see them.
fn has_dot_segment(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    path.replace("%3b", ";").split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
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
