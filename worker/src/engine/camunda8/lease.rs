//! Whether to ask for leased jobs. A cluster before 8.10 refuses the field with 400: it is asked without for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, Ended};

const PAUSE: Duration = Duration::from_secs(10 * 60);

pub(super) struct Leases {
    wanted: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    refused_at: Option<Instant>,
    /// The log has said so.
    named: bool,
}

impl Leases {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            state: Mutex::default(),
        }
    }

    pub(super) fn ask(&self) -> bool {
        self.wanted
            && self
                .state()
                .refused_at
                .is_none_or(|refused_at| refused_at.elapsed() >= PAUSE)
    }

    /// The same request was then sent without. Where it was refused as well, the lease was not the reason.
    pub(super) fn refused(&self, with: &Ended, without: &Ended) {
        let mut state = self.state();
        state.refused_at = Some(Instant::now());
        if let (Ended::Answered(Answer { detail, .. }), false) = (with, is_refusal(without) || state.named) {
            state.named = true;
            tracing::warn!(
                detail,
                "the cluster refuses to lease jobs (--lease needs Camunda 8.10 or later); taking jobs without a lease, and requesting \
                 one again every 10 minutes"
            );
        }
    }

    pub(super) fn accepted(&self) {
        let mut state = self.state();
        if state.named {
            tracing::info!("the cluster now leases jobs");
        }
        *state = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cluster's own 400. A proxy's is no word about the lease.
pub(super) fn is_refusal(ended: &Ended) -> bool {
    matches!(
        ended,
        Ended::Answered(Answer {
            status: 400,
            problem: Some(_),
            ..
        })
    )
}
