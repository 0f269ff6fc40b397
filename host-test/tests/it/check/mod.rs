//! `flow-starter check` as a newcomer runs it: the program itself, against a stand-in.

mod answers;
mod probe_report;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use servicenow_stand_in::{ApiKey, BearerToken, DEMO_FLOW, Flow, Instance, OAuthClient, StandIn, User};

/// Each is written otherwise in base64, in a form and in JSON.
const PASSWORD: &str = "pass \"wörd\"/+%";
const CLIENT_SECRET: &str = "client \"secrét\"/+%";
const TOKEN: &str = "bearer-token-of-nobody/+=";
const KEY: &str = "an-api-key/+=&";

/// An instance whose credentials are hard to mask, served under its own name and as `login.example`.
fn instance() -> Instance {
    Instance {
        hosts: vec!["acme".to_owned(), "login.example".to_owned()],
        ..Instance::default()
    }
    .user(User::new("camunda", PASSWORD).role("x_flow_starter"))
    .user(User::new("guest", PASSWORD))
    .api_key(ApiKey {
        value: KEY.to_owned(),
        user: "camunda".to_owned(),
        header: Some("x-sn-apikey".to_owned()),
        query: Some("x-sn-apikey".to_owned()),
    })
    .oauth_client(OAuthClient::new("client", CLIENT_SECRET, "camunda"))
    .bearer_token(BearerToken {
        value: TOKEN.to_owned(),
        user: "camunda".to_owned(),
    })
    .flow(Flow::new(DEMO_FLOW))
}

fn stand_in() -> StandIn {
    StandIn::start(instance()).unwrap()
}

fn basic(user: &str, password: &str) -> Value {
    json!({ "type": "basic", "username": user, "password": password })
}

fn oauth(secret: &str, endpoint: Option<&str>) -> Value {
    json!({ "type": "oauth-client-credentials-flow", "clientId": "client", "clientSecret": secret, "oauthTokenEndpoint": endpoint })
}

/// The input of a flow that must not be started.
fn input(authentication: &Value) -> Value {
    json!({
        "snInstance": "acme", "restApiTriggerPath": DEMO_FLOW, "method": "POST", "headers": { "x-secret": "s3cret-header" },
        "body": { "secret": "s3cret-body" }, "connectionTimeoutInSeconds": 2, "readTimeoutInSeconds": 1, "authentication": authentication,
    })
}

/// What a run of the program came to.
struct Ran {
    code: i32,
    out: String,
}

impl Ran {
    /// The mark and the words of a step at a target.
    fn step(&self, target: &str, step: &str) -> (char, &str) {
        let mut here = false;
        for line in self.out.lines() {
            if !line.starts_with(['✓', '✗', '–', ' ']) {
                here = line == target;
            }
            let mut chars = line.chars();
            let mark = chars.next().unwrap_or(' ');
            if here && let Some(words) = chars.as_str().trim_start().strip_prefix(step) {
                return (mark, words.trim_start());
            }
        }
        panic!("no {step} of {target} in:\n{}", self.out);
    }

    fn mark(&self, step: &str) -> char {
        self.step(ACME, step).0
    }

    /// The last steps at the instance, in order.
    fn marks(&self) -> [char; 3] {
        ["instance", "credentials", "clock"].map(|step| self.mark(step))
    }
}

const ACME: &str = "https://acme.service-now.com";

/// A file of the test's own, gone after it.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "check-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&file, content).unwrap();
        Self(file)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs the check on this input, with the stand-in's hosts at the stand-in.
fn check(stand_in: &StandIn, input: &Value) -> Ran {
    check_text(stand_in, &input.to_string())
}

fn check_text(stand_in: &StandIn, input: &str) -> Ran {
    let mut arguments = Vec::new();
    for host in stand_in.hosts() {
        arguments.push("--connect-to".to_owned());
        arguments.push(format!("{host}:443:{}", stand_in.https_addr()));
        arguments.push("--allow".to_owned());
        arguments.push(host);
    }
    let ca = File::new(stand_in.ca_pem());
    arguments.push("--ca-file".to_owned());
    arguments.push(ca.0.to_str().unwrap().to_owned());
    let ran = run(input, &arguments);
    assert!(stand_in.starts().is_empty(), "a check starts no flow");
    ran
}

/// Runs `flow-starter check`, and looks for whatever is secret in its output.
fn run(input: &str, arguments: &[String]) -> Ran {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("flow-starter");
    assert!(program.exists(), "no program: `cargo build --workspace` makes it");
    let file = File::new(input);
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.to_ascii_lowercase().ends_with("_proxy")) {
        command.env_remove(name);
    }
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    let ran = command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("SECRET_SN_PASSWORD", PASSWORD)
        .arg("check")
        .arg(&file.0)
        .args(arguments)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8(ran.stderr).unwrap(),
    );
    assert_kept(&format!("{out}\n{err}"));
    assert!(!out.contains('\u{1b}'), "colours are for terminals");
    Ran {
        code: ran.status.code().expect(&err),
        // Long lines are wrapped.
        out: out.replace("\n               ", " "),
    }
}

/// Nothing secret is told, plain or in any spelling in which it was sent.
fn assert_kept(output: &str) {
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for secret in [PASSWORD, CLIENT_SECRET, TOKEN, KEY, "s3cret-header", "s3cret-body"] {
        for spelling in [
            secret.to_owned(),
            base64(secret),
            base64(&format!("camunda:{secret}")),
            base64(&format!("client:{secret}")),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC)
                .to_string()
                .replace("%20", "+"),
            json!(secret).to_string(),
        ] {
            assert!(!output.contains(&spelling), "{spelling} is told:\n{output}");
        }
    }
}

#[test]
fn json_has_a_row_for_each_step() {
    let stand_in = stand_in();
    let ca = File::new(stand_in.ca_pem());
    let arguments = [
        "--output=json",
        "--connect-to",
        &format!("acme.service-now.com:443:{}", stand_in.https_addr()),
        "--ca-file",
        ca.0.to_str().unwrap(),
    ];
    let wrong = input(&basic("camunda", "wrong"));
    let ran = run(&wrong.to_string(), &arguments.map(str::to_owned));
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let steps: Vec<_> = rows.iter().map(|row| row["step"].as_str().unwrap()).collect();
    let all = [
        "policy",
        "DNS",
        "address",
        "proxy",
        "TCP",
        "TLS",
        "instance",
        "credentials",
        "clock",
        "flow",
    ];
    assert_eq!(steps, all);
    for row in &rows {
        let keys: Vec<_> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["detail", "fix", "ok", "step", "target"]);
        assert_eq!(row["target"], ACME);
        assert_eq!(row["fix"].is_string(), row["ok"] == json!(false), "{row}");
    }
    assert_eq!((&rows[1]["ok"], &rows[7]["ok"]), (&Value::Null, &json!(false)));
    assert_eq!(ran.code, 3);
}
