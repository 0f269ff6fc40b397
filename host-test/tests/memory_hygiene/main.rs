//! What is left of a secret in memory that was given back: nothing by our own types, and by the libraries no more than
//! docs/security.md says.
//!
//! The allocator of this program looks into each block that the test's thread gives back. One that holds the secret is noted with its
//! stack; whose it was is told by the nearest frame that is neither the standard library's nor the allocator's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod watch;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_starter_host::contract::AccessToken;
use flow_starter_host::egress::Destinations;
use flow_starter_host::input::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, Mask, Method,
};
use flow_starter_host::secrets::{DirectorySecrets, FileSecrets};
use flow_starter_host::{FlowConfig, FlowStarter, Secrets};
use host_test::rig::{Rig, connector};
use serde_json::json;
use servicenow_stand_in::{Answer, Behaviour, DEMO_FLOW, Flow, Instance, OAuthClient, StandIn, User};
use watch::Watching;

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// Letters and digits, so that it is itself in JSON and URLs.
const SECRET: &str = "Xq7ZsecretW0rdKp93vBzT5m";

/// The forms that are looked for: as it is, and what of it stands in base64 wherever it begins.
fn needles() -> Vec<Vec<u8>> {
    let within = (0..3).map(|offset| {
        let encoded = STANDARD.encode([&vec![0; offset], SECRET.as_bytes()].concat());
        encoded.as_bytes()[(offset * 8usize).div_ceil(6)..(offset + SECRET.len()) * 8 / 6].to_vec()
    });
    within.chain([SECRET.as_bytes().to_vec()]).collect()
}

/// A text of its exact size, as a caller who takes care would hold it.
fn secret() -> String {
    SECRET.to_owned()
}

fn folder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("flow-starter-memory-hygiene-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("SECRET"), SECRET).unwrap();
    std::fs::write(folder.join("file"), format!("OTHER=x\nIN_FILE={SECRET}\n")).unwrap();
    folder
}

