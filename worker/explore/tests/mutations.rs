//! Each rule of the design, turned off: the exploration must find a violation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use flow_starter_worker_explore::attempt::Rule;
use flow_starter_worker_explore::config::{Bounds, Config, EngineKind};
use flow_starter_worker_explore::explore::{Counterexample, every_order, shortest_counterexample};
use flow_starter_worker_explore::outcome::OnUnknown;
use flow_starter_worker_explore::rules::without;

fn config(on_unknown: OnUnknown, faults: u8) -> Config {
    Config::new(EngineKind::Camunda8, on_unknown, Bounds::stated(faults))
}

fn found(config: &Config) -> Counterexample {
    let found = shortest_counterexample(config).expect("the exploration finds nothing");
    println!("{config}\n{found}");
    found
}

/// Without the rule there is a violation, and with it there is none.
fn misses(rule: Rule, config: &Config) -> Counterexample {
    if let Err(found) = every_order(config) {
        panic!("with {rule:?}: {found}");
    }
    without(rule, || found(config))
}

#[test]
fn no_mark_starts_the_flow_twice() {
    let found = misses(Rule::MarkFirst, &config(OnUnknown::Incident, 1));
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn no_check_starts_the_flow_twice() {
    let found = misses(Rule::Check, &config(OnUnknown::Incident, 1));
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn an_outcome_of_another_attempt_is_taken_for_ours() {
    misses(Rule::CompareAttempts, &config(OnUnknown::Incident, 2));
}

#[test]
fn a_repeated_failure_starts_the_flow_twice() {
    let found = misses(Rule::FailOnce, &config(OnUnknown::Incident, 1));
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn an_outcome_before_the_failure_starts_the_flow_twice() {
    let found = misses(Rule::OutcomeWithFailure, &config(OnUnknown::Incident, 1));
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn a_mark_that_leaves_the_outcome_starts_the_flow_twice() {
    let mut config = config(OnUnknown::Incident, 2);
    config.mark_keeps_outcome = true;
    assert_eq!(found(&config).violation.invariant, "I1");
}

#[test]
fn a_late_extension_starts_the_flow_twice() {
    let mut config = config(OnUnknown::Incident, 1);
    config.extends = true;
    let found = misses(Rule::ExtendedInTime, &config);
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn a_reused_attempt_identifier_is_believed_for_another_attempt() {
    let mut config = config(OnUnknown::Incident, 1);
    config.shared_ids = true;
    found(&config);
}

#[test]
fn reported_before_the_throw_is_answered_starts_the_flow_twice() {
    let found = misses(Rule::RecordAfterThrow, &config(OnUnknown::BpmnError, 2));
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn a_found_attempt_that_sends_at_once_starts_the_flow_twice() {
    let found = misses(Rule::FoundIsReported, &config(OnUnknown::Retry, 1));
    assert_eq!(found.violation.invariant, "I1");
}

#[test]
fn an_unmarked_give_back_is_missed() {
    let mut config = config(OnUnknown::Incident, 1);
    config.bounds.give_backs = 1;
    misses(Rule::MarkBeforeGiveBack, &config);
}

/// `docs/worker.md`, "What the exploration changed", 1: a proxy delivers the mark and the record of an attempt once more.
#[test]
fn a_permission_by_put_that_is_not_spent_starts_the_flow_twice() {
    let mut config = config(OnUnknown::BpmnError, 4);
    config.bounds.pauses = 0;
    config.bounds.refusals = 0;
    let found = misses(Rule::SpendPutPermission, &config);
    assert_eq!(found.violation.invariant, "I1");
}

/// `docs/worker.md`, "What the exploration changed", 2.
#[test]
fn a_permission_after_a_refused_failure_starts_the_flow_twice() {
    let mut config = config(OnUnknown::Incident, 5);
    config.bounds.suspensions = 1;
    config.bounds.pauses = 0;
    config.bounds.resolves = 0;
    config.bounds.expiries = 1;
    config.bounds.refusals = 1;
    let found = misses(Rule::NoPermissionAfterRefusal, &config);
    assert_eq!(found.violation.invariant, "I1");
}

/// `docs/worker.md`, "Limits": counted strictly, this is a start that nobody decided.
#[test]
fn an_error_beside_a_later_holder_may_let_the_retry_happen_twice() {
    let mut config = config(OnUnknown::Retry, 1);
    config.workers = 3;
    config.bounds.verdicts = 1;
    if let Err(found) = every_order(&config) {
        panic!("{found}");
    }
    config.strict = true;
    assert_eq!(found(&config).violation.invariant, "I1");
}
