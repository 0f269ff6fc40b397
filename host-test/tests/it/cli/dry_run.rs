//! `--dry-run`: every request is shown, no secret in it, and nothing is sent.

use serde_json::json;

use super::workspace::{ODD_SECRET, Workspace};

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let workspace = Workspace::new();
    workspace.flow(json!({"authentication": {"type": "basic", "username": "camunda", "password": "{{secrets.PWD}}"}}));
    let ended = workspace
        .run(&["trigger", "flow.json", "--dry-run"])
        .env("SECRET_PWD", ODD_SECRET)
        .end();
    assert_eq!(ended.code, 0, "{ended:?}");
    for line in [
        "Dry run: nothing was sent.",
        "POST https://acme.service-now.com/api/sn_cico/flow_starter/my_flow?hello=query\n",
        "authorization: Basic ***\n",
        "hello: header\n",
        "cam-id-1",
        "  destination   allowed by policy.allow\n",
    ] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
    assert!(workspace.was_left_alone());
}

/// A path as it is encoded, a header as it is read, and what the component adds.
#[test]
fn a_dry_run_shows_the_request_as_it_is_sent() {
    let workspace = Workspace::new();
    workspace.flow(json!({
        "restApiTriggerPath": "/api/sn_cico/Grüße an {Jörg}?view=a b",
        "queryParameters": { "hello": "q v" },
        "headers": { "x-name": "Ã¼ Müller", "content-type": "application/x-www-form-urlencoded" },
        "body": { "text": "a b" },
        "authentication": { "type": "apiKey", "value": ODD_SECRET },
    }));
    let ended = workspace.run(&["trigger", "flow.json", "--dry-run"]).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    for line in [
        "/api/sn_cico/Gr%C3%BC%C3%9Fe%20an%20%7BJ%C3%B6rg%7D?view=a%20b&hello=q%20v\n",
        "x-name: Ã¼ Müller\n",
        "x-sn-apikey: ***\n",
        "accept-encoding: identity\n",
        concat!("user-agent: flow-starter/", env!("CARGO_PKG_VERSION"), "\n"),
        "text=a+b",
    ] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
    assert!(workspace.was_left_alone());
}

#[test]
fn a_dry_run_is_json_where_json_is_asked_for() {
    let workspace = Workspace::new();
    workspace.flow(json!({"authentication": {
        "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": ODD_SECRET,
    }}));
    let ended = workspace
        .run(&["trigger", "flow.json", "--dry-run", "--output", "json"])
        .end();
    let report = ended.json();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(report["error"], json!(null));
    assert_eq!(report["requests"][0]["purpose"], "token");
    assert_eq!(report["requests"][1]["purpose"], "flow");
    assert_eq!(report["requests"][1]["method"], "POST");
    assert_eq!(report["requests"][1]["allowed"], true);
    assert!(workspace.was_left_alone());
}

#[test]
fn a_dry_run_ends_as_the_call_would() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let denied = workspace
        .run(&["trigger", "flow.json", "--dry-run", "--allow", "other.service-now.com"])
        .end();
    assert_eq!(denied.code, 3, "{denied:?}");
    assert!(denied.out.contains("not allowed by policy.allow"), "{denied:?}");

    workspace.flow(json!({"restApiTriggerPath": null}));
    let refused = workspace.run(&["trigger", "flow.json", "--dry-run"]).end();
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("`restApiTriggerPath`"), "{refused:?}");

    let refused = workspace
        .run(&["trigger", "flow.json", "--dry-run", "--output", "json"])
        .end();
    assert_eq!(refused.code, 2);
    assert_eq!(refused.json()["error"]["kind"], "invalid-input");
    assert!(workspace.was_left_alone());
}
