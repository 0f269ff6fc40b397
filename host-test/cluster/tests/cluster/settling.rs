//! Completion, failure, error: which is accepted when, and what becomes of the job.

use std::time::Duration;

use camunda_test_cluster::{IncidentKind, JobSpec, JobState, Refusal, Version};
use serde_json::json;

use crate::client::{Client, one, one_job};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_active_job_can_be_completed() {
    let (cluster, job, mut client) = one_job();
    assert_eq!(client.take(), job);
    assert_eq!(client.complete(job, json!({ "a": 1 })), 204);
    let job = cluster.job(job).unwrap();
    assert_eq!(job.state, JobState::Completed);
    assert_eq!(job.completed_with, json!({ "a": 1 }).as_object().cloned());
    assert_eq!(job.process_variables, *json!({ "a": 1 }).as_object().unwrap());
}

#[test]
fn the_first_settlement_wins_whoever_has_the_job() {
    let (cluster, job, mut early) = one_job();
    early.take();
    cluster.advance(HOUR);
    let mut late = Client::to(&cluster);
    assert_eq!(late.take(), job);
    assert_eq!(early.complete(job, json!({})), 204);
    let reply = late.call("POST", &format!("/jobs/{job}/completion"), &json!({}));
    assert_eq!((reply.status, reply.title()), (404, "NOT_FOUND"));
    assert!(reply.head.contains("application/problem+json"), "{}", reply.head);
    assert_eq!(reply.body["instance"], format!("/v2/jobs/{job}/completion"));
    assert_eq!(late.fail(job, json!({})), 404);
    assert_eq!(late.throw(job, "E"), 404);
    assert_eq!(late.patch(job, json!({ "timeout": 1 })), 404);
}

#[test]
fn an_activatable_job_can_be_settled() {
    for settle in [
        |client: &mut Client, job| client.complete(job, json!({})),
        |client: &mut Client, job| client.fail(job, json!({ "retries": 2 })),
        |client: &mut Client, job| client.throw(job, "E"),
    ] {
        let (_cluster, job, mut client) = one_job();
        assert_eq!(settle(&mut client, job), 204);
    }
}

#[test]
fn a_failed_job_waits_for_its_back_off() {
    let (cluster, job, mut client) = one_job();
    client.take();
    let failure = json!({ "retries": 2, "errorMessage": "later", "retryBackOff": 600_000 });
    assert_eq!(client.fail(job, failure.clone()), 204);
    assert_eq!(cluster.job(job).unwrap().state, JobState::BackingOff);
    assert_eq!(client.complete(job, json!({})), 409);
    assert_eq!(client.fail(job, failure), 409);
    assert_eq!(client.throw(job, "E"), 409);
    assert_eq!(client.activate(json!({})).jobs(), 0);
    cluster.advance(HOUR);
    let reply = client.activate(json!({}));
    assert_eq!(reply.job()["retries"], 2);
    assert_eq!(cluster.job(job).unwrap().times_activated, 2);
}

#[test]
fn without_a_back_off_the_next_attempt_is_at_once() {
    let (_cluster, job, mut client) = one_job();
    client.take();
    assert_eq!(client.fail(job, json!({ "retries": 1 })), 204);
    assert_eq!(client.take(), job);
}

#[test]
fn no_retries_left_is_an_incident() {
    let (cluster, job, mut client) = one_job();
    client.take();
    // Retries that are not sent are 0.
    let failure = json!({ "errorMessage": "no way", "variables": { "error": 1 } });
    assert_eq!(client.fail(job, failure), 204);
    let seen = cluster.job(job).unwrap();
    let incident = JobState::Incident {
        kind: IncidentKind::JobNoRetries,
        message: "no way".to_owned(),
    };
    assert_eq!((seen.state, seen.retries), (incident, 0));
    assert_eq!(client.complete(job, json!({})), 409);
    assert_eq!(client.activate(json!({})).jobs(), 0);

    assert!(matches!(cluster.resolve_incident(job, None), Err(Refusal::Conflict(_))));
    assert_eq!(client.patch(job, json!({ "retries": 0 })), 400);
    assert_eq!(client.patch(job, json!({ "retries": 2 })), 204);
    assert_eq!(cluster.resolve_incident(job, None), Ok(()));
    let reply = client.activate(json!({}));
    assert_eq!(reply.job()["jobKey"], job.to_string());
    assert_eq!(reply.job()["retries"], 2);
    assert_eq!(reply.job()["variables"], json!({ "error": 1 }));
}

#[test]
fn a_resolve_may_bring_the_retries() {
    let (cluster, job, mut client) = one_job();
    client.take();
    client.fail(job, json!({}));
    assert_eq!(cluster.resolve_incident(job, Some(1)), Ok(()));
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
    assert!(matches!(
        cluster.resolve_incident(job, Some(1)),
        Err(Refusal::Conflict(_))
    ));
}

