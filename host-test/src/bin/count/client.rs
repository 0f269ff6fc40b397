//! The calls that are counted: one after the other, over one connection, with the component compiled beforehand for any processor.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use flow_starter_host::{Connector, Egress, Engine, FlowStarter, Limits, Policy};

/// Which of the host library's doors is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Door {
    /// `Connector::execute`: the component reads the input's JSON.
    Connector,
    /// `FlowStarter::execute`: the host reads it, puts in secrets, and masks what comes back.
    Starter,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connector => "connector",
            Self::Starter => "starter",
        })
    }
}

#[derive(Debug, Args)]
pub struct Calls {
    #[arg(long)]
    pub origin: String,
    #[arg(long)]
    pub component: PathBuf,
    #[arg(long)]
    pub calls: u32,
    #[arg(long, value_enum)]
    pub door: Door,
}

/// Of the engine that compiles and the one that runs.
pub fn limits() -> Limits {
    Limits {
        concurrent_calls: 4,
        ..Limits::default()
    }
}

impl Calls {
    /// The same calls in a process of their own.
    pub fn arguments(&self, command: &mut Command) {
        command
            .arg("call")
            .args(["--origin", &self.origin, "--calls", &self.calls.to_string()])
            .args(["--door", &self.door.to_string()])
            .arg("--component")
            .arg(&self.component);
    }

    pub fn make(&self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.all())
    }

    async fn all(&self) -> Result<()> {
        let compiled = std::fs::read(&self.component)?;
        // SAFETY: `count` has just compiled it, in a folder of its own.
        let connector = unsafe { Engine::new(limits())?.load_compiled(&compiled)? };
        let egress = Egress::builder().policy(Policy::new([self.origin.parse()?])).build()?;
        let caller = Caller {
            starter: FlowStarter::new(connector.clone(), egress.clone()),
            connector,
            egress,
        };
        let input = input(&self.origin);
        for _ in 0..self.calls {
            let answer = caller.call(self.door, &input).await?;
            ensure!(answer.contains("\"executionId\":\"0123"), "no execution ID in {answer}");
        }
        Ok(())
    }
}

struct Caller {
    connector: Connector,
    egress: Egress,
    starter: FlowStarter,
}

impl Caller {
    async fn call(&self, door: Door, input: &str) -> Result<String> {
        let outcome = match door {
            Door::Connector => self.connector.execute(&self.egress, input).await,
            Door::Starter => self.starter.execute(input).await,
        };
        outcome.result.context("the call failed")
    }
}

/// What a form sends: basic authentication, a header, a parameter, and a small body.
fn input(origin: &str) -> String {
    format!(
        r#"{{"snInstance":"acme","snEndpoint":"{origin}","restApiTriggerPath":"/api/sn_cico/flow_starter/my_flow","method":"POST","headers":{{"hello":"header"}},"queryParameters":{{"hello":"query"}},"body":{{"correlationValue":"cam-id-1","approver":"abel.tuter"}},"authentication":{{"type":"basic","username":"camunda","password":"demo-password"}}}}"#
    )
}
