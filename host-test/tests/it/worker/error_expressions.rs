//! What an author's error expression makes of a job.

use std::time::Duration;

use camunda_test_cluster::{Call, Evaluated, JobState};
use serde_json::{Value, json};
use servicenow_stand_in::Behaviour;

use super::expressions::{ERROR, evaluations, gives, not_found, rig, task};
use super::harness::{job, job_with, state};

#[test]
fn an_error_expression_sees_the_error_and_throws() {
    let rig = rig(gives(json!({
        "errorType": "bpmnError", "errorCode": "GONE", "errorMessage": "no flow", "variables": {"a": 1}
    })));
    not_found(&rig);
    let key = rig.create(task(ERROR).catches("GONE").retries(2));
    rig.once();
    rig.until(key, |job| matches!(job.state, JobState::Thrown { .. }));
    let thrown = rig.cluster.requests_of(Call::Error).remove(0).json;
    assert_eq!(
        thrown,
        json!({"errorCode": "GONE", "errorMessage": "no flow", "variables": {"a": 1}})
    );
    let asked = evaluations(&rig).pop().unwrap();
    let seen = &asked["variables"];
    assert_eq!(
        (
            &seen["error"]["code"],
            &seen["error"]["variables"]["flow"],
            &seen["job"]
        ),
        (&json!("404"), &json!("not-started"), &json!({"retries": 2}))
    );
    assert_eq!(seen["error"]["variables"]["response"]["body"], json!({"error": "gone"}));
    assert_eq!(seen["response"]["error"], seen["error"]);
}

#[test]
fn an_error_expression_is_asked_after_a_success_too() {
    let rig = rig(|evaluation| {
        assert_eq!(evaluation.variables["job"], json!({"retries": 3}));
        assert!(!evaluation.variables.contains_key("error"));
        let warnings = vec!["No variable found with name 'error'".to_owned()];
        Evaluated::Result(Value::Null, warnings)
    });
    let key = rig.create(job().header(ERROR, "=e").retries(3));
    rig.once();
    assert_eq!(rig.completed(key)["result"]["status"], 200);
}

#[test]
fn an_uncaught_error_of_a_started_flow_is_thrown_again_and_starts_nothing() {
    let rig = rig(gives(json!({"errorType": "bpmnError", "errorCode": "REJECTED"})));
    let key = rig.create(task(ERROR));
    rig.once();
    let thrown = rig.until(key, |job| matches!(job.state, JobState::Incident { .. }));
    assert_eq!(state(&thrown), "answered");
    rig.resolve(key);
    rig.once();
    assert_eq!((rig.cluster.count(Call::Error), rig.starts()), (2, 1));
}

#[test]
fn a_job_error_fails_the_job_as_the_author_says() {
    let rig = rig(gives(json!({
        "errorType": "jobError", "errorMessage": "wait for the night", "variables": {"a": 1, "error": "mine"},
        "retries": 2, "retryBackoff": "PT5M"
    })));
    not_found(&rig);
    let key = rig.create(task(ERROR).retries(4));
    rig.once();
    let failure = rig.failure(key, 1);
    assert_eq!((failure.retries, failure.back_off), (2, Duration::from_secs(300)));
    assert!(failure.message.contains("wait for the night"), "{}", failure.message);
    let local = rig.cluster.job(key).unwrap().local;
    assert_eq!(
        (&local["a"], &local["error"]["message"]),
        (&json!(1), &json!("wait for the night"))
    );
    assert_eq!(
        (&local["error"]["code"], &local["flowStarterOutcome"]["state"]),
        (&json!("404"), &json!("not-started"))
    );
}

#[test]
fn a_job_error_never_gives_more_retries_than_are_left() {
    let rig = rig(gives(
        json!({"errorType": "jobError", "errorMessage": "m", "retries": 9}),
    ));
    not_found(&rig);
    let key = rig.create(task(ERROR).retries(2));
    let _program = rig.start();
    assert_eq!(rig.failure(key, 1).retries, 1);
    rig.incident(key);
    assert_eq!(rig.cluster.count(Call::Failure), 2);
}

