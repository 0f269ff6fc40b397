//! A fast hash of 64 bits. States are remembered by it alone: with 50 million of them, two share a hash with a probability of 1 in 15,000.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::config::Packed;

#[derive(Default)]
pub struct Fold(u64);

impl Fold {
    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x2D35_8DCC_AA6C_78A5) * 0xA076_1D64_78BD_642F;
        self.0 = (product >> 64) as u64 ^ product as u64 ^ word.rotate_left(32);
    }
}

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        let mut fold = Self(self.0);
        fold.word(0x9E37_79B9_7F4A_7C15);
        fold.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.word(n.into());
    }

    fn write_u32(&mut self, n: u32) {
        self.word(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        self.word(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.word(n as u64);
    }
}

/// For what is a hash already.
#[derive(Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64")
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// The states that were visited: what was spent to reach each, where less was not enough.
///
/// A state that was reached before with no more spent needs no second visit: whatever can follow now could follow then.
#[derive(Default)]
pub struct Seen {
    first: HashMap<u64, (Packed, u8), BuildHasherDefault<Identity>>,
    /// The few that were reached at different costs of which none is the lowest.
    more: HashMap<u64, Vec<(Packed, u8)>, BuildHasherDefault<Identity>>,
    len: usize,
}

impl Seen {
    /// Is this the first visit of this round, and not one that another makes superfluous?
    pub fn visit(&mut self, state: u64, spent: Packed, round: u8) -> bool {
        let Some(first) = self.first.get_mut(&state) else {
            self.first.insert(state, (spent, round));
            self.len += 1;
            return true;
        };
        let more = self.more.get_mut(&state).map(Vec::as_mut_slice).unwrap_or_default();
        for (known, of) in std::iter::once(first).chain(more) {
            if *known == spent && *of != round {
                *of = round;
                return true;
            }
            if known.is_within(spent) {
                return false;
            }
        }
        self.more.entry(state).or_default().push((spent, round));
        self.len += 1;
        true
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

pub fn of(value: &impl Hash) -> u64 {
    let mut fold = Fold::default();
    value.hash(&mut fold);
    fold.finish()
}
