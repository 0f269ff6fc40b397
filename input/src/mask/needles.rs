//! The byte strings that a mask searches for.

use zeroize::Zeroizing;

use super::decode::{ALL, Decoded, LAYERS, decode, is_escape};
use crate::request::encode::latin1;

/// In characters: a shorter value would blot out ordinary words and protects nothing.
pub(super) const SHORTEST: usize = 4;

/// A secret in one of its forms, or `user:password`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Needle {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    place: Place,
}

/// What a needle is searched in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Text, and what base64 holds.
    Text,
    /// What base64 holds.
    Base64,
}

/// The needles of one mask.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Needles {
    list: Vec<Needle>,
}

impl Needles {
    pub(super) fn list(&self) -> &[Needle] {
        &self.list
    }

    /// In bytes.
    pub(super) fn shortest(&self) -> usize {
        let lengths = self.list.iter().map(|needle| needle.bytes.len());
        lengths.min().unwrap_or_default()
    }

    /// The needles that are searched in this place.
    pub(super) fn of(&self, place: Place) -> impl Iterator<Item = &[u8]> + Clone {
        let here = move |needle: &&Needle| place == Place::Base64 || needle.place == Place::Text;
        self.list.iter().filter(here).map(|needle| needle.bytes.as_slice())
    }

    pub(super) fn add(&mut self, secret: &str) {
        if !is_long_enough(secret.as_bytes()) {
            return;
        }
        self.push(copy(secret.as_bytes()), Place::Text);
        if !secret.is_ascii() {
            // A message is one line: C1 control characters become spaces there. The index folds the ASCII ones.
            if secret.contains(char::is_control) {
                let mut line = Zeroizing::new(String::with_capacity(secret.len()));
                line.extend(secret.chars().map(|c| if c.is_control() { ' ' } else { c }));
                self.push(copy(line.as_bytes()), Place::Text);
            }
            // UTF-8 that was read as Latin-1.
            let mut latin1 = Zeroizing::new(String::with_capacity(secret.len() * 2));
            latin1.extend(secret.bytes().map(char::from));
            self.push(copy(latin1.as_bytes()), Place::Text);
            self.add_sent_as_latin1(secret);
        }
        // A client's id and secret are form-encoded before base64 (RFC 6749, section 2.3.1).
        if !is_form(secret) {
            self.push(copy(form(secret).as_bytes()), Place::Base64);
        }
        if !secret.bytes().any(is_escape) {
            return;
        }
        // A secret that itself holds what looks like an escape.
        let mut text = copy(secret.as_bytes());
        let mut decoded = Decoded::default();
        for _ in 0..LAYERS {
            if !decode(&text, ALL, false, &mut decoded) || !is_long_enough(&decoded.bytes) {
                break;
            }
            text = copy(&decoded.bytes);
            self.push(text.clone(), Place::Text);
        }
    }

    /// A header's value is sent in ISO-8859-1. A server may echo these bytes, percent-encoded or in base64, or as the UTF-8 that they are not.
    fn add_sent_as_latin1(&mut self, secret: &str) {
        let Some(bytes) = latin1(secret).map(Zeroizing::new) else {
            return;
        };
        let read = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        if is_long_enough(read.as_bytes()) {
            self.push(copy(read.as_bytes()), Place::Text);
        }
        self.push(bytes, Place::Text);
    }

    pub(super) fn add_pair(&mut self, user: &str, password: &str) {
        if !is_long_enough(password.as_bytes()) {
            return;
        }
        self.push_pair(user, password);
        if !is_form(user) || !is_form(password) {
            self.push_pair(&form(user), &form(password));
        }
    }

    fn push_pair(&mut self, user: &str, password: &str) {
        let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
        pair.extend_from_slice(user.as_bytes());
        pair.push(b':');
        pair.extend_from_slice(password.as_bytes());
        self.push(pair, Place::Base64);
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for needle in &other.list {
            self.push(needle.bytes.clone(), needle.place);
        }
    }

    fn push(&mut self, bytes: Zeroizing<Vec<u8>>, place: Place) {
        let needle = Needle { bytes, place };
        let same =
            |known: &Needle| known.bytes == needle.bytes && (known.place == Place::Text || place == Place::Base64);
        if !self.list.iter().any(same) {
            self.list.push(needle);
        }
    }
}

/// Whether form encoding leaves it as it is.
fn is_form(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_'))
}

/// The bytes may be a character's part: an incomplete character counts.
fn is_long_enough(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .filter(|byte| begins_a_character(**byte))
        .nth(SHORTEST - 1)
        .is_some()
}

pub(super) fn begins_a_character(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// At its full size from the start: a buffer that grows leaves copies behind.
fn copy(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    out.extend_from_slice(bytes);
    out
}

fn form(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    out.extend(form_urlencoded::byte_serialize(text.as_bytes()));
    out
}
