//! Every kind of answer that a report can get: from the cluster, from a gateway, from a proxy, or from nobody.

use std::time::Duration;

use camunda_test_cluster::{Answer, Auth, Call, Fault, JobKey, JobState, Options, Times, Version};
use serde_json::{Value, json};
use servicenow_stand_in::Behaviour;

use super::harness::{Rig, job, job_with, state};

/// Answers after which nobody knows whether a report was processed: here it was not.
fn unclear() -> Vec<(&'static str, Fault)> {
    let answers = [
        ("404 in HTML", Answer::html(404)),
        ("404 in JSON", Answer::json(404, &json!({"title": "NOT_FOUND"}))),
        ("409 in HTML", Answer::html(409)),
        ("400 in HTML", Answer::html(400)),
        ("403 in HTML", Answer::html(403)),
        ("500", Answer::problem(500, "INTERNAL", "Unexpected error")),
        ("502 in HTML", Answer::html(502)),
        ("503", Answer::unavailable()),
        ("503 in HTML", Answer::html(503)),
        ("504", Answer::gateway_timeout()),
        ("504 in HTML", Answer::html(504)),
        ("redirect", Answer::redirect("http://127.0.0.1:1/")),
        ("200 with garbage", Answer::garbage()),
        ("200 in HTML", Answer::html(200)),
        ("202", Answer::new(202)),
    ];
    let mut all: Vec<_> = answers
        .into_iter()
        .map(|(name, answer)| (name, Fault::answer(answer)))
        .collect();
    all.extend([
        ("a close", Fault::cut()),
        ("a reset", Fault::reset()),
        ("half an answer", Fault::half_then_close()),
        ("no HTTP", Fault::bytes("SSH-2.0-OpenSSH\r\n")),
    ]);
    all
}

/// The requests of a kind that name this job.
fn of_job(rig: &Rig, call: Call, key: JobKey) -> usize {
    rig.cluster
        .requests_of(call)
        .iter()
        .filter(|request| request.job == Some(key))
        .count()
}

#[test]
fn a_completion_is_repeated_until_its_answer_is_known() {
    let rig = Rig::new();
    let not_processed = unclear();
    let processed = unclear().into_iter().map(|(name, fault)| (name, fault.after()));
    let jobs: Vec<_> = not_processed
        .into_iter()
        .chain(processed)
        .map(|(name, fault)| {
            let key = rig.create(job());
            rig.cluster.fault(Call::Completion, Times::Once, fault.for_job(key));
            (name, key)
        })
        .collect();
    let program = rig.start();
    for (name, key) in &jobs {
        rig.completed(*key);
        let key = key.to_string();
        program.log(|line| line["jobKey"] == key.as_str() && line["message"] == "the job's hand-out is over");
        let key: JobKey = key.parse().unwrap();
        assert_eq!(of_job(&rig, Call::Completion, key), 2, "{name}");
        assert_eq!(of_job(&rig, Call::Failure, key), 0, "{name}");
    }
    assert_eq!(rig.starts(), jobs.len());
}

#[test]
fn a_completion_that_met_silence_is_repeated_on_another_connection() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.cluster.fault(Call::Completion, Times::Once, Fault::silence());
    let _program = rig.start();
    rig.completed(key);
    let completions = rig.cluster.requests_of(Call::Completion);
    assert_eq!((completions.len(), rig.starts()), (2, 1));
    assert_ne!(completions[0].connection, completions[1].connection);
}

#[test]
fn a_busy_cluster_is_asked_again_for_every_report() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::status(403));
    let public = json!({"restApiTriggerPath": "/api/sn_cico/flow_starter/public_flow"});
    let busy = [
        Answer::too_many_requests(None),
        Answer::too_many_requests(Some(1)),
        Answer::resource_exhausted(),
        Answer::html(429),
        Answer::unauthorized(),
        Answer::forbidden(),
    ];
    let mut jobs = Vec::new();
    for answer in busy {
        for (call, spec) in [(Call::Completion, job_with(public.clone())), (Call::Failure, job())] {
            let key = rig.create(spec);
            rig.cluster
                .fault(call, Times::N(2), Fault::answer(answer.clone()).for_job(key));
            jobs.push((call, key, answer.status));
        }
    }
    let _program = rig.start();
    for (call, key, status) in jobs {
        match call {
            Call::Completion => drop(rig.completed(key)),
            _ => assert_eq!(rig.incident(key).state(), "not-started"),
        }
        assert_eq!(of_job(&rig, call, key), 3, "{call:?} {status}");
    }
    assert_eq!(rig.starts(), 6);
}

