//! Spellings by which somebody might get past the policy. Every name leads to the stand-in on this machine, so whatever got out would be
//! seen there.

use flow_starter_host::{Egress, ErrorKind, FlowState};
use serde_json::json;

use host_test::spellings::HOSTS;

use super::{Names, input, rig, stand_in};

/// Nothing of it may reach the stand-in, nobody's name server is asked for what the name alone forbids, and no flow is started.
fn assert_kept_in(over: serde_json::Value) {
    let stand_in = stand_in();
    let names = Names::all_here();
    let egress = Egress::builder()
        .extra_ca_pem(stand_in.ca_pem())
        .resolver(names.clone());
    let port = stand_in.https_addr().port().to_string();
    let text = input(over).replace("PORT", &port);
    let rig = rig(stand_in, egress);
    let error = rig.execute(&text).result.expect_err(&text);
    assert!(
        matches!(error.kind, ErrorKind::Denied | ErrorKind::InvalidInput),
        "{text}: {} {error}",
        error.kind
    );
    assert_eq!(error.flow, FlowState::NotStarted, "{text}");
    assert!(!error.message.contains("password"), "{error}");
    assert_eq!(rig.stand_in.connections(), 0, "{text}");
    let asked = names.asked();
    assert!(
        asked.iter().all(|name| name.ends_with(".service-now.com")),
        "{text}: asked for {asked:?}"
    );
}

#[test]
fn no_spelling_of_an_endpoint_gets_past_the_policy() {
    for host in HOSTS {
        for scheme in ["https://", "http://"] {
            assert_kept_in(json!({ "snInstance": "", "snEndpoint": format!("{scheme}{host}") }));
        }
    }
}

#[test]
fn no_spelling_of_an_instance_or_a_domain_gets_past_the_policy() {
    for (instance, domain) in [
        ("acme", "service-now.com.example.com"),
        ("acme", "evilservice-now.com"),
        ("acme", "0.0.1"),
        ("127", "0.0.1"),
        ("acme", "service-now.com:PORT"),
        ("acme", "service-now.com/"),
        ("acme", "service-now.com."),
        ("acme", "service-now.com@127.0.0.1"),
        ("acme", "localhost"),
        ("evil.example.com/", ""),
        ("evil.example.com#", ""),
        ("evil.example.com?", ""),
        ("evil@acme", ""),
        ("acme.evil", ""),
        // Allowed by name, but the name leads to this machine.
        ("acme", ""),
        ("acme", "servicenowservices.com.service-now.com"),
    ] {
        assert_kept_in(json!({ "snInstance": instance, "snDomain": domain }));
    }
}

#[test]
fn no_spelling_of_a_token_endpoint_gets_past_the_policy() {
    for host in HOSTS {
        assert_kept_in(json!({ "authentication": {
            "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": "demo-secret",
            "oauthTokenEndpoint": format!("https://{host}/oauth_token.do") } }));
    }
}
