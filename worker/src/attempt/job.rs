//! A handed-out job, and what its variables permit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Rule;
use crate::outcome::{OutcomeState, Task};
use crate::rules::holds;

/// Time since the executor's epoch.
pub type Time = Duration;

/// Names one attempt, in both variables. Any text that stood in the variable, or one of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(Arc<str>);

impl AttemptId {
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The variable `flowStarterOutcome`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OutcomeVariable<A> {
    /// The attempt whose outcome this is.
    pub attempt: AttemptId,
    pub state: OutcomeState,
    /// The job's retries when a PUT wrote this; none where the failing call itself wrote it. See [`HandedOut`].
    pub retries: Option<u32>,
    /// What is known of the answer. Always there with [`OutcomeState::Answered`]: pass an empty answer if the variable has none, for
    /// otherwise the attempt counts as found.
    pub response: Option<A>,
}

/// How long a job must be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lock {
    /// The longest that this job's call can take.
    pub call: Duration,
    /// What to ask the engine for: the larger of `jobTimeout` and the longest call + 60 s.
    pub timeout: Duration,
}

/// A job as an engine has handed it out.
///
/// Its variables permit one of four things:
///
/// | attempt | outcome of that attempt | permits |
/// |---|---|---|
/// | none | | send |
/// | any | `not-started`, `retry`, `reported`, written by a failure | send |
/// | any | the same, written by a PUT at the retries that the job still has | spend: one failure with a retry less, after which the next holder may send |
/// | any | `answered` | complete from the answer, never send |
/// | any | anything else | nothing: the attempt is found, its end is unknown |
///
/// A permission that a PUT has written is spent before anybody sends, because a proxy may deliver a PUT twice: the mark and the record of
/// an old attempt, delivered once more, would look like the permission again. Retries, which only a POST changes, tell the two apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HandedOut<A> {
    /// Unique for this hand-out, over all workers and for ever. Attempt identifiers begin with it.
    pub stem: Arc<str>,
    /// Before the activation request was sent.
    pub asked_at: Time,
    /// What the activation asked for.
    pub timeout: Duration,
    /// As [`crate::outcome::tries`] reads them: at least 1.
    pub retries: u32,
    pub attempt: Option<AttemptId>,
    pub outcome: Option<OutcomeVariable<A>>,
    pub lock: Lock,
    pub task: Task,
    /// The executor refuses this job before anything is sent, for instance for a task header that cannot be read.
    pub refused: bool,
    /// Random, for the jitter of back-offs.
    pub random: u64,
}

/// What the variables of a job permit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Permission<A> {
    Send,
    Spend,
    Resume(AttemptId, A),
    Found(AttemptId),
}

impl<A: Clone> HandedOut<A> {
    /// Whether this hand-out may call: only then is an input needed.
    pub fn may_call(&self) -> bool {
        matches!(self.permission(), Permission::Send)
    }

    /// The attempt that this hand-out found, whose end is not known.
    pub fn found_attempt(&self) -> Option<AttemptId> {
        match self.permission() {
            Permission::Found(attempt) => Some(attempt),
            Permission::Send | Permission::Spend | Permission::Resume(..) => None,
        }
    }

    pub(super) fn permission(&self) -> Permission<A> {
        let Some(attempt) = &self.attempt else {
            return Permission::Send;
        };
        let found = Permission::Found(attempt.clone());
        let Some(outcome) = &self.outcome else {
            return found;
        };
        if outcome.attempt != *attempt && holds(Rule::CompareAttempts) {
            return found;
        }
        match (outcome.state, &outcome.response, outcome.retries) {
            (OutcomeState::Answered, Some(response), _) => Permission::Resume(attempt.clone(), response.clone()),
            (OutcomeState::Answered, None, _) => found,
            (_, _, None) => Permission::Send,
            (_, _, Some(_)) if !holds(Rule::SpendPutPermission) => Permission::Send,
            (_, _, Some(retries)) if retries == self.retries => Permission::Spend,
            (_, _, Some(_)) => found,
        }
    }
}
