//! Leases (8.10): whose job it is.

use camunda_test_cluster::{Cluster, JobKey, JobSpec, JobState, Version};
use serde_json::{Value, json};

use crate::client::{Client, one};

fn leased() -> (Cluster, JobKey, Client, String) {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    let token = lease(&mut client);
    (cluster, job, client, token)
}

fn lease(client: &mut Client) -> String {
    let reply = client.activate(json!({ "withLease": true }));
    reply.job()["jobLeaseToken"].as_str().unwrap().to_owned()
}

fn settle(client: &mut Client, job: JobKey, call: &str, token: &str) -> u16 {
    let mut body = json!({ "jobLeaseToken": token });
    if call == "error" {
        body["errorCode"] = json!("E");
    }
    client.call("POST", &format!("/jobs/{job}/{call}"), &body).status
}

fn extend(client: &mut Client, job: JobKey, token: Value) -> u16 {
    let body = json!({ "changeset": { "timeout": 600_000 }, "jobLeaseToken": token });
    client.call("PATCH", &format!("/jobs/{job}"), &body).status
}

#[test]
fn a_leased_job_is_settled_with_its_current_token_only() {
    for call in ["completion", "failure", "error"] {
        let (cluster, job, mut client, old) = leased();
        cluster.expire(job);
        let token = lease(&mut client);
        assert_ne!(old, token);
        assert_eq!(settle(&mut client, job, call, &old), 409);
        let reply = client.call("POST", &format!("/jobs/{job}/completion"), &json!({}));
        assert_eq!((reply.status, reply.title()), (409, "INVALID_STATE"));
        assert_eq!(settle(&mut client, job, call, &token), 204);
    }
}

#[test]
fn a_patch_of_the_timeout_proves_ownership() {
    let (cluster, job, mut client, old) = leased();
    assert_eq!(extend(&mut client, job, json!(old)), 204);
    cluster.expire(job);
    assert_eq!(extend(&mut client, job, json!(old)), 409);
    let token = lease(&mut client);
    assert_eq!(extend(&mut client, job, json!(old)), 409);
    assert_eq!(extend(&mut client, job, json!(token)), 204);
}

#[test]
fn a_patch_without_a_token_always_applies() {
    let (cluster, job, mut client, _) = leased();
    assert_eq!(extend(&mut client, job, Value::Null), 204);
    assert_eq!(client.patch(job, json!({ "retries": 9 })), 204);
    cluster.expire(job);
    assert_eq!(extend(&mut client, job, Value::Null), 204);
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
}

#[test]
fn variables_need_no_token() {
    let (cluster, job, mut client, _) = leased();
    assert_eq!(client.mark(&cluster, job, json!({ "a": 1 })), 204);
}

#[test]
fn a_leased_job_is_never_handed_to_a_worker_without_leases() {
    let (cluster, job, mut client, token) = leased();
    cluster.expire(job);
    assert_eq!(client.activate(json!({})).jobs(), 0);
    assert_eq!(settle(&mut client, job, "completion", &token), 204);
    assert_eq!(cluster.job(job).unwrap().state, JobState::Completed);
}

#[test]
fn a_job_without_a_lease_takes_no_token() {
    let (_cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    assert_eq!(client.activate(json!({})).job()["jobLeaseToken"], Value::Null);
    assert_eq!(settle(&mut client, job, "completion", ""), 409);
    assert_eq!(client.complete(job, json!({})), 204);
}

#[test]
fn during_a_rolling_upgrade_the_token_is_null() {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    cluster.set_null_leases(true);
    let reply = client.activate(json!({ "withLease": true }));
    assert_eq!(reply.job()["jobLeaseToken"], Value::Null);
    assert_eq!(client.complete(job, json!({})), 204);
}
