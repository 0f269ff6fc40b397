//! What a call comes to, where the answer says so: the rows of the table that are not `unknown`.

use std::time::Duration;

use camunda_test_cluster::Call;
use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour, Fault, PortFault};

use super::harness::{FLOW, Rig, job, job_with, state};

/// A flow's answer with this many bytes of text in it.
fn large(bytes: usize) -> Behaviour {
    let body = json!({"result": {"executionId": "0123456789abcdef0123456789abcdef", "text": "x".repeat(bytes)}});
    Behaviour::Answer(Answer::new(200).body(body.to_string()))
}

#[test]
fn a_started_flow_completes_the_job_with_its_result() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.once();
    let variables = rig.completed(key);
    assert_eq!(variables.len(), 1, "{variables:?}");
    let result = variables["result"].as_object().unwrap();
    let mut names: Vec<_> = result.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["body", "executionId", "headers", "reason", "status", "sysId"]);
    let id = &rig.stand_in().starts()[0].id;
    assert_eq!((&result["status"], &result["reason"]), (&json!(200), &json!("OK")));
    assert_eq!((&result["executionId"], &result["sysId"]), (&json!(id), &Value::Null));
    assert_eq!(result["body"]["result"]["executionId"], json!(id));
    assert!(
        result["headers"].as_object().unwrap().contains_key("content-type"),
        "{result:?}"
    );
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_scripted_api_gives_its_sys_id() {
    let rig = Rig::new();
    let key = rig.create(job_with(json!({"restApiTriggerPath": "/api/x_acme/scripted/my_flow"})));
    rig.once();
    let result = rig.completed(key)["result"].clone();
    assert_eq!(result["sysId"], json!(rig.stand_in().starts()[0].id));
    assert_eq!(result["executionId"], Value::Null);
}

#[test]
fn a_blank_result_variable_writes_nothing() {
    for blank in [Some(""), Some("  "), None] {
        let rig = Rig::new();
        let mut spec = job();
        spec.headers.clear();
        if let Some(blank) = blank {
            spec = spec.header("resultVariable", blank);
        }
        let key = rig.create(spec);
        rig.once();
        assert!(rig.completed(key).is_empty());
    }
}

#[test]
fn a_mark_is_written_before_the_call_and_clears_the_outcome() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.once();
    rig.completed(key);
    let marks = rig.cluster.requests_of(Call::Variables);
    assert_eq!(marks.len(), 1);
    assert_eq!(marks[0].json["local"], true);
    let variables = marks[0].json["variables"].as_object().unwrap();
    assert_eq!(variables.len(), 2);
    assert_eq!(variables["flowStarterOutcome"], Value::Null);
    let attempt = variables["flowStarterAttempt"].as_object().unwrap();
    assert_eq!(
        attempt.keys().map(String::as_str).collect::<Vec<_>>(),
        ["id", "startedAt", "worker"]
    );
    assert_eq!(attempt["worker"], "flow-starter");
}

/// An incident that keeps the answer; after its resolve the job completes and nothing is sent.
fn completes_from_what_is_known(rig: &Rig, key: camunda_test_cluster::JobKey) -> (Value, Value) {
    let incident = rig.incident(key);
    assert_eq!(incident.state(), "answered", "{}", incident.message);
    assert!(
        incident.message.starts_with("The flow was started"),
        "{}",
        incident.message
    );
    assert_eq!(incident.error()["variables"]["flow"], "started");
    let before = rig.stand_in().requests().len();
    rig.resolve(key);
    let result = rig.completed(key)["result"].clone();
    assert_eq!(rig.stand_in().requests().len(), before, "nothing is sent again");
    assert_eq!(before, 1);
    (result, incident.job.local["error"].clone())
}

#[test]
fn a_lost_answer_is_an_incident_that_keeps_what_is_known() {
    for fault in [
        Fault::ResetWithinBody,
        Fault::CutWithinBody,
        Fault::CloseWithinBody,
        Fault::ResetAfterHead,
    ] {
        let rig = Rig::new();
        rig.flow_once(Behaviour::Fault(fault));
        let key = rig.create(job());
        let _program = rig.start();
        let (result, error) = completes_from_what_is_known(&rig, key);
        assert_eq!(result["status"], 200, "{fault:?} {result}");
        assert_eq!(error["code"], "200", "{fault:?} {error}");
        assert_eq!(rig.starts(), 1);
    }
}

