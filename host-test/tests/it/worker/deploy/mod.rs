//! The files of deploy/ against the program: every name in them exists, the times fit together, and what they start completes a job.
//!
//! [`running`] starts the program as they do. `make check-deploy` checks their form with the validators of Kubernetes, systemd, Prometheus and Grafana.

mod running;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use servicenow_stand_in::Behaviour;

use super::harness::job;
use crate::cli::workspace::program;

use running::{CLIENT_SECRET, with_a_client, worker};

const MANIFEST: &str = include_str!("../../../../../deploy/kubernetes.yaml");
const UNIT: &str = include_str!("../../../../../deploy/flow-starter-worker.service");
const DOCKERFILE: &str = include_str!("../../../../../deploy/Dockerfile");
const ALERTS: &str = include_str!("../../../../../deploy/alerts.yaml");
const DASHBOARD: &str = include_str!("../../../../../deploy/grafana-dashboard.json");
const PAGE: &str = include_str!("../../../../../docs/operating.md");
const TRACES: &str = include_str!("../../../../../worker/src/traces/environment.rs");

/// What `config show` says with this environment.
fn settings(environment: &BTreeMap<String, String>) -> Value {
    let shown = std::process::Command::new(program())
        .env_clear()
        .envs(environment)
        .args(["config", "show", "--output", "json"])
        .output()
        .unwrap();
    serde_json::from_slice(&shown.stdout).unwrap()
}

/// The words of a text that begin so, without what stands around them.
fn words<'a>(text: &'a str, beginning: &'a str, may_hold: fn(char) -> bool) -> BTreeSet<&'a str> {
    let starts = text.match_indices(beginning).filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        !before.is_some_and(|before| may_hold(before) || before == '-')
    });
    starts
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|letter| !may_hold(letter)).unwrap_or(rest.len());
            rest[..end].trim_end_matches(['_', '-'])
        })
        .collect()
}

fn in_variables(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}

fn in_flags(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter == '-'
}

fn in_metrics(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter == '_'
}

/// The ConfigMap's members.
fn of_the_manifest() -> BTreeMap<String, String> {
    let data = MANIFEST
        .split("kind: ConfigMap")
        .nth(1)
        .unwrap()
        .split("\ndata:\n")
        .nth(1)
        .unwrap();
    let lines = data.lines().take_while(|line| line.starts_with("  "));
    let members = lines.filter(|line| !line.trim_start().starts_with('#'));
    members
        .map(|line| {
            let (name, value) = line.trim().split_once(": ").unwrap();
            (name.to_owned(), value.trim_matches('"').to_owned())
        })
        .collect()
}

/// The unit's `Environment=`, with this folder as its credentials.
fn of_the_unit(credentials: &Path) -> BTreeMap<String, String> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix("Environment="));
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.replace("%d", credentials.to_str().unwrap()))
        })
        .collect()
}

#[test]
fn every_variable_and_flag_exists() {
    let shown = settings(&BTreeMap::new());
    let settings = shown["settings"].as_object().unwrap();
    let known = |member: &str| -> BTreeSet<String> {
        settings
            .values()
            .map(|one| one[member].as_str().unwrap().to_owned())
            .collect()
    };
    let (variables, mut flags) = (known("variable"), known("flag"));
    flags.extend(["--once", "--config"].map(str::to_owned));
    let help = std::process::Command::new(program())
        .args(["worker", "--help"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("--once"));
    let table = include_str!("../../../../../cli/src/settings/worker_table.rs");
    let mut found = 0;
    for text in [MANIFEST, UNIT, DOCKERFILE, PAGE] {
        for name in words(text, "FLOW_STARTER_", in_variables) {
            assert!(variables.contains(name) || name == "FLOW_STARTER_CONFIG", "{name}");
            found += 1;
        }
        for name in words(text, "CAMUNDA_", in_variables) {
            assert!(table.contains(&format!("\"{name}\"")), "{name}");
        }
        for name in words(text, "OTEL_", in_variables) {
            let suffix = name
                .trim_start_matches("OTEL_EXPORTER_OTLP_")
                .trim_start_matches("TRACES_");
            let is_read = TRACES.contains(&format!("\"{name}\"")) || TRACES.contains(&format!("(\"{suffix}\")"));
            assert!(is_read || name == "OTEL", "{name}");
        }
    }
    let arguments = MANIFEST.lines().filter_map(|line| line.trim().strip_prefix("- --"));
    let start = UNIT.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let of_page = PAGE
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains("--") && !code.starts_with("docker"));
    for text in arguments
        .map(|flag| format!("--{flag}"))
        .chain([start.to_owned()])
        .chain(of_page.map(str::to_owned))
    {
        for flag in words(&text, "--", in_flags) {
            assert!(flags.contains(flag), "{flag} in {text}");
            found += 1;
        }
    }
    assert!(found > 12, "only {found} names were looked for");
}

#[test]
fn every_variable_of_the_manifest_is_used() {
    let mut environment = of_the_manifest();
    environment.remove("FLOW_STARTER_CONFIG");
    let shown = settings(&environment);
    assert_eq!(shown["error"], Value::Null, "{shown}");
    for name in environment.keys() {
        let source = format!("environment {name}");
        let settings = shown["settings"].as_object().unwrap();
        assert!(
            settings.values().any(|setting| setting["source"] == source.as_str()),
            "{name}"
        );
    }
}

