//! Suspension (8.10): what is refused, what is accepted, and what comes back.

use std::time::Duration;

use camunda_test_cluster::{JobSpec, JobState, Refusal, Version};
use serde_json::json;

use crate::client::{one, one_job, poll};

#[test]
fn while_suspended_variables_are_accepted_and_settlements_are_not() {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    client.take();
    let instance = cluster.job(job).unwrap().instance;
    cluster.suspend(instance).unwrap();
    assert!(cluster.job(job).unwrap().suspended);
    assert_eq!(client.complete(job, json!({})), 409);
    assert_eq!(client.fail(job, json!({ "retries": 1 })), 409);
    assert_eq!(client.throw(job, "E"), 409);
    assert_eq!(client.mark(&cluster, job, json!({ "a": 1 })), 204);
    cluster.resume(instance).unwrap();
    assert_eq!(client.complete(job, json!({})), 204);
}

#[test]
fn a_waiting_job_is_handed_out_after_resume() {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    let instance = cluster.job(job).unwrap().instance;
    cluster.suspend(instance).unwrap();
    assert_eq!(client.activate(json!({})).jobs(), 0);
    client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
    cluster.resume(instance).unwrap();
    assert_eq!(client.read().job()["jobKey"], job.to_string());
}

#[test]
fn a_job_in_hand_is_parked_when_its_lock_ends() {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    client.take();
    let instance = cluster.job(job).unwrap().instance;
    cluster.suspend(instance).unwrap();
    assert!(matches!(cluster.job(job).unwrap().state, JobState::Active { .. }));
    cluster.advance(Duration::from_secs(3600));
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
    assert_eq!(client.activate(json!({})).jobs(), 0);
    assert_eq!(client.complete(job, json!({})), 409);
    cluster.resume(instance).unwrap();
    assert_eq!(client.take(), job);
}

#[test]
fn before_8_10_nothing_is_suspended() {
    let (cluster, job, _) = one_job();
    let instance = cluster.job(job).unwrap().instance;
    assert!(matches!(cluster.suspend(instance), Err(Refusal::Invalid(_))));
}