#[test]
fn an_error_that_nothing_catches_is_an_incident() {
    let (cluster, job, mut client) = one_job();
    client.take();
    assert_eq!(client.throw(job, "E"), 204);
    let seen = cluster.job(job).unwrap();
    let JobState::Incident { kind, .. } = seen.state else {
        panic!("{seen:?}");
    };
    assert_eq!(kind, IncidentKind::UnhandledErrorEvent);
    assert_eq!(client.complete(job, json!({})), 409);
    assert_eq!(client.throw(job, "E"), 409);
    // The same job comes again with its old retries.
    assert_eq!(cluster.resolve_incident(job, None), Ok(()));
    assert_eq!(client.activate(json!({})).job()["retries"], 3);
}

#[test]
fn a_caught_error_ends_the_task() {
    let spec = JobSpec::new("t").catches("E");
    let (cluster, job, mut client) = one(Version::V8_8, spec);
    client.take();
    assert_eq!(client.throw(job, "E"), 204);
    let seen = cluster.job(job).unwrap();
    assert_eq!(seen.state, JobState::Thrown { code: "E".to_owned() });
    assert_eq!(seen.process_variables["thrown"], true);
    assert_eq!(client.complete(job, json!({})), 404);
    assert_eq!(client.mark(&cluster, job, json!({ "a": 1 })), 404);
}

#[test]
fn a_boundary_event_catches_its_own_code_alone_or_every_code() {
    let (cluster, job, mut client) = one(Version::V8_8, JobSpec::new("t").catches("E").catches("F"));
    client.throw(job, "G");
    assert!(matches!(cluster.job(job).unwrap().state, JobState::Incident { .. }));
    let (cluster, job, mut client) = one(Version::V8_8, JobSpec::new("t").catches_everything());
    client.throw(job, "G");
    assert!(cluster.job(job).unwrap().state.has_ended());
}

#[test]
fn a_patch_sets_the_retries_and_the_lock() {
    let (cluster, job, mut client) = one_job();
    client.take();
    assert_eq!(client.patch(job, json!({ "timeout": 7_200_000, "retries": 7 })), 204);
    cluster.advance(HOUR);
    let seen = cluster.job(job).unwrap();
    assert!(matches!(seen.state, JobState::Active { .. }), "{seen:?}");
    assert_eq!(seen.retries, 7);
    assert_eq!(client.patch(job, json!({})), 400);
}

#[test]
fn without_a_lease_a_patch_proves_no_ownership() {
    let (cluster, job, mut early) = one_job();
    early.take();
    cluster.advance(HOUR);
    assert_eq!(early.patch(job, json!({ "timeout": 7_200_000 })), 204);
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
    Client::to(&cluster).take();
    assert_eq!(early.patch(job, json!({ "timeout": 7_200_000 })), 204);
}

#[test]
fn a_cancelled_instance_has_no_jobs() {
    let (cluster, job, mut client) = one_job();
    client.take();
    cluster.cancel(cluster.job(job).unwrap().instance).unwrap();
    assert_eq!(client.complete(job, json!({})), 404);
    assert_eq!(client.mark(&cluster, job, json!({ "a": 1 })), 404);
}

#[test]
fn what_happened_can_be_read_afterwards() {
    let (cluster, job, mut client) = one_job();
    client.take();
    client.fail(job, json!({ "retries": 1, "errorMessage": "once more" }));
    client.take();
    client.complete(job, json!({ "a": 1 }));
    let history = cluster.job(job).unwrap().history;
    let lines: Vec<String> = history.iter().map(|change| change.what.to_string()).collect();
    assert_eq!(
        lines,
        [
            "created, type t",
            "activated by w",
            "failed, 1 retries left, back-off 0 ms: once more",
            "activated by w, 2 times now",
            r#"completed with {"a":1}"#,
        ]
    );
}

#[test]
fn a_forgotten_job_is_gone_like_one_that_has_ended() {
    let (cluster, job, mut client) = one_job();
    let other = cluster.create_job(JobSpec::new("t"));
    assert_eq!(client.take(), job);
    assert_eq!(client.complete(job, json!({})), 204);
    assert_eq!(cluster.forget_ended_jobs(), 1);
    assert_eq!(cluster.job(job), None);
    assert_eq!(client.complete(job, json!({})), 404);
    assert_eq!(cluster.jobs().len(), 1);
    assert_eq!(cluster.job(other).unwrap().state, JobState::Activatable);
    assert_eq!(cluster.forget_ended_jobs(), 0);
}