/// 6 s: the last lines of the log, and the last traces.
#[test]
fn the_grace_periods_are_longer_than_the_shutdown_timeout() {
    let shown = settings(
        &of_the_manifest()
            .into_iter()
            .filter(|(name, _)| name != "FLOW_STARTER_CONFIG")
            .collect(),
    );
    let settings = &shown["settings"];
    assert_eq!(settings["worker.shutdown-timeout"]["value"], Value::Null, "{settings}");
    let longest = settings["limits.wall-clock"]["value"].as_u64().unwrap();
    let needed = longest + 30 + 6;
    let of_pod = MANIFEST.split("terminationGracePeriodSeconds: ").nth(1).unwrap();
    let of_pod: u64 = of_pod.lines().next().unwrap().parse().unwrap();
    let of_unit = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec="))
        .unwrap();
    let of_unit: u64 = of_unit.trim_end_matches("min").parse::<u64>().unwrap() * 60;
    assert!(
        of_pod > needed && of_unit > needed,
        "{of_pod} s, {of_unit} s, needed: {needed} s"
    );
}

/// Kubernetes' Pod Security Standard "restricted", and what the worker can do without beside it.
#[test]
fn the_pod_is_restricted() {
    for line in [
        "runAsNonRoot: true",
        "type: RuntimeDefault",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "drop:\n                - ALL",
        "      automountServiceAccountToken: false",
        "enableServiceLinks: false",
    ] {
        assert!(MANIFEST.contains(line), "{line}");
    }
    for never in [
        "hostNetwork",
        "hostPath",
        "subPath:",
        "secretKeyRef",
        "privileged: true",
    ] {
        assert!(!MANIFEST.contains(never), "{never}");
    }
}

#[test]
fn the_dashboard_and_the_alerts_use_metrics_and_labels_that_exist() {
    let rig = with_a_client();
    rig.flow_once(Behaviour::status(403));
    let (failed, completed) = (rig.create(job()), rig.create(job()));
    let environment = BTreeMap::from([("FLOW_STARTER_ENGINE_CLIENT_SECRET".to_owned(), CLIENT_SECRET.to_owned())]);
    let program = worker(&rig, environment).start();
    for key in [failed, completed] {
        rig.until(key, |job| job.completed_with.is_some() || !job.failures.is_empty());
    }
    let text = program.get("/metrics").1;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut exist: BTreeSet<&str> = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    // A histogram's own name stands for its samples.
    let histograms: Vec<&str> = exist.iter().filter_map(|name| name.strip_suffix("_count")).collect();
    exist.extend(histograms);
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let queries: Vec<String> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect();
    let queries = queries.join("\n");
    let mut used = BTreeSet::new();
    for text in [ALERTS, &queries, PAGE] {
        for beginning in ["flow_starter_", "camunda_connector_"] {
            for name in words(text, beginning, in_metrics) {
                assert!(exist.contains(name), "{name} is not on /metrics: {exist:#?}");
                used.insert(name);
            }
        }
    }
    let labels = [
        "job", "instance", "type", "action", "flow", "kind", "call", "status", "le", "severity",
    ];
    for text in [ALERTS, &queries] {
        for (at, _) in text
            .match_indices("=\"")
            .chain(text.match_indices("=~\""))
            .chain(text.match_indices("!=\""))
        {
            let before = text[..at].trim_end_matches(['=', '!', '~']);
            let start = before.rfind(|letter: char| !in_metrics(letter)).map_or(0, |at| at + 1);
            assert!(labels.contains(&&before[start..]), "{}", &before[start..]);
        }
        for list in text.split(" by (").skip(1) {
            for label in list.split(')').next().unwrap().split(',') {
                assert!(labels.contains(&label.trim()), "{label}");
            }
        }
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let family = line.split(' ').next().unwrap();
        assert!(queries.contains(family), "{family} is not on the dashboard");
    }
    assert!(used.len() >= 6, "{used:?}");
}

/// The page names each alert, and says what to do.
#[test]
fn every_alert_is_explained() {
    let alerts: Vec<&str> = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() >= 8, "{alerts:?}");
    for alert in &alerts {
        assert!(PAGE.contains(&format!("| `{alert}` |")), "{alert}");
    }
    for named in words(PAGE, "FlowStarter", |letter| letter.is_ascii_alphabetic()) {
        assert!(alerts.contains(&named), "{named}");
    }
    assert!(PAGE.lines().count() <= 120, "one screen");
}

/// What an operator reads on the page is what the program does.
#[test]
fn times_on_the_page_are_the_programs() {
    let shown = settings(&BTreeMap::new());
    for (name, said) in [
        ("limits.wall-clock", "300 s"),
        ("worker.job-timeout", "360 s"),
        ("worker.request-timeout", "10 s"),
        ("worker.max-jobs", "64"),
        ("worker.max-jobs-per-instance", "16"),
    ] {
        let value = &shown["settings"][name]["value"];
        assert_eq!(value.to_string(), said.trim_end_matches(" s"), "{name}");
        let row = PAGE
            .lines()
            .find(|line| line.contains(&format!("`{name}`")))
            .unwrap_or_else(|| panic!("{name}"));
        assert!(row.contains(said), "{row}");
    }
}
