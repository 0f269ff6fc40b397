//! The life of one hand-out of a job, as a pure state machine: events and the time go in, actions come out.
//!
//! One [`Attempt`] is one hand-out. It does no IO and reads no clock. `docs/worker.md` says why it is shaped so, and what the
//! exploration in `worker/explore` proves about it.
//!
//! ```text
//! Waiting ──► Marking ──► Checking ──► Sending ──► Evaluating ──► Settling ──► Recording ──► Done
//!    │           ▲            │                        ▲              ▲
//!    └ give back ┘            └ nothing to send ───────┼──────────────┘
//!                               found, or answered ────┘
//! ```
//!
//! # Contract with the executor
//!
//! **Time.** [`Time`] counts from an epoch of the executor's choice, the same for all hand-outs of a process, by the larger of
//! `CLOCK_BOOTTIME` and wall-clock time elapsed: a monotonic clock alone stands still while a machine is suspended.
//! [`HandedOut::asked_at`] and [`Event::Extended`]'s `asked_at` are read *before* the request is sent, and `now` when the event is
//! passed in. Never pass the time at which an answer arrived if it was queued in between.
//!
//! **Actions.** The executor carries out the actions of one call in order. Every action but [`Action::WakeAt`] and
//! [`Action::Forget`] is a request that ends in exactly one event of its kind, including a panic or a time limit of the request. A
//! request is never sent twice for one action: the HTTP client must not retry, nor follow redirects. A `WakeAt` replaces the one
//! before; at that time, or at any other, the executor passes [`Event::Tick`]. After `Forget` the hand-out is over: cancel its
//! timer and its place in the queue for a permit. Every life ends with exactly one `Forget`.
//!
//! **Identifiers.** [`HandedOut::stem`] is unique for each hand-out, over all workers and for ever, for instance 128 random bits.
//! The machine derives one attempt identifier for each mark request from it.
//!
//! | action | request | events |
//! |---|---|---|
//! | [`Action::Mark`] | one PUT of local variables: the attempt, and the outcome as null | `MarkAcked`; `MarkRefused` for 400, 401, 403, 404, 409; `MarkUnanswered` for anything else |
//! | [`Action::Check`] | Camunda 8: none, the answer is yes. With a lease: PATCH with the token. Operaton: `extendLock` | `Extended` first, where the request moved the lock; then `Checked` |
//! | [`Action::Extend`] | PATCH of the timeout, or `extendLock` | `Extended`, `ExtendRefused` (404, 409), `ExtendUnanswered` |
//! | [`Action::Send`] | first the clock: `now > not_after` is `Checked(false)`; then the call, once | `Outcome`, whatever ends it |
//! | [`Action::Evaluate`] | the expressions, in their order | `Evaluated`, `EvaluationFailed`, `EvaluatorAway` |
//! | [`Action::Complete`], [`Action::Fail`], [`Action::GiveBack`], [`Action::Throw`] | completion, failure, failure, error | `Settled`, `Gone`, `TakenOver`, `SettleDeferred`, `SettleRejected`, `SettleUnanswered` |
//! | [`Action::Record`] | PUT of the local variable `flowStarterOutcome` | `Recorded`, `RecordRefused`, `RecordUnanswered` |
//!
//! `SettleDeferred` stands for answers that prove that nothing was processed: a refused connection, 429, 503
//! `RESOURCE_EXHAUSTED`, and 401 or 403 after the one renewal. In doubt it is `SettleUnanswered`: a failure that was processed and
//! is repeated leads to a second start.
//!
//! The lease token, the job's key, messages and result variables stay with the executor. The machine does not need them.
//!
//! An attempt variable that cannot be read is still an attempt: pass its text as the identifier. An outcome that cannot be read is
//! passed as none. Both together make an attempt whose end is not known.

mod job;
mod life;
mod reporting;
mod sending;
mod step;

pub use job::{AttemptId, HandedOut, Lock, OutcomeVariable, Time};
pub use life::{Attempt, Limits};
pub use step::{Action, Event, ForgetReason};

/// The rules of the design. The exploration turns off one at a time, and must then find a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A mark is written before anything is sent.
    MarkFirst,
    /// The clock is looked at before marking and before sending, and the engine is asked where it can tell.
    Check,
    /// An outcome counts only for the attempt that it names.
    CompareAttempts,
    /// A call that re-queues a job is not repeated after a lost answer.
    FailOnce,
    /// The outcome is written by the failing call, not before it.
    OutcomeWithFailure,
    /// An extension that was answered after the deadline does not count.
    ExtendedInTime,
    /// `reported` is recorded only after the throw was answered.
    RecordAfterThrow,
    /// A found attempt is reported, also under `onUnknown=retry`, before anybody sends.
    FoundIsReported,
    /// A permission that was written by a PUT is turned into a failure before anybody sends.
    SpendPutPermission,
    /// Nothing is recorded after a failure of a call that started nothing was refused.
    NoPermissionAfterRefusal,
    /// Only a marked attempt gives a job back.
    MarkBeforeGiveBack,
}

#[cfg(test)]
mod tests;
