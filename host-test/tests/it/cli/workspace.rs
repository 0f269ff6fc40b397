//! A place to run `flow-starter` in: a folder of its own, a stand-in, nothing of the caller's environment; and the scan of what comes out.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use servicenow_stand_in::{Instance, StandIn};

/// Beside the stand-in's own: secrets of which every form differs.
pub const ODD_SECRET: &str = "odd/secret +ü\"";
/// A password that is wrong everywhere.
pub const WRONG_SECRET: &str = "wrong-password/1";

/// With the credentials of the stand-in's demo.
const CREDENTIALS: [&str; 7] = [
    "demo-password",
    "guest-password",
    "demo-api-key",
    "demo-secret",
    "demo-token",
    ODD_SECRET,
    WRONG_SECRET,
];

pub struct Workspace {
    pub folder: PathBuf,
    pub stand_in: StandIn,
}

impl Workspace {
    pub fn new() -> Self {
        Self::of(Instance::demo())
    }

    /// With another instance than the demo's.
    pub fn of(instance: Instance) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "flow-starter-cli-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let stand_in = StandIn::start(instance).unwrap();
        std::fs::write(folder.join("stand-in.pem"), stand_in.ca_pem()).unwrap();
        Self { folder, stand_in }
    }

    /// Writes a file into the folder, which is where the program runs.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The blueprint's flow, with members in place of its own.
    pub fn flow(&self, members: Value) -> PathBuf {
        self.file("flow.json", flow(members).to_string())
    }

    /// `flow-starter` with these arguments, which finds the stand-in and logs everything.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(&program());
        command.args(arguments);
        Run { command, stdin: None }
    }

    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let mapping = format!("{}:443:{}", self.stand_in.host(), self.stand_in.https_addr());
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", path_with_program())
            .env("HOME", &self.folder)
            .env("FLOW_STARTER_TLS_CA_FILE", self.folder.join("stand-in.pem"))
            .env("FLOW_STARTER_NETWORK_CONNECT_TO", mapping)
            .env("FLOW_STARTER_LOG_LEVEL", "trace")
            .env("FLOW_STARTER_LOG_FORMAT", "json");
        command
    }

    /// Nothing reached the stand-in, not even a connection.
    pub fn was_left_alone(&self) -> bool {
        self.stand_in.connections() == 0
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _it_is_in_the_temporary_directory = std::fs::remove_dir_all(&self.folder);
    }
}

/// The blueprint's flow, with members in place of its own; a null takes one away.
pub fn flow(members: Value) -> Value {
    let mut flow = json!({
        "snInstance": "acme",
        "restApiTriggerPath": super::FLOW,
        "method": "POST",
        "headers": {"hello": "header"},
        "queryParameters": {"hello": "query"},
        "body": {"correlationValue": "cam-id-1"},
        "authentication": {"type": "basic", "username": "camunda", "password": "demo-password"},
    });
    for (name, value) in members.as_object().unwrap() {
        flow[name] = value.clone();
    }
    flow.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    flow
}

/// `make test` builds it beside the tests' own directory; cargo names it to the tests of its own package alone.
pub fn program() -> PathBuf {
    let beside = std::env::current_exe().unwrap();
    let program = beside.parent().unwrap().parent().unwrap().join("flow-starter");
    assert!(program.exists(), "it was not built: run `make test`");
    program
}

fn path_with_program() -> std::ffi::OsString {
    let own = program().parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&others))).unwrap()
}

pub struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl Run {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Writes its standard output to this file.
    pub fn to(mut self, file: std::fs::File) -> Ended {
        self.command.stdout(file);
        self.ended(false)
    }

    pub fn end(self) -> Ended {
        self.ended(true)
    }

    fn ended(mut self, captured: bool) -> Ended {
        let stdin = self.stdin.take();
        self.command
            .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stderr(Stdio::piped());
        if captured {
            self.command.stdout(Stdio::piped());
        }
        let mut child = self.command.spawn().unwrap();
        if let Some(text) = stdin {
            child.stdin.take().unwrap().write_all(&text).unwrap();
        }
        Ended::of(&child.wait_with_output().unwrap())
    }
}

/// How a run ended, after the scan.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    /// Without the log.
    pub err: String,
    pub logs: Vec<Value>,
}

impl Ended {
    pub fn of(output: &std::process::Output) -> Self {
        let out = String::from_utf8(output.stdout.clone()).unwrap();
        let all = String::from_utf8(output.stderr.clone()).unwrap();
        for credential in CREDENTIALS {
            for form in forms(credential) {
                let found = [&out, &all].iter().any(|text| text.contains(&form));
                assert!(!found, "{form} came out:\n{out}{all}");
            }
        }
        let (logs, err): (Vec<_>, Vec<_>) = all.lines().partition(|line| line.starts_with("{\"timestamp\""));
        Self {
            code: output.status.code().expect("it ended by itself"),
            out,
            err: err.into_iter().map(|line| format!("{line}\n")).collect(),
            logs: logs
                .into_iter()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// As it is, URL-encoded, JSON-escaped, in base64 alone and behind the users and clients that have it.
fn forms(credential: &str) -> Vec<String> {
    let alone = [
        credential.to_owned(),
        percent_encoding::utf8_percent_encode(credential, percent_encoding::NON_ALPHANUMERIC).to_string(),
        form_urlencoded::byte_serialize(credential.as_bytes()).collect(),
        json!(credential).to_string().trim_matches('"').to_owned(),
    ];
    let within = ["", "camunda:", "guest:", "demo-client:"]
        .into_iter()
        .flat_map(|user| {
            let pair = format!("{user}{credential}");
            [STANDARD.encode(&pair), URL_SAFE.encode(&pair)]
        })
        .map(|encoded| encoded.trim_end_matches('=').to_owned());
    alone.into_iter().chain(within).collect()
}
