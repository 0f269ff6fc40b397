//! Where in a text a mask's needles stand, under which encodings.

use std::ops::Range;

use zeroize::Zeroizing;

use super::decode::{self, KINDS, LAYERS, Pieces, Run};
use super::index::{Direction, Scan};
use super::needles::{Needles, Place};
use super::steps::{read, step};

/// What must become of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Clean,
    /// The bytes that are marked become `***`.
    InPlace,
    /// The whole text becomes `***`.
    Whole,
}

/// How many bytes may be read for each byte of a text, with all its decoded forms. A text that was made to take longer becomes `***`.
const MOST_READ: usize = 24;
/// What any text may take: milliseconds.
const LEAST_READ: usize = 1 << 20;

pub(super) fn budget(text: usize) -> usize {
    text * MOST_READ + LEAST_READ
}

/// A search in one text.
pub(super) struct Search<'a> {
    needles: &'a Needles,
    text: &'a [u8],
    /// Whether the text's end is a cut.
    cut: bool,
    /// One for each byte of the text, once something was found.
    hidden: Vec<bool>,
    /// How many more bytes may be read.
    budget: usize,
    spare: Vec<Buffer>,
    found: Vec<Range<usize>>,
    /// The decoded forms that were searched, by their hash, with the layers that were left.
    searched: Vec<(u64, u8)>,
}

/// A text without some encoding.
#[derive(Default)]
struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    /// Where escapes were.
    escapes: Vec<usize>,
}

/// The rest of the search is not needed: the text becomes `***`.
#[derive(Clone, Copy)]
struct Stop;

impl<'a> Search<'a> {
    pub(super) fn new(needles: &'a Needles, text: &'a str, cut: bool) -> Self {
        Self {
            needles,
            text: text.as_bytes(),
            cut,
            hidden: Vec::new(),
            budget: budget(text.len()),
            spare: Vec::new(),
            found: Vec::new(),
            searched: Vec::new(),
        }
    }

    /// And, for [`Verdict::InPlace`], which bytes.
    pub(super) fn run(mut self) -> (Verdict, Vec<bool>) {
        let verdict = match self.all() {
            Err(Stop) => Verdict::Whole,
            Ok(()) if self.hidden.is_empty() => Verdict::Clean,
            Ok(()) => Verdict::InPlace,
        };
        (verdict, self.hidden)
    }

    fn all(&mut self) -> Result<(), Stop> {
        // What is found under several encodings does not count where something is hidden in place: what comes of that is searched again.
        let mut deep = Ok(());
        self.in_place(self.text, None, &mut deep)?;
        let kinds = decode::kinds(self.text);
        for kind in KINDS {
            if kinds & kind != 0 {
                let mut without = self.buffer();
                if self.decode(self.text, kind, self.cut, &mut without)? {
                    self.in_place(&without.bytes, Some((&without.escapes, kind)), &mut deep)?;
                    if self.hidden.is_empty() && deep.is_ok() {
                        deep = self.escaped(&without.bytes, LAYERS - 1);
                    }
                }
                self.spare.push(without);
            }
        }
        if self.hidden.is_empty() { deep } else { Ok(()) }
    }

    /// Hides what is found in `view`, the text itself or the text without one kind of escapes, and in its base64.
    fn in_place(
        &mut self,
        view: &[u8],
        escapes: Option<(&[usize], u8)>,
        deep: &mut Result<(), Stop>,
    ) -> Result<(), Stop> {
        let cut = self.cut && escapes.is_none();
        let mut hidden = Vec::new();
        let cuts = self.find(view, Place::Text, cut)?;
        for range in &self.found {
            hide(&mut hidden, view.len(), range.clone());
        }
        self.each_base64(
            view,
            escapes.map(|(escapes, _)| escapes),
            cuts,
            cut,
            |search, runs, skip, bytes| {
                let cuts = search.find(bytes, Place::Base64, false)?;
                decode::in_text(view, runs, skip, &search.found, |range| {
                    hide(&mut hidden, view.len(), range)
                });
                if search.hidden.is_empty() && hidden.is_empty() && deep.is_ok() {
                    *deep = search.below(bytes, None, cuts, LAYERS - 1);
                }
                Ok(())
            },
        )?;
        if hidden.is_empty() {
            return Ok(());
        }
        let Some((_, kind)) = escapes else {
            self.hidden = hidden;
            return Ok(());
        };
        let mut at = 0;
        for (literal, escape) in Pieces::new(self.text, kind, self.cut) {
            for source in literal {
                if hidden.get(at) == Some(&true) {
                    hide(&mut self.hidden, self.text.len(), source..source + 1);
                }
                at += 1;
            }
            let Some(escape) = escape else {
                break;
            };
            let end = at + escape.bytes().len();
            if hidden.get(at..end).is_some_and(|hidden| hidden.contains(&true)) {
                hide(&mut self.hidden, self.text.len(), escape.source);
            }
            at = end;
        }
        Ok(())
    }

