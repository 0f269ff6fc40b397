//! The programs that are run: each ends with its value.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use crate::check::Reply;
use crate::version::Version;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that says where it listens, and runs until its end.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut Command) -> Result<Self> {
        let name = format!("{:?}", command.get_program());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        let output = child.stdout.take().context("it has an output")?;
        let output = BufReader::new(output);
        Ok(Self { child, output })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the program has ended: {:?}", self.child.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }

    /// Goes on reading, so that the program never waits for a reader.
    fn swallow(self) -> Running {
        let Self { child, mut output } = self;
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Running(child)
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _status = self.0.wait();
    }
}

/// A test cluster.
pub struct Cluster {
    pub url: String,
    agent: Agent,
    _running: Running,
}

impl Cluster {
    /// `user`: name and password that it asks for.
    pub fn start(program: &Path, version: Version, user: Option<&str>) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--version", &version.to_string()]);
        command.args(user.into_iter().flat_map(|user| ["--user", user]));
        let mut program = Program::start(&mut command)?;
        let url = program.line()?;
        Ok(Self {
            url,
            agent: agent(),
            _running: program.swallow(),
        })
    }

    /// `path` with `/v2` or `/control`.
    pub fn send(&self, method: &str, path: &str, content_type: Option<&str>, body: &[u8]) -> Result<(u16, Reply)> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(kind) = content_type {
            request = request.header("content-type", kind);
        }
        let mut response = match body {
            // GET with a body of no bytes is one without a body.
            [] => self.agent.run(request.body(())?),
            body => self.agent.run(request.body(body)?),
        }
        .with_context(|| format!("{method} {path}"))?;
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok());
        let content_type = kind.unwrap_or_default().to_owned();
        let body = response.body_mut().read_to_vec()?;
        Ok((response.status().as_u16(), Reply { content_type, body }))
    }

    /// The control API; anything but 200 is an error.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let (status, reply) = self.send(method, &format!("/control/{path}"), None, &body)?;
        if status != 200 {
            bail!(
                "{method} /control/{path}: {status} {}",
                String::from_utf8_lossy(&reply.body)
            );
        }
        Ok(serde_json::from_slice(&reply.body)?)
    }
}

/// A stand-in ServiceNow.
pub struct StandIn {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    control: String,
    agent: Agent,
    _running: Running,
}

impl StandIn {
    pub fn start(program: &Path) -> Result<Self> {
        let mut program = Program::start(&mut Command::new(program))?;
        let (mut origin, mut control) = (None, None);
        loop {
            let line = program.line()?;
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["http", address] => origin = Some(format!("http://{address}")),
                ["control", url] => control = Some((*url).to_owned()),
                ["Try", "it:", ..] => break,
                _ => {}
            }
        }
        Ok(Self {
            origin: origin.context("the stand-in does not say its address")?,
            control: control.context("the stand-in does not say its control address")?,
            agent: agent(),
            _running: program.swallow(),
        })
    }

    pub fn control(&self, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}{path}", self.control);
        let response = self.agent.post(&url).send(body.to_string())?;
        if response.status() != 200 {
            bail!("POST {url}: {}", response.status());
        }
        Ok(())
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .allow_non_standard_methods(true);
    config.build().into()
}
