//! Text without secrets.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, Zeroizing};

use super::view::View;

/// In characters: shorter values would blot out ordinary words, and guard nothing.
pub(super) const SHORTEST: usize = 4;

/// Of a secret within a longer text in base64, only what does not depend on its neighbours can be looked for; in characters of base64.
const SHORTEST_WITHIN: usize = 4;

const HIDDEN: &str = "***";

/// What must not come out, in each form in which it can come back: as it is, URL-encoded, in base64 (alone, and within `user:password`),
/// escaped as in JSON or HTML. `Debug` shows none of it, and it is wiped when it is dropped.
///
/// ```
/// let mut mask = flow_starter_host::Mask::default();
/// mask.add("a secret/value");
/// assert_eq!(mask.text("it said a%20secret%2Fvalue".to_owned()), "it said ***");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
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
        self.needle(copy(secret));
        if secret.contains(char::is_control) {
            // As a message has it, on one line.
            self.needle(mapped(secret, |c| if c.is_control() { ' ' } else { c }));
        }
        if !secret.is_ascii() {
            // As a reader has it who takes UTF-8 for Latin-1.
            self.needle(latin1(secret));
        }
        // A client's id and secret are form-encoded before they are put together (RFC 6749, section 2.3.1).
        let form = form(secret);
        for alphabet in [&alphabet::STANDARD, &alphabet::URL_SAFE] {
            for secret in [secret, form.as_str()] {
                self.base64(secret.as_bytes(), alphabet);
                for offset in 0..3 {
                    self.base64_within(secret, offset, alphabet);
                }
            }
        }
    }

    /// Masks `user:password` as basic authentication sends it.
    pub fn add_pair(&mut self, user: &str, password: &str) {
        if password.chars().nth(SHORTEST - 1).is_none() {
            return;
        }
        let (form_user, form_password) = (form(user), form(password));
        for (user, password) in [(user, password), (&form_user, &form_password)] {
            let mut pair = Zeroizing::new(String::with_capacity(user.len() + 1 + password.len()));
            pair.push_str(user);
            pair.push(':');
            pair.push_str(password);
            for alphabet in [&alphabet::STANDARD, &alphabet::URL_SAFE] {
                self.base64(pair.as_bytes(), alphabet);
            }
        }
    }

    /// Adds all that another one masks.
    pub fn add_all(&mut self, other: &Self) {
        for needle in &other.needles {
            self.needle(needle.clone());
        }
    }

    /// With its padding and without.
    fn base64(&mut self, bytes: &[u8], alphabet: &alphabet::Alphabet) {
        let padded = base64(bytes, alphabet);
        self.needle(copy(padded.trim_end_matches('=')));
        self.needle(padded);
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
        for Range { start, end } in hidden {
            out.push_str(text.get(from..start).unwrap_or_default());
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
    fn hidden(&self, text: &str) -> Vec<Range<usize>> {
        if self.needles.is_empty() {
            return Vec::new();
        }
        let mut hidden = Vec::new();
        for view in View::all(text) {
            for needle in &self.needles {
                view.find(needle, &mut hidden);
            }
        }
        self.find_cut(text, &mut hidden);
        hidden.sort_unstable_by_key(|range| (range.start, range.end));
        hidden
            .into_iter()
            .fold(Vec::new(), |mut merged: Vec<Range<usize>>, range| {
                match merged.last_mut() {
                    Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                    _ => merged.push(range),
                }
                merged
            })
    }
}

impl Mask {
    /// A secret that somebody has cut, at the text's end or before a `…`: as much of it as is there, from four characters on.
    fn find_cut(&self, text: &str, hidden: &mut Vec<Range<usize>>) {
        let cuts = text
            .match_indices('…')
            .map(|(at, _)| at)
            .take(MOST_CUTS)
            .chain([text.len()]);
        for end in cuts {
            let before = text.get(..end).unwrap_or_default();
            for needle in &self.needles {
                let begun = needle
                    .char_indices()
                    .skip(SHORTEST)
                    .map(|(at, _)| needle.get(..at).unwrap_or_default());
                if let Some(longest) = begun.filter(|begun| before.ends_with(begun)).last() {
                    hidden.push(end - longest.len()..end);
                }
            }
        }
    }
}

/// More of them are a server's play; a message has two or three.
const MOST_CUTS: usize = 32;

/// Of its size from the start: a text that grows, or shrinks, leaves copies behind.
fn copy(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    out.push_str(text);
    out
}

fn mapped(text: &str, map: impl Fn(char) -> char) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    out.extend(text.chars().map(map));
    out
}

fn latin1(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 2));
    out.extend(text.bytes().map(char::from));
    out
}

fn form(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    out.extend(form_urlencoded::byte_serialize(text.as_bytes()));
    out
}

fn base64(bytes: &[u8], alphabet: &alphabet::Alphabet) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    GeneralPurpose::new(alphabet, GeneralPurposeConfig::new()).encode_string(bytes, &mut out);
    out
}

/// A JSON literal of that text.
pub(crate) fn quoted(text: &str) -> Zeroizing<String> {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    let mut out = Zeroizing::new(Vec::with_capacity(text.bytes().map(escaped).sum::<usize>() + 2));
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
            "p%c3%a4ss%20%22w%2fo+r?d~".to_owned(),
            "%70%C3%A4%73%73%20%22%77/%6F%2B%72%3F%64%7E".to_owned(),
            "p\u{e4}ss \\\"w/o+r?d~".to_owned(),
            "p\u{e4}ss \\\"w\\/o+r?d~".to_owned(),
            "p\\u00e4ss \\\"w/o+r?d\\u007E".to_owned(),
            "p&auml;ss &quot;w/o+r?d~".replace("&auml;", "&#228;"),
            "p&#xE4;ss &#34;w&#x2F;o+r?d~".to_owned(),
            standard(secret),
            standard(secret).trim_end_matches('=').to_owned(),
            standard(secret)
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D"),
            standard(secret).replace('/', "_").replace('+', "-"),
        ] {
            assert_eq!(mask.text(format!("<{form}>")), "<***>", "{form}");
        }
        for other in ["nothing of it", "100% of it", "a\\b\\u12", "&amp;&#;&#x110000;&"] {
            assert_eq!(mask.text(other.to_owned()), other);
        }
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
        assert!(mask.is_clean("abcde!") && !mask.is_clean("abcdef"));
    }

    #[test]
    fn a_secret_is_masked_as_others_have_changed_it() {
        let mask_of = |secret: &str| mask(secret);
        assert_eq!(
            mask_of("line one\tline two").text("it said line one line two.".to_owned()),
            "it said ***."
        );
        assert_eq!(
            mask_of("pässwörd").text("it said pÃ¤sswÃ¶rd.".to_owned()),
            "it said ***."
        );
        let mut client = Mask::default();
        client.add("p@ss/w:rd+x");
        client.add_pair("id", "p@ss/w:rd+x");
        assert_eq!(
            client.text("Basic aWQ6cCU0MHNzJTJGdyUzQXJkJTJCeA==".to_owned()),
            "Basic ***"
        );
        // Cut by somebody.
        let long = mask_of("0123456789abcdef");
        assert_eq!(long.text("it said 0123456789a….".to_owned()), "it said ***….");
        assert_eq!(long.text("it said 0123456".to_owned()), "it said ***");
        assert_eq!(long.text("it said 0123….".to_owned()), "it said ***….");
        assert_eq!(long.text("it said 012….".to_owned()), "it said 012….");
        assert!(!mask_of("abcd").is_clean(&standard("xyz:abcd:tail")));
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
