//! What happens to a hand-out, and what is to be done.

use std::time::Duration;

use super::job::{AttemptId, OutcomeVariable, Time};
use crate::outcome::{CallOutcome, Verdict};

/// Something that has happened to a hand-out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event<A> {
    /// The instance of ServiceNow has room for this call.
    Permit,
    MarkAcked(AttemptId),
    MarkRefused(AttemptId),
    MarkUnanswered(AttemptId),
    /// Is the job still ours? Also instead of an `Outcome`, where the last look at the clock forbade the call.
    Checked(bool),
    /// The engine has moved the lock to [`super::Lock::timeout`] from then on.
    Extended {
        /// Before the request was sent.
        asked_at: Time,
    },
    /// The job is gone or another's.
    ExtendRefused,
    ExtendUnanswered {
        asked_at: Time,
    },
    /// The call has ended, whatever ended it.
    Outcome(CallOutcome<A>),
    Evaluated(Verdict),
    /// The author's expression is wrong.
    EvaluationFailed,
    /// Nobody evaluates at the moment: 429, 503, 504, a reset, a timeout.
    EvaluatorAway,
    /// 204.
    Settled,
    /// 404, in the cluster's own problem document.
    Gone,
    /// 409; Operaton: 400 for a lock that is not ours.
    TakenOver,
    /// Provably not processed, and worth another try, after this long where the engine has said so.
    SettleDeferred(Option<Duration>),
    /// Processed and rejected: 400, 413, a 500 that says `rejected with code`. `too_large`: the body of the answer may be the cause.
    SettleRejected {
        too_large: bool,
    },
    /// Nobody knows whether it was processed.
    SettleUnanswered,
    Recorded,
    RecordRefused,
    RecordUnanswered,
    /// The time of a [`Action::WakeAt`] has come. A tick at any other time does no harm.
    Tick,
    /// The worker shuts down: no new calls.
    Stop,
    /// The worker ends at once.
    StopNow,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action<A> {
    /// Write the attempt, and clear the outcome, in one request.
    Mark(AttemptId),
    /// Ask whether the job is ours. A request that moves the lock moves it to `timeout`.
    Check {
        timeout: Duration,
    },
    Extend {
        timeout: Duration,
    },
    /// Call the flow starter, once, unless the clock shows more than `not_after`.
    Send {
        attempt: AttemptId,
        not_after: Time,
    },
    /// Evaluate the author's expressions for this outcome.
    Evaluate(CallOutcome<A>),
    /// `answer` is the result. None after `ignoreError` for a call that started nothing, or nobody knows.
    Complete {
        answer: Option<A>,
    },
    /// `without_body`: the engine rejected the report for its size, so leave the body of the answer out of every variable.
    Fail {
        retries: u32,
        back_off: Duration,
        outcome: OutcomeVariable<A>,
        without_body: bool,
    },
    /// A failure that is nobody's fault: the retries are those that the job came with.
    GiveBack {
        retries: u32,
        back_off: Duration,
        outcome: OutcomeVariable<A>,
    },
    Throw,
    Record(OutcomeVariable<A>),
    /// Pass [`Event::Tick`] at this time. Replaces the `WakeAt` before it.
    WakeAt(Time),
    /// The hand-out is over.
    Forget(ForgetReason),
}

/// How a hand-out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForgetReason {
    /// The engine has the outcome.
    Settled,
    /// The engine has answered that there is nothing left to report to.
    Gone,
    /// The engine has refused the report: suspended, failed already, or another's. Also a refused mark or check.
    Refused,
    /// The report may have been processed, and is of a kind that is never repeated.
    Unanswered,
    /// Too little of the lock is left.
    OutOfTime,
    /// Told to end at once.
    Stopped,
}