#[test]
fn a_failure_is_sent_once_whatever_is_answered() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::status(403));
    let jobs: Vec<_> = unclear()
        .into_iter()
        .map(|(name, fault)| {
            let key = rig.create(job());
            rig.cluster.fault(Call::Failure, Times::Once, fault.for_job(key));
            (name, key)
        })
        .collect();
    let program = rig.start();
    for (name, key) in &jobs {
        let text = key.to_string();
        let over =
            program.log(|line| line["jobKey"] == text.as_str() && line["message"] == "the job's hand-out is over");
        assert_eq!(over["outcome"], "unanswered", "{name}");
        assert_eq!(of_job(&rig, Call::Failure, *key), 1, "{name}");
    }
    // The next holder finds the attempt, and says what it knows.
    rig.cluster.advance(Duration::from_secs(3600));
    for (name, key) in &jobs {
        let incident = rig.incident(*key);
        assert_eq!(
            (incident.state(), &incident.error()["code"]),
            ("reported", &json!("FLOW_UNKNOWN")),
            "{name}"
        );
    }
    assert_eq!(rig.starts(), 0);
}

#[test]
fn an_error_is_thrown_once_whatever_is_answered() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(servicenow_stand_in::Fault::Reset));
    let key = rig.create(job().header("onUnknown", "bpmnError").catches_everything());
    rig.cluster.fault(Call::Error, Times::Once, Fault::reset());
    let program = rig.start();
    let over = program.says("the job's hand-out is over");
    assert_eq!(
        (&over["outcome"], rig.cluster.count(Call::Error)),
        (&json!("unanswered"), 1)
    );
    rig.cluster.advance(Duration::from_secs(3600));
    let thrown = rig.until(key, |job| matches!(job.state, JobState::Thrown { .. }));
    assert_eq!((thrown.errors[0].code.as_str(), rig.starts()), ("FLOW_UNKNOWN", 1));
}

#[test]
fn a_rejected_completion_is_an_incident_that_keeps_the_answer() {
    let refusals = [
        (
            "400",
            Answer::problem(400, "INVALID_ARGUMENT", "A variable name is invalid"),
            true,
        ),
        ("413 in HTML", Answer::html(413), false),
        ("500 by size", Answer::rejected("EXCEEDED_BATCH_RECORD_SIZE"), false),
        ("500", Answer::rejected("PROCESSING_ERROR"), true),
    ];
    for (name, answer, body_is_kept) in refusals {
        let rig = Rig::new();
        let key = rig.create(job());
        rig.cluster.fault(Call::Completion, Times::Once, Fault::answer(answer));
        let _program = rig.start();
        let incident = rig.incident(key);
        assert_eq!(incident.state(), "answered", "{name}: {}", incident.message);
        assert_eq!(
            (of_job(&rig, Call::Completion, key), of_job(&rig, Call::Failure, key)),
            (1, 1),
            "{name}"
        );
        assert!(incident.message.contains("rejected the result"), "{}", incident.message);
        rig.resolve(key);
        let result = rig.completed(key)["result"].clone();
        assert_eq!(result["body"] != Value::Null, body_is_kept, "{name} {result}");
        assert_eq!(result["executionId"], json!(rig.stand_in().starts()[0].id), "{name}");
        assert_eq!(rig.stand_in().requests().len(), 1, "{name}");
    }
}

#[test]
fn a_job_that_has_ended_is_one_info_line() {
    let rig = Rig::new();
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Completion, Times::Once, Fault::hold());
    let program = rig.start();
    rig.asked(Call::Completion, 1);
    rig.cluster.cancel(rig.cluster.job(key).unwrap().instance).unwrap();
    held.release();
    let over = program.says("the job's hand-out is over");
    assert_eq!(over["outcome"], "gone");
    let told: Vec<_> = program
        .logs()
        .into_iter()
        .filter(|line| {
            line["jobKey"] == key.to_string().as_str()
                && line["message"]
                    .as_str()
                    .is_some_and(|text| text.contains("was not taken"))
        })
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["level"], "INFO");
    assert!(
        program
            .logs()
            .iter()
            .all(|line| line["level"] != "ERROR" && line["level"] != "WARN"),
        "{}",
        program.stderr()
    );
}

#[test]
fn a_superseded_completion_leaves_its_answer_to_the_next_holder() {
    let rig = Rig::new();
    let key = rig.create(job());
    let conflict = Answer::problem(409, "INVALID_STATE", "the job is failed");
    rig.cluster
        .fault(Call::Completion, Times::Once, Fault::answer(conflict));
    let program = rig.start();
    rig.until(key, |job| state(job) == "answered");
    program.says("the job's hand-out is over");
    rig.cluster.advance(Duration::from_secs(3600));
    let variables = rig.completed(key);
    assert_eq!(variables["result"]["executionId"], json!(rig.stand_in().starts()[0].id));
    assert_eq!((rig.starts(), rig.cluster.count(Call::Completion)), (1, 2));
}

