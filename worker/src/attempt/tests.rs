use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::outcome::{CallOutcome, OnUnknown, OutcomeState, Task, Verdict};
use crate::pace::BackOff;

type Life = Attempt<&'static str>;
type Todo = Vec<Action<&'static str>>;

const TIMEOUT: u64 = 120;
const CALL: u64 = 60;
const MARGIN: u64 = 10;
/// The last moment for a call: what is left of the lock covers the call and the margin.
const NOT_AFTER: u64 = TIMEOUT - CALL - MARGIN;

fn at(seconds: u64) -> Time {
    Duration::from_secs(seconds)
}

fn id(text: &str) -> AttemptId {
    AttemptId::new(text)
}

fn limits() -> Limits {
    Limits {
        back_off: BackOff::new(at(2), at(2)),
        give_back: BackOff::new(at(10), at(10)),
        record_tries: 2,
        ..Limits::default()
    }
}

fn job() -> HandedOut<&'static str> {
    HandedOut {
        stem: "a".into(),
        asked_at: at(0),
        timeout: at(TIMEOUT),
        retries: 3,
        attempt: None,
        outcome: None,
        lock: Lock {
            call: at(CALL),
            timeout: at(TIMEOUT),
        },
        task: Task {
            on_unknown: OnUnknown::Incident,
            retry_back_off: at(30),
        },
        refused: false,
        random: u64::MAX,
    }
}

fn job_with(attempt: &str, of: &str, state: OutcomeState) -> HandedOut<&'static str> {
    let response = (state == OutcomeState::Answered).then_some("kept");
    HandedOut {
        attempt: Some(id(attempt)),
        outcome: Some(OutcomeVariable {
            attempt: id(of),
            state,
            retries: None,
            response,
        }),
        ..job()
    }
}

fn begin(job: HandedOut<&'static str>) -> (Life, Todo) {
    Attempt::new(job, Arc::new(limits()), at(1))
}

/// A hand-out that sends, at 3 s.
fn sending(job: HandedOut<&'static str>) -> Life {
    let (mut life, _) = begin(job);
    assert_eq!(life.handle(Event::Permit, at(2)), [Action::Mark(id("a-1"))]);
    assert_eq!(life.handle(Event::MarkAcked(id("a-1")), at(3)), [CHECK]);
    assert_eq!(life.handle(Event::Checked(true), at(3)), [send("a-1")]);
    life
}

/// A hand-out that reports this outcome, at 5 s, and what it does for it.
fn reporting(job: HandedOut<&'static str>, call: CallOutcome<&'static str>, verdict: Verdict) -> (Life, Todo) {
    let mut life = sending(job);
    assert_eq!(
        life.handle(Event::Outcome(call.clone()), at(4)),
        [Action::Evaluate(call)]
    );
    let todo = life.handle(Event::Evaluated(verdict), at(5));
    (life, todo)
}

const CHECK: Action<&'static str> = Action::Check {
    timeout: Duration::from_secs(TIMEOUT),
};
const EXTEND: Action<&'static str> = Action::Extend {
    timeout: Duration::from_secs(TIMEOUT),
};
const STARTED: CallOutcome<&str> = CallOutcome::Started {
    answer: "id",
    whole: true,
};
const BUSY: CallOutcome<&str> = CallOutcome::NotStarted {
    may_pass: true,
    retry_after: None,
};
const UNKNOWN: CallOutcome<&str> = CallOutcome::Unknown;
const COMPLETE: Action<&'static str> = Action::Complete { answer: Some("id") };

fn send(attempt: &str) -> Action<&'static str> {
    Action::Send {
        attempt: id(attempt),
        not_after: at(NOT_AFTER),
    }
}

fn outcome(attempt: &str, state: OutcomeState) -> OutcomeVariable<&'static str> {
    OutcomeVariable {
        attempt: id(attempt),
        state,
        retries: None,
        response: (state == OutcomeState::Answered).then_some("id"),
    }
}

