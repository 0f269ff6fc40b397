//! The proxy's settings are read strictly, and nothing of a password is shown.

use std::net::TcpListener;

use serde_json::json;

use super::settings::{bare, shown};
use super::workspace::Workspace;

/// Half of each password, as a lenient reader would take it for a host or a port.
#[test]
fn a_proxys_password_that_is_not_encoded_is_refused_and_not_shown() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    for url in [
        "http://proxyuser:S3cret#word@127.0.0.1:13128",
        "http://proxyuser:S3cret/word@127.0.0.1:13128",
        "http://proxyuser:S3cret?word@127.0.0.1:13128",
        "http://proxyuser:S3cret@word@127.0.0.1:13128",
        "http://proxyuser:13128#S3cretword@127.0.0.1",
        "http://proxyuser@corp.com:S3cretword@127.0.0.1:1",
        "proxyuser:S3cret#word",
        "\"http://proxyuser:S3cretword@127.0.0.1:13128\"",
    ] {
        for command in [
            &["check", "flow.json"][..],
            &["trigger", "flow.json"],
            &["config", "show"],
        ] {
            for (variable, source) in [
                ("HTTPS_PROXY", "environment HTTPS_PROXY"),
                ("FLOW_STARTER_NETWORK_PROXY", "environment FLOW_STARTER_NETWORK_PROXY"),
            ] {
                let ended = workspace.run(command).env(variable, url).end();
                assert_eq!(ended.code, 2, "{url}: {ended:?}");
                assert!(ended.err.contains(&format!("network.proxy ({source}): ")), "{ended:?}");
                assert!(ended.err.contains("percent-encode"), "{ended:?}");
                for part in ["S3cret", "word@127", "proxyuser"] {
                    assert!(
                        !format!("{}{}", ended.out, ended.err).contains(part),
                        "{part}: {ended:?}"
                    );
                }
            }
        }
    }
    assert!(workspace.was_left_alone());
}

#[test]
fn an_invalid_proxy_is_refused_with_the_reason() {
    let workspace = Workspace::new();
    for (url, why) in [
        (
            "http://proxy.example:99999",
            "the proxy's port must be a number from 1 to 65535",
        ),
        (
            "http://proxy.example:3128/path",
            "the proxy's URL must end after the host and port",
        ),
        ("'http://proxy.example:3128'", "remove quotation marks"),
        (
            "socks5://proxy.example:1080",
            "the proxy must be an http:// or https:// URL",
        ),
    ] {
        let ended = bare(&workspace, &["config", "show", "--proxy", url]).end();
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended.err.contains(&format!("network.proxy (flag --proxy): {why}")),
            "{ended:?}"
        );
    }
}

#[test]
fn check_shows_a_proxys_scheme_host_and_port_alone() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://proxy%40user:S3cret%23word@{nobody}/");
    let ended = bare(&workspace, &["check", "flow.json", "--proxy", &url]).end();
    let said = format!("{}{}", ended.out, ended.err);
    assert!(said.contains(&format!("http://{nobody}")), "{ended:?}");
    for part in ["S3cret", "word", "proxy@user", "proxy%40user", "@127.0.0.1"] {
        assert!(!said.contains(part), "{part}: {ended:?}");
    }
    let all = shown(bare(&workspace, &["config", "show", "--proxy", &url]));
    assert_eq!(
        all["settings"]["network.proxy"]["value"],
        format!("http://***@{nobody}")
    );
}

#[test]
fn an_exception_that_matches_no_host_is_refused_with_the_right_spelling() {
    let workspace = Workspace::new();
    for (list, right) in [
        (
            "localhost,*.service-now.com",
            "entry 2 matches no host: write .service-now.com or service-now.com",
        ),
        ("localhost:8080", "write localhost"),
        ("192.168.", "for example 192.168.0.0/16"),
    ] {
        let ended = bare(&workspace, &["config", "show", "--proxy", "http://proxy.example:3128"])
            .env("NO_PROXY", list)
            .end();
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended.err.contains("network.no-proxy (environment NO_PROXY): "),
            "{ended:?}"
        );
        assert!(ended.err.contains(right), "{ended:?}");
    }
    // Without a proxy it says nothing to this program.
    shown(bare(&workspace, &["config", "show"]).env("NO_PROXY", "*.service-now.com"));
}
