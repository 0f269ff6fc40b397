//! Expression evaluation, by a test's own FEEL.

use camunda_test_cluster::{Answer, Evaluated, Version};
use serde_json::{Value, json};

use crate::client::{Client, start};

#[test]
fn an_evaluator_gives_the_result() {
    let cluster = start(Version::V8_9);
    cluster.set_evaluator(|asked| match asked.expression.as_str() {
        "=a" => Evaluated::Result(asked.variables["a"].clone(), vec!["careful".to_owned()]),
        "=(" => Evaluated::Unparsable("a bracket".to_owned()),
        "=!" => Evaluated::Answer(Answer::gateway_timeout()),
        _ => Evaluated::Failed("too deep".to_owned()),
    });
    let mut client = Client::to(&cluster);
    let mut evaluate = |expression: &str| {
        let body = json!({ "expression": expression, "variables": { "a": { "b": 1 } } });
        client.call("POST", "/expression/evaluation", &body)
    };
    let reply = evaluate("=a");
    let expected = json!({ "expression": "=a", "result": { "b": 1 }, "warnings": [{ "message": "careful" }] });
    assert_eq!((reply.status, reply.body), (200, expected));
    let reply = evaluate("=(");
    assert_eq!((reply.status, reply.title()), (400, "INVALID_ARGUMENT"));
    assert_eq!(reply.body["detail"], "Failed to parse expression: a bracket");
    let reply = evaluate("=x");
    assert_eq!((reply.status, reply.title()), (500, "INTERNAL"));
    assert_eq!(evaluate("=!").status, 504);
}

#[test]
fn there_is_no_evaluation_before_8_9() {
    let cluster = start(Version::V8_8);
    cluster.set_evaluator(|_| Evaluated::Result(Value::Null, vec![]));
    let reply = Client::to(&cluster).call("POST", "/expression/evaluation", &json!({ "expression": "=1" }));
    assert_eq!((reply.status, reply.title()), (404, "Not Found"));
}

#[test]
fn without_an_evaluator_there_is_no_evaluation() {
    let cluster = start(Version::V8_10);
    let reply = Client::to(&cluster).call("POST", "/expression/evaluation", &json!({ "expression": "=1" }));
    assert_eq!(reply.status, 404);
}