fn fail(retries: u32, back_off: u64, attempt: &str, state: OutcomeState) -> Action<&'static str> {
    Action::Fail {
        retries,
        back_off: at(back_off),
        outcome: outcome(attempt, state),
        without_body: false,
    }
}

const fn forget(reason: ForgetReason) -> Action<&'static str> {
    Action::Forget(reason)
}

#[test]
fn a_job_is_marked_checked_sent_and_completed() {
    let (mut life, todo) = begin(job());
    assert_eq!(todo, [Action::WakeAt(at(3))]);
    assert!(life.waits_for_permit());
    assert_eq!(life.handle(Event::Permit, at(2)), [Action::Mark(id("a-1"))]);
    assert!(!life.waits_for_permit());
    let (mut life, todo) = reporting(job(), STARTED, Verdict::Default);
    assert_eq!(todo, [COMPLETE]);
    assert_eq!(life.handle(Event::Settled, at(6)), [forget(ForgetReason::Settled)]);
    assert!(life.is_done());
    assert_eq!(life.handle(Event::Tick, at(7)), []);
}

#[test]
fn an_unanswered_mark_is_repeated_with_a_new_identifier() {
    let (mut life, _) = begin(job());
    life.handle(Event::Permit, at(2));
    assert_eq!(
        life.handle(Event::MarkUnanswered(id("a-1")), at(4)),
        [Action::WakeAt(at(6))]
    );
    assert_eq!(life.handle(Event::Tick, at(5)), [Action::WakeAt(at(6))], "too early");
    assert_eq!(life.handle(Event::Tick, at(6)), [Action::Mark(id("a-2"))]);
    assert_eq!(
        life.handle(Event::MarkAcked(id("a-1")), at(6)),
        [],
        "the answer to another request"
    );
    assert_eq!(life.handle(Event::MarkAcked(id("a-2")), at(7)), [CHECK]);
}

#[test]
fn a_refused_mark_ends_the_hand_out() {
    let (mut life, _) = begin(job());
    life.handle(Event::Permit, at(2));
    let todo = life.handle(Event::MarkRefused(id("a-1")), at(3));
    assert_eq!(todo, [forget(ForgetReason::Refused)]);
}

#[test]
fn the_clock_is_looked_at_before_mark_and_call() {
    let late = at(NOT_AFTER + 1);
    let out_of_time = [forget(ForgetReason::OutOfTime)];
    let (mut life, _) = begin(job());
    assert_eq!(life.handle(Event::Permit, late), out_of_time);

    let (mut life, _) = begin(job());
    life.handle(Event::Permit, at(2));
    assert_eq!(life.handle(Event::MarkAcked(id("a-1")), late), out_of_time);

    let (mut life, _) = begin(job());
    life.handle(Event::Permit, at(2));
    life.handle(Event::MarkAcked(id("a-1")), at(3));
    assert_eq!(life.handle(Event::Checked(true), late), out_of_time);

    let (mut life, _) = begin(job());
    life.handle(Event::Permit, at(2));
    life.handle(Event::MarkAcked(id("a-1")), at(3));
    assert_eq!(life.handle(Event::Checked(false), at(3)), out_of_time);

    let mut life = sending(job());
    assert_eq!(
        life.handle(Event::Checked(false), late),
        out_of_time,
        "the executor's own look"
    );
}

#[test]
fn a_lock_that_is_too_short_is_extended_first() {
    let mut short = job();
    short.timeout = at(60);
    let (mut life, todo) = begin(short);
    assert_eq!(todo, [EXTEND, Action::WakeAt(at(3))]);
    assert_eq!(life.handle(Event::Permit, at(2)), []);
    assert_eq!(
        life.handle(Event::Extended { asked_at: at(1) }, at(2)),
        [Action::Mark(id("a-1"))]
    );
    assert_eq!(life.handle(Event::MarkAcked(id("a-1")), at(1 + NOT_AFTER)), [CHECK]);
}

