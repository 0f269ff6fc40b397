//! Text without secrets.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::{Zeroize, Zeroizing};

/// In characters: shorter values would blot out ordinary words, and guard nothing.
pub(super) const SHORTEST: usize = 4;

/// Of a secret within a longer text in base64, only what does not depend on its neighbours can be looked for; in characters of base64.
const SHORTEST_WITHIN: usize = 6;

const HIDDEN: &str = "***";

/// RFC 3986, section 2.3: what is not encoded.
const URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What must not come out, in each form in which it can come back: as it is, URL-encoded, in base64 (alone, and within `user:password`),
/// JSON-escaped. `Debug` shows none of it, and it is wiped when it is dropped.
///
/// ```
/// let mut mask = flow_starter_host::Mask::default();
/// mask.add("a secret/value");
/// assert_eq!(mask.text("it said a%20secret%2Fvalue".to_owned()), "it said ***");
/// ```
#[derive(Clone, Default)]
pub struct Mask {
    needles: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(***)")
    }
}

impl Mask {
    /// Masks this value from now on; one of under four characters is left, since it would blot out ordinary words.
    pub fn add(&mut self, secret: &str) {
        if secret.chars().nth(SHORTEST - 1).is_none() {
            return;
        }
        for form in [
            copy(secret),
            url(secret),
            form_url(secret),
            lower_case_escapes(&url(secret)),
            lower_case_escapes(&form_url(secret)),
            json(secret),
            escaped_slashes(&json(secret)),
            ascii_json(&json(secret)),
            escaped_slashes(&ascii_json(&json(secret))),
        ] {
            self.needle(form);
        }
        for alphabet in [&alphabet::STANDARD, &alphabet::URL_SAFE] {
            for offset in 0..3 {
                self.base64_within(secret, offset, alphabet);
            }
            self.needle(base64(secret.as_bytes(), alphabet));
        }
    }

    /// Masks `user:password` as basic authentication sends it.
    pub fn add_pair(&mut self, user: &str, password: &str) {
        if password.chars().nth(SHORTEST - 1).is_none() {
            return;
        }
        let mut pair = Zeroizing::new(String::with_capacity(user.len() + 1 + password.len()));
        pair.push_str(user);
        pair.push(':');
        pair.push_str(password);
        for alphabet in [&alphabet::STANDARD, &alphabet::URL_SAFE] {
            self.needle(base64(pair.as_bytes(), alphabet));
        }
    }

    /// Adds all that another one masks.
    pub fn add_all(&mut self, other: &Self) {
        for needle in &other.needles {
            self.needle(needle.clone());
        }
    }

    /// The characters of base64 that the secret alone decides, where it begins `offset` bytes after a group of three.
    fn base64_within(&mut self, secret: &str, offset: usize, alphabet: &alphabet::Alphabet) {
        let mut shifted = Zeroizing::new(Vec::with_capacity(offset + secret.len()));
        shifted.resize(offset, 0);
        shifted.extend_from_slice(secret.as_bytes());
        let bits = shifted.len() * 8;
        let encoded = base64(&shifted, alphabet);
        let within = encoded.get((offset * 8).div_ceil(6)..bits / 6).unwrap_or_default();
        if within.len() >= SHORTEST_WITHIN {
            self.needle(copy(within));
        }
    }

    fn needle(&mut self, needle: Zeroizing<String>) {
        // Once it is full, growing would leave its texts where they are: only their places move.
        if !self.needles.contains(&needle) {
            self.needles.push(needle);
        }
    }

    /// `text` with `***` in place of each secret; two that overlap become one. What it was given is wiped where it held one.
    pub fn text(&self, mut text: String) -> String {
        let hidden = self.hidden(&text);
        if hidden.is_empty() {
            return text;
        }
        let mut out = String::with_capacity(text.len() + hidden.len() * HIDDEN.len());
        let mut from = 0;
        for (begin, end) in hidden {
            out.push_str(text.get(from..begin).unwrap_or_default());
            out.push_str(HIDDEN);
            from = end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        text.zeroize();
        out
    }

    /// Whether `text` holds none of them.
    pub fn is_clean(&self, text: &str) -> bool {
        self.hidden(text).is_empty()
    }

    /// Where secrets stand, in order, those that overlap or touch in one.
    fn hidden(&self, text: &str) -> Vec<(usize, usize)> {
        let mut hidden: Vec<(usize, usize)> = Vec::new();
        for needle in &self.needles {
            let mut from = 0;
            while let Some(at) = text.get(from..).and_then(|rest| rest.find(needle.as_str())) {
                let begin = from + at;
                hidden.push((begin, begin + needle.len()));
                // One character on, not past it: a secret can overlap itself.
                from = begin
                    + text
                        .get(begin..)
                        .and_then(|rest| rest.chars().next())
                        .map_or(1, char::len_utf8);
            }
        }
        hidden.sort_unstable();
        hidden.into_iter().fold(Vec::new(), |mut merged, (begin, end)| {
            match merged.last_mut() {
                Some((_, last)) if begin <= *last => *last = end.max(*last),
                _ => merged.push((begin, end)),
            }
            merged
        })
    }
}

/// A text that is written into the room that it gets at the start: one that grows leaves copies behind.
fn written(room: usize, write: impl FnOnce(&mut String)) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(room));
    write(&mut out);
    out
}

