//! The program, started as deploy/ starts it.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use camunda_test_cluster::{Auth, JobSpec, Options, Version};
use serde_json::json;

use super::super::harness::{PASSWORD, Rig, Worker, job_with};
use super::{MANIFEST, UNIT, of_the_manifest, of_the_unit};

/// As the kubelet lays out a volume: each file is a link through `..data`, which is replaced in one step.
fn volume(folder: &Path, generation: &str, files: &[(&str, &str)]) {
    let data = folder.join(format!("..{generation}"));
    std::fs::create_dir_all(&data).unwrap();
    for (name, value) in files {
        std::fs::write(data.join(name), value).unwrap();
        std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o440)).unwrap();
        if !folder.join(name).exists() {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
    }
    let new = folder.join("..data_tmp");
    symlink(format!("..{generation}"), &new).unwrap();
    std::fs::rename(new, folder.join("..data")).unwrap();
}

pub(super) const CLIENT_SECRET: &str = "client-secret-of-the-cluster";

pub(super) fn with_a_client() -> Rig {
    Rig::with(Options::new(Version::V8_8).auth(Auth::Bearer {
        client_id: "flow-starter".to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
    }))
}

/// A worker with this environment, whose addresses are those of the test.
pub(super) fn worker(rig: &Rig, environment: BTreeMap<String, String>) -> Worker {
    let mut worker = rig
        .worker()
        .without("FLOW_STARTER_LOG_LEVEL")
        .without("CAMUNDA_REST_ADDRESS");
    for (name, value) in environment {
        worker = worker.env(&name, value);
    }
    worker
        .env("FLOW_STARTER_POLICY_ALLOW", rig.stand_in().hosts().join(","))
        .env("FLOW_STARTER_ENGINE_URL", rig.cluster.url())
        .env("FLOW_STARTER_ENGINE_OAUTH_URL", rig.cluster.token_url())
        .env("FLOW_STARTER_ENGINE_AUTH_STRATEGY", "OAUTH")
        .env("FLOW_STARTER_ENGINE_CLIENT_ID", "flow-starter")
}

fn config() -> String {
    format!("[engine]\nclient-secret = \"{CLIENT_SECRET}\"\n")
}

fn secret_job(name: &str) -> JobSpec {
    let password = format!("{{{{secrets.{name}}}}}");
    job_with(json!({"authentication": {"type": "basic", "username": "camunda", "password": password}}))
}

#[test]
fn the_manifests_worker_completes_a_job_and_follows_a_rotated_secret() {
    let rig = with_a_client();
    let (engine, secrets) = (rig.place.folder.join("engine"), rig.place.folder.join("secrets"));
    volume(&engine, "1", &[("config.toml", &config())]);
    volume(&secrets, "1", &[("SN_PASSWORD", "not-the-password-yet")]);
    let mut environment = of_the_manifest();
    for (name, folder) in [
        ("FLOW_STARTER_CONFIG", engine.join("config.toml")),
        ("FLOW_STARTER_SECRETS_DIRECTORY", secrets.clone()),
    ] {
        let there = environment.get_mut(name).unwrap();
        assert!(
            MANIFEST.contains(&format!("mountPath: {}", there.trim_end_matches("/config.toml"))),
            "{there}"
        );
        *there = folder.to_str().unwrap().to_owned();
    }
    let program = worker(&rig, environment).start();
    let key = rig.create(secret_job("SN_PASSWORD"));
    assert_eq!(rig.incident(key).error()["type"], "unauthorized");
    volume(&secrets, "2", &[("SN_PASSWORD", PASSWORD)]);
    rig.resolve(key);
    rig.completed(key);
    assert!(
        program.logs().iter().all(|line| line["level"] != "WARN"),
        "{}",
        program.stderr()
    );
    assert!(!program.stderr().contains(CLIENT_SECRET));
}

#[test]
fn the_units_credentials_sign_in_and_no_process_can_read_the_clusters() {
    let rig = with_a_client();
    let folder = rig.place.folder.join("credentials");
    std::fs::create_dir_all(&folder).unwrap();
    for line in UNIT.lines().filter_map(|line| line.strip_prefix("LoadCredential=")) {
        let (name, from) = line.split_once(':').unwrap();
        let value = if from.ends_with(".toml") {
            config()
        } else {
            PASSWORD.to_owned()
        };
        std::fs::write(folder.join(name), value).unwrap();
    }
    let program = worker(&rig, of_the_unit(&folder)).start();
    let key = rig.create(secret_job("SN_PASSWORD"));
    rig.completed(key);
    for name in [".engine.toml", "engine.toml", "../credentials/.engine.toml"] {
        let key = rig.create(secret_job(name));
        assert_eq!(rig.incident(key).error()["type"], "invalid-input", "{name}");
    }
    assert!(!program.stderr().contains(CLIENT_SECRET));
    for request in rig.stand_in().requests() {
        assert!(!format!("{request:?}").contains(CLIENT_SECRET));
    }
}