#[test]
fn an_extension_after_the_deadline_does_not_count() {
    let mut short = job();
    short.timeout = at(60);
    let (mut life, _) = begin(short);
    life.handle(Event::Permit, at(2));
    let todo = life.handle(Event::Extended { asked_at: at(1) }, at(60));
    assert_eq!(todo, [Action::WakeAt(at(62))]);
    assert_eq!(life.handle(Event::Tick, at(62)), [forget(ForgetReason::OutOfTime)]);
}

#[test]
fn an_unanswered_extension_is_asked_for_again() {
    let mut short = job();
    short.timeout = at(60);
    let (mut life, _) = begin(short);
    life.handle(Event::Permit, at(2));
    let todo = life.handle(Event::ExtendUnanswered { asked_at: at(1) }, at(11));
    assert_eq!(todo, [Action::WakeAt(at(13))]);
    assert_eq!(life.handle(Event::Tick, at(13)), [EXTEND]);
    assert_eq!(
        life.handle(Event::ExtendRefused, at(14)),
        [forget(ForgetReason::Refused)]
    );
}

#[test]
fn a_job_without_a_permit_is_given_back_marked() {
    for event in [Event::Tick, Event::Stop] {
        let (mut life, _) = begin(job());
        assert_eq!(life.handle(event, at(3)), [Action::Mark(id("a-1"))]);
        assert_eq!(life.handle(Event::MarkAcked(id("a-1")), at(4)), [CHECK]);
        let give_back = Action::GiveBack {
            retries: 3,
            back_off: at(10),
            outcome: outcome("a-1", OutcomeState::NotStarted),
        };
        assert_eq!(life.handle(Event::Checked(true), at(4)), [give_back]);
        assert_eq!(
            life.handle(Event::SettleUnanswered, at(5)),
            [forget(ForgetReason::Unanswered)]
        );
    }
}

#[test]
fn stopping_lets_later_states_run_on() {
    let mut life = sending(job());
    assert_eq!(life.handle(Event::Stop, at(4)), []);
    assert_eq!(life.handle(Event::Outcome(STARTED), at(5)), [Action::Evaluate(STARTED)]);
    assert_eq!(life.handle(Event::StopNow, at(6)), [forget(ForgetReason::Stopped)]);
}

#[test]
fn a_refused_job_is_marked_and_says_not_started() {
    let mut refused = job();
    refused.refused = true;
    let (mut life, todo) = begin(refused);
    assert_eq!(todo, [Action::Mark(id("a-1"))]);
    assert_eq!(life.handle(Event::MarkAcked(id("a-1")), at(2)), [CHECK]);
    let call = CallOutcome::NotStarted {
        may_pass: false,
        retry_after: None,
    };
    assert_eq!(life.handle(Event::Checked(true), at(2)), [Action::Evaluate(call)]);
    let todo = life.handle(Event::Evaluated(Verdict::Default), at(3));
    assert_eq!(todo, [fail(0, 0, "a-1", OutcomeState::NotStarted)]);
}

#[test]
fn a_permission_counts_only_for_the_current_attempt() {
    for state in [OutcomeState::NotStarted, OutcomeState::Retry, OutcomeState::Reported] {
        let (life, _) = begin(job_with("x", "x", state));
        assert!(life.waits_for_permit(), "{state:?}");
        let (_, todo) = begin(job_with("y", "x", state));
        assert_eq!(todo, [Action::Evaluate(UNKNOWN)], "{state:?}");
    }
    let (_, todo) = begin(job_with("y", "x", OutcomeState::Answered));
    assert_eq!(todo, [Action::Evaluate(UNKNOWN)]);
    let mut marked = job();
    marked.attempt = Some(id("x"));
    assert_eq!(begin(marked).1, [Action::Evaluate(UNKNOWN)]);
}

