//! Tasks with expressions. The test plays the engine's FEEL; `feel.rs` has the real one.

use std::time::Duration;

use camunda_test_cluster::{Answer, Call, Evaluated, Evaluation, Fault, JobKey, JobSpec, Options, Times, Version};
use serde_json::{Value, json};
use servicenow_stand_in::Behaviour;

use super::harness::{Rig, job};

pub const RESULT: &str = "resultExpression";
pub const ERROR: &str = "errorExpression";

/// A cluster with FEEL that gives this for every expression that the worker has wrapped.
pub fn rig(give: impl Fn(&Evaluation) -> Evaluated + Send + Sync + 'static) -> Rig {
    let rig = Rig::with(Options::new(Version::V8_9));
    rig.cluster.set_evaluator(move |evaluation| {
        if is_wrapped(&evaluation.expression) {
            give(evaluation)
        } else {
            Evaluated::Result(Value::Null, Vec::new())
        }
    });
    rig
}

pub fn gives(result: Value) -> impl Fn(&Evaluation) -> Evaluated + Send + Sync + 'static {
    move |_| Evaluated::Result(result.clone(), Vec::new())
}

fn is_wrapped(expression: &str) -> bool {
    expression.ends_with("\n)}.result")
}

/// Without a result variable.
pub fn task(header: &str) -> JobSpec {
    let mut spec = job().header(header, "= an expression");
    spec.headers.remove("resultVariable");
    spec
}