fn copy(text: &str) -> Zeroizing<String> {
    written(text.len(), |out| out.push_str(text))
}

fn url(secret: &str) -> Zeroizing<String> {
    written(secret.len() * 3, |out| out.extend(utf8_percent_encode(secret, URI)))
}

fn form_url(secret: &str) -> Zeroizing<String> {
    written(secret.len() * 3, |out| {
        out.extend(form_urlencoded::byte_serialize(secret.as_bytes()));
    })
}

/// `%2f` for `%2F`.
fn lower_case_escapes(encoded: &str) -> Zeroizing<String> {
    written(encoded.len(), |out| {
        let mut digits = 0;
        for c in encoded.chars() {
            out.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
            digits = if c == '%' { 2 } else { digits.max(1) - 1 };
        }
    })
}

fn base64(bytes: &[u8], alphabet: &alphabet::Alphabet) -> Zeroizing<String> {
    // Without its padding it is found with and without.
    let config = GeneralPurposeConfig::new().with_encode_padding(false);
    let mut out = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    GeneralPurpose::new(alphabet, config).encode_string(bytes, &mut out);
    out
}

fn json(secret: &str) -> Zeroizing<String> {
    let quoted = quoted(secret);
    copy(
        quoted
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or_default(),
    )
}

/// Some writers of JSON escape the slash as well.
fn escaped_slashes(json: &str) -> Zeroizing<String> {
    written(json.len() * 2, |out| {
        for c in json.chars() {
            out.extend((c == '/').then_some('\\').into_iter().chain([c]));
        }
    })
}

/// And some everything that is not ASCII.
fn ascii_json(json: &str) -> Zeroizing<String> {
    written(json.len() * 6, |out| {
        for c in json.chars() {
            if c.is_ascii() {
                out.push(c);
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        }
    })
}

/// A JSON literal of that text.
pub(crate) fn quoted(text: &str) -> Zeroizing<String> {
    // A control character becomes six.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    let _infallible = serde_json::to_writer(&mut *out, text);
    String::from_utf8(std::mem::take(&mut *out))
        .map(Zeroizing::new)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secret: &str) -> Mask {
        let mut mask = Mask::default();
        mask.add(secret);
        mask
    }

    fn standard(text: &str) -> String {
        base64::engine::general_purpose::STANDARD.encode(text)
    }

    #[test]
    fn each_form_of_a_secret_is_masked() {
        let secret = "p\u{e4}ss \"w/o+r?d~";
        let mask = mask(secret);
        for form in [
            secret.to_owned(),
            "p%C3%A4ss%20%22w%2Fo%2Br%3Fd~".to_owned(),
            "p%C3%A4ss+%22w%2Fo%2Br%3Fd%7E".to_owned(),
            "p%c3%a4ss%20%22w%2fo%2br%3fd~".to_owned(),
            "p\u{e4}ss \\\"w/o+r?d~".to_owned(),
            "p\u{e4}ss \\\"w\\/o+r?d~".to_owned(),
            "p\\u00e4ss \\\"w/o+r?d~".to_owned(),
            standard(secret).trim_end_matches('=').to_owned(),
            standard(secret)
                .replace('/', "_")
                .replace('+', "-")
                .trim_end_matches('=')
                .to_owned(),
        ] {
            assert_eq!(mask.text(format!("<{form}>")), "<***>", "{form}");
        }
        assert_eq!(mask.text("nothing of it".to_owned()), "nothing of it");
    }

    #[test]
    fn a_secret_within_base64_is_masked_wherever_it_begins() {
        let mask = mask("demo-password");
        for before in ["u", "us", "use", "user"] {
            let shown = mask.text(standard(&format!("{before}:demo-password, and more")));
            assert!(shown.contains("***"), "{shown}");
            let left: String = shown.split("***").collect();
            assert!(
                left.len() <= standard(&format!("{before}:, and more")).len() + 4,
                "{shown}"
            );
        }
        let mut pair = Mask::default();
        pair.add_pair("camunda", "demo-password");
        assert_eq!(
            pair.text(format!("Basic {}", standard("camunda:demo-password"))),
            "Basic ***"
        );
    }

    #[test]
    fn secrets_that_overlap_become_one() {
        let mut mask = mask("abcdef");
        mask.add("defghi");
        mask.add("xyxyx");
        assert_eq!(
            mask.text("1abcdefghi2 xyxyxyx abcdefdefghi".to_owned()),
            "1***2 *** ***"
        );
        assert!(mask.is_clean("abcde") && !mask.is_clean("abcdef"));
    }

    #[test]
    fn a_short_value_is_left() {
        assert_eq!(mask("abc").text("abc".to_owned()), "abc");
        assert_eq!(mask("äöü").text("äöü".to_owned()), "äöü");
        assert_eq!(mask("abcd").text("abcd".to_owned()), "***");
        assert_eq!(mask("").text("x".to_owned()), "x");
    }

    #[test]
    fn a_mask_shows_nothing() {
        assert_eq!(format!("{:?}", mask("demo-password")), "Mask(***)");
    }
}
