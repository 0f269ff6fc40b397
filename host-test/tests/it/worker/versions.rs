//! What is sent to which version of the cluster.

use camunda_test_cluster::{Call, Options, Version};
use serde_json::{Value, json};
use servicenow_stand_in::Behaviour;

use super::harness::{FLOW, Rig, TYPE, job, job_with};

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn an_activation_has_the_fields_of_8_8_alone() {
    let rig = Rig::new();
    rig.create(job());
    rig.once();
    let body = &rig.cluster.requests_of(Call::Activation)[0].json;
    assert_eq!(
        names(body),
        [
            "fetchVariable",
            "maxJobsToActivate",
            "requestTimeout",
            "timeout",
            "type",
            "worker"
        ]
    );
    assert_eq!((&body["type"], &body["worker"]), (&json!(TYPE), &json!("flow-starter")));
    assert_eq!(names(&rig.cluster.requests_of(Call::Completion)[0].json), ["variables"]);
}

#[test]
fn only_the_connectors_own_variables_are_fetched() {
    let rig = Rig::new();
    let key = rig.create(job().variable("salary", 100_000).variable("body", "of the process"));
    rig.once();
    rig.completed(key);
    let fetched = rig.cluster.requests_of(Call::Activation)[0].json["fetchVariable"].clone();
    let mut fetched: Vec<_> = fetched
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    fetched.sort_unstable();
    assert_eq!(
        fetched,
        [
            "authentication",
            "body",
            "connectionTimeoutInSeconds",
            "flowStarterAttempt",
            "flowStarterOutcome",
            "headers",
            "maxResponseBytes",
            "method",
            "queryParameters",
            "readTimeoutInSeconds",
            "restApiTriggerPath",
            "snDomain",
            "snEndpoint",
            "snInstance",
            "snTarget",
        ]
    );
}

#[test]
fn every_version_gets_its_jobs_done() {
    for version in [Version::V8_8, Version::V8_9, Version::V8_10] {
        let rig = Rig::with(Options::new(version));
        rig.stand_in()
            .behave("/api/sn_cico/flow_starter/get_flow", Behaviour::status(404));
        let done = rig.create(job());
        let failed = rig.create(job_with(
            json!({"restApiTriggerPath": "/api/sn_cico/flow_starter/get_flow", "method": "GET", "body": null}),
        ));
        rig.once();
        rig.completed(done);
        rig.incident(failed);
        assert_eq!(
            rig.stand_in()
                .starts()
                .iter()
                .filter(|start| start.flow == FLOW)
                .count(),
            1
        );
    }
}

#[test]
fn a_prefix_and_a_version_in_the_address_are_kept() {
    for end in ["", "/", "/v2", "/v2/"] {
        let rig = Rig::with(Options::new(Version::V8_8).prefix("/cluster-1"));
        let key = rig.create(job());
        let url = format!("{}{end}", rig.cluster.url());
        let (code, stderr) = rig.worker().args(&["--once", "--engine-url", &url]).end();
        assert_eq!(code, Some(0), "{stderr}");
        rig.completed(key);
    }
}

#[test]
fn a_lease_is_used_where_it_is_asked_for() {
    let rig = Rig::with(Options::new(Version::V8_10));
    let key = rig.create(job());
    let (code, stderr) = rig.worker().args(&["--once", "--lease"]).end();
    assert_eq!(code, Some(0), "{stderr}");
    rig.completed(key);
    assert_eq!(rig.cluster.requests_of(Call::Activation)[0].json["withLease"], true);
    assert!(rig.cluster.requests_of(Call::Completion)[0].json["jobLeaseToken"].is_string());
    assert_eq!(rig.cluster.count(Call::Patch), 1, "the token is proved before the call");
}

#[test]
fn a_lease_that_comes_as_null_costs_no_retry() {
    let rig = Rig::with(Options::new(Version::V8_10));
    rig.cluster.set_null_leases(true);
    let key = rig.create(job());
    let (code, stderr) = rig.worker().args(&["--once", "--lease"]).end();
    assert_eq!(code, Some(0), "{stderr}");
    rig.completed(key);
    assert_eq!((rig.cluster.count(Call::Failure), rig.starts()), (0, 1));
    for request in rig.cluster.requests() {
        assert!(!String::from_utf8_lossy(&request.body).contains("jobLeaseToken"));
    }
}

#[test]
fn a_cluster_without_leases_is_named_once_and_used() {
    for version in [Version::V8_8, Version::V8_9] {
        let rig = Rig::with(Options::new(version));
        let program = rig.worker().args(&["--lease"]).start();
        for _ in 0..3 {
            let key = rig.create(job());
            rig.completed(key);
        }
        assert_eq!(program.count("--lease"), 1, "{}", program.stderr());
    }
}
