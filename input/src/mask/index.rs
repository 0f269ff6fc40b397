//! An Aho-Corasick automaton of the needles behind a filter of their first three bytes.
//!
//! The automaton is built when a text has passed the filter. It knows after each byte how much of a needle stands before a cut, which is why it
//! is our own.

use std::ops::Range;
use std::sync::OnceLock;

use zeroize::{Zeroize, Zeroizing};

use super::decode::marks;
use super::needles::{Needles, Place, SHORTEST, begins_a_character};
use super::steps::step;

/// What the filter looks at.
const GRAM: usize = 3;

/// An ASCII letter's case does not count. A `+` is a space to a reader of forms, and a control character in a message.
static FOLDED: [u8; 256] = folded();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn folded() -> [u8; 256] {
    let mut folded = [0; 256];
    let mut at = 0;
    while at < folded.len() {
        folded[at] = match at as u8 {
            0..0x20 | 0x7F | b'+' => b' ',
            byte => byte.to_ascii_lowercase(),
        };
        at += 1;
    }
    folded
}

fn fold(byte: u8) -> u8 {
    FOLDED.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Whether the first bytes of the needle, as they are compared, stand anywhere in the text.
pub(super) fn begins_like(needle: &[u8], text: &[u8]) -> bool {
    let [Some(a), Some(b), Some(c)] = [0, 1, 2].map(|at| needle.get(at).map(|byte| fold(*byte))) else {
        return true;
    };
    let begins = |rest: &[u8]| match rest {
        [x, y, z, ..] => fold(*x) == a && fold(*y) == b && fold(*z) == c,
        _ => false,
    };
    // A letter's case is this bit. Only for a space it says too little.
    let (letter, is_space) = (a | 0x20, a == b' ');
    let mut rest = text;
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        let may_begin = eight.iter().fold(is_space, |any, byte| any | (byte | 0x20 == letter));
        if may_begin && (0..eight.len()).any(|at| rest.get(at..).is_some_and(begins)) {
            return true;
        }
        rest = after;
    }
    (0..rest.len()).any(|at| rest.get(at..).is_some_and(begins))
}

/// Bits of a node. Its child by its needle's next byte is the node after it.
const CHAIN: u8 = 1;
/// A needle ends here.
const END: u8 = 2;
/// A cut here leaves too much of a needle, and not all of it.
const CUT: u8 = 4;

#[derive(Clone, Copy)]
struct Node {
    /// The longest other needle's beginning that this one ends with.
    fail: u32,
    /// The length of the longest needle that ends here.
    found: u32,
    /// The first of the node's further children in `Trie::branches`, from 1.
    branch: u32,
    byte: u8,
    bits: u8,
}

impl Zeroize for Node {
    fn zeroize(&mut self) {
        self.byte.zeroize();
    }
}

#[derive(Clone, Copy)]
struct Branch {
    child: u32,
    next: u32,
}

const ROOT: u32 = 0;

struct Trie {
    nodes: Zeroizing<Vec<Node>>,
    branches: Vec<Branch>,
    /// The root's children by their byte.
    first: Zeroizing<Vec<u32>>,
}

/// In which direction a text is read. Backward, a needle's end comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn index(self, len: usize, at: usize) -> usize {
        match self {
            Self::Forward => at,
            Self::Backward => len.wrapping_sub(1).wrapping_sub(at),
        }
    }

    fn read(self, bytes: &[u8]) -> impl Iterator<Item = u8> {
        let byte = move |at| bytes.get(self.index(bytes.len(), at)).copied().unwrap_or_default();
        (0..bytes.len()).map(move |at| fold(byte(at)))
    }

    /// The bytes that come first.
    fn gram(self, bytes: &[u8]) -> u32 {
        self.read(bytes).take(GRAM).fold(0, slide)
    }
}

impl Trie {
    fn new(needles: &Needles, place: Place, direction: Direction) -> Self {
        let size: usize = needles.of(place).map(<[u8]>::len).sum();
        let mut trie = Self {
            nodes: Zeroizing::new(Vec::with_capacity(size + 1)),
            branches: Vec::new(),
            first: Zeroizing::new(vec![ROOT; 256]),
        };
        trie.push(0);
        for needle in needles.of(place) {
            trie.insert(needle, place, direction);
        }
        trie.link();
        trie
    }

    fn node(&self, at: u32) -> Node {
        let none = Node {
            fail: ROOT,
            found: 0,
            branch: 0,
            byte: 0,
            bits: 0,
        };
        self.nodes.get(at as usize).copied().unwrap_or(none)
    }

    fn push(&mut self, byte: u8) -> u32 {
        let at = self.nodes.len() as u32;
        self.nodes.push(Node {
            fail: ROOT,
            found: 0,
            branch: 0,
            byte,
            bits: 0,
        });
        at
    }