#[test]
fn a_found_attempt_is_reported_under_its_own_name() {
    let rows = [
        (OnUnknown::Incident, fail(0, 0, "x", OutcomeState::Reported)),
        (OnUnknown::Retry, fail(2, 30, "x", OutcomeState::Retry)),
        (OnUnknown::BpmnError, Action::Throw),
    ];
    for (on_unknown, expected) in rows {
        let mut found = job();
        found.attempt = Some(id("x"));
        found.task.on_unknown = on_unknown;
        let (mut life, _) = begin(found.clone());
        assert_eq!(life.handle(Event::Evaluated(Verdict::Default), at(2)), [expected]);
        let (mut life, _) = begin(found);
        let todo = life.handle(Event::Evaluated(Verdict::Default), at(TIMEOUT));
        assert_eq!(todo, [forget(ForgetReason::OutOfTime)], "the next holder reports it");
    }
}

#[test]
fn a_kept_answer_completes_the_job_without_a_call() {
    let (mut life, todo) = begin(job_with("x", "x", OutcomeState::Answered));
    let kept = CallOutcome::Started {
        answer: "kept",
        whole: true,
    };
    assert_eq!(todo, [Action::Evaluate(kept)]);
    let todo = life.handle(Event::Evaluated(Verdict::Default), at(2));
    assert_eq!(todo, [Action::Complete { answer: Some("kept") }]);
}

#[test]
fn a_completion_is_repeated_until_it_is_known() {
    let (mut life, _) = reporting(job(), STARTED, Verdict::Default);
    for round in 1..20 {
        let now = at(5 + 4 * round);
        assert_eq!(life.handle(Event::SettleUnanswered, now), [Action::WakeAt(now + at(2))]);
        assert_eq!(life.handle(Event::Tick, now + at(2)), [COMPLETE]);
    }
    assert_eq!(life.handle(Event::Gone, at(500)), [forget(ForgetReason::Gone)]);
}

#[test]
fn a_failure_is_repeated_only_if_it_was_not_processed() {
    let failure = fail(2, 30, "a-1", OutcomeState::NotStarted);
    let (mut life, todo) = reporting(job(), BUSY, Verdict::Default);
    assert_eq!(todo, std::slice::from_ref(&failure));
    let todo = life.handle(Event::SettleDeferred(Some(at(9))), at(6));
    assert_eq!(todo, [Action::WakeAt(at(15))], "as long as the engine asked for");
    assert_eq!(life.handle(Event::Tick, at(15)), [failure]);
    assert_eq!(
        life.handle(Event::SettleUnanswered, at(16)),
        [forget(ForgetReason::Unanswered)]
    );
}

#[test]
fn a_refused_failure_records_nothing() {
    let (mut life, _) = reporting(job(), BUSY, Verdict::Default);
    assert_eq!(life.handle(Event::TakenOver, at(6)), [forget(ForgetReason::Refused)]);
}

#[test]
fn a_refused_completion_records_the_answer() {
    let (mut life, _) = reporting(job(), STARTED, Verdict::Default);
    let record = Action::Record(outcome("a-1", OutcomeState::Answered));
    assert_eq!(life.handle(Event::TakenOver, at(6)), std::slice::from_ref(&record));
    assert_eq!(life.handle(Event::RecordUnanswered, at(7)), [Action::WakeAt(at(9))]);
    assert_eq!(life.handle(Event::Tick, at(9)), [record]);
    assert_eq!(
        life.handle(Event::RecordUnanswered, at(9)),
        [forget(ForgetReason::Unanswered)]
    );
}

#[test]
fn a_rejected_completion_is_one_incident() {
    let (mut life, _) = reporting(job(), STARTED, Verdict::Default);
    let incident = Action::Fail {
        retries: 0,
        back_off: at(0),
        outcome: outcome("a-1", OutcomeState::Answered),
        without_body: true,
    };
    assert_eq!(
        life.handle(Event::SettleRejected { too_large: true }, at(6)),
        [incident]
    );
    let todo = life.handle(Event::SettleRejected { too_large: false }, at(7));
    assert_eq!(todo, [forget(ForgetReason::Refused)]);
}

