//! Where in a text a mask's needles stand, under which encodings.

use std::ops::Range;

use super::decode::{self, CUT_IS_TEXT, Decoded, LAYERS, Pieces, Run, WAYS};
use super::index::{Direction, Scan};
use super::needles::Place;
use super::prepared::Prepared;
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

/// A search in one text.
pub(super) struct Search<'a> {
    needles: &'a Prepared,
    text: &'a [u8],
    /// Whether the text's end is a cut.
    cut: bool,
    /// One for each byte of the text, once something was found.
    hidden: Vec<bool>,
    /// How many more bytes may be read.
    budget: usize,
    spare: Vec<Decoded>,
    found: Vec<Range<usize>>,
    /// The decoded forms that were searched, by their hash, with the layers that were left.
    searched: Vec<(u64, u8)>,
}

/// The rest of the search is not needed: the text becomes `***`.
#[derive(Clone, Copy)]
struct Stop;

type Searched = Result<(), Stop>;

/// Gets the runs of a text, how many characters of each are skipped, and what the rest stands for.
type OfBase64<'l, 'a> = &'l mut dyn FnMut(&mut Search<'a>, &[Run], usize, &[u8]) -> Searched;

impl<'a> Search<'a> {
    pub(super) fn new(needles: &'a Prepared, text: &'a str, cut: bool, budget: usize) -> Self {
        Self {
            needles,
            text: text.as_bytes(),
            cut,
            hidden: Vec::new(),
            budget,
            spare: Vec::new(),
            found: Vec::new(),
            searched: Vec::new(),
        }
    }

    /// And, for [`Verdict::InPlace`], which bytes, and what is left of the budget.
    pub(super) fn run(mut self) -> (Verdict, Vec<bool>, usize) {
        let verdict = match self.all() {
            Err(Stop) => Verdict::Whole,
            Ok(()) if self.hidden.is_empty() => Verdict::Clean,
            Ok(()) => Verdict::InPlace,
        };
        (verdict, self.hidden, self.budget)
    }

    fn all(&mut self) -> Searched {
        // What is found under several encodings does not count where something is hidden in place: what comes of that is searched again.
        let mut deep = Ok(());
        self.in_place(self.text, None, &mut deep)?;
        self.each_way(self.text, self.cut, &mut |search, way, without| {
            search.in_place(&without.bytes, Some((&without.escapes, way)), &mut deep)?;
            if search.hidden.is_empty() && deep.is_ok() {
                deep = search.escaped(&without.bytes, LAYERS - 1);
            }
            Ok(())
        })?;
        if self.hidden.is_empty() { deep } else { Ok(()) }
    }

    /// Hides what is found in `view`, the text itself or the text without one kind of escapes, and in its base64.
    fn in_place(&mut self, view: &[u8], escapes: Option<(&[usize], u8)>, deep: &mut Searched) -> Searched {
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
            &mut |search, runs, skip, bytes| {
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
    fn below(&mut self, text: &[u8], escapes: Option<&[usize]>, cuts: bool, layers: u8) -> Searched {
        if layers == 0 {
            return Ok(());
        }
        self.each_base64(text, escapes, cuts, false, &mut |search, _, _, bytes| {
            let cuts = search.scan(bytes, Place::Base64)?;
            search.below(bytes, None, cuts, layers - 1)
        })?;
        self.escaped(text, layers)
    }

    /// The same for escapes alone. Which kind comes first can make a difference: each order is tried.
    fn escaped(&mut self, text: &[u8], layers: u8) -> Searched {
        if layers == 0 {
            return Ok(());
        }
        self.each_way(text, false, &mut |search, _, without| {
            if search.is_new(&without.bytes, layers)? {
                let cuts = search.scan(&without.bytes, Place::Text)?;
                search.below(&without.bytes, Some(&without.escapes), cuts, layers - 1)?;
            }
            Ok(())
        })
    }

    /// The text without each kind of escapes that it has.
    fn each_way(
        &mut self,
        text: &[u8],
        cut: bool,
        look: &mut dyn FnMut(&mut Self, u8, &Decoded) -> Searched,
    ) -> Searched {
        self.spend(text.len() / 8)?;
        let kinds = decode::kinds(text);
        let mut cut_kinds = 0;
        for way in WAYS {
            if kinds & way == 0 || (way & CUT_IS_TEXT != 0 && cut_kinds & way == 0) {
                continue;
            }
            let mut without = self.spare.pop().unwrap_or_default();
            let decoded = decode::decode(text, way, cut, &mut without);
            // Text between escapes is copied fast.
            self.spend(text.len() / 4 + 8 * without.escapes.len())?;
            if without.cut {
                cut_kinds |= way;
            }
            if decoded {
                look(self, way, &without)?;
            }
            self.spare.push(without);
        }
        Ok(())
    }

    /// Most orders come to the same.
    fn is_new(&mut self, text: &[u8], layers: u8) -> Result<bool, Stop> {
        self.spend(text.len() / 8)?;
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
        look: OfBase64<'_, 'a>,
    ) -> Searched {
        let mut runs = Vec::new();
        self.spend(text.len() / 2)?;
        let shortest = decode::shortest_run(self.needles.shortest());
        decode::runs(text, escapes, shortest, cuts, cut, &mut runs);
        if runs.is_empty() {
            return Ok(());
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        for skip in 0..4 {
            buffer.clear(text.len());
            decode::base64(text, &mut runs, skip, cut, &mut buffer.bytes);
            look(self, &runs, skip, &buffer.bytes)?;
        }
        self.spare.push(buffer);
        Ok(())
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
                let mut reversed = self.spare.pop().unwrap_or_default();
                reversed.clear(text.len());
                reversed.bytes.extend(text.iter().rev());
                let index = self.needles.index(place, Direction::Backward);
                let scan = index.scan(self.needles, &reversed.bytes, false, None);
                self.spare.push(reversed);
                match scan {
                    Scan::Through { .. } => Ok(true),
                    Scan::Found | Scan::Cut => Err(Stop),
                }
            }
        }
    }

    fn spend(&mut self, bytes: usize) -> Searched {
        read(bytes);
        self.budget = self.budget.checked_sub(bytes).ok_or(Stop)?;
        Ok(())
    }
}

fn hide(hidden: &mut Vec<bool>, len: usize, range: Range<usize>) {
    step(range.len());
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
