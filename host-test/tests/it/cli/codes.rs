//! Each exit code, told apart on the real program.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use servicenow_stand_in::{Behaviour, Fault, PortFault};

use super::FLOW;
use super::workspace::{Ended, WRONG_SECRET, Workspace, program};

#[test]
fn a_started_flow_is_0() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    let starts = workspace.stand_in.starts();
    assert_eq!((ended.code, starts.len()), (0, 1), "{ended:?}");
    assert!(
        ended.out.contains(&format!("  execution id  {}\n", starts[0].id)),
        "{ended:?}"
    );
    assert!(ended.out.starts_with("  flow          started\n"), "{ended:?}");
    assert_eq!(ended.err, "");

    let ended = workspace.run(&["trigger", "flow.json", "--output", "json"]).end();
    assert_eq!(ended.json()["executionId"], workspace.stand_in.starts()[1].id.as_str());
}

#[test]
fn its_own_failure_is_1() {
    let full = || std::fs::File::options().write(true).open("/dev/full");
    let Ok(file) = full() else { return };
    let workspace = Workspace::new();
    let ended = workspace.run(&["config", "show"]).to(file);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("No space left"), "{ended:?}");
}

#[test]
fn bad_input_is_2_and_nothing_is_sent() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    workspace.file("empty.json", " \n");
    workspace.file("broken.json", "{\n  \"password\": demo-password\n}");
    workspace.file("list.json", "[]");
    workspace.file("latin-1.json", b"{\"a\":\"\xe9\"}");
    workspace.file("incomplete.json", r#"{"snInstance":"acme"}"#);
    workspace.file("not-a-component.wasm", "<!DOCTYPE html>");
    for (arguments, message) in [
        (&["trigger"][..], "no input: name a file"),
        (
            &["trigger", "missing.json"],
            "cannot read the input: there is no such file",
        ),
        (&["trigger", "."], "cannot read the input `.`: it is a directory"),
        (&["trigger", "empty.json"], "`empty.json` is empty"),
        (
            &["trigger", "broken.json"],
            "`broken.json` is not JSON (line 2, column 15)",
        ),
        (&["trigger", "list.json"], "`list.json` must be a JSON object"),
        (&["trigger", "latin-1.json"], "it is not UTF-8 text"),
        (&["trigger", "incomplete.json"], "`restApiTriggerPath`"),
        (&["trigger", "flow.json", "--alow", "x"], "'--allow'"),
        (
            &["trigger", "flow.json", "--allow", "*"],
            "policy.allow (flag --allow): a wildcard stands for the names below a domain",
        ),
        (
            &["trigger", "flow.json", "--limit-memory", "lots"],
            "limits.memory (flag --limit-memory) must be a size in bytes",
        ),
        (
            &["trigger", "flow.json", "--limit-wall-clock", "0"],
            "limits.wall-clock (flag --limit-wall-clock): must be greater than 0",
        ),
        (
            &["trigger", "flow.json", "--limit-memory", "64KiB"],
            "limits.memory (flag --limit-memory): too low for the component",
        ),
        (
            &["trigger", "flow.json", "--component", "not-a-component.wasm"],
            "`not-a-component.wasm` cannot run: this is not a WebAssembly component",
        ),
        (
            &["trigger", "flow.json", "--component", "missing.wasm"],
            "cannot read the component: there is no such file",
        ),
        (
            &["trigger", "flow.json", "--ca-file", "flow.json"],
            "tls.ca-file (flag --ca-file): the extra certificate authorities cannot be read",
        ),
        (
            &["trigger", "flow.json", "--client-key", "k.pem"],
            "tls.client-certificate is missing",
        ),
        (
            &["trigger", "flow.json", "--secrets-file", "missing.env"],
            "secrets.file (flag --secrets-file): cannot read the secrets: there is no such file",
        ),
        (
            &["trigger", "flow.json", "--password", "{{secrets.NOBODY_HAS_IT}}"],
            "Secret with name 'NOBODY_HAS_IT' is not available",
        ),
        (
            &["trigger", "flow.json", "--header", WRONG_SECRET],
            "--header needs a colon between name and value",
        ),
        (
            &["trigger", "flow.json", "--request-body", "@missing.json"],
            "cannot read the body: there is no such file",
        ),
        (&["tigger"], "'trigger'"),
    ] {
        let ended = workspace.run(arguments).end();
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(message), "{arguments:?}: {}", ended.err);
        assert_eq!(ended.out, "", "{arguments:?}");
    }
    assert!(workspace.was_left_alone());
}

