//! What `/metrics` shows: each metric moves when it should, and the number of series does not depend on what processes are called.

use std::ops::Range;

use camunda_test_cluster::{Auth, Call, Options, Version};
use serde_json::json;
use servicenow_stand_in::{Behaviour, Fault};

use super::harness::{Program, Rig, TYPE, job, job_with};

fn jobs(action: &str) -> String {
    format!("camunda_connector_outbound_invocations_total{{type=\"{TYPE}\",action=\"{action}\"}}")
}

fn outcomes(flow: &str, kind: &str) -> String {
    format!("flow_starter_outcomes_total{{flow=\"{flow}\",kind=\"{kind}\"}}")
}

fn requests(call: &str, status: &str) -> String {
    format!("flow_starter_cluster_requests_total{{call=\"{call}\",status=\"{status}\"}}")
}

fn time(part: &str) -> String {
    format!("camunda_connector_outbound_execution_time_seconds_{part}{{type=\"{TYPE}\"}}")
}

/// Prometheus sees no increase in a series that begins with 1, and an alert would miss the first unknown outcome.
#[test]
fn what_alerts_look_at_begins_with_zero() {
    let rig = Rig::new();
    let text = rig.start().get("/metrics").1;
    for action in ["activated", "completed", "failed", "bpmn-error"] {
        assert!(text.contains(&format!("{} 0\n", jobs(action))), "{text}");
    }
    assert!(text.contains(&format!("{} 0\n", outcomes("started", "none"))), "{text}");
    for kind in ["connection-lost", "internal", "protocol", "read-timeout", "unconfirmed"] {
        assert!(text.contains(&format!("{} 0\n", outcomes("unknown", kind))), "{text}");
    }
    assert!(text.contains(&format!("{} 0\n", time("count"))), "{text}");
    assert!(text.contains("flow_starter_token_fetches_total 0\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn names_that_users_choose_add_no_series() {
    let rig = Rig::new();
    let program = rig.start();
    let series = |program: &Program| {
        let text = program.get("/metrics").1;
        let names = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        names.collect::<Vec<_>>()
    };
    let spec = |number: usize| {
        let name = format!("name-{number}");
        // A host that policy.allow does not have costs no call.
        let members = match number % 10 {
            0 => json!({}),
            _ => json!({"snInstance": name}),
        };
        job_with(members).element(&name, &name)
    };
    let over = format!("camunda_connector_outbound_execution_time_seconds_count{{type=\"{TYPE}\"}}");
    let run = |numbers: Range<usize>| {
        let all = numbers.end;
        for number in numbers {
            rig.create(spec(number));
        }
        program.metric_until(&over, f64::from(u32::try_from(all).unwrap()));
    };
    run(0..20);
    let few = series(&program);
    run(20..1_000);
    let many = series(&program);
    assert_eq!(few, many);
    assert!(!many.iter().any(|name| name.contains("name-")), "{many:?}");
}

#[test]
fn metrics_count_jobs_outcomes_and_requests() {
    let rig = Rig::new();
    let completed = rig.create(job());
    let failed = rig.create(job_with(json!({"method": "TRACE"})));
    let program = rig.start();
    rig.completed(completed);
    rig.incident(failed);
    for (action, jobs) in [("activated", 2.0), ("completed", 1.0), ("failed", 1.0)] {
        let name = "camunda_connector_outbound_invocations_total";
        program.metric_until(&format!("{name}{{type=\"{TYPE}\",action=\"{action}\"}}"), jobs);
    }
    program.metric_until("flow_starter_outcomes_total{flow=\"started\",kind=\"none\"}", 1.0);
    program.metric_until(
        "flow_starter_cluster_requests_total{call=\"completion\",status=\"204\"}",
        1.0,
    );
    program.metric_until("flow_starter_jobs_in_flight ", 0.0);
    assert_eq!(program.get("/nothing").0, 404);
}

#[test]
fn jobs_in_flight_follows_the_jobs_in_hand() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::Fault(Fault::Silence));
    let patience = json!({"connectionTimeoutInSeconds": 1, "readTimeoutInSeconds": 1});
    let key = rig.create(job());
    let quick = rig.create(job_with(patience));
    let program = rig.start();
    rig.started(2);
    program.metric_until("flow_starter_jobs_in_flight ", 2.0);
    rig.incident(quick);
    program.metric_until("flow_starter_jobs_in_flight ", 1.0);
    assert_eq!(rig.cluster.job(key).unwrap().times_activated, 1);
}

