//! How the worker signs in at the cluster, and what it does where it is not let in.

use camunda_test_cluster::{Auth, Call, Fault, Options, Times, Transport, Version};
use serde_json::json;

use super::harness::{Rig, Worker, job};

const SECRET: &str = "cluster-secret-1";

fn bearer() -> Options {
    Options::new(Version::V8_8).auth(Auth::Bearer {
        client_id: "worker".to_owned(),
        client_secret: SECRET.to_owned(),
    })
}

fn with_oauth(rig: &Rig, secret: &str) -> Worker {
    rig.worker()
        .env("CAMUNDA_AUTH_STRATEGY", "OAUTH")
        .env("CAMUNDA_CLIENT_ID", "worker")
        .env("CAMUNDA_CLIENT_SECRET", secret)
        .env("CAMUNDA_OAUTH_URL", rig.cluster.token_url())
}

#[test]
fn a_password_signs_the_worker_in() {
    let auth = Auth::Basic {
        username: "demo".to_owned(),
        password: SECRET.to_owned(),
    };
    let rig = Rig::with(Options::new(Version::V8_8).auth(auth));
    let key = rig.create(job());
    let worker = rig
        .worker()
        .env("CAMUNDA_AUTH_STRATEGY", "BASIC")
        .env("CAMUNDA_BASIC_AUTH_USERNAME", "demo");
    let (code, stderr) = worker.env("CAMUNDA_BASIC_AUTH_PASSWORD", SECRET).arg("--once").end();
    assert_eq!(code, Some(0), "{stderr}");
    rig.completed(key);
    assert!(!stderr.contains(SECRET), "{stderr}");
}

#[test]
fn one_token_signs_all_calls_in() {
    let rig = Rig::with(bearer());
    let jobs: Vec<_> = (0..20).map(|_| rig.create(job())).collect();
    let (code, stderr) = with_oauth(&rig, SECRET).arg("--once").end();
    assert_eq!(code, Some(0), "{stderr}");
    for key in jobs {
        rig.completed(key);
    }
    assert_eq!(rig.cluster.count(Call::Token), 1);
    let body = String::from_utf8(rig.cluster.requests_of(Call::Token)[0].body.clone()).unwrap();
    assert!(body.contains("audience=zeebe.camunda.io"), "{body}");
    for secret in [SECRET, "test-cluster-token"] {
        assert!(!stderr.contains(secret), "{stderr}");
    }
}

#[test]
fn a_wrong_secret_is_tried_rarely() {
    let rig = Rig::with(bearer());
    let program = with_oauth(&rig, "wrong-secret-1").start();
    let warning = program.says("cannot take jobs");
    assert!(warning["message"].as_str().unwrap().contains("401"), "{warning}");
    // One fetch, however many calls want a token: the next is 10 s away.
    program.log(|line| line["level"] == "WARN" && line.to_string().contains("no new access token"));
    assert_eq!(program.get("/ready").0, 503);
    assert_eq!(program.get("/health").0, 200);
    assert_eq!(
        (rig.cluster.count(Call::Token), rig.cluster.count(Call::Activation)),
        (1, 0)
    );
    assert!(!program.stderr().contains("wrong-secret-1"), "{}", program.stderr());
}

#[test]
fn a_tenant_that_is_not_assigned_is_one_renewal_and_one_line() {
    let rig = Rig::with(bearer().tenants(&["a"]));
    let program = with_oauth(&rig, SECRET).args(&["--tenant-id", "b"]).start();
    rig.asked(Call::Activation, 4);
    let told = program.says("cannot take jobs");
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("not assigned to the tenants"),
        "{told}"
    );
    assert_eq!(rig.cluster.count(Call::Token), 2);
    assert_eq!(program.count("cannot take jobs"), 1, "{}", program.stderr());
    assert_eq!(program.get("/ready").0, 503);
    rig.cluster.assign_tenants(&["b"]);
    let key = rig.create(job().tenant("b"));
    rig.completed(key);
    assert_eq!(
        rig.cluster.requests_of(Call::Activation)[0].json["tenantIds"],
        json!(["b"])
    );
}

