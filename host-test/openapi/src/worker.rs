//! What `flow-starter worker` sends: it runs against a test cluster, which writes every request down.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::check::{Check, Exchange};
use crate::programs::{Cluster, StandIn};
use crate::version::Version;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The task's input, which each job changes; the address of the stand-in ServiceNow is added.
    base: Map<String, Value>,
    /// Flows that misbehave, as the stand-in's control API takes them.
    behaviours: Vec<Value>,
    jobs: Vec<Job>,
    /// The calls that the worker must have made, by the names of the control API.
    calls: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    #[serde(default)]
    inputs: Map<String, Value>,
    #[serde(default)]
    headers: Map<String, Value>,
    retries: Option<u32>,
}

pub struct Programs {
    pub cluster: PathBuf,
    pub worker: PathBuf,
    pub stand_in: PathBuf,
}

impl Table {
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("worker.json")
    }

    /// How many requests the worker sent.
    pub fn play(&self, programs: &Programs, version: Version, lease: bool, check: &mut Check) -> Result<usize> {
        let cluster = Cluster::start(&programs.cluster, version, None)?;
        let stand_in = StandIn::start(&programs.stand_in)?;
        for behaviour in &self.behaviours {
            stand_in.control("behaviours", behaviour)?;
        }
        cluster.control(
            "POST",
            "expressions",
            &json!({ "result": { "fromExpression": true }, "warnings": ["a warning"] }),
        )?;
        for job in &self.jobs {
            let mut inputs = self.base.clone();
            inputs.insert("snEndpoint".to_owned(), json!(stand_in.origin));
            inputs.extend(job.inputs.clone());
            let body = json!({
                "type": "servicenow-flow-starter:1", "inputs": inputs, "headers": job.headers, "retries": job.retries,
            });
            cluster.control("POST", "jobs", &body)?;
        }
        run(&programs.worker, &cluster.url, &stand_in.origin, lease)?;
        let journal = cluster.control("GET", "requests", &Value::Null)?;
        let requests = journal.as_array().context("a list of requests")?;
        for request in requests {
            check.sent(version, &exchange(request)?)?;
        }
        for call in &self.calls {
            let was_made = |request: &&Value| request.get("call").and_then(Value::as_str) == Some(call);
            if !requests.iter().any(|request| was_made(&request)) {
                bail!("{version}: the worker has made no call {call:?}: change worker.json");
            }
        }
        Ok(requests.len())
    }
}

fn run(program: &Path, cluster: &str, stand_in: &str, lease: bool) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args([
            "worker",
            "--once",
            "--log-level",
            "error",
            "--management-address",
            "none",
            "--proxy",
            "none",
        ])
        .args(["--engine-url", cluster, "--allow", stand_in])
        .args(lease.then_some("--lease"));
    for (name, _) in std::env::vars() {
        // No setting of this machine's counts.
        if ["FLOW_STARTER_", "CAMUNDA_", "ZEEBE_"]
            .iter()
            .any(|own| name.starts_with(own))
        {
            command.env_remove(name);
        }
    }
    let output = command.stdin(Stdio::null()).output().context("cannot run the worker")?;
    if !output.status.success() {
        bail!(
            "the worker has ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

fn exchange(request: &Value) -> Result<Exchange> {
    let text = |name: &str| {
        request
            .get(name)
            .and_then(Value::as_str)
            .with_context(|| name.to_owned())
    };
    let target = text("target")?;
    let path = target
        .split('?')
        .next()
        .and_then(|path| path.strip_prefix("/v2"))
        .context("a path below /v2")?;
    let body = request.get("body").filter(|body| !body.is_null()).cloned();
    Ok(Exchange {
        name: format!("the worker's {}", text("call")?),
        method: text("method")?.to_owned(),
        path: path.to_owned(),
        body,
        status: request
            .get("answered")
            .and_then(Value::as_u64)
            .and_then(|status| status.try_into().ok())
            .unwrap_or_default(),
        answer: None,
    })
}
