//! Whether the worker takes jobs, and whether it is alive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

// The standard library's clock, which tests can move.
use tokio::time::Instant;

/// How long a poll loop may stand still before the process counts as dead.
const STANDSTILL: Duration = Duration::from_mins(5);

/// One turn of a loop is a poll and so much more at most: the rest of the request, the pause after it, and the wait for deferred reports.
const BESIDE_THE_POLL: Duration = Duration::from_mins(3);

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
    /// It takes no more jobs, and turns no more.
    stopped: bool,
}

impl Status {
    /// Of `loops` poll loops with this long poll.
    pub fn new(loops: usize, request_timeout: Duration) -> Arc<Self> {
        let new = || {
            Mutex::new(Loop {
                ended: None,
                full: false,
                turned: Instant::now(),
                stopped: false,
            })
        };
        Arc::new(Self {
            loops: std::iter::repeat_with(new).take(loops).collect(),
            fresh: request_timeout
                .saturating_mul(2)
                .saturating_add(Duration::from_secs(20)),
            standstill: STANDSTILL.max(request_timeout.saturating_add(BESIDE_THE_POLL)),
        })
    }

    /// Each loop takes jobs, and its last activation ended well, and not long ago.
    pub fn is_ready(&self) -> bool {
        self.all(|state, now| match state.ended {
            Some((at, true)) => !state.stopped && (state.full || now.saturating_duration_since(at) < self.fresh),
            Some((_, false)) | None => false,
        })
    }

    /// Each loop still turns, or has stopped as it was told. The cluster, tokens and ServiceNow play no part in it: a restart of this process
    /// would not help them.
    pub fn is_alive(&self) -> bool {
        self.all(|state, now| state.stopped || now.saturating_duration_since(state.turned) < self.standstill)
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

    /// The loop takes no more jobs. Those in hand may take longer than a standstill.
    pub(crate) fn stopped(&self, number: usize) {
        self.change(number, |state| state.stopped = true);
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
    use tokio::time::advance;

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

    #[tokio::test(start_paused = true)]
    async fn an_old_success_counts_only_while_there_is_no_room_for_jobs() {
        let status = Status::new(1, Duration::from_secs(10));
        status.ended(0, true);
        advance(Duration::from_secs(39)).await;
        assert!(status.is_ready());
        advance(Duration::from_secs(2)).await;
        assert!(!status.is_ready());
        status.turned(0, true);
        assert!(status.is_ready());
        status.turned(0, false);
        assert!(status.is_ready(), "the clock begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_for_five_minutes_is_not_alive() {
        let status = Status::new(2, Duration::from_secs(10));
        advance(Duration::from_secs(299)).await;
        assert!(status.is_alive());
        // One loop that turns does not hide one that does not.
        status.turned(0, false);
        advance(Duration::from_secs(2)).await;
        assert!(!status.is_alive());
        status.turned(1, false);
        assert!(status.is_alive());
    }

    #[tokio::test(start_paused = true)]
    async fn no_end_of_an_activation_makes_a_loop_less_alive() {
        let status = Status::new(1, Duration::from_secs(10));
        for _ in 0..100 {
            advance(Duration::from_secs(60)).await;
            status.turned(0, false);
            status.ended(0, false);
            assert!(status.is_alive() && !status.is_ready());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_poll_is_no_standstill() {
        let status = Status::new(1, Duration::from_mins(10));
        // The poll, the rest of its request, the longest pause after it, and the wait for deferred reports.
        advance(Duration::from_secs(600 + 10 + 60 + 30)).await;
        assert!(status.is_alive());
        advance(Duration::from_mins(2)).await;
        assert!(!status.is_alive());
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_was_stopped_is_alive_and_not_ready() {
        let status = Status::new(1, Duration::from_secs(10));
        status.turned(0, true);
        status.ended(0, true);
        status.stopped(0);
        assert!(!status.is_ready());
        advance(Duration::from_mins(20)).await;
        assert!(status.is_alive());
    }
}
