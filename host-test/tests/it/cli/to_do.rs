//! A call that could not be sent: who refused it, and what the operator can do about it.

use std::net::TcpListener;

use serde_json::json;

use super::workspace::Workspace;
use crate::egress::proxy::{Does, TestProxy};

#[test]
fn a_denied_destination_is_reported_with_the_flag_that_allows_it() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let denied = &["trigger", "flow.json", "--allow", "other.service-now.com"];
    let ended = workspace.run(denied).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("\nTo do: "), "{ended:?}");
    assert!(
        ended.err.contains("--allow https://acme.service-now.com\n"),
        "{ended:?}"
    );
    let ended = workspace.run(denied).arg("--output=json").end();
    let error = &ended.json()["error"];
    assert_eq!(error["kind"], "denied");
    assert!(
        error["fix"]
            .as_str()
            .unwrap()
            .ends_with("--allow https://acme.service-now.com"),
        "{error}"
    );
    let ended = workspace.run(denied).arg("--dry-run").end();
    assert!(ended.out.contains("--allow https://acme.service-now.com"), "{ended:?}");
    assert!(workspace.was_left_alone());
}

#[test]
fn a_pattern_without_a_scheme_does_not_allow_plain_http() {
    let workspace = Workspace::new();
    let origin = format!("http://{}", workspace.stand_in.http_addr());
    workspace.flow(json!({ "snInstance": null, "snEndpoint": origin }));
    for command in ["trigger", "check"] {
        let ended = workspace.run(&[command, "flow.json", "--allow", "127.0.0.1"]).end();
        assert_eq!(ended.code, 3, "{ended:?}");
        let output = format!("{}{}", ended.out, ended.err)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for words in [
            format!("it allows https://127.0.0.1, but not {origin}"),
            format!("--allow {origin}"),
        ] {
            assert!(output.contains(&words), "{words}: {output}");
        }
    }
    assert!(workspace.was_left_alone());
    let allowed = workspace.run(&["trigger", "flow.json", "--allow", &origin]).end();
    assert_eq!(allowed.code, 0, "{allowed:?}");
}

#[test]
fn a_host_that_comes_from_a_secret_is_not_repeated_in_what_to_do() {
    let workspace = Workspace::new();
    workspace.flow(json!({ "snInstance": null, "snEndpoint": "https://{{secrets.HOST}}" }));
    let ended = workspace
        .run(&["trigger", "flow.json"])
        .env("SECRET_HOST", "hidden.example.com")
        .end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(!format!("{}{}", ended.out, ended.err).contains("hidden"), "{ended:?}");
}

#[test]
fn a_proxy_failure_is_reported_as_the_proxys() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answering = |answer| TestProxy::start(Does::Answer(answer)).address;
    for (address, kind, did, to_do) in [
        (
            answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
            "denied",
            "answered 407 Proxy Authentication Required to CONNECT",
            "--proxy http://USER:PASSWORD@HOST:PORT",
        ),
        (
            answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
            "denied",
            "answered 403 Forbidden to CONNECT",
            "to allow CONNECT to acme.service-now.com:443",
        ),
        (
            answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
            "refused",
            "answered 502 Bad Gateway to CONNECT",
            "Check the proxy's own address",
        ),
        (
            nobody,
            "refused",
            "cannot be connected to: ",
            "Check the proxy's own address",
        ),
    ] {
        let proxy = format!("http://{address}");
        let ended = workspace
            .run(&["trigger", "flow.json", "--output=json", "--proxy", &proxy])
            .without("FLOW_STARTER_NETWORK_CONNECT_TO")
            .end();
        assert_eq!(ended.code, 3, "{ended:?}");
        let report = ended.json();
        let error = &report["error"];
        assert_eq!(
            (&error["kind"], &error["flow"], &error["retryable"]),
            (&json!(kind), &json!("not-started"), &json!(kind == "refused")),
            "{error}"
        );
        let message = error["message"].as_str().unwrap();
        let begins = format!("The request to acme.service-now.com was not sent: the proxy {proxy} {did}");
        assert!(message.starts_with(&begins), "{message}");
        assert!(message.ends_with("The flow has not started."), "{message}");
        for wrong in ["policy", "instance's name"] {
            assert!(!message.contains(wrong), "{message}");
        }
        assert!(error["fix"].as_str().unwrap().contains(to_do), "{error}");
    }
    assert!(workspace.was_left_alone());
}
