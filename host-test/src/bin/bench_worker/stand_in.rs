//! The stand-in ServiceNow, and which flows it has started.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::http::{Connection, Request};
use crate::server::{Server, Shared};

/// A flow of the demo instance, with the number of its job as the last segment.
pub const FLOW: &str = "/api/sn_cico/flow_starter/parameter_flow/";

pub struct StandIn {
    server: Server,
    addresses: Addresses,
    control: Connection,
    seen: Shared<Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Addresses {
    https: SocketAddr,
    http: SocketAddr,
    control: SocketAddr,
}

/// From the lines of its program.
#[derive(Default)]
struct Seen {
    https: Option<SocketAddr>,
    http: Option<SocketAddr>,
    control: Option<SocketAddr>,
    /// The certificate authority is written, and requests are served.
    serves: bool,
    /// How often the flow of each number was started.
    starts: BTreeMap<u64, usize>,
    /// Requests that started none.
    troubles: Vec<String>,
}

impl Seen {
    fn note(&mut self, line: &str) {
        if self.serves {
            return self.note_request(line);
        }
        if let Some((title, value)) = line.split_once(' ') {
            let value = value.trim().trim_start_matches("http://").trim_end_matches('/');
            match title {
                "https" => self.https = value.parse().ok(),
                "http" => self.http = value.parse().ok(),
                "control" => self.control = value.parse().ok(),
                "CA" => self.serves = true,
                _ => {}
            }
        }
    }

    fn note_request(&mut self, line: &str) {
        let Some((request, answer)) = line.split_once(" → ") else {
            if line.starts_with("TLS handshake failed") {
                self.troubles.push(line.to_owned());
            }
            return;
        };
        let number = request
            .strip_prefix("POST ")
            .and_then(|target| target.strip_prefix(FLOW))
            .and_then(|rest| rest.split('?').next())
            .and_then(|number| number.parse().ok());
        match number {
            Some(number) if answer.starts_with("200  flow started") => *self.starts.entry(number).or_default() += 1,
            _ => self.troubles.push(line.to_owned()),
        }
    }

    fn addresses(&self) -> Option<Addresses> {
        Some(Addresses {
            https: self.https?,
            http: self.http?,
            control: self.control.filter(|_| self.serves)?,
        })
    }
}

impl StandIn {
    /// Its certificate authority goes to the file.
    pub fn start(program: &Path, ca_file: &Path) -> Result<Self> {
        let seen = Shared::<Seen>::default();
        let own = Arc::clone(&seen);
        let mut command = Command::new(program);
        command.arg("--ca-file").arg(ca_file);
        let server = Server::start(command, move |line| own.change(|seen| seen.note(line)))?;
        let addresses = seen.wait_for("the stand-in's addresses", |seen| seen.addresses())?;
        Ok(Self {
            server,
            addresses,
            control: Connection::open(addresses.control)?,
            seen,
        })
    }

    /// Where it is reached, without a path.
    pub fn origin(&self, tls: bool) -> String {
        match tls {
            // One of the names of its certificate.
            true => format!("https://localhost:{}", self.addresses.https.port()),
            false => format!("http://{}", self.addresses.http),
        }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// How many connections it has accepted so far.
    pub fn connections(&mut self) -> Result<u64> {
        let answers = self.control.exchange(&[Request::get("/")])?;
        let overview: Value = serde_json::from_slice(answers.first().map_or(b"{}", Vec::as_slice))?;
        overview
            .get("connections")
            .and_then(Value::as_u64)
            .context("the stand-in does not report its connections")
    }

    /// The flows of all numbers below this one were started, each exactly once, and nothing else was asked for.
    pub fn check(&self, flows: u64) -> Result<()> {
        let expected = usize::try_from(flows)?;
        // It reports a request after its answer.
        let (once, other, troubles) = self.seen.wait_for("all flows to be reported", |seen| {
            let all = seen.starts.values().sum::<usize>() + seen.troubles.len() >= expected;
            let once = (0..flows).filter(|number| seen.starts.get(number) == Some(&1)).count();
            all.then(|| (once, seen.starts.len(), seen.troubles.clone()))
        })?;
        ensure!(troubles.is_empty(), "{}", troubles.join("\n"));
        ensure!(
            once == expected && other == expected,
            "of {flows} flows, {once} were started once, and {other} at all"
        );
        Ok(())
    }
}
