//! A quick look at a short text: most headers hold nothing that could be a secret in any form, and need no search.

use super::decode;
use super::index::begins_like;
use super::needles::{Needles, Place};
use super::steps::{read, step};

/// In bytes. A longer text is worth the search's index.
const LONGEST: usize = 256;
const MOST_NEEDLES: usize = 16;

/// Whether a text that was not cut is surely clean: it has no escape, no mark of a cut, no base64 that is long enough for a secret, and nothing
/// begins like one. False if that takes a search to tell.
pub(super) fn is_clean(needles: &Needles, text: &[u8]) -> bool {
    if text.len() > LONGEST || needles.list().len() > MOST_NEEDLES {
        return false;
    }
    read(text.len());
    let kinds = all_kinds(text);
    if kinds & OTHER_FORM != 0 || (kinds & DOT != 0 && text.windows(2).any(|two| two == b"..")) {
        return false;
    }
    let shortest = decode::shortest_run(needles.shortest());
    if text.len() >= shortest && longest_run(text) >= shortest {
        return false;
    }
    !needles.of(Place::Text).any(|needle| {
        step(text.len());
        begins_like(needle, text)
    })
}

fn kind(byte: u8) -> u8 {
    KINDS.get(usize::from(byte)).copied().unwrap_or(OTHER_FORM)
}

/// Eight bytes at a time: in the component, each turn of a loop checks whether the call's time is over.
fn all_kinds(text: &[u8]) -> u8 {
    let (chunks, rest) = text.as_chunks::<8>();
    let all = |all: u8, byte: &u8| all | kind(*byte);
    let of_rest = rest.iter().fold(0, all);
    chunks
        .iter()
        .fold(of_rest, |so_far, chunk| chunk.iter().fold(so_far, all))
}

/// Of base64, in bytes.
fn longest_run(text: &[u8]) -> usize {
    let (mut run, mut longest) = (0, 0);
    for byte in text {
        run = if kind(*byte) & BASE64 != 0 { run + 1 } else { 0 };
        longest = run.max(longest);
    }
    longest
}

const BASE64: u8 = 1;
/// Several make a cut.
const DOT: u8 = 2;
/// Of an escape, of a mark of a cut, or of UTF-8 that was read in another way.
const OTHER_FORM: u8 = 4;

static KINDS: [u8; 256] = kinds();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut at = 0;
    while at < kinds.len() {
        let byte = at as u8;
        if decode::is_base64(byte) {
            kinds[at] |= BASE64;
        }
        if byte == b'.' {
            kinds[at] |= DOT;
        }
        if decode::is_escape(byte) || !byte.is_ascii() {
            kinds[at] |= OTHER_FORM;
        }
        at += 1;
    }
    kinds
}
