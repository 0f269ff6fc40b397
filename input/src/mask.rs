//! The call's own credentials, and text without them.
//!
//! A server can echo what it was sent, in an error page or a header. Whatever leaves the component in a message, a header or an error's
//! answer goes through here first: each credential of four characters and more becomes `***`, in the forms in which it was given and sent.

use crate::json;
use crate::request::encode::{base64, form};

/// The credentials of one call, in every form they can come back in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mask {
    needles: Vec<String>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask(***)")
    }
}

impl Mask {
    /// In characters: shorter values would blot out ordinary words, and guard nothing.
    pub const SHORTEST: usize = 4;

    /// Masks `user:password` as basic authentication sends it.
    pub fn add_pair(&mut self, user: &str, password: &str) {
        if is_long_enough(password) {
            self.needle(base64(format!("{user}:{password}").as_bytes()));
            self.needle(base64(format!("{}:{}", form(user), form(password)).as_bytes()));
        }
    }

    /// Masks `secret` as given and as it is sent: form-encoded, percent-encoded, base64, JSON-escaped.
    pub fn add(&mut self, secret: &str) {
        if is_long_enough(secret) {
            let encoded = form(secret);
            let quoted = json::quote(secret);
            let escaped = quoted
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'))
                .unwrap_or_default();
            self.needle(encoded.replace('+', "%20"));
            self.needle(encoded);
            self.needle(base64(secret.as_bytes()));
            // Some writers of JSON escape the slash as well.
            self.needle(escaped.replace('/', "\\/"));
            self.needle(escaped.to_owned());
            self.needle(secret.to_owned());
        }
    }

    fn needle(&mut self, needle: String) {
        if !self.needles.contains(&needle) {
            self.needles.push(needle);
        }
    }

    /// `text` with `***` in place of each credential, also of one that somebody has shortened by a `…`; two that overlap become one.
    pub fn text(&self, text: String) -> String {
        self.masked(&text, false)
    }

    /// The same for text that was cut off somewhere: a credential that the cut went through is masked as well.
    pub fn cut_text(&self, text: String) -> String {
        self.masked(&text, true)
    }

    pub fn add_all(&mut self, other: &Self) {
        for needle in &other.needles {
            self.needle(needle.clone());
        }
    }
    pub fn is_clean(&self, text: &str) -> bool {
        self.masked(text, false) == text
    }
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    fn masked(&self, text: &str, cut: bool) -> String {
        let mut out = String::with_capacity(text.len());
        // Up to where the text belongs to a credential.
        let mut hidden = 0;
        for (at, c) in text.char_indices() {
            let rest = text.get(at..).unwrap_or_default();
            let lengths = self.needles.iter().filter_map(|needle| credential(needle, rest, cut));
            if let Some(length) = lengths.max() {
                if at >= hidden {
                    out.push_str("***");
                }
                hidden = hidden.max(at + length);
            }
            if at >= hidden {
                out.push(c);
            }
        }
        out
    }
}

/// How much of `text`, which begins as the credential does, belongs to it: all of it, or what stands before a `…` or the cut.
fn credential(needle: &str, text: &str, cut: bool) -> Option<usize> {
    let same = needle.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    if same == needle.len() {
        return Some(same);
    }
    let (begun, after) = text.split_at_checked(text.floor_char_boundary(same))?;
    let shortened = after.starts_with('…') || (cut && after.is_empty());
    (shortened && is_long_enough(begun)).then_some(begun.len())
}

fn is_long_enough(secret: &str) -> bool {
    secret.chars().nth(Mask::SHORTEST - 1).is_some()
}

#[cfg(test)]
mod tests;
