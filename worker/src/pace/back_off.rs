//! Exponential back-off with jitter.

use std::time::Duration;

/// Doubles from `first` to `max`. The jitter takes up to half of a delay away, so that workers that failed together do not come back
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BackOff {
    first: Duration,
    max: Duration,
}

impl BackOff {
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max }
    }

    /// The delay after the `tries`-th failure in a row, which is counted from 1. `random` is any number, new each time.
    pub fn delay(&self, tries: u32, random: u64) -> Duration {
        let factor = 2u32.saturating_pow(tries.saturating_sub(1));
        let whole = self.first.saturating_mul(factor).min(self.max);
        let half = whole / 2;
        // 16 bits of randomness are more than a delay needs.
        let part = u32::try_from(random % 65_536).unwrap_or(0);
        half + (whole - half).saturating_mul(part) / 65_535
    }
}
