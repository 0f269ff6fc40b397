//! The server's process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use flow_starter_bench::{call, os};
use serde::Deserialize;

use crate::process::Process;

/// The server that all contenders call.
pub(crate) struct Server {
    process: Process,
    addresses: Addresses,
    ca: PathBuf,
    core: usize,
}

#[derive(Deserialize)]
struct Addresses {
    http: String,
    https: String,
}

/// What a contender connects to.
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) ca: Option<PathBuf>,
}

impl Server {
    pub(crate) fn start(program: &Path, directory: &Path, core: usize) -> Result<Self> {
        let ca = directory.join("ca.pem");
        let mut command = Command::new(program);
        command.arg("--ca").arg(&ca);
        let mut process = Process::start("bench-server", &mut command, &[core])?;
        let line = process.line()?;
        let addresses =
            serde_json::from_str(&line).with_context(|| format!("bench-server printed an unexpected line: {line}"))?;
        Ok(Self {
            process,
            addresses,
            ca,
            core,
        })
    }

    pub(crate) fn plain(&self) -> Target {
        Target {
            url: format!("http://{}{}", self.addresses.http, call::PATH),
            ca: None,
        }
    }

    pub(crate) fn tls(&self) -> Target {
        Target {
            url: format!("https://{}{}", self.addresses.https, call::PATH),
            ca: Some(self.ca.clone()),
        }
    }

    pub(crate) fn delayed(&self, ms: u32) -> Target {
        Target {
            url: format!("http://{}{}/delay/{ms}", self.addresses.http, call::PATH),
            ca: None,
        }
    }

    /// Does something while the server runs on another core.
    pub(crate) fn while_on<T>(&self, core: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
        os::pin_process(self.process.pid(), &[core])?;
        let done = work();
        os::pin_process(self.process.pid(), &[self.core])?;
        done
    }

    /// CPU time so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        os::cpu_time_of(&self.process.pid().to_string()).unwrap_or_default()
    }
}
