//! Whether the worker takes jobs, and whether it is alive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a poll loop may stand still before the process counts as dead.
const STANDSTILL: Duration = Duration::from_mins(5);

/// The state of all poll loops.
#[derive(Debug)]
pub struct Status {
    loops: Vec<Mutex<Loop>>,
    fresh: Duration,
    standstill: Duration,
}

#[derive(Debug)]
struct Loop {
    /// The last activation that ended.
    ended: Option<(Instant, bool)>,
    /// All places are taken: there is nothing to ask for, and the last end keeps its value.
    full: bool,
    turned: Instant,
}

impl Status {
    /// Of `loops` poll loops with this long poll.
    pub fn new(loops: usize, request_timeout: Duration) -> Arc<Self> {
        let new = || {
            Mutex::new(Loop {
                ended: None,
                full: false,
                turned: Instant::now(),
            })
        };
        Arc::new(Self {
            loops: std::iter::repeat_with(new).take(loops).collect(),
            fresh: request_timeout
                .saturating_mul(2)
                .saturating_add(Duration::from_secs(20)),
            standstill: STANDSTILL.max(request_timeout.saturating_add(Duration::from_mins(1))),
        })
    }

    /// Each loop's last activation ended well, and not long ago.
    pub fn is_ready(&self) -> bool {
        self.all(|state, now| match state.ended {
            Some((at, true)) => state.full || now.saturating_duration_since(at) < self.fresh,
            Some((_, false)) | None => false,
        })
    }

    /// Each loop still turns. The cluster, tokens and ServiceNow play no part in it: a restart of this process would not help them.
    pub fn is_alive(&self) -> bool {
        self.all(|state, now| now.saturating_duration_since(state.turned) < self.standstill)
    }

    pub(crate) fn turned(&self, number: usize, full: bool) {
        self.change(number, |state| {
            state.turned = Instant::now();
            if state.full
                && !full
                && let Some((at, true)) = &mut state.ended
            {
                // From now on it is measured again.
                *at = Instant::now();
            }
            state.full = full;
        });
    }

    pub(crate) fn ended(&self, number: usize, well: bool) {
        self.change(number, |state| state.ended = Some((Instant::now(), well)));
    }

    fn all(&self, holds: impl Fn(&Loop, Instant) -> bool) -> bool {
        let now = Instant::now();
        self.loops
            .iter()
            .all(|state| holds(&state.lock().unwrap_or_else(PoisonError::into_inner), now))
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut Loop)) {
        if let Some(state) = self.loops.get(number) {
            change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_follows_the_last_activation_of_every_loop() {
        let status = Status::new(2, Duration::from_secs(10));
        assert!(!status.is_ready());
        status.ended(0, true);
        assert!(!status.is_ready());
        status.ended(1, true);
        assert!(status.is_ready());
        status.ended(0, false);
        assert!(!status.is_ready());
        status.ended(0, true);
        assert!(status.is_ready());
    }

    #[test]
    fn an_old_success_counts_only_while_there_is_no_room_for_jobs() {
        let status = Status::new(1, Duration::from_secs(10));
        status.change(0, |state| {
            state.ended = Instant::now().checked_sub(Duration::from_secs(41)).map(|at| (at, true))
        });
        assert!(!status.is_ready());
        status.turned(0, true);
        assert!(status.is_ready());
        status.turned(0, false);
        assert!(status.is_ready(), "the clock begins anew");
        assert!(status.is_alive());
    }
}