#[test]
fn a_bpmn_error_is_counted_as_one() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Reset));
    let key = rig.create(job().header("onUnknown", "bpmnError").catches_everything());
    let program = rig.start();
    rig.asked(Call::Error, 1);
    program.metric_until(&jobs("bpmn-error"), 1.0);
    program.metric_until(&outcomes("unknown", "connection-lost"), 1.0);
    assert_eq!(
        (program.metric(&jobs("failed")), rig.cluster.job(key).is_some()),
        (0.0, true)
    );
}

#[test]
fn outcomes_count_each_state_of_a_flow_with_its_kind() {
    let rig = Rig::new();
    let program = rig.start();
    for (behaviour, flow, kind) in [
        (Behaviour::status(401), "not-started", "unauthorized"),
        (Behaviour::status(404), "not-started", "not-found"),
        (Behaviour::status(500), "unknown", "server-error"),
        (Behaviour::Fault(Fault::Close), "unknown", "connection-lost"),
    ] {
        rig.flow_once(behaviour);
        let key = rig.create(job());
        rig.incident(key);
        program.metric_until(&outcomes(flow, kind), 1.0);
    }
    let denied = rig.create(job_with(json!({"snInstance": "another"})));
    rig.incident(denied);
    program.metric_until(&outcomes("not-started", "denied"), 1.0);
}

/// A worker that was killed has counted nothing; the one that reports its attempt has.
#[test]
fn a_found_attempt_is_counted_as_unknown() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Silence));
    let key = rig.create(job());
    let program = rig.start();
    rig.started(1);
    rig.killed(program);
    let program = rig.start();
    rig.incident(key);
    program.metric_until(&outcomes("unknown", "internal"), 1.0);
}

#[test]
fn the_time_of_a_job_is_in_its_histogram() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::late(std::time::Duration::from_millis(600)));
    let key = rig.create(job());
    let program = rig.start();
    rig.completed(key);
    program.metric_until(&time("count"), 1.0);
    assert!(program.metric(&time("sum")) >= 0.6);
    let bucket = |le: &str| {
        program.metric(&format!(
            "camunda_connector_outbound_execution_time_seconds_bucket{{le=\"{le}\",type=\"{TYPE}\"}}"
        ))
    };
    assert_eq!((bucket("0.5"), bucket("300.0"), bucket("+Inf")), (0.0, 1.0, 1.0));
}

#[test]
fn token_fetches_count_the_requests_for_a_token() {
    let rig = Rig::with(Options::new(Version::V8_8).auth(Auth::Bearer {
        client_id: "worker".to_owned(),
        client_secret: "cluster-secret-1".to_owned(),
    }));
    let program = rig
        .worker()
        .env("CAMUNDA_AUTH_STRATEGY", "OAUTH")
        .env("CAMUNDA_CLIENT_ID", "worker")
        .env("CAMUNDA_CLIENT_SECRET", "cluster-secret-1")
        .env("CAMUNDA_OAUTH_URL", rig.cluster.token_url())
        .start();
    rig.asked(Call::Activation, 1);
    program.metric_until("flow_starter_token_fetches_total ", 1.0);
    rig.cluster.revoke_tokens();
    let key = rig.create(job());
    rig.completed(key);
    program.metric_until("flow_starter_token_fetches_total ", 2.0);
    assert!(program.metric(&requests("activation", "401")) + program.metric(&requests("completion", "401")) >= 1.0);
}

#[test]
fn requests_to_the_cluster_count_by_call_and_status() {
    let rig = Rig::new();
    let key = rig.create(job());
    let program = rig.worker().args(&["--request-timeout", "100ms"]).start();
    rig.completed(key);
    program.metric_until(&requests("completion", "204"), 1.0);
    program.metric_until(&requests("variables", "204"), 1.0);
    program.metric_until(&requests("topology", "200"), 1.0);
    assert!(program.metric(&requests("activation", "200")) >= 1.0);
    rig.cluster.stop();
    let none = requests("activation", "none");
    program.get_until("/ready", 503);
    assert!(program.metric(&none) >= 1.0);
}
