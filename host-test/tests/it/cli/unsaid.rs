//! What was given in the wrong place may be a credential, and is not repeated.

use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour};

use super::FLOW;
use super::settings::bare;
use super::workspace::{WRONG_SECRET, Workspace};

/// The scan of [`Workspace`] finds what came out.
#[test]
fn a_misplaced_argument_is_not_quoted() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let json = json!({"authentication": {"password": WRONG_SECRET}}).to_string();
    let long = json!({"authentication": {"password": WRONG_SECRET, "x": "y".repeat(300)}}).to_string();
    let flag = format!("--pasword={WRONG_SECRET}");
    let (dashed, short) = (format!("--{WRONG_SECRET}"), format!("-{WRONG_SECRET}"));
    let (body, folder) = (format!("@{WRONG_SECRET}"), format!("{WRONG_SECRET}/flow-starter.cwasm"));
    for (arguments, message) in [
        (&["trigger", &json][..], "not the JSON itself"),
        (&["trigger", &long], "not the JSON itself"),
        (&["check", &json], "not the JSON itself"),
        (&["secrets", "list", &json], "not the JSON itself"),
        (
            &["trigger", WRONG_SECRET],
            "cannot read the input: there is no such file",
        ),
        (&["trigger", "flow.json", WRONG_SECRET], "unexpected argument '***'"),
        (&["trigger", "flow.json", &flag], "'--password"),
        (&["trigger", "flow.json", "--pasword", WRONG_SECRET], "'--password"),
        (&["trigger", "flow.json", &dashed], "unexpected argument '***'"),
        (&["trigger", "flow.json", &short], "unexpected argument '***'"),
        (&["trigger", "flow.json", &format!("--dry-run={WRONG_SECRET}")], "'***'"),
        (
            &["trigger", "flow.json", "--request-body", &body],
            "cannot read the body",
        ),
        (&[WRONG_SECRET], "'***'"),
        (&["secrets", WRONG_SECRET], "'***'"),
        (&["completions", WRONG_SECRET], "invalid value '***'"),
        (&["inspect", WRONG_SECRET], "cannot read the component"),
        (&["compile", WRONG_SECRET, "--to", "x"], "cannot read the component"),
        (&["compile", "--to", &folder], "cannot write the --to file"),
        (&["man", "--directory", WRONG_SECRET], "must name an existing directory"),
    ] {
        let ended = workspace.run(arguments).end();
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(message), "{arguments:?}: {}", ended.err);
    }
    assert!(workspace.was_left_alone());
}

#[test]
fn a_settings_value_that_is_wrong_is_not_repeated() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let all = bare(&workspace, &["config", "show", "--output=json"]).end().json();
    let settings = all["settings"].as_object().unwrap();
    assert!(settings.len() > 20);
    let url = format!("https://u:{WRONG_SECRET}@h");
    let object = json!({ "password": WRONG_SECRET }).to_string();
    for (name, setting) in settings {
        let (flag, variable) = (setting["flag"].as_str().unwrap(), setting["variable"].as_str().unwrap());
        for value in [&url, &object] {
            for command in [
                &["config", "show"][..],
                &["config", "show", "--output=json"],
                &["trigger", "flow.json", "--dry-run"],
            ] {
                // Each of them is scanned.
                let given = bare(&workspace, command).arg(&format!("{flag}={value}")).end();
                assert!([0, 2, 3].contains(&given.code), "{name}: {given:?}");
                if command.len() == 2 {
                    bare(&workspace, command).env(variable, value).end();
                }
            }
        }
    }
    let shown = bare(&workspace, &["config", "show", "--allow", &url]).end();
    assert!(
        shown.code == 2
            && shown
                .out
                .lines()
                .any(|line| line.starts_with("policy.allow ") && line.contains(" *** ")),
        "{shown:?}"
    );
    assert!(shown.err.contains("policy.allow (flag --allow): "), "{shown:?}");
}

/// DEL, C1 controls and marks that turn the order of what is read.
const STEERING: &str = "\u{7f}\u{85}\u{9b}31m\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}";

fn steers(text: &str) -> bool {
    STEERING.chars().any(|c| !c.is_ascii_alphanumeric() && text.contains(c))
}

#[test]
fn json_output_steers_no_terminal() {
    let workspace = Workspace::new();
    let header = format!("x{STEERING}");
    workspace.flow(json!({"body": {"a": STEERING}}));
    let echo = json!({"result": {"executionId": "x".repeat(32), "echo": STEERING}}).to_string();
    for (answer, path) in [
        (Answer::new(200).body(echo), "/body/result/echo"),
        (
            Answer::failure(403, STEERING, Some(STEERING)),
            "/error/response/body/error/message",
        ),
    ] {
        workspace.stand_in.behave_once(FLOW, Behaviour::Answer(answer));
        let ended = workspace.run(&["trigger", "flow.json", "--output=json"]).end();
        assert!(!steers(&ended.out) && !steers(&ended.err), "{ended:?}");
        assert_eq!(ended.json().pointer(path), Some(&Value::from(STEERING)), "{ended:?}");
    }
    let dry = workspace
        .run(&["trigger", "flow.json", "--dry-run", "--output=json"])
        .end();
    assert!(!steers(&dry.out), "{dry:?}");
    assert_eq!(dry.json()["requests"][0]["body"], json!({ "a": STEERING }).to_string());

    workspace.flow(json!({"headers": {header.as_str(): "{{secrets.NONE}}"}}));
    let listed = workspace.run(&["secrets", "list", "flow.json", "--output=json"]).end();
    assert!(!steers(&listed.out), "{listed:?}");
    assert_eq!(listed.json()["secrets"][0]["field"], format!("headers.{header}"));
    let checked = workspace.run(&["check", "flow.json", "--output=json"]).end();
    assert!(!steers(&checked.out), "{checked:?}");
    let refused = workspace.run(&["trigger", "flow.json", "--output=json"]).end();
    assert!(!steers(&refused.out) && !steers(&refused.err), "{refused:?}");
    let shown = workspace
        .run(&["config", "show", "--output=json", "--ca-file", STEERING])
        .end();
    assert!(!steers(&shown.out), "{shown:?}");
    assert_eq!(shown.json()["settings"]["tls.ca-file"]["value"], json!([STEERING]));
}
