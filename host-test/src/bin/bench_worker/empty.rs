//! A worker that completes jobs at once: what is left is the cluster. It is a process of its own, as the others are.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;
use serde_json::json;

use crate::contender::{AT_ONCE, OUR_JOB_TYPE};
use crate::http::{Connection, Request};

/// Two connections, so that the cluster has the next request while one is being answered.
const THREADS: usize = 2;

#[derive(Deserialize)]
struct Activated {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    job_key: String,
}

/// Until it is killed.
pub fn work(cluster: &str) -> Result<()> {
    let address = cluster
        .strip_prefix("http://")
        .and_then(|address| address.parse().ok())
        .context("the cluster's address")?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| take_jobs(address))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread has panicked"))?)
    })
}

fn take_jobs(address: SocketAddr) -> Result<()> {
    let mut connection = Connection::open(address)?;
    let poll = json!({
        "type": OUR_JOB_TYPE,
        "worker": "empty",
        "timeout": 300_000,
        "maxJobsToActivate": AT_ONCE,
        "requestTimeout": 10_000,
    });
    let result = json!({ "variables": { "result": { "executionId": "0123456789abcdef0123456789abcdef" } } });
    let (poll, result) = (poll.to_string(), result.to_string());
    loop {
        let answers = connection.exchange(&[Request::post("/v2/jobs/activation".to_owned(), poll.clone())])?;
        let activated: Activated = serde_json::from_slice(answers.first().map_or(b"{}", Vec::as_slice))?;
        let completions: Vec<Request> = activated
            .jobs
            .iter()
            .map(|job| Request::post(format!("/v2/jobs/{}/completion", job.job_key), result.clone()))
            .collect();
        connection.exchange(&completions)?;
    }
}