#[test]
fn an_answer_that_is_too_large_completes_without_its_body() {
    let rig = Rig::new();
    rig.flow_once(large(5_000));
    let key = rig.create(job_with(json!({"maxResponseBytes": 1000})));
    let program = rig.start();
    let (result, error) = completes_from_what_is_known(&rig, key);
    assert_eq!(
        (&result["status"], &result["body"]),
        (&json!(200), &Value::Null),
        "{result}"
    );
    let over = program.log(|line| line["outcome"] == "completed");
    assert_eq!(
        (&over["flow"], &over["kind"]),
        (&json!("started"), &Value::Null),
        "{over}"
    );
    assert_eq!(error["type"], "response-too-large", "{error}");
}

#[test]
fn an_answer_that_no_variable_can_hold_keeps_its_ids() {
    let rig = Rig::new();
    rig.flow_once(large(1_600_000));
    let key = rig.create(job_with(json!({"maxResponseBytes": 4_000_000})));
    let _program = rig.start();
    let (result, _) = completes_from_what_is_known(&rig, key);
    assert_eq!((&result["status"], &result["body"]), (&json!(200), &Value::Null));
    assert_eq!(result["executionId"], "0123456789abcdef0123456789abcdef");
}

#[test]
fn a_result_of_nearly_a_variables_limit_completes() {
    let rig = Rig::new();
    rig.flow_once(large(1_400_000));
    let key = rig.create(job_with(json!({"maxResponseBytes": 4_000_000})));
    rig.once();
    assert_eq!(
        rig.completed(key)["result"]["body"]["result"]["text"]
            .as_str()
            .unwrap()
            .len(),
        1_400_000
    );
}

#[test]
fn a_rate_limit_is_tried_again_after_the_longer_of_both_times() {
    for (header, retry_after, expected) in [
        ("PT5S", 30, 30),
        ("PT1M", 30, 60),
        ("", 7, 7),
        ("PT5S", 200_000, 86_400),
    ] {
        let rig = Rig::new();
        rig.flow_always(Behaviour::RateLimited { retry_after });
        let key = rig.create(job().header("retryBackoff", header));
        rig.once();
        let failure = rig.failure(key, 1);
        assert_eq!(
            (failure.retries, failure.back_off),
            (2, Duration::from_secs(expected)),
            "{header} {retry_after}"
        );
        assert_eq!(failure.variables["flowStarterOutcome"]["state"], "not-started");
        assert_eq!(failure.variables["error"]["code"], "429");
        assert_eq!(failure.variables["error"]["variables"]["retryable"], true);
        assert_eq!(rig.starts(), 0);
    }
}

#[test]
fn an_unavailable_instance_that_says_when_is_tried_again() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Answer(Answer::of_status(503).header("Retry-After", "9")));
    let key = rig.create(job());
    let _program = rig.start();
    let failure = rig.failure(key, 1);
    assert_eq!((failure.retries, failure.back_off), (2, Duration::from_secs(9)));
    assert_eq!(failure.variables["error"]["code"], "503");
    rig.cluster.advance(Duration::from_secs(10));
    rig.completed(key);
    assert_eq!((rig.starts(), rig.stand_in().requests().len()), (1, 2));
}

#[test]
fn a_refused_connection_is_tried_again_until_no_retries_are_left() {
    let rig = Rig::new();
    let refused = rig.stand_in().open_port(PortFault::Refused).unwrap();
    let key = rig.create(job().retries(2));
    let _program = rig
        .worker()
        .env(
            "FLOW_STARTER_NETWORK_CONNECT_TO",
            format!("acme.service-now.com:443:{refused}"),
        )
        .start();
    let incident = rig.incident(key);
    let retries: Vec<_> = incident.job.failures.iter().map(|failure| failure.retries).collect();
    assert_eq!(retries, [1, 0]);
    assert_eq!(incident.state(), "not-started");
    assert_eq!(incident.error()["code"], "408");
    assert!(
        incident.head().contains("No retries are left: resolve the incident"),
        "{}",
        incident.message
    );
}

