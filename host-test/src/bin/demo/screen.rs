//! What a person at the terminal reads. No credential is ever shown.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_starter_host::{Outcome, RequestRecord, TriggerError};
use host_test::stand_in::{Recorded, StandIn};
use serde_json::Value;

use crate::input::{Input, Target};

/// Request headers that are credentials, whoever set them.
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "cookie", "x-sn-apikey", "x-usertoken"];
/// The fields of an input's `authentication` that are secret.
const SECRET_FIELDS: [&str; 4] = ["password", "token", "value", "clientSecret"];

pub struct Screen {
    colours: bool,
    secrets: Vec<String>,
}

impl Screen {
    pub fn new(input: &Input) -> Self {
        let authentication = input.value.get("authentication");
        let secrets = SECRET_FIELDS
            .iter()
            .filter_map(|field| authentication?.get(field)?.as_str())
            .filter(|secret| !secret.is_empty())
            .flat_map(|secret| {
                [
                    secret.to_owned(),
                    form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
                    STANDARD.encode(secret),
                ]
            })
            .collect();
        Self {
            colours: std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            secrets,
        }
    }

    pub fn introduce(&self, input: &Input, component: &Path, size: usize, stand_in: Option<&StandIn>) {
        self.heading(match input.own {
            true => "Starting a flow by an input of your own",
            false => "Starting the flow of Camunda's ServiceNow blueprint",
        });
        self.row(
            "component",
            &format!(
                "{} ({} kB, under wasmtime: HTTP, streams and a clock, nothing else)",
                component.display(),
                size / 1000
            ),
        );
        let text = |field: &str| input.value.get(field).and_then(Value::as_str).unwrap_or("(none)");
        self.row(
            "flow",
            &self.masked(&format!("{} {}", text("method"), text("restApiTriggerPath"))),
        );
        match (input.target, stand_in) {
            (Target::StandIn, Some(stand_in)) => self.row(
                "instance",
                &format!("{}, played by a stand-in at {}", stand_in.host(), stand_in.https_addr()),
            ),
            _ => self.row("instance", "the one that your input names, for real"),
        }
    }

    /// The requests as the stand-in received them.
    pub fn sent(&self, requests: &[Recorded]) {
        self.heading("What was sent");
        if requests.is_empty() {
            self.line("Nothing.");
        }
        for (at, request) in requests.iter().enumerate() {
            if at > 0 {
                self.line("");
            }
            self.line(&self.masked(&format!("{} {} {}", request.method, request.target, request.version)));
            for (name, value) in &request.headers {
                let shown = match CREDENTIAL_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                    true => format!(
                        "{}***",
                        value
                            .split_once(' ')
                            .map_or(String::new(), |(scheme, _)| format!("{scheme} "))
                    ),
                    false => self.masked(value),
                };
                self.line(&format!("{name}: {shown}"));
            }
            if !request.body.is_empty() {
                self.line("");
                self.line(&self.masked(&String::from_utf8_lossy(&request.body)));
            }
        }
    }

    /// The same for a server whose side cannot be seen.
    pub fn left(&self, requests: &[RequestRecord]) {
        self.heading("What was sent");
        if requests.is_empty() {
            self.line("Nothing.");
        }
        for request in requests {
            self.line(&self.masked(&request.to_string()));
        }
    }

    /// The id of the flow that was started, or an empty text where the answer has none.
    pub fn came_back(&self, outcome: &Outcome<String>) -> Option<String> {
        self.heading("What came back");
        match &outcome.result {
            Ok(json) => Some(self.started(json)),
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    fn started(&self, json: &str) -> String {
        let answer: Value = serde_json::from_str(json).unwrap_or_default();
        self.row(
            "status",
            &answer.get("status").map(Value::to_string).unwrap_or_default(),
        );
        let body = answer.get("body").cloned().unwrap_or_default();
        self.row("body", &self.masked(&body.to_string()));
        let id = |name: &str| answer.get(name).and_then(Value::as_str);
        match (id("executionId"), id("sysId")) {
            (Some(id), _) => {
                self.row("execution id", &self.bold(id));
                id.to_owned()
            }
            (None, Some(id)) => {
                self.row("sys id", &self.bold(id));
                id.to_owned()
            }
            (None, None) => {
                self.row("id", "the answer holds none");
                String::new()
            }
        }
    }

    fn failed(&self, error: &TriggerError) {
        self.row("error", error.kind.as_str());
        self.row("flow", &self.bold(error.flow.as_str()));
        let mut again = if error.retryable { "yes" } else { "no" }.to_owned();
        if let Some(ms) = error.retry_after_ms {
            let _infallible = write!(again, ", after {} s", f64::from(ms) / 1000.0);
        }
        self.row("try again", &again);
        self.line("");
        self.line(&self.masked(&error.message));
    }

    /// The stand-in's side, and whether the two agree.
    pub fn saw(&self, stand_in: &StandIn, started: Option<&str>) {
        self.heading("What the stand-in saw");
        let starts = stand_in.starts();
        self.row("requests", &stand_in.requests().len().to_string());
        self.row("flows", &format!("{} started", starts.len()));
        for start in &starts {
            let own = if started == Some(start.id.as_str()) {
                "  ✓ the same id"
            } else {
                ""
            };
            self.row("issued", &format!("{}{own}", start.id));
        }
        self.line("");
    }

    fn heading(&self, text: &str) {
        say(&format!("\n{}", self.bold(text)));
    }

    fn row(&self, title: &str, text: &str) {
        say(&format!("  {title:<13} {}", printable(text)));
    }

    fn line(&self, text: &str) {
        for line in text.split('\n') {
            say(format!("  {}", printable(line)).trim_end());
        }
    }

    fn bold(&self, text: &str) -> String {
        match self.colours {
            true => format!("\u{1b}[1m{}\u{1b}[0m", printable(text)),
            false => text.to_owned(),
        }
    }

    fn masked(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// What came over the network does not steer the terminal; our own bold may.
fn printable(text: &str) -> String {
    let bold = text
        .strip_prefix("\u{1b}[1m")
        .and_then(|rest| rest.strip_suffix("\u{1b}[0m"));
    let plain = |text: &str| {
        text.chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect::<String>()
    };
    match bold {
        Some(inner) => format!("\u{1b}[1m{}\u{1b}[0m", plain(inner)),
        None => plain(text),
    }
}

/// A reader that has gone is not an error.
fn say(text: &str) {
    let _nobody_reads = writeln!(std::io::stdout(), "{text}");
}

pub fn complain(what: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "demo: {what}");
}
