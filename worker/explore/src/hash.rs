//! A fast hash of 64 bits. States are remembered by it alone: with 50 million of them, two share a hash with a probability of 1 in 15,000.

use std::hash::{BuildHasherDefault, Hash, Hasher};

#[derive(Default)]
pub struct Fold(u64);

impl Fold {
    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x2D35_8DCC_AA6C_78A5) * 0x8BB8_4B93_962E_ACC9_4B33_A62E_D433_D4A3;
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

pub type Seen = std::collections::HashSet<u64, BuildHasherDefault<Identity>>;

pub fn of(value: &impl Hash) -> u64 {
    let mut fold = Fold::default();
    value.hash(&mut fold);
    fold.finish()
}