#[test]
fn a_clients_certificate_and_its_key_must_go_together() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    for name in ["own", "other"] {
        let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        workspace.file(&format!("{name}.pem"), made.cert.pem());
        workspace.file(&format!("{name}-key.pem"), made.signing_key.serialize_pem());
    }
    let run = |key: &str| {
        let flags = ["--dry-run", "--client-certificate", "own.pem", "--client-key", key];
        let all: Vec<_> = ["trigger", "flow.json"].into_iter().chain(flags).collect();
        workspace.run(&all).end()
    };
    assert_eq!(run("own-key.pem").code, 0);
    for (key, message) in [
        ("other-key.pem", "it is not the key of the client's certificate"),
        ("own.pem", "it is PEM, but holds no private key"),
        (
            "missing.pem",
            "tls.client-key (flag --client-key): cannot read the client's key: there is no such file",
        ),
    ] {
        let ended = run(key);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(message), "{ended:?}");
    }
}

#[test]
fn a_flow_that_was_refused_or_never_reached_is_3() {
    let workspace = Workspace::new();
    workspace.flow(json!({"authentication": {"type": "basic", "username": "camunda", "password": WRONG_SECRET}}));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("  error         unauthorized\n"), "{ended:?}");
    assert!(ended.err.contains("/my_flow 401\n"), "{ended:?}");
    assert_eq!(ended.out, "", "text errors go to standard error");

    let ended = workspace
        .run(&["trigger", "flow.json", "--allow", "other.service-now.com"])
        .end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("  error         denied\n"), "{ended:?}");

    let refusing = workspace.stand_in.open_port(PortFault::Refused).unwrap();
    let mapping = format!("acme.service-now.com:443:{refusing}");
    let ended = workspace.run(&["trigger", "flow.json", "--connect-to", &mapping]).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("  retry         yes, later\n"), "{ended:?}");
    assert!(workspace.stand_in.starts().is_empty());
}

#[test]
fn an_unknown_end_is_4() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    workspace.stand_in.behave_once(FLOW, Behaviour::Fault(Fault::Reset));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.err.contains("  retry         no; look in ServiceNow first\n"),
        "{ended:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_call_that_is_interrupted_while_it_waits_is_4() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    for (count, signal) in ["-INT", "-TERM", "-HUP"].into_iter().enumerate() {
        workspace.stand_in.behave_once(FLOW, Behaviour::Fault(Fault::Silence));
        let mut command = workspace.command(&program());
        command
            .args(["trigger", "flow.json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        assert!(workspace.stand_in.wait_for_requests(count + 1, Duration::from_secs(60)));
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        let ended = Ended::of(&child.wait_with_output().unwrap());
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(
            ended
                .err
                .contains("The call was cancelled before it ended. It is unknown"),
            "{ended:?}"
        );
    }
}

#[test]
fn a_started_flow_whose_answer_is_lost_is_5() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    workspace
        .stand_in
        .behave_once(FLOW, Behaviour::Fault(Fault::CloseWithinBody));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    assert_eq!((ended.code, workspace.stand_in.starts().len()), (5, 1), "{ended:?}");

    // The answer came, and cannot be handed on.
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        return;
    };
    let ended = workspace.run(&["trigger", "flow.json"]).to(full);
    assert_eq!((ended.code, workspace.stand_in.starts().len()), (5, 2), "{ended:?}");
    assert!(
        ended
            .err
            .contains("the flow has started, but its response cannot be written"),
        "{ended:?}"
    );
}

#[test]
fn an_error_is_json_on_standard_output_where_json_is_asked_for() {
    let workspace = Workspace::new();
    workspace.flow(json!({"authentication": {"type": "basic", "username": "camunda", "password": WRONG_SECRET}}));
    let ended = workspace.run(&["trigger", "flow.json", "--output", "json"]).end();
    let report = ended.json();
    assert_eq!((ended.code, ended.err.as_str()), (3, ""));
    assert_eq!(report["error"]["kind"], "unauthorized");
    assert_eq!(report["error"]["flow"], "not-started");
    assert_eq!(report["error"]["retryable"], false);
    assert_eq!(report["error"]["response"]["status"], 401);
    assert_eq!(report["requests"][0]["progress"], "answered");
    assert_eq!(report["requests"][0]["status"], 401);

    let ended = workspace.run(&["trigger", "missing.json", "--output", "json"]).end();
    assert_eq!((ended.code, ended.err.as_str()), (2, ""));
    assert_eq!(ended.json()["error"]["kind"], "invalid-input");
    assert_eq!(ended.json()["error"]["flow"], "not-started");
}