#[test]
fn a_suspended_instance_completes_after_its_resume() {
    let rig = Rig::with(Options::new(Version::V8_10));
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Completion, Times::Once, Fault::hold());
    let _program = rig.start();
    rig.asked(Call::Completion, 1);
    let instance = rig.cluster.job(key).unwrap().instance;
    rig.cluster.suspend(instance).unwrap();
    held.release();
    rig.until(key, |job| state(job) == "answered");
    rig.cluster.advance(Duration::from_secs(3600));
    rig.cluster.resume(instance).unwrap();
    let variables = rig.completed(key);
    assert_eq!(variables["result"]["executionId"], json!(rig.stand_in().starts()[0].id));
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_suspended_instance_is_not_told_twice_that_nothing_started() {
    let rig = Rig::with(Options::new(Version::V8_10));
    rig.flow_always(Behaviour::status(403));
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Failure, Times::Once, Fault::hold());
    let program = rig.start();
    rig.asked(Call::Failure, 1);
    let instance = rig.cluster.job(key).unwrap().instance;
    rig.cluster.suspend(instance).unwrap();
    held.release();
    assert_eq!(program.says("the job's hand-out is over")["outcome"], "refused");
    rig.cluster.advance(Duration::from_secs(3600));
    rig.cluster.resume(instance).unwrap();
    assert_eq!(rig.incident(key).state(), "reported");
    assert_eq!((rig.cluster.count(Call::Failure), rig.starts()), (2, 0));
}

#[test]
fn a_revoked_token_is_renewed_once_and_loses_nothing() {
    let auth = Auth::Bearer {
        client_id: "worker".to_owned(),
        client_secret: "worker-secret".to_owned(),
    };
    let rig = Rig::with(Options::new(Version::V8_8).auth(auth));
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Variables, Times::Once, Fault::hold().after());
    let _program = rig
        .worker()
        .env("CAMUNDA_AUTH_STRATEGY", "OAUTH")
        .env("CAMUNDA_CLIENT_ID", "worker")
        .env("CAMUNDA_CLIENT_SECRET", "worker-secret")
        .env("CAMUNDA_OAUTH_URL", rig.cluster.token_url())
        .start();
    rig.asked(Call::Variables, 1);
    assert_eq!(rig.cluster.count(Call::Token), 1);
    rig.cluster.revoke_tokens();
    held.release();
    rig.completed(key);
    assert_eq!((rig.cluster.count(Call::Token), rig.starts()), (2, 1));
    let statuses: Vec<_> = rig
        .cluster
        .requests_of(Call::Completion)
        .iter()
        .map(|request| request.answered)
        .collect();
    assert_eq!(statuses.last(), Some(&Some(204)));
    assert!(statuses.len() <= 2, "{statuses:?}");
    rig.assert_never_told(&["password-of-nobody"]);
}

#[test]
fn a_rejected_failure_is_followed_by_one_incident() {
    for answer in [
        Answer::problem(400, "INVALID_ARGUMENT", "no"),
        Answer::html(413),
        Answer::rejected("PROCESSING_ERROR"),
    ] {
        let rig = Rig::new();
        rig.flow_always(Behaviour::RateLimited { retry_after: 1 });
        let key = rig.create(job());
        rig.cluster.fault(Call::Failure, Times::Once, Fault::answer(answer));
        rig.once();
        let incident = rig.incident(key);
        assert_eq!(incident.state(), "not-started");
        let retries: Vec<_> = rig
            .cluster
            .requests_of(Call::Failure)
            .iter()
            .map(|request| request.json["retries"].clone())
            .collect();
        assert_eq!(retries, [json!(2), json!(0)]);
        assert_eq!(rig.starts(), 0);
    }
}

#[test]
fn a_report_that_is_always_rejected_ends() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.cluster.fault(
        Call::Any,
        Times::Always,
        Fault::answer(Answer::rejected("PROCESSING_ERROR")).for_job(key),
    );
    let program = rig.start();
    assert_eq!(program.says("the job's hand-out is over")["outcome"], "refused");
    assert_eq!(
        (
            of_job(&rig, Call::Completion, key),
            of_job(&rig, Call::Failure, key),
            rig.starts()
        ),
        (1, 1, 1)
    );
    // The next holder reports what it finds.
    rig.cluster.clear_faults();
    rig.cluster.advance(Duration::from_secs(3600));
    assert_eq!(rig.incident(key).error()["code"], "FLOW_UNKNOWN");
    assert_eq!(rig.starts(), 1);
}
