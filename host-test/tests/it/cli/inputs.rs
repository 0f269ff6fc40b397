//! Where the input comes from: a file, standard input, flags, flags over a file.

use serde_json::{Value, json};

use super::FLOW;
use super::workspace::{Ended, Workspace, flow};

fn sent(workspace: &Workspace, ended: &Ended) -> servicenow_stand_in::Recorded {
    assert_eq!(ended.code, 0, "{ended:?}");
    workspace.stand_in.requests().pop().unwrap()
}

#[test]
fn the_input_may_come_from_standard_input() {
    let workspace = Workspace::new();
    let ended = workspace
        .run(&["trigger", "-"])
        .input(flow(json!({})).to_string())
        .end();
    assert_eq!(sent(&workspace, &ended).body, br#"{"correlationValue":"cam-id-1"}"#);
    let ended = workspace.run(&["trigger", "-"]).input("{").end();
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("standard input is not JSON: it ends too early"),
        "{ended:?}"
    );
}

#[test]
fn flags_alone_start_a_flow() {
    let workspace = Workspace::new();
    workspace.file("body.json", "{ \"big\": 12345678901234567890123 }");
    let ended = workspace
        .run(&["trigger", "--instance-name", "acme", "--rest-api-trigger-path", FLOW])
        .env("SECRET_SN_PASSWORD", "demo-password");
    let ended = with(
        ended,
        &[
            "--header=hello: one",
            "--query=hello=a b",
            "--username=camunda",
            "--password={{secrets.SN_PASSWORD}}",
            "--request-body=@body.json",
        ],
    );
    let request = sent(&workspace, &ended.end());
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", &*format!("{FLOW}?hello=a%20b"))
    );
    assert_eq!(request.header("hello").collect::<Vec<_>>(), ["one"]);
    assert_eq!(request.body, b"{ \"big\": 12345678901234567890123 }");
}

fn with(run: super::workspace::Run, more: &[&str]) -> super::workspace::Run {
    more.iter().fold(run, |run, argument| run.arg(argument))
}

#[test]
fn each_way_to_authenticate_has_its_flags() {
    for flags in [
        &["--username", "camunda", "--password", "demo-password"][..],
        &["--token", "demo-token"],
        &["--api-key-value", "demo-api-key"],
        &["--api-key-value", "demo-api-key", "--api-key-location", "query"],
        &["--client-id", "demo-client", "--client-secret", "demo-secret"],
        &[
            "--client-id",
            "demo-client",
            "--client-secret",
            "demo-secret",
            "--client-authentication",
            "basicAuthHeader",
        ],
    ] {
        let workspace = Workspace::new();
        workspace.flow(json!({"authentication": null}));
        let run = with(workspace.run(&["trigger", "flow.json"]), flags);
        assert_eq!(run.end().code, 0, "{flags:?}");
        assert_eq!(workspace.stand_in.starts().len(), 1, "{flags:?}");
    }
}

#[test]
fn a_flag_replaces_the_files_field_and_the_rest_stays_unchanged() {
    let workspace = Workspace::new();
    let file = flow(json!({}))
        .to_string()
        .replace("\"cam-id-1\"", "12345678901234567890123");
    workspace.file("flow.json", file);
    let ended = workspace
        .run(&["trigger", "flow.json", "--query-parameters", r#"{"hello":"flag"}"#])
        .end();
    let request = sent(&workspace, &ended);
    assert!(request.target.ends_with("?hello=flag"), "{}", request.target);
    assert_eq!(request.body, br#"{"correlationValue":12345678901234567890123}"#);
    assert_eq!(request.header("hello").collect::<Vec<_>>(), ["header"]);
}

#[test]
fn a_name_that_stands_twice_is_refused_with_flags_as_without() {
    let workspace = Workspace::new();
    let file = flow(json!({})).to_string().replacen('{', "{\"method\":\"GET\",", 1);
    workspace.file("flow.json", file);
    for more in [&[][..], &["--header", "x: y"]] {
        let ended = with(workspace.run(&["trigger", "flow.json"]), more).end();
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("`method` is given twice"), "{ended:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_input_without_end_is_refused() {
    let ended = Workspace::new().run(&["trigger", "/dev/zero"]).end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended
            .err
            .contains("cannot read the input `/dev/zero`: it is larger than 64 MiB"),
        "{ended:?}"
    );
}

#[test]
fn a_success_is_the_components_answer_as_it_is() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let ended = workspace.run(&["trigger", "flow.json", "--output", "json"]).end();
    let answer: Value = ended.json();
    let members: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["body", "executionId", "headers", "reason", "status", "sysId"]);
}

/// A component leaves members alone that are not its own; in a file of a person's they are slips.
#[test]
fn a_misspelled_field_is_refused_if_the_field_is_missing() {
    let workspace = Workspace::new();
    for (slip, field) in [
        ("boddy", "body"),
        ("Headers", "headers"),
        ("queryParams", "queryParameters"),
        ("authentification", "authentication"),
    ] {
        let mut input = flow(json!({}));
        let value = input.as_object_mut().unwrap().remove(field).unwrap();
        input[slip] = value;
        let ended = workspace.run(&["trigger", "-"]).input(input.to_string()).end();
        assert_eq!(ended.code, 2, "{slip}");
        assert!(
            ended.err.contains(&format!("has `{slip}` but no `{field}`")),
            "{ended:?}"
        );
    }
    assert!(workspace.was_left_alone());
    let ended = workspace
        .run(&["trigger", "-"])
        .input(flow(json!({"boddy": 1, "orderId": "x"})).to_string())
        .end();
    assert_eq!(
        ended.code, 0,
        "the field itself is there, and other variables are the process's"
    );
}

/// Or it would be told in an error, as a flag that nobody knows.
#[test]
fn a_password_may_begin_with_a_hyphen() {
    let workspace = Workspace::new();
    let flags = [
        "trigger",
        "--instance-name",
        "acme",
        "--rest-api-trigger-path",
        FLOW,
        "--username",
        "camunda",
        "--password",
        "--hunter2",
    ];
    let ended = workspace.run(&flags).end();
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.contains("unauthorized") && !ended.err.contains("hunter2"),
        "{ended:?}"
    );
}

/// It would be sent as the password, and lock the account.
#[test]
fn a_malformed_reference_is_not_sent() {
    let workspace = Workspace::new();
    for slip in ["{{Secrets.A}}", "{{secret.A}}", "{{secrets A}}"] {
        workspace.flow(json!({"authentication": {"type": "basic", "username": "camunda", "password": slip}}));
        let ended = workspace.run(&["trigger", "flow.json"]).end();
        assert_eq!(ended.code, 2, "{slip}");
        assert!(
            ended
                .err
                .contains("`authentication.password` contains a malformed reference"),
            "{ended:?}"
        );
    }
    assert!(workspace.was_left_alone());
}