fn thrown(call: CallOutcome<&'static str>) -> Life {
    let (life, todo) = reporting(job(), call, Verdict::BpmnError);
    assert_eq!(todo, [Action::Throw]);
    life
}

#[test]
fn the_outcome_of_a_throw_is_recorded_once_it_was_answered() {
    let record = |state, retries| {
        Action::Record(OutcomeVariable {
            retries,
            ..outcome("a-1", state)
        })
    };
    for (call, expected) in [
        (UNKNOWN, record(OutcomeState::Reported, Some(3))),
        (BUSY, record(OutcomeState::NotStarted, Some(3))),
        (STARTED, record(OutcomeState::Answered, None)),
    ] {
        assert_eq!(thrown(call).handle(Event::Settled, at(6)), [expected]);
    }
    assert_eq!(
        thrown(UNKNOWN).handle(Event::Gone, at(6)),
        [forget(ForgetReason::Gone)],
        "it was caught"
    );
    let todo = thrown(UNKNOWN).handle(Event::SettleUnanswered, at(6));
    assert_eq!(todo, [forget(ForgetReason::Unanswered)]);
}

#[test]
fn no_error_is_thrown_after_the_lock_has_passed() {
    let verdict = || Event::Evaluated(Verdict::BpmnError);
    let mut life = sending(job());
    life.handle(Event::Outcome(STARTED), at(TIMEOUT));
    let record = Action::Record(outcome("a-1", OutcomeState::Answered));
    assert_eq!(life.handle(verdict(), at(TIMEOUT)), [record]);
    let mut life = sending(job());
    life.handle(Event::Outcome(UNKNOWN), at(TIMEOUT));
    assert_eq!(life.handle(verdict(), at(TIMEOUT)), [forget(ForgetReason::OutOfTime)]);
}

/// The counterexample of two PUTs that a proxy delivers once more: see `docs/worker.md`.
#[test]
fn a_permission_written_by_a_put_is_spent_before_a_call() {
    let put = |retries| {
        let mut job = job_with("x", "x", OutcomeState::Reported);
        job.outcome.as_mut().unwrap().retries = Some(retries);
        job
    };
    let (mut life, todo) = begin(put(3));
    assert_eq!(todo, [Action::Mark(id("a-1"))]);
    assert_eq!(life.handle(Event::MarkAcked(id("a-1")), at(2)), [CHECK]);
    let todo = life.handle(Event::Checked(true), at(2));
    assert_eq!(todo, [fail(2, 0, "a-1", OutcomeState::NotStarted)]);
    // The same two PUTs once more, at the retries that are left.
    assert_eq!(begin(put(2)).1, [Action::Evaluate(UNKNOWN)]);
}

#[test]
fn an_evaluator_that_is_away_is_waited_for_and_then_an_incident() {
    let mut life = sending(job());
    life.handle(Event::Outcome(STARTED), at(50));
    assert_eq!(life.handle(Event::EvaluatorAway, at(55)), [Action::WakeAt(at(57))]);
    assert_eq!(life.handle(Event::Tick, at(57)), [Action::Evaluate(STARTED)]);
    // Less than half of the lock is left.
    assert_eq!(
        life.handle(Event::EvaluatorAway, at(70)),
        [Action::WakeAt(at(72)), EXTEND]
    );
    assert_eq!(life.handle(Event::Extended { asked_at: at(70) }, at(71)), []);
    assert_eq!(
        life.handle(Event::EvaluatorAway, at(74)),
        [Action::WakeAt(at(76))],
        "extended"
    );
    let incident = fail(0, 0, "a-1", OutcomeState::Answered);
    assert_eq!(life.handle(Event::EvaluatorAway, at(350)), [incident]);
}

#[test]
fn a_failed_evaluation_is_an_incident_with_the_answer() {
    let mut life = sending(job());
    life.handle(Event::Outcome(STARTED), at(4));
    let incident = fail(0, 0, "a-1", OutcomeState::Answered);
    assert_eq!(life.handle(Event::EvaluationFailed, at(5)), [incident]);
}
