//! The program: its address first, then a line for each change.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::client::Client;

struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_camunda-test-cluster"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next().unwrap().unwrap();
        Self { child, lines, url }
    }

    fn client(&self) -> Client {
        Client::at(self.url.strip_prefix("http://").unwrap().parse().unwrap())
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _waited = self.child.wait();
    }
}

#[test]
fn it_serves_the_jobs_of_files_and_says_what_happens() {
    let file = std::env::temp_dir().join(format!("test-cluster-job-{}.json", std::process::id()));
    fs::write(&file, r#"{"type": "t", "inputs": {"a": 1}, "retries": 2}"#).unwrap();
    let mut program = Program::start(&["--version", "8.9", "--job", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert!(program.line().ends_with("created, type t"));
    let mut client = program.client();
    let topology = client.call("GET", "/topology", &Value::Null).body;
    assert!(topology["gatewayVersion"].as_str().unwrap().starts_with("8.9."));
    let job = client.take();
    assert_eq!(program.line(), format!("job {job}: activated by w"));
    assert_eq!(client.complete(job, json!({ "r": 1 })), 204);
    assert_eq!(program.line(), format!("job {job}: completed with {{\"r\":1}}"));
}

#[test]
fn it_asks_for_credentials() {
    let program = Program::start(&["--user", "demo:demo"]);
    assert_eq!(program.client().call("GET", "/topology", &Value::Null).status, 401);
    let mut client = program.client().authorization("Basic ZGVtbzpkZW1v");
    assert_eq!(client.call("GET", "/topology", &Value::Null).status, 200);
    let mut control = program.client().prefix("/control");
    assert_eq!(control.call("GET", "/jobs", &Value::Null).status, 200);
}

#[test]
#[cfg(unix)]
fn sigterm_ends_it_well() {
    let mut program = Program::start(&[]);
    let id = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_it_cannot_use_is_said() {
    for arguments in [["--version", "8.7"], ["--job", "/nowhere.json"], ["--user", "demo"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_camunda-test-cluster"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}
