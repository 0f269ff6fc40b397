//! The clock that a test moves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camunda_test_cluster::{Cluster, JobSpec, JobState, Options, Version};
use serde_json::json;

use crate::client::{Client, block, one_job};

#[test]
fn a_lock_that_ended_gives_the_same_job_with_the_same_retries() {
    let (cluster, job, mut client) = one_job();
    client.take();
    assert_eq!(client.activate(json!({})).jobs(), 0);
    cluster.advance(Duration::from_secs(300));
    assert_eq!(client.activate(json!({})).jobs(), 0);
    cluster.advance(Duration::from_secs(300));
    let reply = client.activate(json!({}));
    assert_eq!(reply.job()["jobKey"], job.to_string());
    assert_eq!(reply.job()["retries"], 3);
}

#[test]
fn real_time_ends_a_lock_as_well() {
    let (cluster, job, mut client) = one_job();
    client.activate(json!({ "timeout": 50 }));
    let timed_out = |job: &camunda_test_cluster::JobSnapshot| job.state == JobState::Activatable;
    block(cluster.wait_until(job, timed_out)).unwrap();
}

#[test]
fn the_wall_clock_may_differ_from_this_machines() {
    let ahead = 600_000;
    let cluster = Cluster::start(Options::new(Version::V8_8).clock_skew_ms(ahead)).unwrap();
    cluster.create_job(JobSpec::new("t"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let reply = Client::to(&cluster).activate(json!({}));
    let deadline = reply.job()["deadline"].as_i64().unwrap();
    assert!(deadline >= now + ahead + 600_000, "{deadline} {now}");
}

#[test]
fn waiting_in_vain_says_what_there_was() {
    let options = Options::new(Version::V8_8).patience(Duration::from_millis(50));
    let cluster = Cluster::start(options).unwrap();
    let job = cluster.create_job(JobSpec::new("t"));
    Client::to(&cluster).take();
    let failure = format!("{:?}", block(cluster.completed(job)).unwrap_err());
    assert!(failure.contains("activated by w"), "{failure}");
    assert!(failure.contains("POST /v2/jobs/activation -> 200"), "{failure}");
}
