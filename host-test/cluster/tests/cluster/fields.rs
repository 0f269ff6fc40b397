//! Request bodies: what each version knows, and nothing else.

use camunda_test_cluster::{Cluster, JobSpec, Options, Version};
use serde_json::{Value, json};

use crate::client::{Client, one, one_job, start};

const VERSIONS: [Version; 3] = [Version::V8_8, Version::V8_9, Version::V8_10];

#[test]
fn newer_fields_are_refused_by_older_versions() {
    let newer = [
        (json!({ "tenantFilter": "PROVIDED" }), Version::V8_9),
        (json!({ "withLease": false }), Version::V8_10),
    ];
    for version in VERSIONS {
        let cluster = start(version);
        let mut client = Client::to(&cluster);
        for (field, since) in &newer {
            let expected = if version >= *since { 200 } else { 400 };
            let reply = client.activate(field.clone());
            assert_eq!(reply.status, expected, "{version:?} {field}");
        }
    }
}

#[test]
fn a_lease_token_is_refused_before_8_10() {
    let token = json!({ "jobLeaseToken": null });
    for (version, expected) in VERSIONS.into_iter().zip([400, 400, 204]) {
        let (_cluster, job, mut client) = one(version, JobSpec::new("t"));
        let reply = client.call("POST", &format!("/jobs/{job}/completion"), &token);
        assert_eq!(reply.status, expected, "{version:?}");
    }
}

#[test]
fn an_unknown_field_is_refused_in_every_body() {
    let cluster = start(Version::V8_10);
    cluster.set_evaluator(|_| camunda_test_cluster::Evaluated::Result(json!(1), vec![]));
    let job = cluster.create_job(JobSpec::new("t"));
    let task = cluster.job(job).unwrap().element_instance;
    let mut client = Client::to(&cluster);
    for (method, path, mut body) in [
        (
            "POST",
            "/jobs/activation".to_owned(),
            json!({ "type": "t", "timeout": 1, "maxJobsToActivate": 1 }),
        ),
        ("POST", format!("/jobs/{job}/completion"), json!({})),
        ("POST", format!("/jobs/{job}/failure"), json!({})),
        ("POST", format!("/jobs/{job}/error"), json!({ "errorCode": "E" })),
        (
            "PATCH",
            format!("/jobs/{job}"),
            json!({ "changeset": { "retries": 1 } }),
        ),
        (
            "PATCH",
            format!("/jobs/{job}"),
            json!({ "changeset": { "retries": 1, "leaseToken": "x" } }),
        ),
        (
            "PUT",
            format!("/element-instances/{task}/variables"),
            json!({ "variables": {} }),
        ),
        (
            "POST",
            "/expression/evaluation".to_owned(),
            json!({ "expression": "=1" }),
        ),
    ] {
        body["leaseToken"] = json!("x");
        let reply = client.call(method, &path, &body);
        assert_eq!((reply.status, reply.title()), (400, "Bad Request"), "{method} {path}");
        assert!(reply.body["detail"].as_str().unwrap().contains("[leaseToken]"));
    }
}

#[test]
fn what_is_missing_or_wrong_is_refused() {
    let (_cluster, job, mut client) = one_job();
    let activation = "/jobs/activation".to_owned();
    let failure = format!("/jobs/{job}/failure");
    for (method, path, body) in [
        ("POST", &activation, json!({ "type": "t", "timeout": 1 })),
        (
            "POST",
            &activation,
            json!({ "type": " ", "timeout": 1, "maxJobsToActivate": 1 }),
        ),
        (
            "POST",
            &activation,
            json!({ "type": "t", "timeout": 0, "maxJobsToActivate": 1 }),
        ),
        (
            "POST",
            &activation,
            json!({ "type": "t", "timeout": "1", "maxJobsToActivate": 1 }),
        ),
        (
            "POST",
            &activation,
            json!({ "type": "t", "timeout": 1, "maxJobsToActivate": 1, "fetchVariable": "a" }),
        ),
        (
            "POST",
            &activation,
            json!({ "type": "t", "timeout": 1, "maxJobsToActivate": 4_294_967_296_i64 }),
        ),
        (
            "POST",
            &activation,
            json!({ "type": "t", "timeout": 1, "maxJobsToActivate": 1, "tenantIds": [""] }),
        ),
        ("POST", &activation, json!([])),
        ("POST", &failure, json!({ "retries": 1.5 })),
        ("POST", &failure, json!({ "retries": 5_000_000_000_i64 })),
        ("POST", &failure, json!({ "retryBackOff": -1 })),
        ("POST", &failure, json!({ "variables": [] })),
        ("POST", &format!("/jobs/{job}/error"), json!({})),
        ("POST", &format!("/jobs/{job}/error"), json!({ "errorCode": "" })),
        ("PATCH", &format!("/jobs/{job}"), json!({})),
        (
            "PATCH",
            &format!("/jobs/{job}"),
            json!({ "changeset": { "retries": 1 }, "operationReference": 0 }),
        ),
        (
            "POST",
            &format!("/jobs/{job}/completion"),
            json!({ "result": { "type": "other" } }),
        ),
        ("POST", &"/jobs/one/completion".to_owned(), json!({})),
    ] {
        let reply = client.call(method, path, &body);
        assert_eq!(reply.status, 400, "{path} {body}");
        assert!(reply.head.contains("application/problem+json"));
    }
}

