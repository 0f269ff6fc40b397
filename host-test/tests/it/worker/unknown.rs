//! Calls of which nobody knows whether they started a flow, by the task header `onUnknown`.

use camunda_test_cluster::{Call, IncidentKind, JobState};
use serde_json::json;
use servicenow_stand_in::{Behaviour, Fault};

use super::harness::{Rig, job, job_with, state};

/// Ends of a call that started a flow, and say nothing of it.
const LOST: [Fault; 4] = [Fault::Reset, Fault::Close, Fault::CloseWithinHead, Fault::Silence];

/// A job that gives up on a silent server within a second.
fn impatient() -> camunda_test_cluster::JobSpec {
    job_with(json!({"connectionTimeoutInSeconds": 1, "readTimeoutInSeconds": 1}))
}

#[test]
fn an_unknown_call_is_an_incident_and_a_resolve_sends_once_more() {
    for fault in LOST {
        let rig = Rig::new();
        rig.flow_once(Behaviour::Fault(fault));
        let key = rig.create(impatient().header("onUnknown", "incident"));
        let _program = rig.start();
        let incident = rig.incident(key);
        assert_eq!(incident.state(), "reported", "{fault:?} {}", incident.message);
        assert!(
            incident
                .message
                .starts_with("It is unknown whether the flow was started"),
            "{}",
            incident.message
        );
        assert!(
            incident.head().contains("Look for its execution in ServiceNow"),
            "{}",
            incident.message
        );
        assert_eq!(
            (&incident.error()["code"], &incident.error()["variables"]["flow"]),
            (&json!("408"), &json!("unknown"))
        );
        assert_eq!(incident.error()["variables"]["retryable"], false);
        assert_eq!(rig.starts(), 1);
        rig.resolve(key);
        rig.completed(key);
        assert_eq!(rig.starts(), 2, "a person has decided so");
    }
}

#[test]
fn incident_is_the_default_for_an_unknown_call() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Reset));
    let key = rig.create(job());
    rig.once();
    assert_eq!(rig.incident(key).state(), "reported");
}

#[test]
fn an_unknown_call_is_sent_again_where_the_author_says_retry() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Reset));
    let key = rig.create(job().header("onUnknown", "retry").retries(2));
    let _program = rig.start();
    rig.completed(key);
    let failure = rig.failure(key, 1);
    assert_eq!(failure.retries, 1);
    assert_eq!(failure.variables["flowStarterOutcome"]["state"], "retry");
    assert_eq!(rig.starts(), 2);
}

#[test]
fn retry_ends_in_an_incident_when_no_retries_are_left() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::Fault(Fault::Reset));
    let key = rig.create(job().header("onUnknown", "retry").retries(2));
    let _program = rig.start();
    let incident = rig.incident(key);
    assert_eq!(incident.state(), "reported");
    let retries: Vec<_> = incident.job.failures.iter().map(|failure| failure.retries).collect();
    assert_eq!((retries, rig.starts()), (vec![1, 0], 2));
}

#[test]
fn an_attempt_that_started_nothing_still_tells_of_an_unknown_one_before_it() {
    let rig = Rig::new();
    let busy = Behaviour::Answer(servicenow_stand_in::Answer::new(429));
    let gone = Behaviour::Answer(servicenow_stand_in::Answer::new(404));
    for behaviour in [Behaviour::Fault(Fault::Reset), busy, gone] {
        rig.flow_once(behaviour);
    }
    let key = rig.create(job().header("onUnknown", "retry").retries(5));
    let _program = rig.start();
    let incident = rig.incident(key);
    assert_eq!(incident.state(), "not-started");
    for words in [
        "This attempt did not start the flow",
        "earlier attempt may have started it",
        "Look for its execution",
    ] {
        assert!(incident.head().contains(words), "{}", incident.message);
    }
}

#[test]
fn an_unknown_call_throws_an_error_that_a_boundary_event_catches() {
    let specs = [job().catches("FLOW_UNKNOWN"), job().catches_everything()];
    for spec in specs {
        let rig = Rig::new();
        rig.flow_once(Behaviour::Fault(Fault::Reset));
        let key = rig.create(spec.header("onUnknown", "bpmnError"));
        rig.once();
        let thrown = rig.until(key, |job| matches!(job.state, JobState::Thrown { .. }));
        let error = &thrown.errors[0];
        assert_eq!(error.code, "FLOW_UNKNOWN");
        assert!(
            error.message.starts_with("It is unknown whether the flow was started"),
            "{}",
            error.message
        );
        assert_eq!(error.variables["error"]["variables"]["flow"], "unknown");
        assert_eq!((rig.starts(), rig.cluster.count(Call::Error)), (1, 1));
    }
}

#[test]
fn an_error_that_nothing_catches_sends_once_more_after_its_resolve() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Reset));
    let key = rig.create(job().header("onUnknown", "bpmnError"));
    let _program = rig.start();
    // The record follows the throw, and a person is not faster than that.
    let uncaught = rig.until(key, |job| {
        matches!(
            job.state,
            JobState::Incident {
                kind: IncidentKind::UnhandledErrorEvent,
                ..
            }
        ) && state(job) == "reported"
    });
    assert_eq!((uncaught.errors.len(), rig.starts()), (1, 1));
    // Such an incident is resolved without other retries.
    rig.cluster.resolve_incident(key, None).unwrap();
    rig.completed(key);
    assert_eq!((rig.starts(), rig.cluster.count(Call::Error)), (2, 1));
}

#[test]
fn an_uncaught_error_that_repeats_waits_for_a_person_each_time() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::Fault(Fault::Reset));
    let key = rig.create(job().header("onUnknown", "bpmnError"));
    let program = rig.start();
    let reported = |job: &camunda_test_cluster::JobSnapshot| {
        matches!(job.state, JobState::Incident { .. }) && state(job) == "reported"
    };
    let mut starts = Vec::new();
    for round in 1..=2 {
        rig.until(key, move |job| job.errors.len() == round && reported(job));
        starts.push(rig.starts());
        rig.cluster.resolve_incident(key, None).unwrap();
    }
    rig.until(key, move |job| job.errors.len() == 3 && reported(job));
    starts.push(rig.starts());
    drop(program);
    assert_eq!(starts, [1, 2, 3], "one start for each decision");
}
