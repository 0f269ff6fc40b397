//! Expressions as authors write them, evaluated by Camunda's FEEL engine. Each test is left out where Java or Maven is missing.

use std::sync::OnceLock;
use std::time::Duration;

use camunda_test_cluster::{Call, JobSpec, JobState, Options, Version};
use host_test::feel::Feel;
use host_test::java::or_skip;
use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour};

use super::harness::{Rig, job};

const RESULT: &str = "resultExpression";
const ERROR: &str = "errorExpression";

/// A cluster that evaluates, or nothing where there is no Java.
fn rig() -> Option<Rig> {
    // One engine for all tests. It ends with this process, which closes its standard input.
    static FEEL: OnceLock<Option<Feel>> = OnceLock::new();
    let feel = FEEL.get_or_init(|| or_skip(Feel::start(), "expressions in Camunda's FEEL engine"));
    let rig = Rig::with(Options::new(Version::V8_9));
    rig.cluster.set_evaluator(feel.as_ref()?.evaluator());
    Some(rig)
}

/// A task with this expression and without a result variable.
fn task(header: &str, expression: &str) -> JobSpec {
    let mut spec = job().header(header, expression);
    spec.headers.remove("resultVariable");
    spec
}

fn answers(rig: &Rig, status: u16, body: &str) {
    rig.flow_always(Behaviour::Answer(Answer::new(status).body(body)));
}

/// Runs the worker until the error of this job is thrown: what the cluster was told.
fn thrown(rig: &Rig, spec: JobSpec) -> Value {
    let key = rig.create(spec);
    rig.once();
    rig.until(key, |job| matches!(job.state, JobState::Thrown { .. }));
    rig.cluster.requests_of(Call::Error).remove(0).json
}

#[test]
fn a_result_expression_picks_from_the_response() {
    let Some(rig) = rig() else { return };
    answers(
        &rig,
        200,
        r#"{"result":{"sys_id":"a1","list":[{"n":1,"ok":true},{"n":2.5,"ok":false}],"größe":"ü"}}"#,
    );
    let expression = "= {\n  id: response.body.result.sys_id, // the record\n  good: body.result.list[ok = true].n,\n  \
                      twice: for x in response.body.result.list return x.n * 2,\n  größe: body.result.größe,\n  \
                      until: date(\"2026-09-01\") + duration(\"P1D\"),\n  code: string(status), none: response.body.nothing\n}";
    let key = rig.create(task(RESULT, expression).header("resultVariable", "whole"));
    rig.once();
    let mut variables = rig.completed(key);
    assert_eq!(variables.remove("whole").unwrap()["body"]["result"]["sys_id"], "a1");
    assert_eq!(
        Value::Object(variables),
        json!({"id": "a1", "good": [1], "twice": [2, 5], "größe": "ü", "until": "2026-09-02", "code": "200", "none": null})
    );
}

#[test]
fn a_bpmn_error_of_the_authors_choice_is_thrown() {
    let Some(rig) = rig() else { return };
    answers(&rig, 404, r#"{"error":{"message":"No Record found"}}"#);
    let expression = "if error.code = \"404\" then\n  bpmnError(\"NOT_FOUND\", error.variables.response.body.error.message, \
                      {found: false})\nelse if contains(error.message, \"timed out\") then\n  jobError(\"late\")\nelse null";
    let told = thrown(&rig, task(ERROR, expression).catches("NOT_FOUND"));
    assert_eq!(
        told,
        json!({"errorCode": "NOT_FOUND", "errorMessage": "No Record found", "variables": {"found": false}})
    );
}

#[test]
fn a_success_can_be_a_bpmn_error() {
    let Some(rig) = rig() else { return };
    answers(&rig, 200, r#"{"result":{"status":"failed"}}"#);
    let expression = "=if response.body.result.status = \"failed\" then bpmnError(\"FAILED\") else null";
    let told = thrown(&rig, task(ERROR, expression).catches("FAILED"));
    assert_eq!(told["errorCode"], "FAILED");
}

#[test]
fn a_job_error_sets_retries_back_off_and_variables() {
    let Some(rig) = rig() else { return };
    answers(&rig, 404, "{}");
    let expression = "=jobError(\"Code \" + error.code, {at: \"night\"}, job.retries - 1, duration(\"PT5M\"))";
    let key = rig.create(task(ERROR, expression).retries(4));
    rig.once();
    let failure = rig.failure(key, 1);
    assert_eq!((failure.retries, failure.back_off), (3, Duration::from_secs(300)));
    assert!(failure.message.contains("Code 404"), "{}", failure.message);
    assert_eq!(rig.cluster.job(key).unwrap().local["at"], "night");
}

#[test]
fn a_back_off_of_the_authors_formula_is_waited_for() {
    let Some(rig) = rig() else { return };
    answers(&rig, 404, "{}");
    let expression = "=jobError(\"later\", {}, 2, backoff(3, duration(\"PT10S\"), 2, duration(\"PT1M\"), 0))";
    let key = rig.create(task(ERROR, expression).retries(4));
    rig.once();
    assert_eq!(rig.failure(key, 1).back_off, Duration::from_secs(40));
}

#[test]
fn ignore_error_completes_the_job() {
    let Some(rig) = rig() else { return };
    answers(&rig, 404, "{}");
    let expression = "=if error.code = \"404\" then ignoreError({found: false}) else null";
    let key = rig.create(task(ERROR, expression));
    rig.once();
    assert_eq!(Value::Object(rig.completed(key)), json!({"found": false}));
}

#[test]
fn an_error_expression_that_finds_no_error_changes_nothing() {
    let Some(rig) = rig() else { return };
    let expression = "=if is defined(error) then bpmnError(error.code, error.message) else null";
    let key = rig.create(job().header(ERROR, expression));
    rig.once();
    assert_eq!(rig.completed(key)["result"]["status"], 200);
}

#[test]
fn an_expression_that_is_no_feel_is_an_incident_before_anything_is_sent() {
    for (header, expression) in [
        (RESULT, "={a: response.body.result.sys_id"),
        (RESULT, "=1), evil: (2"),
        (ERROR, "=null), result: bpmnError(\"X\", \"y\", {}), z: (1"),
        (ERROR, "=if error.code = \"404\" then bpmnError(\"404\", \"gone\")"),
    ] {
        let Some(rig) = rig() else { return };
        let key = rig.create(task(header, expression).retries(3));
        rig.once();
        let incident = rig.incident(key);
        assert_eq!(incident.state(), "not-started", "{expression}: {}", incident.message);
        for words in [header, "is not valid FEEL"] {
            assert!(incident.message.contains(words), "{expression}: {}", incident.message);
        }
        assert!(rig.place.was_left_alone(), "{expression}");
    }
}

#[test]
fn a_misspelled_function_is_an_incident_that_names_it() {
    let Some(rig) = rig() else { return };
    answers(&rig, 404, "{}");
    let key = rig.create(task(ERROR, "=bmpnError(\"404\", \"gone\")").retries(3));
    rig.once();
    let incident = rig.incident(key);
    assert!(incident.message.contains("'bmpnError'"), "{}", incident.message);
}

#[test]
fn what_an_assertion_says_reaches_the_incident_and_the_response_is_kept() {
    let Some(rig) = rig() else { return };
    let expression = "={id: assert(response.body.result.sys_id, response.body.result.sys_id != null, \"no sys_id\")}";
    let key = rig.create(task(RESULT, expression).retries(3));
    rig.once();
    let incident = rig.incident(key);
    assert_eq!((incident.state(), rig.starts()), ("answered", 1));
    assert!(incident.message.contains("no sys_id"), "{}", incident.message);
}
