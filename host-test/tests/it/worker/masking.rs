//! What comes out: secrets never, long texts cut, characters that cannot be stored replaced.

use std::time::Duration;

use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour};

use super::harness::{FLOW, Rig, job, job_with};

const OLD: &str = "old-secret-4711";
const NEW: &str = "new-secret-0815";

/// A job whose password is a secret.
fn secret_job() -> camunda_test_cluster::JobSpec {
    let authentication = json!({"type": "basic", "username": "camunda", "password": "{{secrets.SN_PASSWORD}}"});
    job_with(json!({"authentication": authentication}))
}

/// The secret is rotated while a call is out whose response repeats the old one.
fn rotated_during_the_call(status: u16) -> Value {
    let rig = Rig::new();
    let secrets = rig.place.file("secrets.env", format!("SN_PASSWORD={OLD}\n"));
    let body = json!({"result": {"executionId": "an-id", "echo": OLD, "again": format!("Bearer {OLD}!")}});
    let answer = Answer::new(status).header("X-Echo", OLD).body(body.to_string());
    rig.flow_once(Behaviour::Delay {
        by: Duration::from_millis(700),
        then: Box::new(Behaviour::Answer(answer)),
    });
    let key = rig.create(secret_job());
    let program = rig.worker().env("FLOW_STARTER_SECRETS_FILE", &secrets).start();
    rig.sent(1);
    std::fs::write(&secrets, format!("SN_PASSWORD={NEW}\n")).unwrap();
    let job = rig.until(key, |job| job.completed_with.is_some() || !job.failures.is_empty());
    // The next job has the new one.
    rig.flow_once(Behaviour::Answer(
        Answer::new(403).body(format!("{{\"echo\": \"{NEW}\"}}")),
    ));
    let next = rig.create(secret_job());
    rig.incident(next);
    let sent = rig.stand_in().requests()[1]
        .header("authorization")
        .next()
        .unwrap()
        .to_owned();
    assert_ne!(
        Some(sent.as_str()),
        rig.stand_in().requests()[0].header("authorization").next()
    );
    rig.assert_never_told(&[OLD, NEW]);
    let stderr = program.stderr();
    for secret in [OLD, NEW, sent.strip_prefix("Basic ").unwrap()] {
        assert!(!stderr.contains(secret), "{stderr}");
    }
    json!({"completed": job.completed_with, "failures": job.failures.iter().map(|failure| &failure.variables).collect::<Vec<_>>()})
}

#[test]
fn a_secret_that_is_rotated_during_a_call_comes_out_nowhere() {
    let done = rotated_during_the_call(200);
    assert_eq!(done["completed"]["result"]["body"]["result"]["echo"], "***", "{done}");
}

#[test]
fn a_refusal_that_repeats_a_rotated_secret_is_masked() {
    let done = rotated_during_the_call(403);
    assert_eq!(
        done["failures"][0]["error"]["variables"]["response"]["body"]["result"]["echo"], "***",
        "{done}"
    );
}

#[test]
fn nul_in_a_result_becomes_the_replacement_character() {
    let rig = Rig::new();
    let body = r#"{"result":{"executionId":"an\u0000id","text":"a\u0000b","\u0000":"\\u0000"}}"#;
    rig.flow_once(Behaviour::Answer(Answer::new(200).body(body)));
    let key = rig.create(job().header("resultVariable", "re\0sult"));
    let program = rig.start();
    let variables = rig.completed(key);
    let result = &variables["re\u{fffd}sult"];
    assert_eq!(result["body"]["result"]["text"], "a\u{fffd}b", "{result}");
    assert_eq!(result["body"]["result"]["\u{fffd}"], "\\u0000");
    assert_eq!(result["executionId"], "an\u{fffd}id");
    program.log(|line| line["level"] == "WARN" && line["message"].as_str().unwrap().contains("NUL"));
}

#[test]
fn nul_leaves_in_no_failure() {
    let rig = Rig::new();
    let body = r#"{"error":{"message":"a\u0000b","detail":"c\u0000d"},"status":"failure"}"#;
    rig.flow_once(Behaviour::Answer(Answer::new(400).body(body)));
    let key = rig.create(job());
    rig.once();
    let incident = rig.incident(key);
    let all = format!("{} {:?}", incident.message, incident.job.local);
    assert!(!all.contains('\0') && !all.contains("\\0"), "{all}");
    for request in rig.cluster.requests() {
        assert!(!String::from_utf8_lossy(&request.body).contains("\\u0000"));
    }
}

#[test]
fn a_message_is_cut_and_says_the_outcome_first() {
    for filler in ["x", "\u{1F600}", "é", "\\\""] {
        let rig = Rig::new();
        let long = filler.repeat(20_000);
        let body = json!({"error": {"message": long, "detail": long}, "status": "failure"});
        rig.flow_once(Behaviour::Answer(Answer::new(403).body(body.to_string())));
        let key = rig.create(job());
        rig.once();
        let incident = rig.incident(key);
        assert!(
            incident.message.encode_utf16().count() <= 6_000,
            "{}",
            incident.message.len()
        );
        let head = incident.head();
        assert!(
            head.starts_with("The flow was not started") && head.contains("403"),
            "{head}"
        );
        assert!(head.contains("resolve the incident with at least 1 retry"), "{head}");
    }
}

#[test]
fn ids_stand_in_the_first_400_characters() {
    let rig = Rig::new();
    let long = "x".repeat(1_600_000);
    let body = json!({"result": {"executionId": "0123456789abcdef0123456789abcdef", "text": long}});
    rig.stand_in()
        .behave_once(FLOW, Behaviour::Answer(Answer::new(200).body(body.to_string())));
    let key = rig.create(job_with(json!({"maxResponseBytes": 4_000_000})));
    rig.once();
    let head = rig.incident(key).head();
    for text in [
        "The flow was started",
        "status 200",
        "0123456789abcdef0123456789abcdef",
        "Resolve the incident",
    ] {
        assert!(head.contains(text), "{head}");
    }
}
