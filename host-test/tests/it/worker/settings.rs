//! The command line of `worker`: which settings it refuses, and where each setting comes from.

use serde_json::{Value, json};

use super::harness::{Rig, job};
use crate::cli::workspace::Workspace;

/// The exit code 2, and all of standard error.
fn refused(rig: &Rig, change: impl FnOnce(super::harness::Worker) -> super::harness::Worker) -> String {
    let (code, stderr) = change(rig.worker()).end();
    assert_eq!(code, Some(2), "{stderr}");
    assert!(rig.cluster.requests().is_empty());
    stderr
}

#[test]
fn a_worker_without_an_allow_list_ends_with_2() {
    let stderr = refused(&Rig::new(), |worker| worker.without("FLOW_STARTER_POLICY_ALLOW"));
    assert!(stderr.contains("policy.allow"), "{stderr}");
}

#[test]
fn a_setting_that_is_wrong_ends_with_2_and_is_named() {
    let rig = Rig::new();
    for (arguments, name) in [
        (&["--engine-url", "ftp://cluster"][..], "engine.url"),
        (&["--engine-url", "not a url"], "engine.url"),
        (&["--engine", "camunda7"], "--engine"),
        (&["--max-jobs", "0"], "worker.max-jobs"),
        (&["--max-jobs-per-instance", "0"], "worker.max-jobs-per-instance"),
        (&["--request-timeout", "0s"], "worker.request-timeout"),
        (&["--management-address", "nowhere"], "worker.management-address"),
        (&["--job-type", " "], "worker.job-types"),
        (&["--engine-ca-file", "no-such.pem"], "engine.ca-file"),
        (&["--engine-client-key", "no-such.pem"], "engine.client-key"),
    ] {
        let stderr = refused(&rig, |worker| worker.args(arguments));
        assert!(stderr.contains(name), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_credential_that_is_missing_is_named_by_its_variable() {
    let rig = Rig::new();
    for (strategy, given, missing) in [
        ("OAUTH", "CAMUNDA_CLIENT_SECRET", "CAMUNDA_CLIENT_ID"),
        ("OAUTH", "CAMUNDA_CLIENT_ID", "CAMUNDA_CLIENT_SECRET"),
        ("BASIC", "CAMUNDA_BASIC_AUTH_PASSWORD", "CAMUNDA_BASIC_AUTH_USERNAME"),
        ("BASIC", "CAMUNDA_BASIC_AUTH_USERNAME", "CAMUNDA_BASIC_AUTH_PASSWORD"),
    ] {
        let stderr = refused(&rig, |worker| {
            worker.env("CAMUNDA_AUTH_STRATEGY", strategy).env(given, "a-value-1")
        });
        assert!(stderr.contains(missing), "{stderr}");
    }
}

#[test]
fn once_empties_the_queue_and_ends_with_0() {
    let rig = Rig::new();
    let mut jobs: Vec<_> = (0..5).map(|_| rig.create(job())).collect();
    jobs.push(rig.create(job().header("onUnknown", "xyz")));
    let (code, stderr) = rig.worker().args(&["--once", "--max-jobs", "2"]).end();
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(rig.starts(), 5);
    for key in jobs {
        let job = rig.cluster.job(key).unwrap();
        assert!(job.completed_with.is_some() || job.failures.len() == 1, "{job:?}");
    }
    let activations = rig.cluster.requests_of(camunda_test_cluster::Call::Activation);
    assert!(activations.iter().all(|request| request.json["requestTimeout"] == -1));
}

/// It takes as long as the worker has patience: 30 s.
#[test]
fn once_without_a_cluster_ends_with_1() {
    let rig = Rig::new();
    rig.cluster.stop();
    let (code, stderr) = rig.worker().arg("--once").end();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("30 s"), "{stderr}");
}

/// The settings in force, by name.
fn shown(place: &Workspace, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let run = place.run(&["config", "show", "--output", "json"]);
    let run = variables.iter().fold(run, |run, (name, value)| run.env(name, value));
    let ended = arguments.iter().fold(run, |run, argument| run.arg(argument)).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.json()["settings"].clone()
}

#[test]
fn a_flag_counts_before_its_variable_the_file_and_camundas_variable() {
    let place = Workspace::new();
    let config = place.file(
        "worker.toml",
        "[engine]\nurl = \"http://file:1\"\n[worker]\nname = \"file\"\njob-timeout = \"500s\"\nmax-jobs = 3\n",
    );
    let config = format!("--config={}", config.display());
    let camunda = [
        ("CAMUNDA_REST_ADDRESS", "http://camunda:1"),
        ("CAMUNDA_WORKER_NAME", "camunda"),
        ("CAMUNDA_WORKER_TIMEOUT", "700000"),
        ("CAMUNDA_WORKER_MAX_CONCURRENT_JOBS", "9"),
    ];
    let own = [
        ("FLOW_STARTER_ENGINE_URL", "http://variable:1"),
        ("FLOW_STARTER_WORKER_NAME", "variable"),
    ];
    let all = [&camunda[..], &own[..]].concat();
    let value = |settings: &Value, name: &str| settings[name]["value"].clone();

    let settings = shown(&place, &all, &[&config, "--engine-url=http://flag:1"]);
    assert_eq!(value(&settings, "engine.url"), "http://flag:1");
    assert_eq!(value(&settings, "worker.name"), "variable");
    assert_eq!(value(&settings, "worker.job-timeout"), json!(500));
    assert_eq!(value(&settings, "worker.max-jobs"), json!(3));

    let settings = shown(&place, &camunda, &[]);
    assert_eq!(value(&settings, "engine.url"), "http://camunda:1");
    assert_eq!(value(&settings, "worker.name"), "camunda");
    assert_eq!(
        value(&settings, "worker.job-timeout"),
        json!(700),
        "Camunda's variables are in milliseconds"
    );
    assert_eq!(value(&settings, "worker.max-jobs"), json!(9));
}

#[test]
fn config_show_never_shows_the_clusters_credentials() {
    let place = Workspace::new();
    for variables in [
        [
            ("CAMUNDA_BASIC_AUTH_PASSWORD", "odd-secret-1"),
            ("CAMUNDA_CLIENT_SECRET", "odd-secret-2"),
        ],
        [
            ("FLOW_STARTER_ENGINE_PASSWORD", "odd-secret-1"),
            ("FLOW_STARTER_ENGINE_CLIENT_SECRET", "odd-secret-2"),
        ],
    ] {
        for output in ["text", "json"] {
            let run = place.run(&["config", "show", "--output", output]);
            let ended = variables
                .iter()
                .fold(run, |run, (name, value)| run.env(name, value))
                .end();
            assert_eq!(ended.code, 0, "{ended:?}");
            let all = format!("{} {} {:?}", ended.out, ended.err, ended.logs);
            assert!(!all.contains("odd-secret"), "{all}");
            assert!(all.contains("engine.password"), "{all}");
        }
    }
}

#[test]
fn the_jobs_timeout_is_never_shorter_than_the_longest_call() {
    let rig = Rig::new();
    let activation = |arguments: &[&str], variable: &str| {
        rig.cluster.clear_requests();
        let (code, stderr) = rig
            .worker()
            .env("CAMUNDA_WORKER_TIMEOUT", variable)
            .arg("--once")
            .args(arguments)
            .end();
        assert_eq!(code, Some(0), "{stderr}");
        rig.cluster.requests_of(camunda_test_cluster::Call::Activation)[0].json["timeout"].clone()
    };
    assert_eq!(activation(&[], "1000000"), 1_000_000);
    assert_eq!(activation(&["--limit-wall-clock", "40s"], "1000"), 100_000);
}

#[test]
fn a_header_lengthens_the_jobs_lock_and_never_shortens_it() {
    use camunda_test_cluster::Call;
    for (header, patched) in [("PT2H", Some(7_200_000)), ("PT1S", None)] {
        let rig = Rig::new();
        let key = rig.create(job().header("jobTimeout", header));
        rig.once();
        rig.completed(key);
        let patches = rig.cluster.requests_of(Call::Patch);
        let timeouts: Vec<_> = patches
            .iter()
            .map(|patch| patch.json["changeset"]["timeout"].as_i64().unwrap())
            .collect();
        assert_eq!(timeouts, patched.into_iter().collect::<Vec<i64>>(), "{header}");
    }
}

#[test]
fn a_long_poll_beyond_50_s_is_warned_about() {
    let rig = Rig::new();
    let program = rig.worker().args(&["--request-timeout", "55s"]).start();
    let warning = program.log(|line| line["level"] == "WARN");
    assert!(
        warning["message"].as_str().unwrap().contains("worker.request-timeout"),
        "{warning}"
    );
}
