//! What a call came to, and what the engine is told: the one table.
//!
//! [`settle`] is the table. The order of precedence is: the result expression, the error expression (after a success too), the
//! defaults. A failed expression is an incident, and nothing further is asked ([`settle_failed_evaluation`]).
//!
//! The sentences and variables of a report are not made here: the executor keeps them, and the table decides only which call to
//! make, with how many retries, and which state it writes.

mod length;
mod message;

use std::time::Duration;

pub use length::{InvalidLength, MAX_LENGTH, job_timeout, retry_back_off};
pub use message::{MAX_MESSAGE_UNITS, cut};

/// The task header `onUnknown`: what an author wants where nobody knows whether the flow was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnUnknown {
    /// An incident. A person decides.
    #[default]
    Incident,
    /// Start the flow again while retries are left, at the risk of a second start.
    Retry,
    /// Throw the BPMN error `FLOW_UNKNOWN`.
    BpmnError,
}

impl OnUnknown {
    /// Reads the header's value. Blank is absent.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "" | "incident" => Some(Self::Incident),
            "retry" => Some(Self::Retry),
            "bpmnError" => Some(Self::BpmnError),
            _ => None,
        }
    }
}

/// The settings of the task that the table needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Task {
    pub on_unknown: OnUnknown,
    /// The task header `retryBackoff`, as [`retry_back_off`] reads it.
    pub retry_back_off: Duration,
}

/// What a call came to. `A` is the answer that is kept for later holders of the job: this crate never looks into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallOutcome<A> {
    /// The flow was started. `whole` is false where the answer was lost on the way or was too large: `answer` is then what is known of it.
    Started { answer: A, whole: bool },
    /// Provably nothing was started. `may_pass`: the cause passes by itself, and a retry makes sense.
    NotStarted {
        may_pass: bool,
        retry_after: Option<Duration>,
    },
    /// Nobody knows. Also what a job comes to that arrives with an attempt whose end is not known.
    Unknown,
}

impl<A> CallOutcome<A> {
    /// The state that tells the truth about this call, for an incident.
    pub fn state(&self) -> OutcomeState {
        match self {
            Self::Started { .. } => OutcomeState::Answered,
            Self::NotStarted { .. } => OutcomeState::NotStarted,
            Self::Unknown => OutcomeState::Reported,
        }
    }
}

/// The `state` in the variable `flowStarterOutcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeState {
    /// The attempt started nothing. The next holder may send.
    NotStarted,
    /// Nobody knows, or the author rejects what came back, and the author asked for a retry. The next holder may send.
    Retry,
    /// Nobody knows, and an incident or a BPMN error said so. Whoever resolves it decides that the next holder may send.
    Reported,
    /// The attempt started a flow, and the answer is kept. The next holder completes from it and never sends.
    Answered,
}

impl OutcomeState {
    pub const ALL: [Self; 4] = [Self::NotStarted, Self::Retry, Self::Reported, Self::Answered];

    /// The text in the variable.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::Retry => "retry",
            Self::Reported => "reported",
            Self::Answered => "answered",
        }
    }

    /// Reads the text of the variable. `None` is for the caller an attempt whose end is not known.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What the author's expressions asked for. Messages, codes and variables stay with the executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No error expression, or it gave null or `{}`.
    Default,
    /// `ignoreError`.
    Complete,
    /// `bpmnError`.
    BpmnError,
    /// `jobError`; its own default for `retries` is 0 and for the back-off none.
    JobError { retries: u32, back_off: Duration },
}

/// Which call reports the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settlement {
    Complete,
    /// With retries 0: an incident.
    Fail {
        retries: u32,
        back_off: Duration,
        state: OutcomeState,
    },
    /// `state` is recorded once the throw was answered, for an error that nothing catches.
    Throw {
        state: OutcomeState,
    },
}

const fn incident(state: OutcomeState) -> Settlement {
    Settlement::Fail {
        retries: 0,
        back_off: Duration::ZERO,
        state,
    }
}

/// The retries of a job as they count: none and 0 are one try, as is anything below.
pub fn tries(retries: Option<i64>) -> u32 {
    u32::try_from(retries.unwrap_or(1)).map_or_else(
        |_| if retries.is_some_and(|n| n > 0) { u32::MAX } else { 1 },
        |n| n.max(1),
    )
}

/// The table.
///
/// | the call | error expression | settlement |
/// |---|---|---|
/// | started, whole | none | complete |
/// | started, answer lost or too large | none | incident, `answered` |
/// | not started, may pass | none | failure, retries − 1, the larger of `retryBackoff` and `Retry-After`, `not-started` |
/// | not started, will not pass | none | incident, `not-started` |
/// | unknown | none | by `onUnknown`: incident, `reported`; failure, retries − 1, `retry` (at 0: `reported`); error, then `reported` |
/// | any | `ignoreError` | complete |
/// | any | `bpmnError` | error, then the state that is true |
/// | not started | `jobError` | failure, at most retries − 1, `not-started` |
/// | started or unknown | `jobError` | with `onUnknown=retry` and retries above 0: failure, at most retries − 1, `retry`; else an incident |
///
/// `retries` is the job's own, as [`tries`] reads it. No row gives as many retries as the job came with: a loop in which retries do
/// not fall would never end.
pub fn settle<A>(call: &CallOutcome<A>, verdict: Verdict, task: &Task, retries: u32) -> Settlement {
    let fewer = retries.saturating_sub(1);
    match (call, verdict) {
        (CallOutcome::Started { whole: true, .. }, Verdict::Default) | (_, Verdict::Complete) => Settlement::Complete,
        (CallOutcome::Started { whole: false, .. }, Verdict::Default)
        | (CallOutcome::NotStarted { may_pass: false, .. }, Verdict::Default) => incident(call.state()),
        (CallOutcome::NotStarted { retry_after, .. }, Verdict::Default) => Settlement::Fail {
            retries: fewer,
            back_off: task.retry_back_off.max(retry_after.unwrap_or_default()).min(MAX_LENGTH),
            state: OutcomeState::NotStarted,
        },
        (CallOutcome::Unknown, Verdict::Default) => match task.on_unknown {
            OnUnknown::Retry if fewer > 0 => Settlement::Fail {
                retries: fewer,
                back_off: task.retry_back_off.min(MAX_LENGTH),
                state: OutcomeState::Retry,
            },
            OnUnknown::Incident | OnUnknown::Retry => incident(OutcomeState::Reported),
            OnUnknown::BpmnError => Settlement::Throw {
                state: OutcomeState::Reported,
            },
        },
        (_, Verdict::BpmnError) => Settlement::Throw { state: call.state() },
        (_, Verdict::JobError { retries, back_off }) => {
            let retries = retries.min(fewer);
            let state = match call {
                CallOutcome::NotStarted { .. } => OutcomeState::NotStarted,
                _ if task.on_unknown == OnUnknown::Retry && retries > 0 => OutcomeState::Retry,
                _ => return incident(call.state()),
            };
            Settlement::Fail {
                retries,
                back_off: back_off.min(MAX_LENGTH),
                state,
            }
        }
    }
}

/// For an expression that failed, or that nobody could evaluate in the time for it: an incident that tells the truth about the call.
pub fn settle_failed_evaluation<A>(call: &CallOutcome<A>) -> Settlement {
    incident(call.state())
}

#[cfg(test)]
mod tests;
