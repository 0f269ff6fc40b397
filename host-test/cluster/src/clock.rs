//! The cluster's clock: real time, and what a test has moved it by.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Times are durations since the cluster started.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_wall: SystemTime,
    moved: Duration,
    skew_ms: i64,
}

impl Clock {
    /// `skew_ms`: how far the cluster's wall clock is ahead of this machine's.
    pub fn new(skew_ms: i64) -> Self {
        Self {
            started: Instant::now(),
            started_wall: SystemTime::now(),
            moved: Duration::ZERO,
            skew_ms,
        }
    }

    pub fn now(&self) -> Duration {
        self.started.elapsed() + self.moved
    }

    /// Real time goes on running beside this.
    pub fn advance(&mut self, by: Duration) {
        self.moved += by;
    }

    /// The cluster's wall clock at `at`, in milliseconds since 1970.
    pub fn wall_ms(&self, at: Duration) -> i64 {
        let since = (self.started_wall + at).duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis())
            .unwrap_or(i64::MAX)
            .saturating_add(self.skew_ms)
    }
}
