//! What an operator sees: probes, metrics, the log, and the end of the program.

use std::time::Duration;

use camunda_test_cluster::{Call, JobState};
use serde_json::{Value, json};
use servicenow_stand_in::{Behaviour, Fault};

use super::harness::{Rig, job};

#[test]
fn ready_follows_the_cluster_and_health_does_not() {
    let rig = Rig::new();
    rig.cluster.stop();
    let program = rig.worker().args(&["--request-timeout", "100ms"]).start();
    program.says("cannot take jobs");
    assert_eq!((program.get("/ready").0, program.get("/health").0), (503, 200));
    rig.cluster.resume_listening().unwrap();
    program.get_until("/ready", 200);
    assert_eq!(program.get("/health").0, 200);
    rig.cluster.stop();
    program.get_until("/ready", 503);
    assert_eq!(program.get("/health").0, 200);
    rig.cluster.resume_listening().unwrap();
    program.get_until("/ready", 200);
    let key = rig.create(job());
    rig.completed(key);
}

#[test]
fn a_worker_that_waits_for_its_cluster_takes_jobs_when_it_comes() {
    let rig = Rig::new();
    rig.cluster.stop();
    let key = rig.create(job());
    let program = rig.start();
    program.says("the engine does not answer yet");
    rig.cluster.resume_listening().unwrap();
    rig.completed(key);
    program.says("connected to the engine, version 8.8");
}

#[test]
fn a_stop_finishes_the_call_in_hand() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::late(Duration::from_millis(1500)));
    let key = rig.create(job());
    let program = rig.worker().args(&["--request-timeout", "200ms"]).start();
    rig.sent(1);
    program.signal("-TERM");
    let (code, lines) = program.ended();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(rig.cluster.job(key).unwrap().state, JobState::Completed);
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_stop_without_jobs_ends_with_0() {
    for signal in ["-TERM", "-INT"] {
        let rig = Rig::new();
        let program = rig.worker().args(&["--request-timeout", "200ms"]).start();
        rig.asked(Call::Activation, 1);
        program.signal(signal);
        assert_eq!(program.ended().0, Some(0));
    }
}

#[test]
fn a_stop_gives_back_the_jobs_that_wait() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::late(Duration::from_secs(3)));
    let first = rig.create(job());
    let program = rig
        .worker()
        .args(&["--max-jobs-per-instance", "1", "--request-timeout", "200ms"])
        .start();
    rig.sent(1);
    let second = rig.create(job());
    rig.until(second, |job| job.times_activated == 1);
    program.signal("-TERM");
    assert_eq!(program.ended().0, Some(0));
    assert_eq!(rig.cluster.job(first).unwrap().state, JobState::Completed);
    let failure = rig.failure(second, 1);
    assert_eq!(
        (failure.retries, &failure.variables["flowStarterOutcome"]["state"]),
        (3, &json!("not-started"))
    );
    assert!(failure.message.contains("given"), "{}", failure.message);
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_second_signal_ends_with_1_and_leaves_the_job_unknown() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Silence));
    let key = rig.create(job());
    let program = rig.worker().args(&["--request-timeout", "200ms"]).start();
    rig.started(1);
    program.signal("-TERM");
    program.says("shutting down");
    program.signal("-TERM");
    let left = program.says("the worker ends with this job in hand");
    let job = rig.cluster.job(key).unwrap();
    assert_eq!(
        (&left["level"], &left["jobKey"], &left["processInstanceKey"]),
        (
            &json!("WARN"),
            &json!(key.to_string()),
            &json!(job.instance.to_string())
        )
    );
    let (code, lines) = program.ended();
    assert_eq!(code, Some(1), "{lines:#?}");
    rig.cluster.drop_connections();
    rig.cluster.advance(Duration::from_secs(3600));
    let _next = rig.start();
    assert_eq!(rig.incident(key).error()["code"], "FLOW_UNKNOWN");
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_line_of_the_log_has_its_keys_at_the_top() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::status(403));
    let key = rig.create(job().element("a-process", "a-task"));
    let program = rig.worker().without("FLOW_STARTER_LOG_LEVEL").start();
    let incident = rig.incident(key);
    let over = program.says("the job's hand-out is over");
    let attempt = incident.job.local["flowStarterAttempt"]["id"].clone();
    for (name, value) in [
        ("level", json!("INFO")),
        ("jobKey", json!(key.to_string())),
        ("processInstanceKey", json!(incident.job.instance.to_string())),
        ("elementId", json!("a-task")),
        ("attempt", attempt),
        ("outcome", json!("failed")),
        ("flow", json!("not-started")),
        ("kind", json!("forbidden")),
    ] {
        if name == "kind" {
            assert_eq!(over[name], incident.error()["type"], "{over}");
        } else {
            assert_eq!(over[name], value, "{name} in {over}");
        }
    }
    assert!(over["timestamp"].as_str().unwrap().ends_with('Z'), "{over}");
    let call = program.log(|line| line["target"] == "flow_starter_host::starter");
    assert!(call["call"].is_string() && call["jobKey"].is_string(), "{call}");
    assert!(
        program
            .logs()
            .iter()
            .all(|line| line["level"] != "DEBUG" && line["level"] != "TRACE"),
        "info is the default"
    );
}

