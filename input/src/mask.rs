//! Text without secrets.
//!
//! A server can echo what it was sent: in an error page, a header, a redirect. Whatever leaves in a message, a header or an error's body goes
//! through a [`Mask`] first.
//!
//! | a secret | becomes `***` |
//! |---|---|
//! | whole, as it is or under one encoding: percent, form, JSON, HTML | in place |
//! | in base64 (both alphabets, padded or not), alone, in `user:password` or within longer text, form-encoded before or not, and that under one of the encodings above | in place |
//! | under up to four encodings, one within the other, base64 among them | the whole text |
//! | the first four characters or more before a cut, or the last four after one, in any of these forms | the whole text |
//!
//! - An ASCII letter's case does not count, except in base64. A `+`, a space and a control character are the same.
//! - HTML: `amp`, `lt`, `gt`, `quot`, `apos` and `hellip`, and every character by its number, with a `;`.
//! - A cut is `…`, `...` or U+FFFD, and the end of a text that was cut. In base64, three bytes of a secret next to a cut are enough, which is
//!   four characters of base64: text matches them by chance once in millions. A secret that stands whole before a cut is masked in place.
//! - What two encodings together wrote is masked in place where the outer one is one of the four and the inner is base64.
//! - UTF-8 that was read as Latin-1 and then written as UTF-8 is found, and so is Latin-1, in which headers are sent, that was read as UTF-8 or
//!   written byte by byte. Windows-1252 is not.
//! - Encodings within each other are tried in each order. A secret that itself holds what looks like an escape is found decoded as well.
//! - Not covered: base64 whose `+` became a space, UTF-16, hexadecimal, base32, base64 in several lines, Unicode normalisation, upper and
//!   lower case beyond ASCII, compression, other
//!   named entities, entities without `;`.
//! - The steps grow linearly with the text and the needles. A text whose decoded forms take more than its share becomes `***`: one that was made
//!   to, or several hundred KiB of base64 or of three kinds of escapes mixed.

mod decode;
mod index;
mod needles;
mod plain;
mod prepared;
mod search;
mod steps;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroize;

use self::prepared::Prepared;
use self::search::{Search, Verdict};
use self::steps::budget;
#[cfg(any(test, feature = "count-steps"))]
pub use self::steps::{Steps, take_steps};

const HIDDEN: &str = Mask::HIDDEN;

/// The secrets of a call, for masking text. `Debug` hides them, and they are zeroized on drop. Cheap to clone.
///
/// ```
/// let mut mask = flow_starter_input::mask::Mask::default();
/// mask.add("a secret/value");
/// assert_eq!(mask.text("it said a%20secret%2Fvalue".to_owned()), "it said ***");
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Mask {
    needles: Arc<Prepared>,
}

impl Eq for Mask {}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(***)")
    }
}

impl Mask {
    /// What stands in a secret's place; and the whole of a text that cannot be masked in part.
    pub const HIDDEN: &str = "***";

    /// In characters: a shorter value is no secret, and would blot out ordinary words.
    pub const SHORTEST: usize = 4;

    /// How many forms of secrets a mask holds, which is enough for hundreds of them. Adding compares them all.
    const MOST: usize = 1_000;

    /// Whether it can hold no more: what was added since is not masked, so the call must not be made.
    pub fn is_full(&self) -> bool {
        self.needles.list().len() >= Self::MOST
    }

    /// Masks this value from now on. A value under four characters is ignored: it would blot out ordinary words.
    pub fn add(&mut self, secret: &str) {
        if self.is_full() {
            return;
        }
        let needles = Arc::make_mut(&mut self.needles).needles_mut();
        needles.add(secret);
        // A header's value is read without the white space around it, and so echoed.
        let trimmed = secret.trim();
        if trimmed.len() < secret.len() {
            needles.add(trimmed);
        }
    }

    /// Masks `user:password` as basic authentication sends it, also form-encoded first (RFC 6749, section 2.3.1). The password by itself is
    /// masked by [`add`](Self::add).
    pub fn add_pair(&mut self, user: &str, password: &str) {
        if self.is_full() {
            return;
        }
        Arc::make_mut(&mut self.needles).needles_mut().add_pair(user, password);
    }

    /// Adds all that another mask masks.
    pub fn add_all(&mut self, other: &Self) {
        Arc::make_mut(&mut self.needles).needles_mut().add_all(&other.needles);
    }

    /// Whether it masks nothing.
    pub fn is_empty(&self) -> bool {
        self.needles.list().is_empty()
    }

    /// Masks a complete text. The original is zeroized if it contained a secret.
    pub fn text(&self, text: String) -> String {
        self.masked(text, false)
    }

    /// A text that may have been cut at its end.
    pub fn cut_text(&self, text: String) -> String {
        self.masked(text, true)
    }

    /// Whether [`text`](Self::text) leaves this text as it is.
    pub fn is_clean(&self, text: &str) -> bool {
        self.is_empty()
            || plain::is_clean(&self.needles, text.as_bytes())
            || self.search(text, false, budget(text.len())).0 == Verdict::Clean
    }

    fn search(&self, text: &str, cut: bool, budget: usize) -> (Verdict, Vec<bool>, usize) {
        Search::new(&self.needles, text, cut, budget).run()
    }

    fn masked(&self, mut text: String, cut: bool) -> String {
        if self.is_empty() || (!cut && plain::is_clean(&self.needles, text.as_bytes())) {
            return text;
        }
        let (verdict, hidden, left) = self.search(&text, cut, budget(text.len()));
        if verdict == Verdict::Clean {
            return text;
        }
        if verdict == Verdict::InPlace {
            let mut out = without(&text, &hidden);
            // What stood on both sides may now read in another way.
            if self.search(&out, cut, left).0 == Verdict::Clean {
                text.zeroize();
                return out;
            }
            out.zeroize();
        }
        text.zeroize();
        HIDDEN.to_owned()
    }
}

/// The text with `***` in place of each stretch of hidden bytes, which are four or more.
fn without(text: &str, hidden: &[bool]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_hidden = false;
    for (at, c) in text.char_indices() {
        let bytes = hidden.get(at..at + c.len_utf8()).unwrap_or_default();
        let was_hidden = is_hidden;
        is_hidden = bytes.contains(&true);
        if !is_hidden {
            out.push(c);
        } else if !was_hidden {
            out.push_str(HIDDEN);
        }
    }
    out
}

#[cfg(test)]
mod tests;
