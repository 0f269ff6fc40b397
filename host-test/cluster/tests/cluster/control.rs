//! The control API, as a trial by hand or a test in another language uses it.

use std::io::Write;

use camunda_test_cluster::{Cluster, JobKey, Version};
use serde_json::{Value, json};

use crate::client::{Client, start};

fn control(cluster: &Cluster) -> Client {
    Client::to(cluster).prefix("/control")
}

fn create(client: &mut Client, body: Value) -> JobKey {
    let reply = client.call("POST", "/jobs", &body);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["jobKey"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_job_is_made_shown_and_resolved() {
    let cluster = start(Version::V8_8);
    let mut control = control(&cluster);
    let job = create(
        &mut control,
        json!({ "type": "t", "inputs": { "a": 1 }, "headers": { "h": "x" }, "retries": 1, "catches": ["E"] }),
    );
    let mut worker = Client::to(&cluster);
    assert_eq!(worker.activate(json!({})).job()["variables"], json!({ "a": 1 }));
    worker.fail(job, json!({ "errorMessage": "broken" }));
    let reply = control.call("GET", &format!("/jobs/{job}?state=incident"), &Value::Null);
    assert_eq!(
        reply.body["incident"],
        json!({ "kind": "JOB_NO_RETRIES", "message": "broken" })
    );
    let path = format!("/jobs/{job}/resolve");
    assert_eq!(control.call("POST", &path, &Value::Null).status, 409);
    assert_eq!(
        control.call("POST", &path, &json!({ "retries": 2 })).body["state"],
        "activatable"
    );
    worker.take();
    assert_eq!(
        control
            .call("POST", &format!("/jobs/{job}/hand-out-twice"), &Value::Null)
            .status,
        200
    );
    worker.take();
    assert_eq!(
        control
            .call("POST", &format!("/jobs/{job}/expire"), &Value::Null)
            .status,
        200
    );
    let jobs = control.call("GET", "/jobs", &Value::Null).body;
    assert_eq!(jobs[0]["timesActivated"], 3);
    assert!(
        cluster
            .requests()
            .iter()
            .all(|request| request.target.starts_with("/v2"))
    );
}

#[test]
fn the_clock_and_faults_are_set() {
    let cluster = start(Version::V8_8);
    let mut control = control(&cluster);
    let job = create(&mut control, json!({ "type": "t" }));
    let mut worker = Client::to(&cluster);
    worker.take();
    let now = control.call("POST", "/clock", &json!({ "advanceMs": 3_600_000 })).body;
    assert!(now["nowMs"].is_i64());
    worker.take();
    let answer = json!({ "call": "completion", "times": null, "do": { "status": 418, "body": { "a": 1 } } });
    let set = control.call("POST", "/faults", &answer).body;
    assert_eq!(worker.complete(job, json!({})), 418);
    let path = format!("/faults/{}", set["fault"]);
    assert_eq!(control.call("DELETE", &path, &Value::Null).status, 200);
    let late = json!({ "call": "completion", "do": "late-and-cut", "job": job.to_string() });
    let set = control.call("POST", "/faults", &late).body;
    worker.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    worker.try_read().unwrap_err();
    let path = format!("/faults/{}/deliver", set["fault"]);
    assert_eq!(
        control.call("POST", &path, &Value::Null).body,
        json!({ "statuses": [204] })
    );
    let requests = control
        .call("GET", "/requests?call=completion&atLeast=2", &Value::Null)
        .body;
    assert_eq!(requests[0]["answered"], 418);
    assert_eq!(requests[1]["answered"], Value::Null);
    assert_eq!(requests[1]["jobKey"], job.to_string());
}

#[test]
fn what_is_wrong_is_said() {
    let cluster = start(Version::V8_8);
    let mut control = control(&cluster);
    for (method, path, body, status) in [
        ("POST", "/jobs", json!({}), 400),
        ("POST", "/jobs", json!({ "type": "t", "input": {} }), 400),
        ("POST", "/jobs", json!({ "type": "t", "catches": 1 }), 400),
        ("GET", "/jobs/7", Value::Null, 404),
        ("GET", "/jobs/x", Value::Null, 400),
        ("POST", "/faults", json!({ "call": "complete", "do": "cut" }), 400),
        ("POST", "/faults", json!({ "call": "completion", "do": "explode" }), 400),
        (
            "POST",
            "/faults",
            json!({ "call": "completion", "do": { "status": 99 } }),
            400,
        ),
        ("POST", "/faults/9/release", Value::Null, 404),
        ("POST", "/instances/9/suspend", Value::Null, 400),
        ("GET", "/requests?call=nothing", Value::Null, 400),
        ("GET", "/nothing", Value::Null, 404),
    ] {
        let reply = control.call(method, path, &body);
        assert_eq!(reply.status, status, "{method} {path} {body}");
        assert!(reply.body["error"].is_string());
    }
    assert!(control.call("GET", "/", &Value::Null).body["GET /control/jobs"].is_string());
}

#[test]
fn a_web_page_may_not_use_it() {
    let cluster = start(Version::V8_8);
    for header in ["Host: localhost\r\nOrigin: https://example.com", "Host: example.com"] {
        let mut client = Client::to(&cluster);
        let request = format!("GET /control/jobs HTTP/1.1\r\n{header}\r\n\r\n");
        client.stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(client.read().status, 403, "{header}");
    }
}

#[test]
fn a_restart_spares_the_connection_that_asks() {
    let cluster = start(Version::V8_8);
    let mut worker = Client::to(&cluster);
    worker.activate(json!({}));
    let mut control = control(&cluster);
    assert_eq!(control.call("POST", "/restart", &Value::Null).status, 200);
    assert!(worker.try_read().is_err());
    assert_eq!(control.call("GET", "/jobs", &Value::Null).status, 200);
}

#[test]
fn an_expression_comes_to_what_was_said() {
    let cluster = start(Version::V8_9);
    let mut control = control(&cluster);
    for input in [
        json!({ "expression": "=a", "result": { "b": 1 }, "warnings": ["careful"] }),
        json!({ "expression": "=(", "unparsable": "a bracket" }),
        json!({ "expression": "=x", "failed": "too deep" }),
    ] {
        assert_eq!(control.call("POST", "/expressions", &input).status, 200);
    }
    let both = json!({ "expression": "=y", "unparsable": "so", "failed": "and so" });
    assert_eq!(control.call("POST", "/expressions", &both).status, 400);
    let mut client = Client::to(&cluster);
    let mut evaluate =
        |expression: &str| client.call("POST", "/expression/evaluation", &json!({ "expression": expression }));
    let reply = evaluate("=a");
    let expected = json!({ "expression": "=a", "result": { "b": 1 }, "warnings": [{ "message": "careful" }] });
    assert_eq!((reply.status, reply.body), (200, expected));
    assert_eq!(evaluate("=(").body["detail"], "Failed to parse expression: a bracket");
    assert_eq!(evaluate("=x").status, 500);
    assert_eq!(evaluate("=y").status, 404);
    assert_eq!(
        control.call("POST", "/expressions", &json!({ "result": 5 })).status,
        200
    );
    assert_eq!(evaluate("=y").body["result"], 5);
}
