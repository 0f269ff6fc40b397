//! The program: what it tells, how it ends, and what it says when it cannot start.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Instant;

use crate::client::{Client, PATIENCE};

const PROGRAM: &str = env!("CARGO_BIN_EXE_servicenow-stand-in");

struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    greeting: String,
}

impl Running {
    /// Reads its greeting, up to and with the `curl` line.
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("\n  curl ") || !greeting.ends_with("\n\n") {
            assert_ne!(output.read_line(&mut greeting).unwrap(), 0, "{greeting}");
        }
        Self {
            child,
            output,
            greeting,
        }
    }

    /// The value of a line such as `https      127.0.0.1:443`.
    fn line(&self, title: &str) -> &str {
        let line = self
            .greeting
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{title:<10} ")));
        line.unwrap_or_else(|| panic!("no {title} in {}", self.greeting))
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    fn end_by(mut self, signal: &str) -> Option<i32> {
        let killed = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "{signal} does not end it");
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// A file of this test process alone.
fn scratch(name: &str, text: Option<&str>) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    match text {
        Some(text) => std::fs::write(&path, text).unwrap(),
        None => {
            let _none_there = std::fs::remove_file(&path);
        }
    }
    path
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

#[test]
fn it_tells_its_addresses_its_authority_its_users_and_its_requests() {
    let mut running = Running::start(&[]);
    assert!(
        running
            .greeting
            .starts_with("A stand-in ServiceNow is running: acme.service-now.com.")
    );
    assert_eq!(running.line("user"), "camunda / demo-password  (role x_flow_starter)");
    assert!(running.line("OAuth").starts_with("demo-client / demo-secret"));
    let pem = std::fs::read_to_string(running.line("CA file")).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    let control = running
        .line("control")
        .strip_prefix("http://")
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let overview = Client::to(control.parse().unwrap())
        .send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .answer();
    assert_eq!(overview.json()["https"], running.line("https"));

    let mut client = Client::to(running.line("http").parse().unwrap());
    assert_eq!(client.send(crate::client::start()).answer().status, 200);
    let line = running.next_line();
    assert!(
        line.starts_with("POST /api/sn_cico/flow_starter/my_flow?hello=query → 200  flow started, execution id "),
        "{line}"
    );
    assert!(line.ends_with(", by camunda\n"), "{line}");
}

#[test]
fn its_curl_line_starts_the_flow() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("there is no curl on this machine");
        return;
    }
    let mut running = Running::start(&[]);
    let line = running
        .greeting
        .lines()
        .find(|line| line.starts_with("  curl "))
        .unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{line} --silent --show-error --fail")])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let id = text
        .strip_prefix(r#"{"result":{"executionId":""#)
        .and_then(|rest| rest.strip_suffix(r#""}}"#));
    let id = id.unwrap_or_else(|| panic!("{text} {}", String::from_utf8_lossy(&output.stderr)));
    assert!(running.next_line().contains(id));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_its_temporary_file_goes() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let running = Running::start(&[]);
        let ca_file = PathBuf::from(running.line("CA file"));
        assert!(ca_file.exists());
        assert_eq!(running.end_by(signal), Some(0), "{signal}");
        assert!(!ca_file.exists(), "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_was_asked_for_stays() {
    let ca_file = scratch("asked-for.pem", None);
    let running = Running::start(&["--ca-file", ca_file.to_str().unwrap()]);
    assert_eq!(running.line("CA file"), ca_file.to_str().unwrap());
    assert_eq!(running.end_by("-TERM"), Some(0));
    assert!(std::fs::remove_file(&ca_file).is_ok());
}

#[test]
fn it_is_the_instance_of_its_file() {
    let file = "hosts = [\"umbrella\"]\n[[flow]]\npath = \"/api/x/y/{z}\"\nauthentication = false\n\
                [behaviours]\n\"/api/x/y/1\" = { answer = { status = 418 } }\n[tls-faults]\nold = \"expired\"\n\
                [[faulty-port]]\nfault = \"silent\"\n";
    let path = scratch("umbrella.toml", Some(file));
    let running = Running::start(&["--config", path.to_str().unwrap()]);
    assert!(running.greeting.contains("umbrella.service-now.com"));
    assert!(
        running
            .greeting
            .contains("https://umbrella.service-now.com/api/x/y/1\n")
    );
    assert_eq!(running.line("TLS fault"), "old: Expired");
    assert!(running.line("port").ends_with(": Silent"));
    let mut client = Client::to(running.line("http").parse().unwrap());
    assert_eq!(client.post("/api/x/y/1", "", "").status, 418);
    assert_eq!(client.post("/api/x/y/2", "", "").status, 200);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_path_misbehaves_as_configured() {
    let running = Running::start(&[
        "--behave",
        "/oauth_token.do={ answer = { status = 503 } }",
        "--behave",
        "/api/sn_cico/flow_starter/my_flow=semaphore",
    ]);
    let mut client = Client::to(running.line("http").parse().unwrap());
    assert_eq!(client.post("/oauth_token.do", "", "").status, 503);
    assert_eq!(client.post("/api/sn_cico/flow_starter/my_flow", "", "").status, 429);
}

#[test]
fn its_sample_file_is_one_it_can_run() {
    let printed = run(&["--print-config"]);
    assert!(printed.status.success());
    let path = scratch("sample.toml", Some(std::str::from_utf8(&printed.stdout).unwrap()));
    let running = Running::start(&["--config", path.to_str().unwrap(), "--host-name", "other"]);
    assert!(
        running
            .greeting
            .starts_with("A stand-in ServiceNow is running: other.service-now.com.")
    );
    std::fs::remove_file(path).unwrap();
}

#[test]
fn an_error_is_one_sentence() {
    let wrong = scratch("wrong.toml", Some("[[flow]]\npath = \"/a\"\nmethds = [\"POST\"]"));
    let contradictory = scratch("contradictory.toml", Some("[[flow]]\npath = \"a\""));
    let (wrong, contradictory) = (wrong.to_str().unwrap(), contradictory.to_str().unwrap());
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy_port = busy.local_addr().unwrap().port().to_string();
    let table: [(&[&str], i32, &str); 10] = [
        (&["--prot", "1"], 2, "unexpected argument '--prot' found"),
        (&["--port", "70000"], 2, "invalid value '70000' for '--port <PORT>'"),
        (
            &["--port", &busy_port],
            1,
            &format!("cannot listen on 127.0.0.1:{busy_port}: "),
        ),
        (&["--config", "no/such/file.toml"], 1, "cannot read no/such/file.toml: "),
        (
            &["--config", wrong],
            1,
            "is not a valid instance file: line 3, methds: unknown field `methds`",
        ),
        (
            &["--config", contradictory],
            1,
            "the flow's path \"a\" must begin with \"/\"",
        ),
        (
            &["--ca-file", "no/such/folder/ca.pem"],
            1,
            "cannot write the certificate authority to no/such/folder/ca.pem: ",
        ),
        (
            &["--behave", "oauth_token.do"],
            1,
            "--behave oauth_token.do: write PATH=BEHAVIOUR, for example /oauth_token.do=hibernating",
        ),
        (&["--behave", "/a=hibernatin"], 1, "unknown variant `hibernatin`"),
        (&["--host-name", "a b"], 1, "\"a b\" is not a host name"),
    ];
    for (arguments, code, sentence) in table {
        let output = run(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(
            message.starts_with("servicenow-stand-in: ") && message.contains(sentence),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(output.stdout.is_empty());
    }
    for file in [wrong, contradictory] {
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn help_goes_to_the_output_and_is_no_failure() {
    let output = run(&["--help"]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--print-config"));
}