#[test]
fn what_8_10_added_is_checked_as_well() {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    cluster.set_evaluator(|_| camunda_test_cluster::Evaluated::Result(json!(1), vec![]));
    for (path, body) in [
        (format!("/jobs/{job}/completion"), json!({ "businessId": "" })),
        (
            "/expression/evaluation".to_owned(),
            json!({ "expression": "=1", "scopeKey": "task" }),
        ),
    ] {
        let reply = client.call("POST", &path, &body);
        assert_eq!((reply.status, reply.title()), (400, "INVALID_ARGUMENT"), "{path}");
    }
}

#[test]
fn a_topology_has_what_its_version_knows() {
    for (version, cluster_id, broker_id) in [
        (Version::V8_8, false, false),
        (Version::V8_9, true, false),
        (Version::V8_10, true, true),
    ] {
        let cluster = start(version);
        let topology = Client::to(&cluster).call("GET", "/topology", &Value::Null).body;
        let broker = &topology["brokers"][0];
        assert_eq!(topology["gatewayVersion"], broker["version"]);
        assert_eq!(topology.get("clusterId").is_some(), cluster_id, "{version:?}");
        assert_eq!(broker.get("brokerId").is_some(), broker_id, "{version:?}");
        assert_eq!(broker["partitions"][0].get("state").is_some(), broker_id, "{version:?}");
    }
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    let (_cluster, job, mut client) = one_job();
    let path = format!("/jobs/{job}/completion");
    client.send_as("POST", &path, "application/json", "{");
    assert_eq!(client.read().status, 400);
    client.send_as("POST", &path, "text/plain", "{}");
    assert_eq!(client.read().status, 415);
    // No body at all is a completion without variables.
    client.send("POST", &path, &Value::Null);
    assert_eq!(client.read().status, 204);
}

#[test]
fn a_path_of_nobody_is_not_the_clusters_not_found() {
    let (_cluster, job, mut client) = one_job();
    let reply = client.call("POST", "/job/activation", &json!({}));
    assert_eq!((reply.status, reply.title()), (404, "Not Found"));
    let reply = client.call("GET", &format!("/jobs/{job}/completion"), &Value::Null);
    assert_eq!(reply.status, 405);
}

#[test]
fn a_body_beyond_the_limit_is_413() {
    let cluster = Cluster::start(Options::new(Version::V8_8).max_body_bytes(1000)).unwrap();
    let job = cluster.create_job(JobSpec::new("t"));
    let mut client = Client::to(&cluster);
    assert_eq!(client.complete(job, json!({ "a": "x".repeat(1000) })), 413);
    assert_eq!(client.complete(job, json!({ "a": "x" })), 204);
}

#[test]
fn a_prefix_stands_before_the_api() {
    let cluster = Cluster::start(Options::new(Version::V8_8).prefix("/abc/")).unwrap();
    assert_eq!(cluster.url(), format!("http://{}/abc", cluster.address()));
    let mut client = Client::to(&cluster).prefix("/abc/v2");
    assert_eq!(client.call("GET", "/topology", &Value::Null).status, 200);
    let mut client = Client::to(&cluster);
    assert_eq!(client.call("GET", "/topology", &Value::Null).status, 404);
}