#[test]
fn a_job_error_for_a_started_flow_starts_it_again_only_where_the_author_allows_it() {
    let reject = json!({"errorType": "jobError", "errorMessage": "not good enough", "retries": 1});
    let rig = rig(gives(reject.clone()));
    let key = rig.create(task(ERROR).retries(3));
    rig.once();
    let incident = rig.incident(key);
    assert_eq!((incident.state(), rig.starts()), ("answered", 1));
    assert!(incident.message.contains("not good enough"), "{}", incident.message);
    assert!(incident.head().contains("not be started again"), "{}", incident.message);

    let rig = self::rig(gives(reject));
    let key = rig.create(task(ERROR).retries(3).header("onUnknown", "retry"));
    let _program = rig.start();
    assert_eq!(rig.failure(key, 1).retries, 1);
    rig.incident(key);
    assert_eq!(rig.starts(), 2);
}

#[test]
fn ignore_error_completes_the_job_with_its_variables_alone() {
    let rig = rig(gives(json!({"errorType": "ignoreError", "variables": {"a": 1}})));
    not_found(&rig);
    let key = rig.create(task(ERROR).header("resultVariable", "result"));
    let program = rig.worker().arg("--once").start();
    assert_eq!(Value::Object(rig.completed(key)), json!({"a": 1}));
    let over = program.says("the job's hand-out is over");
    assert_eq!(
        (&over["outcome"], &over["flow"]),
        (&json!("completed"), &json!("not-started"))
    );
}

#[test]
fn an_error_expression_decides_about_a_job_that_is_refused() {
    let rig = rig(gives(json!({"errorType": "bpmnError", "errorCode": "INPUT"})));
    let key = rig.create(job_with(json!({"method": "BREW"})).header(ERROR, "=e").catches("INPUT"));
    rig.once();
    rig.until(key, |job| matches!(job.state, JobState::Thrown { .. }));
    let asked = evaluations(&rig).pop().unwrap();
    assert_eq!(asked["variables"]["error"]["code"], "INVALID_INPUT");
    assert!(rig.place.was_left_alone());
}

#[test]
fn a_mistake_in_an_error_expression_is_never_no_error() {
    for (gives, words) in [
        (json!("404"), "must return bpmnError(…)"),
        (json!({"code": "404"}), "must return bpmnError(…)"),
        (
            json!({"errorType": "bpmnError", "errorCode": 404}),
            "the error code must be a string",
        ),
        (
            json!({"errorType": "bpmnError", "errorCode": ""}),
            "the error code is missing or empty",
        ),
        (
            json!({"errorType": "jobError", "errorMessage": "m", "retries": "1"}),
            "whole number",
        ),
    ] {
        let rig = rig(self::gives(gives));
        let key = rig.create(task(ERROR).retries(3));
        rig.once();
        let incident = rig.incident(key);
        assert_eq!(incident.state(), "answered");
        assert!(
            incident.message.contains(ERROR) && incident.message.contains(words),
            "{}",
            incident.message
        );
        assert_eq!(rig.starts(), 1);
    }
}

#[test]
fn an_error_expression_that_fails_after_a_failure_tells_both() {
    let rig = rig(|_| Evaluated::Failed("division by zero".to_owned()));
    not_found(&rig);
    let key = rig.create(task(ERROR).retries(3));
    rig.once();
    let incident = rig.incident(key);
    assert_eq!(
        (incident.state(), &incident.error()["code"]),
        ("not-started", &json!("404"))
    );
    for words in [ERROR, "division by zero", "404"] {
        assert!(incident.message.contains(words), "{}", incident.message);
    }
}

#[test]
fn an_error_expression_catches_an_unknown_outcome() {
    let rig = rig(gives(json!({"errorType": "bpmnError", "errorCode": "LOOK"})));
    rig.flow_always(Behaviour::Fault(servicenow_stand_in::Fault::Close));
    let key = rig.create(task(ERROR).catches("LOOK"));
    rig.once();
    rig.until(key, |job| matches!(job.state, JobState::Thrown { .. }));
    let asked = evaluations(&rig).pop().unwrap();
    assert_eq!(asked["variables"]["error"]["variables"]["flow"], "unknown");
}
