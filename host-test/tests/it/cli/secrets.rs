//! `secrets list`: which names, and who has them; never a value.

use serde_json::json;
use servicenow_stand_in::{Answer, Behaviour};

use super::workspace::{ODD_SECRET, Workspace};

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.flow(json!({
        "headers": {"hello": "{{ secrets.IN_FILE }}", "x": "{{secrets.SHORT}}"},
        "authentication": {"type": "basic", "username": "{{secrets.IN_ENVIRONMENT}}", "password": "{{secrets.IN_DIRECTORY}}"},
    }));
    workspace.file("secrets.env", format!("IN_FILE={ODD_SECRET}\nSHORT=abc\n"));
    workspace.file("secrets/IN_DIRECTORY", ODD_SECRET);
    workspace
}

const ALL: [&str; 7] = [
    "secrets",
    "list",
    "flow.json",
    "--secrets-file",
    "secrets.env",
    "--secrets-directory",
    "secrets",
];

#[test]
fn each_secret_is_listed_with_where_it_is() {
    let workspace = workspace();
    let ended = workspace.run(&ALL).env("SECRET_IN_ENVIRONMENT", ODD_SECRET).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    for line in [
        "✓  IN_ENVIRONMENT  authentication.username  the environment variable SECRET_IN_ENVIRONMENT\n",
        "✓  IN_DIRECTORY    authentication.password  the file secrets/IN_DIRECTORY\n",
        "✓  IN_FILE         headers.hello            a line IN_FILE=… in secrets.env\n",
        "✓  SHORT           headers.x                a line SHORT=… in secrets.env (under 4 characters: used, but never masked)\n",
    ] {
        assert!(ended.out.contains(line), "{line}{}", ended.out);
    }
    assert_eq!(ended.err, "");
}

#[test]
fn a_missing_secret_ends_with_2_and_says_where_it_was_looked_for() {
    let workspace = workspace();
    let ended = workspace.run(&ALL).end();
    assert_eq!(ended.code, 2, "{ended:?}");
    let row = "✗  IN_ENVIRONMENT  authentication.username  not available: looked for the environment variable \
                SECRET_IN_ENVIRONMENT, a line IN_ENVIRONMENT=… in secrets.env, the file secrets/IN_ENVIRONMENT\n";
    assert!(ended.out.contains(row), "{}", ended.out);

    let ended = workspace.run(&ALL).arg("--output=json").end();
    assert_eq!(ended.code, 2);
    let listed = ended.json()["secrets"].as_array().unwrap().clone();
    let of = |name: &str| listed.iter().find(|used| used["name"] == name).unwrap().clone();
    assert_eq!(of("IN_ENVIRONMENT")["found"], false);
    assert_eq!(of("IN_FILE")["place"], "a line IN_FILE=… in secrets.env");
    assert_eq!(of("SHORT")["short"], true);
}

#[test]
fn the_prefix_decides_which_variables_are_secrets() {
    let workspace = Workspace::new();
    workspace.flow(json!({"authentication": {"type": "bearer", "token": "{{secrets.TOKEN}}"}}));
    for (prefix, code) in [("MY_", 0), ("SECRET_", 2), ("none", 2)] {
        let run = workspace.run(&["secrets", "list", "flow.json", "--secrets-environment-prefix", prefix]);
        let ended = run.env("MY_TOKEN", ODD_SECRET).end();
        assert_eq!(ended.code, code, "{prefix}: {ended:?}");
    }
    let ended = workspace
        .run(&["secrets", "list", "flow.json", "--secrets-environment-prefix", ""])
        .end();
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("must not be empty"), "{ended:?}");
}

#[test]
fn an_input_without_secrets_says_so_and_a_broken_reference_is_bad_input() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let ended = workspace.run(&["secrets", "list", "flow.json"]).end();
    assert_eq!((ended.code, ended.out.as_str()), (0, "The input uses no secrets.\n"));
    let ended = workspace.run(&["secrets", "list", "--password", "{{secrets.A"]).end();
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("malformed reference to a secret"), "{ended:?}");
    assert!(workspace.was_left_alone());
}

/// What the call itself has fetched is a secret as well, where a person sees the body that echoes it.
#[test]
fn a_token_that_the_answer_echoes_is_not_shown() {
    let workspace = Workspace::new();
    workspace.flow(json!({ "authentication": {
        "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": "demo-secret",
    } }));
    let token = "t0ken-of-this-call";
    let given = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 60 }).to_string();
    let echo = json!({ "result": { "executionId": "x".repeat(32), "echo": token } }).to_string();
    workspace
        .stand_in
        .behave("/oauth_token.do", Behaviour::Answer(Answer::new(200).body(given)));
    workspace
        .stand_in
        .behave(super::FLOW, Behaviour::Answer(Answer::new(200).body(echo)));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.contains("\"echo\":\"***\"") && !ended.out.contains(token),
        "{ended:?}"
    );
}
