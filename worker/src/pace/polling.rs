//! When to poll again.

use std::time::Duration;

use super::BackOff;

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollEnd {
    Jobs,
    /// An empty list, or none at all because something between here and the cluster cut the poll near its end (504, a reset).
    Empty {
        took: Duration,
    },
    /// 429, 503 `RESOURCE_EXHAUSTED`, or a 500 whose detail says so.
    Overloaded,
    /// Anything else: another status, garbage, silence, a panic.
    Failed,
}

/// The pause before the next poll.
///
/// Every end of a poll gives a pause, so that there is always a next one. One success brings the pace back to normal.
#[derive(Clone, Debug)]
pub struct Polling {
    /// What the activation asks for.
    request_timeout: Duration,
    early: u32,
    failed: u32,
    overloaded: bool,
}

const EARLY: BackOff = BackOff::new(Duration::from_millis(200), Duration::from_secs(2));
const FAILED: BackOff = BackOff::new(Duration::from_millis(500), Duration::from_secs(30));

impl Polling {
    pub const fn new(request_timeout: Duration) -> Self {
        Self {
            request_timeout,
            early: 0,
            failed: 0,
            overloaded: false,
        }
    }

    /// The pause after a poll that ended so. `random` is any number, new each time.
    pub fn pause(&mut self, end: PollEnd, random: u64) -> Duration {
        self.overloaded = end == PollEnd::Overloaded;
        match end {
            PollEnd::Jobs => self.calm(),
            // Half of what was asked for is long enough to make no hot loop.
            PollEnd::Empty { took } if took >= self.request_timeout / 2 => self.calm(),
            PollEnd::Empty { .. } => {
                self.failed = 0;
                self.early = self.early.saturating_add(1);
                EARLY.delay(self.early, random).clamp(EARLY_MIN, EARLY_MAX)
            }
            PollEnd::Overloaded | PollEnd::Failed => {
                self.failed = self.failed.saturating_add(1);
                FAILED.delay(self.failed, random)
            }
        }
    }

    /// Settling goes first while this is true.
    pub const fn is_overloaded(&self) -> bool {
        self.overloaded
    }

    /// Polls that have failed in a row, for the log.
    pub const fn failures(&self) -> u32 {
        self.failed
    }

    fn calm(&mut self) -> Duration {
        self.early = 0;
        self.failed = 0;
        Duration::ZERO
    }
}

const EARLY_MIN: Duration = Duration::from_millis(100);
const EARLY_MAX: Duration = Duration::from_secs(1);