pub fn not_found(rig: &Rig) {
    rig.flow_always(Behaviour::Answer(
        servicenow_stand_in::Answer::new(404).body(r#"{"error":"gone"}"#),
    ));
}

/// How often FEEL was asked.
pub fn evaluations(rig: &Rig) -> Vec<Value> {
    let requests = rig.cluster.requests_of(Call::Evaluation);
    requests.into_iter().map(|request| request.json).collect()
}

#[test]
fn a_result_expression_writes_its_variables_over_the_result_variable() {
    let rig = rig(gives(json!({"id": "an-id", "n": 1.5, "result": "mine"})));
    let key = rig.create(task(RESULT).header("resultVariable", "result"));
    rig.once();
    let variables = rig.completed(key);
    assert_eq!(
        Value::Object(variables),
        json!({"id": "an-id", "n": 1.5, "result": "mine"})
    );
    let key = rig.create(task(RESULT).header("resultVariable", "whole"));
    rig.once();
    let variables = rig.completed(key);
    assert_eq!(
        (&variables["id"], &variables["whole"]["status"]),
        (&json!("an-id"), &json!(200))
    );
    assert_eq!(rig.starts(), 2);
}

#[test]
fn an_expression_is_evaluated_alone_before_the_call_and_wrapped_after_it() {
    let rig = rig(gives(json!({})));
    for _ in 0..2 {
        let key = rig.create(task(RESULT));
        rig.once();
        rig.completed(key);
    }
    let asked = evaluations(&rig);
    // By itself only once: the text decides it.
    assert_eq!(asked.len(), 4, "once by each process, and once for each job: {asked:?}");
    assert_eq!(
        asked[0],
        json!({"expression": "=an expression", "tenantId": "<default>"})
    );
    let seen = &asked[1]["variables"];
    assert_eq!(
        (&seen["status"], &seen["response"]["status"]),
        (&json!(200), &json!(200))
    );
    assert_eq!(seen["body"], seen["response"]["body"]);
    assert_eq!(asked[1].as_object().unwrap().len(), 3);
    assert!(asked[1]["expression"].as_str().unwrap().contains("(\nan expression\n)"));
}

#[test]
fn a_process_asks_once_whether_an_expression_parses() {
    let rig = rig(gives(json!({})));
    let keys: Vec<JobKey> = (0..3).map(|_| rig.create(task(RESULT))).collect();
    let program = rig.worker().env("CAMUNDA_WORKER_MAX_CONCURRENT_JOBS", "1").start();
    for key in keys {
        rig.completed(key);
    }
    assert_eq!(evaluations(&rig).len(), 4);
    program.metric_until("flow_starter_evaluation_seconds_count", 4.0);
}

#[test]
fn without_an_expression_nothing_is_evaluated() {
    let rig = rig(gives(json!({})));
    let key = rig.create(job().header(RESULT, " ").header(ERROR, ""));
    rig.once();
    rig.completed(key);
    assert!(evaluations(&rig).is_empty());
}

#[test]
fn an_engine_without_expressions_is_named_before_anything_is_sent() {
    for header in [RESULT, ERROR] {
        let rig = Rig::new();
        let key = rig.create(task(header));
        rig.once();
        let incident = rig.incident(key);
        assert!(rig.place.was_left_alone());
        assert_eq!(
            (incident.state(), &incident.error()["code"]),
            ("not-started", &"INVALID_INPUT".into())
        );
        for words in [header, "8.9", "output mapping"] {
            assert!(incident.head().contains(words), "{}", incident.message);
        }
    }
}

#[test]
fn a_syntax_error_is_an_incident_before_anything_is_sent() {
    for header in [RESULT, ERROR] {
        let rig = rig(gives(json!({})));
        rig.cluster.set_evaluator(|evaluation| {
            assert!(!is_wrapped(&evaluation.expression), "it could break out of the wrapper");
            Evaluated::Unparsable(format!("'{}': Expected value", evaluation.expression))
        });
        let key = rig.create(job().header(header, "=1), evil: (2").retries(3));
        rig.once();
        let incident = rig.incident(key);
        assert!(rig.place.was_left_alone());
        assert_eq!(
            (incident.state(), &incident.error()["code"]),
            ("not-started", &"INVALID_INPUT".into())
        );
        for words in [
            header,
            "is not valid FEEL",
            "Expected value",
            "Nothing was sent",
            "move this instance past the task",
        ] {
            assert!(incident.message.contains(words), "{}", incident.message);
        }
        assert_eq!(rig.cluster.count(Call::Failure), 1);
    }
}

#[test]
fn an_empty_expression_is_refused_before_anything_is_sent() {
    let rig = rig(gives(json!({})));
    let key = rig.create(job().header(RESULT, "= "));
    rig.once();
    assert!(rig.incident(key).message.contains("is empty after its `=`"));
    assert!(rig.place.was_left_alone());
}

#[test]
fn an_expression_is_evaluated_for_the_jobs_tenant() {
    let rig = Rig::with(Options::new(Version::V8_9).tenants(&["a-tenant"]));
    rig.cluster.set_evaluator(gives(json!({"a": 1})));
    let key = rig.create(task(RESULT).tenant("a-tenant"));
    let program = rig.worker().args(&["--tenant-id", "a-tenant", "--once"]).start();
    assert_eq!(Value::Object(rig.completed(key)), json!({"a": 1}));
    assert_eq!(program.ended().0, Some(0));
}

#[test]
fn an_evaluation_that_the_engine_gives_up_is_not_repeated() {
    for detail in [
        "Command 'EVALUATE' rejected with code 'PROCESSING_ERROR': Expected to evaluate expression but timed out after 5000 ms",
        "Expected to evaluate expression but timed out after 5000 ms",
    ] {
        let rig = rig(gives(json!({})));
        let gives_up = Fault::answer(Answer::problem(500, "INTERNAL", detail));
        rig.cluster.fault(Call::Evaluation, Times::Always, gives_up);
        let key = rig.create(task(RESULT));
        rig.once();
        assert!(rig.incident(key).message.contains("timed out"));
        assert!(rig.place.was_left_alone());
        assert_eq!(evaluations(&rig).len(), 1);
    }
}

#[test]
fn a_worker_that_stops_while_the_evaluator_is_away_keeps_the_response() {
    let rig = rig(gives(json!({"again": true})));
    let away = Fault::answer(Answer::unavailable()).skip(1);
    let away = rig.cluster.fault(Call::Evaluation, Times::Always, away);
    let key = rig.create(task(RESULT));
    let program = rig.start();
    rig.asked(Call::Evaluation, 4);
    program.signal("-TERM");
    assert_eq!(program.ended().0, Some(0));
    away.remove();
    evaluates_again(&rig, key);
}

#[test]
fn an_expression_that_was_evaluated_before_is_checked_again_after_a_failure() {
    let rig = rig(gives(json!({})));
    let first = rig.create(task(RESULT));
    let _program = rig.start();
    rig.completed(first);
    // The permission is taken away: one flow is started in good faith, the next one is not.
    rig.cluster
        .fault(Call::Evaluation, Times::Always, Fault::answer(Answer::forbidden()));
    let second = rig.create(task(RESULT));
    assert_eq!(rig.incident(second).state(), "answered");
    let third = rig.create(task(RESULT));
    assert_eq!(rig.incident(third).state(), "not-started");
    assert_eq!(rig.starts(), 2);
}

#[test]
fn a_denied_evaluation_is_an_incident_before_anything_is_sent() {
    let rig = rig(gives(json!({})));
    rig.cluster
        .fault(Call::Evaluation, Times::Always, Fault::answer(Answer::forbidden()));
    let key = rig.create(task(RESULT));
    rig.once();
    let incident = rig.incident(key);
    assert!(rig.place.was_left_alone());
    assert_eq!(incident.state(), "not-started");
    assert!(incident.message.contains("403"), "{}", incident.message);
}

#[test]
fn without_an_evaluator_the_job_is_given_back_with_its_retries() {
    let rig = rig(gives(json!({"a": 1})));
    let away = rig
        .cluster
        .fault(Call::Evaluation, Times::Always, Fault::answer(Answer::unavailable()));
    let key = rig.create(task(RESULT).retries(3));
    let _program = rig.start();
    let failure = rig.failure(key, 1);
    assert_eq!(failure.retries, 3);
    assert!(failure.message.contains("gave the job back"), "{}", failure.message);
    assert!(failure.message.contains("503"), "{}", failure.message);
    assert!(rig.place.was_left_alone());
    away.remove();
    rig.cluster.advance(Duration::from_secs(60));
    assert_eq!(Value::Object(rig.completed(key)), json!({"a": 1}));
    assert_eq!(rig.starts(), 1);
}

#[test]
fn an_evaluator_that_comes_back_after_the_call_costs_no_second_start() {
    for fault in [
        Fault::answer(Answer::unavailable()),
        Fault::answer(Answer::resource_exhausted()),
        Fault::answer(Answer::gateway_timeout()),
        Fault::answer(Answer::too_many_requests(None)),
        Fault::answer(Answer::html(404)),
        Fault::answer(Answer::garbage()),
        Fault::reset(),
    ] {
        let rig = rig(gives(json!({"a": 1})));
        rig.cluster.fault(Call::Evaluation, Times::N(3), fault.skip(1));
        let key = rig.create(task(RESULT));
        rig.once();
        assert_eq!(Value::Object(rig.completed(key)), json!({"a": 1}));
        assert_eq!((rig.starts(), rig.cluster.count(Call::Failure)), (1, 0));
    }
}

/// An incident of a started flow. After its resolve FEEL is asked again, and nothing is sent.
fn evaluates_again(rig: &Rig, key: JobKey) -> String {
    let incident = rig.incident(key);
    assert_eq!(incident.state(), "answered", "{}", incident.message);
    assert_eq!(incident.error()["variables"]["flow"], "started");
    assert!(incident.head().contains("evaluated again"), "{}", incident.message);
    rig.cluster
        .set_evaluator(|_| Evaluated::Result(json!({"again": true}), Vec::new()));
    rig.resolve(key);
    rig.once();
    assert_eq!(Value::Object(rig.completed(key)), json!({"again": true}));
    assert_eq!((rig.starts(), rig.stand_in().requests().len()), (1, 1));
    incident.message
}

#[test]
fn a_result_expression_that_fails_keeps_the_response() {
    let failures: Vec<(Evaluated, &str)> = vec![
        (Evaluated::Failed("division by zero".to_owned()), "division by zero"),
        (Evaluated::Unparsable("odd".to_owned()), "odd"),
        (
            Evaluated::Result(json!("text"), Vec::new()),
            "returned `\"text\"`, and must return a context",
        ),
        (
            Evaluated::Result(json!({"flowStarterOutcome": 1}), Vec::new()),
            "`flowStarterOutcome`",
        ),
        (
            Evaluated::Result(json!({"a": "x".repeat(1_500_000)}), Vec::new()),
            "bytes, more than the",
        ),
        (
            Evaluated::Result(
                Value::Null,
                vec!["No function found with name 'strign' and 1 parameters".to_owned()],
            ),
            "'strign'",
        ),
        (
            Evaluated::Answer(Answer::problem(400, "INVALID_ARGUMENT", "too much")),
            "too much",
        ),
        (Evaluated::Answer(Answer::forbidden()), "403"),
        (Evaluated::Answer(Answer::new(413)), "413"),
        (
            Evaluated::Answer(Answer::problem(404, "NOT_FOUND", "no such call")),
            "8.9",
        ),
    ];
    for (failure, words) in failures {
        let rig = rig(move |_| failure.clone());
        let key = rig.create(task(RESULT).retries(3));
        rig.once();
        let message = evaluates_again(&rig, key);
        assert!(message.contains(RESULT) && message.contains(words), "{message}");
        assert!(message.starts_with("The flow was started"), "{message}");
    }
}

#[test]
fn an_integer_that_the_engine_would_change_is_not_evaluated() {
    let rig = rig(gives(json!({})));
    let body = r#"{"result":{"executionId":"0123456789abcdef0123456789abcdef","n":9223372036854775808}}"#;
    rig.flow_always(Behaviour::Answer(servicenow_stand_in::Answer::new(200).body(body)));
    let key = rig.create(task(RESULT));
    rig.once();
    let incident = rig.incident(key);
    assert_eq!(incident.state(), "answered");
    assert!(incident.message.contains("9223372036854775808"), "{}", incident.message);
    assert_eq!(evaluations(&rig).len(), 1, "the expression alone");
}

#[test]
fn a_worker_that_stops_during_an_evaluation_tells_nobody_of_a_mistake() {
    let rig = rig(gives(json!({"a": 1})));
    let held = rig.cluster.fault(Call::Evaluation, Times::Once, Fault::hold().skip(1));
    let key = rig.create(task(RESULT));
    let program = rig.start();
    rig.asked(Call::Evaluation, 2);
    program.signal("-TERM");
    program.says("shutting down");
    held.release();
    assert_eq!(Value::Object(rig.completed(key)), json!({"a": 1}));
    assert_eq!((program.ended().0, rig.cluster.count(Call::Failure)), (Some(0), 0));
}

#[test]
fn a_reserved_result_variable_is_refused_before_anything_is_sent() {
    let rig = Rig::new();
    let key = rig.create(job().header("resultVariable", "flowStarterAttempt"));
    rig.once();
    let incident = rig.incident(key);
    assert!(rig.place.was_left_alone());
    assert!(
        incident
            .message
            .contains("`resultVariable` has the value `flowStarterAttempt`"),
        "{}",
        incident.message
    );
}
