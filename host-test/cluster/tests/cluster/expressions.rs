//! Expression evaluation: by a test's own FEEL, or by a service.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use camunda_test_cluster::{Answer, Evaluated, Version, evaluator_at};
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

/// A service that gives this body to each question, and the questions that it read.
fn service(body: &'static str) -> (SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (questions, read) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut question = vec![0; 4096];
            let mut length = 0;
            while !question[..length].ends_with(b"}}") {
                length += stream.read(&mut question[length..]).unwrap();
            }
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            if questions
                .send(String::from_utf8_lossy(&question[..length]).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    (address, read)
}

#[test]
fn a_service_evaluates_for_the_cluster() {
    for (body, status, expected) in [
        (
            r#"{"result":{"ü":[1.5]},"warnings":["careful"]}"#,
            200,
            json!({ "expression": "=a", "result": { "ü": [1.5] }, "warnings": [{ "message": "careful" }] }),
        ),
        (
            r#"{"result":null,"warnings":[]}"#,
            200,
            json!({ "expression": "=a", "result": null, "warnings": [] }),
        ),
        (
            r#"{"unparsable":"a bracket"}"#,
            400,
            json!("Failed to parse expression: a bracket"),
        ),
        (
            r#"{"failed":"too deep"}"#,
            500,
            json!("Failed to evaluate expression: too deep"),
        ),
    ] {
        let (address, questions) = service(body);
        let cluster = start(Version::V8_9);
        cluster.set_evaluator(evaluator_at(address));
        let asked = json!({ "expression": "=a", "variables": { "a": { "b": 1 } } });
        let reply = Client::to(&cluster).call("POST", "/expression/evaluation", &asked);
        let said = reply.body.get("detail").unwrap_or(&reply.body);
        assert_eq!((reply.status, said), (status, &expected));
        let question = questions.recv().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(question.split_once("\r\n\r\n").unwrap().1).unwrap(),
            asked
        );
    }
}

#[test]
fn a_service_that_answers_something_else_is_a_failed_evaluation() {
    for body in ["", "{}", r#"{"result":1}"#, r#"{"warnings":[]}"#, "<html>"] {
        let (address, _questions) = service(body);
        let cluster = start(Version::V8_9);
        cluster.set_evaluator(evaluator_at(address));
        let asked = json!({ "expression": "=a", "variables": { "a": {} } });
        let reply = Client::to(&cluster).call("POST", "/expression/evaluation", &asked);
        assert_eq!(reply.status, 500, "{body}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(
            detail.contains(&format!("the FEEL service at {address}")),
            "{body}: {detail}"
        );
    }
}
