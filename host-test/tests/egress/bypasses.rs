//! Spellings by which somebody might get past the policy. Every name leads to the stand-in on this machine, so whatever got out would be
//! seen there.

use flow_starter_host::{Egress, ErrorKind, FlowState};
use serde_json::json;

use super::{Names, input, rig, stand_in};

/// Hosts that the default policy does not allow, or that lead where it does not open. `PORT` is the stand-in's.
const HOSTS: [&str; 62] = [
    "127.0.0.1",
    "127.0.0.1:PORT",
    "127.1",
    "127.1:PORT",
    "127.0.1:PORT",
    "2130706433",
    "2130706433:PORT",
    "0x7f000001:PORT",
    "0x7f.0.0.1:PORT",
    "0x7f.1:PORT",
    "0177.0.0.1:PORT",
    "017700000001:PORT",
    "127.000.000.001:PORT",
    "127.0.0.1.:PORT",
    "127.0.0.2:PORT",
    "0.0.0.0:PORT",
    "0:PORT",
    "localhost:PORT",
    "LOCALHOST:PORT",
    "localhost.:PORT",
    "localhost.localdomain:PORT",
    "[::1]:PORT",
    "[0:0:0:0:0:0:0:1]:PORT",
    "[::]:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "[::ffff:7f00:1]:PORT",
    "[::127.0.0.1]:PORT",
    "[64:ff9b::7f00:1]:PORT",
    "[2002:7f00:1::]:PORT",
    "[fe80::1%25lo]:PORT",
    "[::1%lo]:PORT",
    "169.254.169.254",
    "169.254.169.254:80",
    "2852039166",
    "0xa9fea9fe",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "acme.service-now.com:PORT",
    "acme.service-now.com:80",
    "acme.service-now.com:0443",
    "acme.service-now.com.:443",
    "acme.service-now.com@127.0.0.1:PORT",
    "127.0.0.1:PORT@acme.service-now.com",
    "user:password@acme.service-now.com",
    "acme.service-now.com%00.example.com",
    "acme%2eservice-now%2ecom",
    "%61cme.service-now.com",
    "acme.service-now.com\\@127.0.0.1:PORT",
    "acme.service-now.com#@127.0.0.1:PORT",
    "acme.service-now.com?@127.0.0.1:PORT",
    "acme。service-now。com",
    "ａｃｍｅ.service-now.com",
    "acme.service-now.com.example.com",
    "evilservice-now.com",
    "service-now.com",
    "xn--acme-service-now.com",
];

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