#[test]
fn the_management_address_is_the_first_line_at_every_level() {
    for level in ["off", "error", "info", "trace"] {
        let rig = Rig::new();
        let program = rig.worker().env("FLOW_STARTER_LOG_LEVEL", level).start();
        rig.asked(Call::Activation, 1);
        assert_eq!(program.get("/health").0, 200, "{level}");
        if level == "off" {
            assert_eq!(program.stderr().lines().count(), 1, "{}", program.stderr());
        }
    }
}

#[test]
fn without_a_management_address_there_is_no_server() {
    let rig = Rig::new();
    let (code, stderr) = rig.worker().args(&["--once", "--management-address", "none"]).end();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("management:"), "{stderr}");
    assert!(
        stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{stderr}"
    );
}

/// It takes as long as a request to the cluster may, which the shutdown timeout is never shorter than: 10 s.
#[test]
fn the_shutdown_timeout_ends_with_1() {
    let rig = Rig::new();
    rig.flow_always(Behaviour::Fault(Fault::Silence));
    let keys = [rig.create(job()), rig.create(job())];
    let program = rig
        .worker()
        .args(&["--request-timeout", "50ms", "--shutdown-timeout", "1s"])
        .start();
    rig.started(2);
    program.signal("-TERM");
    program.says("the shutdown timeout has passed");
    let (code, lines) = program.ended();
    assert_eq!(code, Some(1));
    let left = |text: &str| {
        let of_job = |line: &&String| line.contains("ends with this job in hand") && line.contains(text);
        lines.iter().filter(of_job).count()
    };
    for key in keys {
        assert_eq!(left(&format!("\"jobKey\":\"{key}\"")), 1, "{lines:#?}");
    }
}

/// An orchestrator that stops the worker takes it off its list, and does not kill it for the time that the jobs in hand need. With this poll, a
/// success would count for 70 s.
#[test]
fn a_worker_that_finishes_its_jobs_is_alive_and_not_ready() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Fault::Silence));
    rig.create(job());
    let program = rig.worker().args(&["--request-timeout", "25s"]).start();
    rig.started(1);
    assert_eq!(program.get("/ready").0, 200);
    program.signal("-TERM");
    program.says("shutting down");
    // Ends the poll that waits.
    rig.create(job());
    program.get_until("/ready", 503);
    assert_eq!(program.get("/health").0, 200);
}

/// DNS rebinding: a web page's own name resolves to 127.0.0.1, and its requests carry that name.
#[test]
fn a_web_page_cannot_read_the_management_server() {
    let rig = Rig::new();
    let program = rig.start();
    for path in ["/metrics", "/ready", "/health", "/"] {
        let (status, body) = program.get_as("attacker.example:9600", path);
        assert_eq!(status, 421, "{path}");
        assert!(!body.contains("flow_starter"), "{body}");
    }
    let own = program.management();
    for host in ["localhost", "127.0.0.1", "[::1]:9600", &own] {
        assert_eq!(program.get_as(host, "/metrics").0, 200, "{host}");
    }
    let open = rig.worker().args(&["--management-address", "0.0.0.0:0"]).start();
    let address = open.management().replace("0.0.0.0", "127.0.0.1");
    assert_eq!(
        open.get_at(&address, "worker.example", "/health").0,
        200,
        "the operator has opened it"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_stops_no_job() {
    for format in ["text", "json"] {
        let rig = Rig::new();
        let key = rig.create(job());
        let worker = rig.worker().env("FLOW_STARTER_LOG_FORMAT", format).arg("--once");
        assert_eq!(worker.end_on_a_full_disk(), Some(0));
        rig.completed(key);
        assert_eq!(rig.starts(), 1);
    }
}
