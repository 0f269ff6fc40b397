//! Camunda's own connector runtime in place of ours: the same jobs, as its REST connector takes them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use camunda_test_cluster::JobSpec;
use serde_json::json;

use super::facts::WORKER_HEADER;
use super::jobs::USER;
use super::plan::{JobPlan, READ_TIMEOUT};
use crate::java::{Built, Java, project};
use crate::runtime::{JOB_TYPE, RuntimeOptions};
use crate::worker_program::WorkerProgram;

/// Each is a JVM that takes seconds to start.
pub const PLACES: usize = 3;
/// For how long its jobs are locked: longer than a call, so that no lock passes without a cause.
pub const LOCK: Duration = Duration::from_secs(20);

/// What it logs when it takes jobs.
pub const STARTED: &str = "Started ConnectorRuntime in ";

/// A job of the plan. It has no word for an unknown outcome.
#[must_use]
pub fn spec(job: &JobPlan, url: &str) -> JobSpec {
    let spec = JobSpec::new(JOB_TYPE)
        .inputs(json!({
            "url": url,
            "method": "POST",
            "headers": { WORKER_HEADER: "{{secrets.SN_WORKER}}" },
            "body": { "correlationValue": format!("job-{}", job.number) },
            "authentication": { "type": "basic", "username": USER, "password": "{{secrets.SN_PASSWORD}}" },
            "connectionTimeoutInSeconds": READ_TIMEOUT,
            "readTimeoutInSeconds": READ_TIMEOUT,
        }))
        .header("resultVariable", "result")
        .retries(job.retries);
    match job.back_off {
        "" => spec,
        back_off => spec.header("retryBackoff", back_off),
    }
}

/// The runtime, built.
pub struct Runtime {
    java: Java,
    built: Built,
    folder: PathBuf,
    cluster: String,
}

impl Runtime {
    /// Builds it unless that was done before.
    ///
    /// # Errors
    /// Where Maven cannot build it.
    pub fn new(java: &Java, folder: &Path, cluster: &str) -> Result<Self> {
        Ok(Self {
            java: java.clone(),
            built: java.maven(&project("judge"))?,
            folder: folder.to_owned(),
            cluster: cluster.to_owned(),
        })
    }

    /// Starts one, and does not wait for it.
    ///
    /// # Errors
    /// Where Java does not run.
    pub fn start(&self, name: &str, secrets: &[(&str, String)]) -> Result<WorkerProgram> {
        let mut options = RuntimeOptions::new(&self.cluster);
        options.job_timeout = Some(LOCK);
        for (name, value) in secrets {
            options = options.secret(name, value);
        }
        WorkerProgram::spawn(options.command(&self.java, &self.built), name, &self.folder)
    }
}