/// The watch itself: a block that is given back with the secret in it is noticed, and one that was wiped is not.
#[test]
fn the_watch_sees_what_it_is_to_see() {
    watch::look_for(needles());
    let ((), found) = watch::during(|| drop(secret()));
    assert_eq!(found.len(), 1);
    let ((), found) = watch::during(|| drop(STANDARD.encode(format!("user:{SECRET}"))));
    assert!(!found.is_empty());
    let ((), found) = watch::during(|| {
        let mut grown = secret();
        grown.reserve(1 << 20);
        std::mem::forget(grown);
    });
    assert_eq!(found.len(), 1, "a text that moves leaves itself behind");
    let ((), found) = watch::during(|| drop(flow_starter_host::secrets::Secret::new(SECRET)));
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn our_types_leave_nothing_behind() {
    watch::look_for(needles());
    let folder = folder();
    let secrets = Secrets::none()
        .with(FileSecrets::new(folder.join("file")))
        .with(DirectorySecrets::new(&folder));
    let input = json!({
        "snInstance": "acme",
        "restApiTriggerPath": "/api/{{secrets.SECRET}}/x",
        "authentication": { "type": "basic", "username": "u", "password": "{{secrets.IN_FILE}}" },
        "body": "{\"x\":\"secrets.SECRET\"}",
        "headers": { "authorization": "Bearer secrets.SECRET" },
    })
    .to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ((), found) = watch::during(|| {
        let expanded = runtime.block_on(secrets.expand(&input)).unwrap();
        assert_eq!(expanded.json().matches(SECRET).count(), 4);
        let named = Destinations::of_json(expanded.json());
        assert_eq!(named.flow().unwrap().to_string(), "https://acme.service-now.com");
        let mut mask = Mask::of_json(expanded.json());
        mask.add_all(expanded.mask());
        let masked = mask.text(format!(
            "it said <{SECRET}>, {SECRET:?}, and {}",
            STANDARD.encode(format!("u:{SECRET}"))
        ));
        assert!(!masked.contains(SECRET), "{masked}");
    });
    // The test has made texts with it itself.
    let others: Vec<_> = found
        .iter()
        .filter(|stack| !["the test", "base64"].contains(&watch::owner(stack)))
        .collect();
    assert!(others.is_empty(), "{}:\n{}", watch::owner(others[0]), others[0]);

    let ((), found) = watch::during(|| {
        for authentication in [
            Authentication::Basic(Credentials {
                username: secret().into(),
                password: secret().into(),
            }),
            Authentication::Bearer(secret().into()),
            Authentication::ApiKey(ApiKey {
                location: ApiKeyLocation::Header,
                name: "key".to_owned(),
                value: secret().into(),
            }),
            Authentication::OauthClientCredentials(ClientCredentials {
                token_url: None,
                client_id: secret().into(),
                client_secret: secret().into(),
                audience: None,
                scopes: Vec::new(),
                client_authentication: ClientAuthentication::RequestBody,
            }),
        ] {
            let mut config = FlowConfig::new(Method::Post, "acme", secret());
            config.headers = vec![("authorization".to_owned(), secret().into())];
            config.query = vec![("key".to_owned(), secret().into())];
            config.body = Some(secret().into());
            config.authentication = authentication;
            drop(config.clone());
        }
        drop(AccessToken {
            token: secret(),
            expires_in_s: None,
        });
    });
    assert_eq!(found, [] as [String; 0]);
}

const OURS: &str = "flow-starter-host";

/// Whole calls, over TLS and HTTP/1.1: what is left is the libraries', and which ones is written down.
#[test]
fn of_a_whole_call_only_libraries_leave_something_behind() {
    watch::look_for(needles());
    let folder = folder();
    let mut instance = Instance::demo()
        .user(User::new("robot", SECRET))
        .oauth_client(OAuthClient::new("robot", SECRET, "camunda"))
        .flow(Flow::new(format!("/api/x_acme/{SECRET}/flow")).public());
    let roles = instance.users[0].roles.clone();
    instance.users.last_mut().unwrap().roles = roles;
    let stand_in = StandIn::start(instance).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let connector = runtime.block_on(connector()).unwrap().clone();
    let basic = json!({ "type": "basic", "username": "robot", "password": "{{secrets.SECRET}}" });
    let oauth =
        json!({ "type": "oauth-client-credentials-flow", "clientId": "robot", "clientSecret": "{{secrets.SECRET}}" });
    let input = |authentication: &serde_json::Value| {
        let mut input: serde_json::Value = serde_json::from_str(host_test::conformance::BASE).unwrap();
        input["authentication"] = authentication.clone();
        input["body"]["copy"] = json!("{{secrets.SECRET}}");
        input.to_string()
    };
    let in_path = json!({
        "snInstance": "acme", "restApiTriggerPath": "/api/x_acme/{{secrets.SECRET}}/flow", "method": "POST",
    });
    let (basic, oauth, in_path) = (input(&basic), input(&oauth), in_path.to_string());
    let echo = Behaviour::Answer(
        Answer::new(400)
            .header("X-Echo", SECRET)
            .body(json!({ "error": { "message": format!("not {SECRET}"), "detail": null } }).to_string()),
    );
    let in_its_path = format!("/api/x_acme/{SECRET}/flow");
    let calls = |path: &str, inputs: &[&str]| {
        let secrets = Secrets::none().with(DirectorySecrets::new(&folder));
        let (connector, egress) = (connector.clone(), Rig::reaching(&stand_in).unwrap().build().unwrap());
        let ((), found) = watch::during(|| {
            // With all that lives as long as they do.
            let starter = FlowStarter::new(connector, egress).secrets(secrets);
            runtime.block_on(async {
                for input in inputs {
                    for _ in 0..2 {
                        let outcome = starter.execute(input).await;
                        assert!(outcome.result.is_ok(), "{outcome:?}");
                    }
                    stand_in.behave_once(path, echo.clone());
                    assert!(starter.execute(input).await.result.is_err());
                    assert!(starter.dry_run(input).await.refusal.is_none());
                }
            });
        });
        found
    };
    let mut found = calls(DEMO_FLOW, &[&basic, &oauth]);
    let pieces = found.iter().find(|stack| watch::owner(stack) == "bytes");
    assert_eq!(pieces, None, "the pieces of a small body are wiped");
    found.extend(calls(&in_its_path, &[&in_path]));
    let owners: BTreeSet<&str> = found.iter().map(|stack| watch::owner(stack)).collect();
    let ours: Vec<_> = found.iter().filter(|stack| watch::owner(stack) == OURS).collect();
    assert!(
        ours.is_empty(),
        "{} blocks, the first of them:\n{}",
        ours.len(),
        ours[0]
    );
    let security = include_str!("../../../docs/security.md");
    let table = security
        .split("<!-- memory-hygiene -->")
        .nth(1)
        .expect("the table of what libraries keep");
    for owner in &owners {
        assert!(
            table.contains(&format!("| `{owner}` |")),
            "{owner} is not in docs/security.md:\n{}",
            found.iter().find(|stack| watch::owner(stack) == *owner).unwrap()
        );
    }
    assert!(
        !owners.is_empty(),
        "the libraries have become clean: say so in docs/security.md"
    );
    println!("{} blocks of {owners:?}", found.len());
}
