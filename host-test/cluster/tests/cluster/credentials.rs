//! Who may call, tokens, tenants.

use std::time::Duration;

use camunda_test_cluster::{Auth, Call, Cluster, JobSpec, Options, Version};
use serde_json::{Value, json};

use crate::client::{Client, Reply};

fn bearer() -> Cluster {
    let auth = Auth::Bearer {
        client_id: "id".to_owned(),
        client_secret: "s ecret".to_owned(),
    };
    Cluster::start(Options::new(Version::V8_8).auth(auth)).unwrap()
}

fn fetch(cluster: &Cluster, form: &str) -> Reply {
    let mut client = Client::to(cluster).prefix("");
    client.send_as("POST", "/oauth/token", "application/x-www-form-urlencoded", form);
    client.read()
}

const GOOD: &str = "grant_type=client_credentials&client_id=id&client_secret=s+ecret&audience=zeebe.camunda.io";

fn topology(cluster: &Cluster, authorization: &str) -> u16 {
    let mut client = Client::to(cluster).authorization(authorization);
    client.call("GET", "/topology", &Value::Null).status
}

fn token(cluster: &Cluster) -> String {
    let reply = fetch(cluster, GOOD);
    format!("Bearer {}", reply.body["access_token"].as_str().unwrap())
}

#[test]
fn basic_authentication_is_checked() {
    let auth = Auth::Basic {
        username: "demo".to_owned(),
        password: "demo".to_owned(),
    };
    let cluster = Cluster::start(Options::new(Version::V8_8).auth(auth)).unwrap();
    assert_eq!(topology(&cluster, "Basic ZGVtbzpkZW1v"), 200);
    assert_eq!(topology(&cluster, "Basic ZGVtbzpkZW1w"), 401);
    let reply = Client::to(&cluster).call("GET", "/topology", &Value::Null);
    assert_eq!(reply.status, 401);
    assert!(reply.head.contains("application/problem+json"));
    let requests = cluster.requests();
    assert_eq!(requests[0].header("authorization"), Some("Basic ZGVtbzpkZW1v"));
}

#[test]
fn a_token_serves_until_it_expires_or_is_revoked() {
    let cluster = bearer();
    let first = token(&cluster);
    assert_eq!(topology(&cluster, &first), 200);
    assert_eq!(topology(&cluster, "Bearer other"), 401);
    cluster.advance(Duration::from_secs(301));
    assert_eq!(topology(&cluster, &first), 401);
    let second = token(&cluster);
    assert_ne!(first, second);
    assert_eq!(topology(&cluster, &second), 200);
    cluster.revoke_tokens();
    assert_eq!(topology(&cluster, &second), 401);
    assert_eq!(cluster.count(Call::Token), 2);
}

#[test]
fn the_token_endpoint_takes_form_json_and_basic() {
    let cluster = bearer();
    let reply = fetch(&cluster, GOOD);
    assert_eq!((reply.status, &reply.body["expires_in"]), (200, &json!(300)));
    let mut client = Client::to(&cluster).prefix("").authorization("Basic aWQ6cytlY3JldA==");
    client.send_as(
        "POST",
        "/oauth/token",
        "application/x-www-form-urlencoded",
        "grant_type=client_credentials",
    );
    assert_eq!(client.read().status, 200);
    let json = json!({ "grant_type": "client_credentials", "client_id": "id", "client_secret": "s ecret" });
    let mut client = Client::to(&cluster).prefix("");
    assert_eq!(client.call("POST", "/oauth/token", &json).status, 200);
}

#[test]
fn a_wrong_client_gets_no_token() {
    let cluster = bearer();
    let reply = fetch(&cluster, "grant_type=client_credentials&client_id=id&client_secret=no");
    assert_eq!((reply.status, &reply.body["error"]), (401, &json!("invalid_client")));
    let reply = fetch(&cluster, "grant_type=password");
    assert_eq!(reply.status, 400);
}

#[test]
fn a_tokens_stated_life_can_be_anything() {
    let cluster = bearer();
    cluster.set_token_life(Duration::from_secs(5));
    assert_eq!(fetch(&cluster, GOOD).body["expires_in"], 5);
    cluster.set_expires_in(json!(0));
    assert_eq!(fetch(&cluster, GOOD).body["expires_in"], 0);
    cluster.set_expires_in(Value::Null);
    assert_eq!(fetch(&cluster, GOOD).body.get("expires_in"), None);
}

#[test]
fn a_tenant_that_is_not_assigned_is_401() {
    let cluster = Cluster::start(Options::new(Version::V8_9).tenants(&["a", "b"])).unwrap();
    let job = cluster.create_job(JobSpec::new("t").tenant("b"));
    let mut client = Client::to(&cluster);
    let reply = client.activate(json!({ "tenantIds": ["a", "c"] }));
    assert_eq!(reply.status, 401);
    assert!(reply.body["detail"].as_str().unwrap().contains("\"c\""));
    // No tenant named is the default one.
    assert_eq!(client.activate(json!({})).status, 401);
    assert_eq!(client.activate(json!({ "tenantIds": ["a"] })).jobs(), 0);
    assert_eq!(client.activate(json!({ "tenantFilter": "ASSIGNED" })).jobs(), 1);
    cluster.assign_tenants(&["a"]);
    assert_eq!(client.complete(job, json!({})), 404);
}