    fn insert(&mut self, needle: &[u8], place: Place, direction: Direction) {
        let mut at = ROOT;
        let mut characters = 0;
        for (index, byte) in direction.read(needle).enumerate() {
            step(1);
            at = self.child(at, byte).unwrap_or_else(|| self.add_child(at, byte));
            characters += usize::from(begins_a_character(byte));
            let enough = match place {
                Place::Text => characters >= SHORTEST,
                Place::Base64 => index + 1 >= GRAM,
            };
            self.set(at, if enough { CUT } else { 0 });
        }
        self.set(at, END);
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.found = needle.len() as u32;
        }
    }

    fn set(&mut self, at: u32, bits: u8) {
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.bits |= bits;
        }
    }

    fn add_child(&mut self, parent: u32, byte: u8) -> u32 {
        let child = self.push(byte);
        if parent == ROOT {
            if let Some(first) = self.first.get_mut(usize::from(byte)) {
                *first = child;
            }
        } else if let Some(node) = self.nodes.get_mut(parent as usize) {
            if child == parent + 1 {
                node.bits |= CHAIN;
            } else {
                self.branches.push(Branch {
                    child,
                    next: node.branch,
                });
                node.branch = self.branches.len() as u32;
            }
        }
        child
    }

    fn child(&self, parent: u32, byte: u8) -> Option<u32> {
        if parent == ROOT {
            return self
                .first
                .get(usize::from(byte))
                .copied()
                .filter(|child| *child != ROOT);
        }
        let node = self.node(parent);
        if node.bits & CHAIN != 0 && self.node(parent + 1).byte == byte {
            return Some(parent + 1);
        }
        let mut branch = node.branch;
        while branch != 0 {
            step(1);
            let Branch { child, next } = self.branch(branch);
            if self.node(child).byte == byte {
                return Some(child);
            }
            branch = next;
        }
        None
    }

    fn branch(&self, at: u32) -> Branch {
        let none = Branch { child: ROOT, next: 0 };
        self.branches.get(at as usize - 1).copied().unwrap_or(none)
    }

    /// Where the automaton is after this byte.
    fn next(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            step(1);
            if let Some(child) = self.child(at, byte) {
                return child;
            }
            if at == ROOT {
                return ROOT;
            }
            at = self.node(at).fail;
        }
    }

    /// Breadth first, since what a node falls back to is nearer to the root.
    fn link(&mut self) {
        let mut queue = Vec::with_capacity(self.nodes.len());
        queue.extend(self.first.iter().copied().filter(|child| *child != ROOT));
        let mut done = 0;
        while let Some(at) = queue.get(done).copied() {
            step(1);
            done += 1;
            let node = self.node(at);
            let fail = self.node(node.fail);
            let mut bits = node.bits;
            let mut found = node.found;
            if bits & END != 0 {
                bits &= !CUT;
            } else {
                bits |= fail.bits & CUT;
                found = fail.found;
            }
            if let Some(node) = self.nodes.get_mut(at as usize) {
                (node.bits, node.found) = (bits, found);
            }
            let next = if bits & CHAIN == 0 { ROOT } else { at + 1 };
            self.link_child(next, node.fail, &mut queue);
            let mut branch = node.branch;
            while branch != 0 {
                let Branch { child, next } = self.branch(branch);
                self.link_child(child, node.fail, &mut queue);
                branch = next;
            }
        }
    }

    fn link_child(&mut self, child: u32, fail: u32, queue: &mut Vec<u32>) {
        if child != ROOT {
            let fail = self.next(fail, self.node(child).byte);
            if let Some(node) = self.nodes.get_mut(child as usize) {
                node.fail = fail;
            }
            queue.push(child);
        }
    }
}

pub(super) struct Index {
    place: Place,
    direction: Direction,
    /// Which hashes of three bytes begin a needle, or are the mark of a cut.
    grams: Zeroizing<Vec<u32>>,
    shift: u32,
    /// The marks' bytes, as [`slide`] has them.
    marks: [u32; 3],
    marks_begin_needles: bool,
    trie: OnceLock<Trie>,
}

/// How a scan ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// No needle's part stands next to a cut; whether there are cuts at all.
    Through {
        marks: bool,
    },
    /// A needle was found, and nobody asked where.
    Found,
    Cut,
}

/// How far behind the mark of a cut a needle's end may stand: what is left of an escape may stand between them.
const LEFT_OF_ESCAPE: usize = 8;

const MOST_MISSES: usize = 16;

impl Index {
    pub(super) fn new(needles: &Needles, place: Place, direction: Direction) -> Self {
        // So many bits that few texts pass by chance.
        let bits = usize::BITS - (needles.of(place).count() * 128).leading_zeros();
        let bits = bits.clamp(12, 16);
        let mut index = Self {
            place,
            direction,
            grams: Zeroizing::new(vec![0; 1 << (bits - 5)]),
            shift: 32 - bits,
            marks: [0; 3],
            marks_begin_needles: false,
            trie: OnceLock::new(),
        };
        for (mark, bytes) in index.marks.iter_mut().zip(marks()) {
            *mark = direction.gram(bytes) << 8;
        }
        for gram in index.marks {
            index.add(gram >> 8);
        }
        for needle in needles.of(place) {
            let gram = direction.gram(needle);
            index.add(gram);
            index.marks_begin_needles |= index.marks.contains(&(gram << 8));
        }
        index
    }

