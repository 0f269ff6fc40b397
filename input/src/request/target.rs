//! A request's path and query.

use zeroize::{Zeroize, Zeroizing};

use super::encode::push_query;
use crate::{Invalid, Sensitive};

/// What neither encoding takes, with a sentence of its own.
const REFUSED: [(u8, &str); 2] = [
    (
        b'#',
        "must not contain `#`: a fragment is never sent; write `%23` for the character itself",
    ),
    (b'\\', "must not contain a backslash: use `/`"),
];

/// What becomes of characters that a URL cannot hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Foreign {
    Encode,
    Refuse,
}

/// A path and query in RFC 3986's characters. It can contain a credential, and is zeroized on drop.
pub struct Target(String);

impl Drop for Target {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Target {
    /// Takes a URL's path and query as they stand: nothing in them is decoded or encoded again. `source` names them in a sentence, `field` in
    /// the input.
    pub fn parse(text: &str, source: &str, field: &'static str) -> Result<Self, Invalid> {
        Self::read(text, 0, Foreign::Refuse, source, field)
    }

    /// Takes a trigger's path, which an expression may have made of a name or a title: what a URL cannot hold is percent-encoded, in the path
    /// and its own query. Everything else is kept byte for byte.
    pub fn trigger(text: &str) -> Result<Self, Invalid> {
        Self::trigger_with_room(text, 0)
    }

    /// The same with the query parameters `query` after what the path's own query holds, and room for one more.
    pub fn with_query(text: &str, query: &[(String, Sensitive)], more: Option<(&str, &str)>) -> Result<Self, Invalid> {
        let encoded = |name: &str, value: &str| (name.len() + value.len()) * 3 + 2;
        let room = query.iter().map(|(name, value)| encoded(name, value)).sum::<usize>();
        let room = room + more.map_or(0, |(name, value)| encoded(name, value));
        let mut target = Self::trigger_with_room(text, room)?;
        for (name, value) in query {
            target.add_query(name, value);
        }
        Ok(target)
    }

    fn trigger_with_room(text: &str, room: usize) -> Result<Self, Invalid> {
        let (source, field) = ("The trigger path (restApiTriggerPath)", "restApiTriggerPath");
        Self::read(text, room, Foreign::Encode, source, field)
    }

    fn read(text: &str, room: usize, foreign: Foreign, source: &str, field: &'static str) -> Result<Self, Invalid> {
        if is_plain(text) {
            let mut target = String::with_capacity(text.len() + room);
            target.push_str(text);
            return Ok(Self(target));
        }
        let bad = |what: &str| Err(Invalid::of(field, [source, " ", what, "."].concat()));
        if text.is_empty() {
            return bad("is missing: for example `/api/sn_cico/flow_starter/my_flow`");
        }
        if !text.starts_with('/') {
            return bad(
                "must begin with `/`: enter only the part of the URL after the host, for example `/api/sn_cico/flow_starter/my_flow`",
            );
        }
        if text.starts_with("//") {
            return bad("must not begin with `//`: a server would take what follows for a host name");
        }
        if text.chars().any(is_control) {
            return bad("contains a control character, such as a line break");
        }
        if text.chars().next_back().is_some_and(char::is_whitespace) {
            return bad("ends with white space: remove it");
        }
        if let Some((_, what)) = REFUSED.iter().find(|(byte, _)| text.as_bytes().contains(byte)) {
            return bad(what);
        }
        if !percent_encoded(text) {
            return bad("contains a `%` without two hexadecimal digits: write `%25` for the character itself");
        }
        if foreign == Foreign::Refuse
            && let Some(c) = text.chars().find(|c| is_foreign(*c))
        {
            return Invalid::quoting(
                field,
                format!("{source} contains `{c}`, which a URL cannot contain: percent-encode it (a space is `%20`)."),
                "The token endpoint (authentication.oauthTokenEndpoint) contains a character that a URL cannot contain: percent-encode it (a space is `%20`).",
            );
        }
        let mut target = String::with_capacity(text.chars().map(encoded_length).sum::<usize>() + room);
        for c in text.chars() {
            if is_foreign(c) {
                // A form encodes these as well.
                push_query(&mut target, c.encode_utf8(&mut [0; 4]));
            } else {
                target.push(c);
            }
        }
        let target = Self(target);
        let path = decoded(target.path().as_bytes());
        if foreign == Foreign::Encode {
            if path.iter().any(u8::is_ascii_control) {
                return bad("contains an encoded control character, `%00` to `%1F` or `%7F`: remove it");
            }
            if std::str::from_utf8(&path).is_err() {
                return bad("contains percent-encoded bytes that are not UTF-8: write `%C3%BC` for `ü`");
            }
        }
        if has_dot_segment(&path) {
            return bad("must not contain the segments `.` and `..`, in any spelling: write the path they resolve to");
        }
        Ok(target)
    }

    fn path(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }

    /// Adds a query parameter, percent-encoded.
    pub fn add_query(&mut self, name: &str, value: &str) {
        match self.0.split_once('?') {
            None => self.0.push('?'),
            Some((_, query)) if !query.is_empty() && !query.ends_with('&') => self.0.push('&'),
            Some(_) => {}
        }
        push_query(&mut self.0, name);
        self.0.push('=');
        push_query(&mut self.0, value);
    }

    /// Whether the query, the path's own included, has a parameter of this name as a server reads it.
    pub fn has_query(&self, name: &str) -> bool {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|parameter| {
            // The value is not decoded: it may be a credential, and a copy would stay behind.
            let known = parameter.split('=').next().unwrap_or_default();
            form_urlencoded::parse(known.as_bytes()).any(|(known, _)| known == name)
        })
    }

    /// The path's segments as a server may see them that decodes them, takes a backslash for a slash, drops parameters and empty segments,
    /// walks `.` and `..`, and ignores letter case.
    pub fn segments(&self) -> Zeroizing<Vec<Vec<u8>>> {
        // Some decode twice.
        let mut path = decoded(&decoded(self.path().as_bytes()));
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

/// Percent-decoded, in a buffer that is zeroized and never grows.
fn decoded(path: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(path.len()));
    out.extend(percent_encoding::percent_decode(path));
    out
}

/// Whether a look at each byte shows that the text is a path with a query, if it has one, that means the same to every server: as nearly all
/// are.
fn is_plain(text: &str) -> bool {
    let mut before = 0;
    text.starts_with('/')
        && text.bytes().all(|byte| {
            // No `//` and no `/.`, whether or not it begins a segment that is read otherwise.
            let is_plain = match byte {
                b'/' | b'.' => before != b'/',
                b'?' | b'=' | b'&' | b'-' | b'_' | b'~' => true,
                _ => byte.is_ascii_alphanumeric(),
            };
            before = byte;
            is_plain
        })
}

fn percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// A server may decode the path, take a backslash for a slash, and drop a segment's parameters (`..;x`) before it walks: segments are looked
/// at as it would then see them.
fn has_dot_segment(decoded: &[u8]) -> bool {
    let mut segments = decoded.split(|byte| matches!(byte, b'/' | b'\\'));
    segments.any(|segment| matches!(segment.split(|byte| *byte == b';').next(), Some(b"." | b"..")))
}

/// What ends a line counts: a server's log may take it for one.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What a path and its query cannot hold (RFC 3986, sections 3.3 and 3.4).
fn is_foreign(c: char) -> bool {
    !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '[' | ']' | '^' | '`' | '{' | '|' | '}')
}

fn encoded_length(c: char) -> usize {
    if is_foreign(c) { c.len_utf8() * 3 } else { 1 }
}