#[test]
fn a_token_that_ends_during_a_call_loses_nothing() {
    let rig = Rig::with(bearer());
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Completion, Times::Once, Fault::hold());
    let _program = with_oauth(&rig, SECRET).start();
    rig.asked(Call::Completion, 1);
    rig.cluster.revoke_tokens();
    held.release();
    rig.completed(key);
    assert_eq!((rig.starts(), rig.cluster.count(Call::Token)), (1, 2));
}

#[test]
fn a_cluster_with_its_own_authority_is_trusted_by_its_file_alone() {
    let rig = Rig::with(Options::new(Version::V8_8).transport(Transport::Https));
    let key = rig.create(job());
    let stranger = rig.start();
    assert!(
        stranger.says("cannot take jobs")["message"]
            .as_str()
            .unwrap()
            .contains("certificate"),
        "{}",
        stranger.stderr()
    );
    drop(stranger);
    let file = rig.place.file("cluster.pem", &rig.cluster.certificates().ca);
    let (code, stderr) = rig.worker().env("CAMUNDA_MTLS_CA_PATH", file).arg("--once").end();
    assert_eq!(code, Some(0), "{stderr}");
    rig.completed(key);
}

#[test]
fn the_clusters_authority_is_not_trusted_for_servicenow() {
    let rig = Rig::with(Options::new(Version::V8_8).transport(Transport::Https));
    let key = rig.create(job());
    let file = rig.place.file("cluster.pem", &rig.cluster.certificates().ca);
    // Only the cluster's file is named: the stand-in's own authority is unknown.
    let worker = rig
        .worker()
        .env("CAMUNDA_MTLS_CA_PATH", file)
        .without("FLOW_STARTER_TLS_CA_FILE");
    assert_eq!(worker.arg("--once").end().0, Some(0));
    let failure = rig.failure(key, 1);
    assert_eq!(failure.variables["flowStarterOutcome"]["state"], "not-started");
    assert!(failure.message.contains("certificate"), "{}", failure.message);
    assert_eq!(rig.starts(), 0);
}

#[test]
fn a_cluster_that_asks_for_a_certificate_gets_it() {
    let rig = Rig::with(Options::new(Version::V8_8).transport(Transport::MutualTls));
    let key = rig.create(job());
    let certificates = rig.cluster.certificates();
    let ca = rig.place.file("cluster.pem", &certificates.ca);
    let certificate = rig.place.file("worker.pem", &certificates.client_certificate);
    let private_key = rig.place.file("worker-key.pem", &certificates.client_key);
    let worker = rig
        .worker()
        .env("CAMUNDA_MTLS_CA_PATH", ca)
        .env("CAMUNDA_MTLS_CERT_PATH", certificate);
    let (code, stderr) = worker.env("CAMUNDA_MTLS_KEY_PATH", private_key).arg("--once").end();
    assert_eq!(code, Some(0), "{stderr}");
    rig.completed(key);
}

#[test]
fn a_token_of_no_stated_life_makes_no_hot_loop() {
    for expires_in in [json!(null), json!(0), json!(5), json!(-1)] {
        let rig = Rig::with(bearer());
        rig.cluster.set_expires_in(expires_in.clone());
        let jobs: Vec<_> = (0..10).map(|_| rig.create(job())).collect();
        let (code, stderr) = with_oauth(&rig, SECRET).arg("--once").end();
        assert_eq!(code, Some(0), "{stderr}");
        for key in jobs {
            rig.completed(key);
        }
        assert!(
            rig.cluster.count(Call::Token) <= 2,
            "{expires_in}: {}",
            rig.cluster.count(Call::Token)
        );
    }
}
