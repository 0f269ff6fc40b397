//! Activation: what it waits for, what it gives, in which shape.

use std::thread;
use std::time::{Duration, Instant};

use camunda_test_cluster::{Call, Cluster, JobSpec, JobState, Options, Version};
use serde_json::{Value, json};

use crate::client::{Client, block, one, one_job, poll, start};

#[test]
fn a_poll_that_may_not_wait_gets_an_empty_list() {
    let cluster = start(Version::V8_8);
    let reply = Client::to(&cluster).activate(json!({}));
    assert_eq!((reply.status, reply.body), (200, json!({ "jobs": [] })));
}

#[test]
fn a_poll_waits_as_long_as_it_says() {
    let cluster = start(Version::V8_8);
    let begun = Instant::now();
    let reply = Client::to(&cluster).call("POST", "/jobs/activation", &poll(200, json!({})));
    assert_eq!(reply.jobs(), 0);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_poll_without_a_wait_of_its_own_holds_until_a_job_arrives() {
    let cluster = start(Version::V8_8);
    let mut client = Client::to(&cluster);
    client.send("POST", "/jobs/activation", &poll(0, json!({})));
    cluster.block_nth_request(Call::Activation, 1).unwrap();
    let job = cluster.create_job(JobSpec::new("t"));
    assert_eq!(client.read().job()["jobKey"], job.to_string());
}

#[test]
fn a_poll_gets_the_job_whose_lock_or_back_off_ends() {
    let (cluster, job, mut client) = one_job();
    client.take();
    client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
    cluster.block_nth_request(Call::Activation, 2).unwrap();
    cluster.advance(Duration::from_secs(3600));
    assert_eq!(client.read().job()["jobKey"], job.to_string());
    client.fail(job, json!({ "retries": 1, "retryBackOff": 3_600_000 }));
    client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
    cluster.block_nth_request(Call::Activation, 3).unwrap();
    assert!(cluster.expire(job));
    assert_eq!(client.read().job()["retries"], 1);
}

#[test]
fn a_poll_gets_as_many_jobs_of_its_type_as_it_asks_for() {
    let cluster = start(Version::V8_8);
    for _ in 0..3 {
        cluster.create_job(JobSpec::new("t"));
        cluster.create_job(JobSpec::new("other"));
    }
    let mut client = Client::to(&cluster);
    let reply = client.activate(json!({ "maxJobsToActivate": 2 }));
    assert_eq!(reply.jobs(), 2);
    let reply = client.activate(json!({ "maxJobsToActivate": 2 }));
    assert_eq!(reply.jobs(), 1);
    assert_eq!(reply.job()["type"], "t");
}

#[test]
fn a_job_is_handed_to_one_poll_only() {
    let cluster = start(Version::V8_8);
    let polls: Vec<_> = (0..8)
        .map(|_| {
            let mut client = Client::to(&cluster);
            client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
            thread::spawn(move || client.read().jobs())
        })
        .collect();
    cluster.block_nth_request(Call::Activation, 8).unwrap();
    for _ in 0..8 {
        cluster.create_job(JobSpec::new("t"));
    }
    let given: Vec<usize> = polls.into_iter().map(|poll| poll.join().unwrap()).collect();
    assert_eq!(given, [1; 8]);
}

fn names(job: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = job.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_job_has_the_fields_of_its_version() {
    let of_8_8 = [
        "customHeaders",
        "deadline",
        "elementId",
        "elementInstanceKey",
        "jobKey",
        "kind",
        "listenerEventType",
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionVersion",
        "processInstanceKey",
        "retries",
        "tags",
        "tenantId",
        "type",
        "userTask",
        "variables",
        "worker",
    ];
    let of_8_9 = ["rootProcessInstanceKey"];
    let of_8_10 = ["businessId", "jobLeaseToken", "physicalTenantId", "priority"];
    let wanted = |versions: &[&[&'static str]]| {
        let mut names = versions.concat();
        names.sort_unstable();
        names
    };
    let spec = || {
        JobSpec::new("t")
            .header("resultVariable", "r")
            .retries(5)
            .element("p", "e")
    };
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    let reply = client.activate(json!({}));
    let given = reply.job();
    assert_eq!(names(given), wanted(&[&of_8_8]));
    let seen = cluster.job(job).unwrap();
    assert_eq!(given["jobKey"], job.to_string());
    assert_eq!(given["elementInstanceKey"], seen.element_instance.to_string());
    assert_eq!(given["processInstanceKey"], seen.instance.to_string());
    assert_eq!(given["customHeaders"], json!({ "resultVariable": "r" }));
    assert_eq!((&given["retries"], &given["worker"]), (&json!(5), &json!("w")));
    assert_eq!(
        (&given["processDefinitionId"], &given["elementId"]),
        (&json!("p"), &json!("e"))
    );
    assert_eq!(given["deadline"], json!(seen.until_ms.unwrap()));

    let reply = one(Version::V8_9, spec()).2.activate(json!({}));
    assert_eq!(names(reply.job()), wanted(&[&of_8_8, &of_8_9]));
    let (_cluster, _, mut client) = one(Version::V8_10, spec());
    assert_eq!(
        names(client.activate(json!({})).job()),
        wanted(&[&of_8_8, &of_8_9, &of_8_10])
    );
}

#[test]
fn the_topology_tells_the_version() {
    for (version, gateway) in [
        (Version::V8_8, "8.8."),
        (Version::V8_9, "8.9."),
        (Version::V8_10, "8.10."),
    ] {
        let cluster = start(version);
        let reply = Client::to(&cluster).call("GET", "/topology", &Value::Null);
        assert!(reply.body["gatewayVersion"].as_str().unwrap().starts_with(gateway));
    }
}

#[test]
fn a_poll_whose_client_has_left_takes_no_job() {
    let cluster = start(Version::V8_8);
    let mut client = Client::to(&cluster);
    client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
    cluster.block_nth_request(Call::Activation, 1).unwrap();
    cluster.drop_connections();
    let job = cluster.create_job(JobSpec::new("t"));
    assert_eq!(Client::to(&cluster).take(), job);
}

#[test]
fn a_poll_whose_client_has_left_can_be_made_to_take_a_job() {
    let cluster = Cluster::start(Options::new(Version::V8_8).dead_polls_take_jobs()).unwrap();
    let mut client = Client::to(&cluster);
    client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
    cluster.block_nth_request(Call::Activation, 1).unwrap();
    cluster.drop_connections();
    let job = cluster.create_job(JobSpec::new("t"));
    let active = |job: &camunda_test_cluster::JobSnapshot| matches!(job.state, JobState::Active { .. });
    block(cluster.wait_until(job, active)).unwrap();
    assert_eq!(Client::to(&cluster).activate(json!({})).jobs(), 0);
}

#[test]
fn an_active_job_can_be_handed_out_twice() {
    let (cluster, job, mut client) = one_job();
    client.take();
    cluster.hand_out_twice(job).unwrap();
    assert_eq!(Client::to(&cluster).take(), job);
    assert_eq!(client.activate(json!({})).jobs(), 0);
    assert_eq!(cluster.job(job).unwrap().times_activated, 2);
    client.complete(job, json!({}));
    assert!(cluster.hand_out_twice(job).is_err());
}