    fn add(&mut self, gram: u32) {
        let hash = hash(gram, self.shift);
        if let Some(word) = self.grams.get_mut(hash as usize / 32) {
            *word |= 1 << (hash % 32);
        }
    }

    /// Adds where needles stand in `text`, which is reversed in an index that reads backward, those that overlap or touch as one; stops at the first if nobody asks where. `end` says that the
    /// text's end is a cut.
    pub(super) fn scan(
        &self,
        needles: &Needles,
        text: &[u8],
        end: bool,
        mut found: Option<&mut Vec<Range<usize>>>,
    ) -> Scan {
        let backward = self.direction == Direction::Backward;
        let byte = |at: usize| text.get(at).copied().unwrap_or_default();
        let mut at = 0;
        let mut marks = false;
        // Backward: where a needle's end began.
        let mut ended = None;
        let mut state = ROOT;
        while at < text.len() {
            // Nothing of a needle stands before this place.
            let rest = text.get(at..).unwrap_or_default();
            let Some((skipped, trie)) = self.skip(needles, rest, &mut marks) else {
                return Scan::Through { marks };
            };
            let passed = at + skipped;
            at = passed - GRAM;
            while at < text.len() {
                if self.is_mark(text, at) {
                    marks = true;
                    let near = |ended: usize| {
                        at - ended <= LEFT_OF_ESCAPE && (ended..at).all(|at| is_left_of_escape(byte(at)))
                    };
                    if trie.node(state).bits & CUT != 0 || ended.is_some_and(near) {
                        return Scan::Cut;
                    }
                }
                state = trie.next(state, fold(byte(at)));
                at += 1;
                let node = trie.node(state);
                if backward && node.bits & CUT != 0 {
                    ended = Some(at);
                }
                if node.found > 0 && !backward {
                    let Some(found) = &mut found else {
                        return Scan::Found;
                    };
                    add(found, at - node.found as usize..at);
                }
                let is_near = ended.is_some_and(|ended| at - ended <= LEFT_OF_ESCAPE);
                if state == ROOT && at >= passed && !is_near {
                    break;
                }
            }
            if end && at == text.len() && trie.node(state).bits & CUT != 0 {
                return Scan::Cut;
            }
        }
        Scan::Through { marks }
    }

    fn is_mark(&self, text: &[u8], at: usize) -> bool {
        // Few bytes begin one.
        let begins = matches!(text.get(at), Some(b'.' | 0xE2 | 0xEF | 0xA6 | 0xBD));
        begins
            && text.get(at..at + GRAM).is_some_and(|bytes| {
                let window = bytes.iter().copied().fold(0, slide);
                self.marks.contains(&(window << 8))
            })
    }

    /// How many bytes to read until three of them may begin a needle. A text that passes the filter often is worth an automaton; until then, it
    /// is looked up what the filter says.
    fn skip(&self, needles: &Needles, text: &[u8], marks: &mut bool) -> Option<(usize, &Trie)> {
        let (grams, shift) = (self.grams.as_slice(), self.shift);
        let mut misses = 0;
        let mut window = 0;
        let mut read = 0;
        for byte in text {
            window = slide(window, fold(*byte));
            read += 1;
            if !passes(grams, shift, window) || read < GRAM {
                continue;
            }
            if self.marks.contains(&(window << 8)) {
                *marks = true;
                if !self.marks_begin_needles {
                    continue;
                }
            }
            if self.trie.get().is_none() && misses < MOST_MISSES && !self.begins(needles, window) {
                misses += 1;
                continue;
            }
            step(read);
            return Some((
                read,
                self.trie.get_or_init(|| Trie::new(needles, self.place, self.direction)),
            ));
        }
        step(read);
        None
    }

    fn begins(&self, needles: &Needles, window: u32) -> bool {
        needles.of(self.place).any(|needle| {
            step(1);
            self.direction.gram(needle) << 8 == window << 8
        })
    }
}

/// The last four bytes.
fn slide(window: u32, byte: u8) -> u32 {
    window << 8 | u32::from(byte)
}

fn hash(window: u32, shift: u32) -> u32 {
    (window << 8).wrapping_mul(0x9E37_79B1) >> shift
}

fn passes(grams: &[u32], shift: u32, window: u32) -> bool {
    let hash = hash(window, shift);
    grams
        .get(hash as usize / 32)
        .is_some_and(|word| word >> (hash % 32) & 1 != 0)
}

fn is_left_of_escape(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b';' | b'"' | b'\\' | b'/')
}

/// They come ordered by their end.
fn add(found: &mut Vec<Range<usize>>, mut range: Range<usize>) {
    while let Some(last) = found.pop_if(|last| last.end >= range.start) {
        step(1);
        range.start = range.start.min(last.start);
    }
    found.push(range);
}