    /// Whether anything is found under one more encoding, or several.
    fn below(&mut self, text: &[u8], escapes: Option<&[usize]>, cuts: bool, layers: u8) -> Result<(), Stop> {
        if layers == 0 {
            return Ok(());
        }
        self.each_base64(text, escapes, cuts, false, |search, _, _, bytes| {
            let cuts = search.scan(bytes, Place::Base64)?;
            search.below(bytes, None, cuts, layers - 1)
        })?;
        self.escaped(text, layers)
    }

    /// The same for escapes alone. Which kind comes first can make a difference: each order is tried.
    fn escaped(&mut self, text: &[u8], layers: u8) -> Result<(), Stop> {
        if layers == 0 {
            return Ok(());
        }
        self.spend(text.len())?;
        let kinds = decode::kinds(text);
        for kind in KINDS {
            if kinds & kind != 0 {
                let mut without = self.buffer();
                if self.decode(text, kind, false, &mut without)? && self.is_new(&without.bytes, layers)? {
                    let cuts = self.scan(&without.bytes, Place::Text)?;
                    self.below(&without.bytes, Some(&without.escapes), cuts, layers - 1)?;
                }
                self.spare.push(without);
            }
        }
        Ok(())
    }

    /// Most orders come to the same.
    fn is_new(&mut self, text: &[u8], layers: u8) -> Result<bool, Stop> {
        self.spend(text.len())?;
        let hash = hash(text);
        let known = |(searched, with): &(u64, u8)| *searched == hash && *with >= layers;
        let is_new = !self.searched.iter().any(known);
        if is_new {
            self.searched.push((hash, layers));
        }
        Ok(is_new)
    }

    /// The runs of base64 in the text as they read from each of four characters on.
    fn each_base64(
        &mut self,
        text: &[u8],
        escapes: Option<&[usize]>,
        cuts: bool,
        cut: bool,
        mut look: impl FnMut(&mut Self, &[Run], usize, &[u8]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut runs = Vec::new();
        self.spend(text.len())?;
        let shortest = (self.needles.shortest() * 8).div_ceil(6);
        decode::runs(text, escapes, shortest, cuts, cut, &mut runs);
        if runs.is_empty() {
            return Ok(());
        }
        let mut buffer = self.buffer();
        for skip in 0..4 {
            buffer.bytes.clear();
            decode::base64(text, &mut runs, skip, cut, &mut buffer.bytes);
            look(self, &runs, skip, &buffer.bytes)?;
        }
        self.spare.push(buffer);
        Ok(())
    }

    /// Whether there was anything to decode.
    fn decode(&mut self, text: &[u8], kinds: u8, cut: bool, without: &mut Buffer) -> Result<bool, Stop> {
        self.spend(text.len())?;
        Ok(decode::decode(
            text,
            kinds,
            cut,
            &mut without.bytes,
            &mut without.escapes,
        ))
    }

    /// Writes to `found`, and says whether there are cuts.
    fn find(&mut self, text: &[u8], place: Place, end: bool) -> Result<bool, Stop> {
        self.spend(text.len())?;
        self.found.clear();
        let index = self.needles.index(place, Direction::Forward);
        let scan = index.scan(self.needles, text, end, Some(&mut self.found));
        self.finish(scan, text, place)
    }

    fn scan(&mut self, text: &[u8], place: Place) -> Result<bool, Stop> {
        self.spend(text.len())?;
        let index = self.needles.index(place, Direction::Forward);
        let scan = index.scan(self.needles, text, false, None);
        self.finish(scan, text, place)
    }

    fn finish(&mut self, scan: Scan, text: &[u8], place: Place) -> Result<bool, Stop> {
        match scan {
            Scan::Through { marks: false } => Ok(false),
            Scan::Found | Scan::Cut => Err(Stop),
            Scan::Through { marks: true } => {
                self.spend(text.len())?;
                let index = self.needles.index(place, Direction::Backward);
                match index.scan(self.needles, text, false, None) {
                    Scan::Through { .. } => Ok(true),
                    Scan::Found | Scan::Cut => Err(Stop),
                }
            }
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Stop> {
        read(bytes);
        self.budget = self.budget.checked_sub(bytes).ok_or(Stop)?;
        Ok(())
    }

    /// At its full size from the start: a buffer that grows leaves copies behind.
    fn buffer(&mut self) -> Buffer {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.bytes.clear();
        buffer.escapes.clear();
        let room = decode::room(self.text.len());
        if buffer.bytes.capacity() < room {
            buffer.bytes = Zeroizing::new(Vec::with_capacity(room));
        }
        buffer
    }
}

fn hide(hidden: &mut Vec<bool>, len: usize, range: Range<usize>) {
    hidden.resize(len, false);
    if let Some(hidden) = hidden.get_mut(range) {
        hidden.fill(true);
    }
}

/// Eight bytes at a time.
fn hash(text: &[u8]) -> u64 {
    step(text.len() / 8);
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let (words, rest) = text.as_chunks::<8>();
    let hash = words
        .iter()
        .fold(text.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}
