//! Jobs that are refused before anything is sent.

use camunda_test_cluster::JobSpec;
use serde_json::json;

use super::harness::{Incident, Rig, job, job_with};

/// An incident, and not even a connection to ServiceNow.
fn refused(spec: JobSpec) -> Incident {
    let rig = Rig::new();
    let key = rig.create(spec);
    rig.once();
    let incident = rig.incident(key);
    assert!(rig.place.was_left_alone());
    assert_eq!(incident.state(), "not-started");
    assert_eq!(incident.job.failures.len(), 1);
    assert_eq!(incident.error()["variables"]["flow"], "not-started");
    assert!(
        incident.message.starts_with("The flow was not started"),
        "{}",
        incident.message
    );
    incident
}

#[test]
fn a_header_that_is_no_length_of_time_is_named_with_its_value() {
    for (header, value) in [
        ("retryBackoff", "P1Y"),
        ("retryBackoff", "P1M"),
        ("retryBackoff", "-PT5S"),
        ("retryBackoff", "5m"),
        ("retryBackoff", "=duration(\"PT5S\")"),
        ("jobTimeout", "PT0S"),
        ("jobTimeout", "P1Y"),
        ("jobTimeout", "60"),
        ("onUnknown", "xyz"),
    ] {
        let incident = refused(job().header(header, value));
        assert_eq!(incident.error()["code"], "INVALID_INPUT");
        assert!(
            incident.head().contains(header) && incident.head().contains(value),
            "{}",
            incident.message
        );
    }
}

#[test]
fn a_blank_header_is_an_absent_one() {
    let rig = Rig::new();
    let spec = [
        "retryBackoff",
        "jobTimeout",
        "onUnknown",
        "resultExpression",
        "errorExpression",
    ];
    let key = rig.create(spec.into_iter().fold(job(), |job, name| job.header(name, "  ")));
    rig.once();
    rig.completed(key);
}

#[test]
fn a_length_beyond_a_day_is_capped() {
    use servicenow_stand_in::Behaviour;
    let rig = Rig::new();
    rig.flow_always(Behaviour::RateLimited { retry_after: 1 });
    let key = rig.create(job().header("retryBackoff", "P99999999D"));
    rig.once();
    assert_eq!(rig.failure(key, 1).back_off.as_secs(), 86_400);
}

#[test]
fn input_that_is_wrong_is_an_incident() {
    for (members, field) in [
        (json!({"method": "TRACE"}), "method"),
        (json!({"restApiTriggerPath": null}), "restApiTriggerPath"),
        (json!({"readTimeoutInSeconds": "soon"}), "readTimeoutInSeconds"),
    ] {
        let incident = refused(job_with(members));
        assert_eq!(
            (&incident.error()["code"], &incident.error()["type"]),
            (&json!("INVALID_INPUT"), &json!("invalid-input"))
        );
        assert!(incident.head().contains(field), "{}", incident.message);
    }
}

#[test]
fn a_host_that_the_policy_denies_is_an_incident() {
    let incident = refused(job_with(json!({"snInstance": "evil"})));
    assert_eq!(
        (&incident.error()["code"], &incident.error()["type"]),
        (&json!("DENIED"), &json!("denied"))
    );
    assert!(
        incident.message.contains("evil.service-now.com"),
        "{}",
        incident.message
    );
}

#[test]
fn a_secret_that_is_missing_is_an_incident_that_names_it() {
    let authentication = json!({"type": "basic", "username": "camunda", "password": "{{secrets.NO_SUCH}}"});
    let incident = refused(job_with(json!({"authentication": authentication})));
    assert_eq!(incident.error()["code"], "INVALID_INPUT");
    assert!(incident.message.contains("NO_SUCH"), "{}", incident.message);
}