#[test]
fn a_refused_call_is_an_incident_at_once() {
    for (status, code) in [(401, "401"), (403, "403"), (404, "404"), (400, "400")] {
        let rig = Rig::new();
        rig.flow_always(Behaviour::status(status));
        let key = rig.create(job());
        rig.once();
        let incident = rig.incident(key);
        assert_eq!(incident.state(), "not-started", "{status}");
        assert_eq!(incident.error()["code"], code);
        assert_eq!(incident.job.failures.len(), 1);
        assert!(
            incident.message.starts_with("The flow was not started"),
            "{}",
            incident.message
        );
        assert!(incident.head().contains("Fix the cause"), "{}", incident.message);
        assert_eq!(rig.starts(), 0);
    }
}

#[test]
fn an_error_has_the_shape_that_authors_read() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::status(404));
    let key = rig.create(job());
    rig.once();
    let incident = rig.incident(key);
    let error = incident.error().as_object().unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(incident.error()), ["code", "message", "type", "variables"]);
    assert_eq!(names(&error["variables"]), ["flow", "kind", "response", "retryable"]);
    assert_eq!(error["type"], error["variables"]["kind"]);
    assert_eq!(
        (&error["variables"]["flow"], &error["variables"]["retryable"]),
        (&json!("not-started"), &json!(false))
    );
    let response = error["variables"]["response"].as_object().unwrap();
    assert_eq!(response["status"], 404);
    assert_eq!(response["body"]["status"], "failure");
    let request = &rig.cluster.requests_of(Call::Failure)[0].json;
    assert_eq!(names(request), ["errorMessage", "retries", "retryBackOff", "variables"]);
    assert_eq!(names(&request["variables"]), ["error", "flowStarterOutcome"]);
    assert_eq!(names(&request["variables"]["flowStarterOutcome"]), ["attempt", "state"]);
}

#[test]
fn a_refused_job_starts_once_its_cause_is_gone() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::status(403));
    let key = rig.create(job());
    let _program = rig.start();
    rig.incident(key);
    rig.resolve(key);
    rig.completed(key);
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_job_with_no_retries_counts_as_one_try() {
    for retries in [0, -1] {
        let rig = Rig::new();
        rig.flow_always(Behaviour::RateLimited { retry_after: 1 });
        let key = rig.create(job().retries(retries));
        rig.once();
        assert_eq!(rig.failure(key, 1).retries, 0);
    }
    let rig = Rig::new();
    let key = rig.create(job().retries(0));
    rig.once();
    assert!(rig.completed(key).contains_key("result"));
}

#[test]
fn a_job_whose_retries_are_null_counts_as_one_try() {
    use camunda_test_cluster::{Answer, Fault, Times};
    let rig = Rig::new();
    rig.flow_always(Behaviour::RateLimited { retry_after: 1 });
    let key = rig.create(job());
    let job = rig.cluster.job(key).unwrap();
    let given = json!({"jobs": [{
        "jobKey": key.to_string(), "type": super::harness::TYPE, "processDefinitionId": "p", "processDefinitionVersion": 1,
        "processDefinitionKey": "1", "processInstanceKey": job.instance.to_string(), "elementId": "e",
        "elementInstanceKey": job.element_instance.to_string(), "customHeaders": job.spec.headers, "worker": "w", "retries": null,
        "deadline": 0, "variables": job.spec.inputs, "tenantId": "<default>",
    }]});
    rig.cluster.fault(
        Call::Activation,
        Times::Once,
        Fault::answer(Answer::json(200, &given)).after(),
    );
    let _program = rig.start();
    assert_eq!(rig.failure(key, 1).retries, 0);
}

#[test]
fn a_page_in_place_of_a_flow_is_no_success() {
    let rig = Rig::new();
    rig.stand_in().hibernate(true);
    let key = rig.create(job());
    let _program = rig.start();
    let failure = rig.failure(key, 1);
    assert_eq!(
        failure.variables["error"]["variables"]["flow"], "not-started",
        "{}",
        failure.message
    );
    assert_eq!(rig.starts(), 0);
}

#[test]
fn a_task_of_each_job_type_is_taken() {
    let rig = Rig::new();
    let first = rig.create(job());
    let mut other = job();
    other.job_type = "another:2".to_owned();
    let second = rig.create(other);
    let program = rig
        .worker()
        .args(&["--once", "--job-type", super::harness::TYPE, "--job-type", "another:2"])
        .start();
    assert_eq!(program.ended().0, Some(0));
    rig.completed(first);
    rig.completed(second);
    assert_eq!(state(&rig.cluster.job(first).unwrap()), "");
    assert!(rig.stand_in().requests().iter().all(|request| request.path() == FLOW));
}
