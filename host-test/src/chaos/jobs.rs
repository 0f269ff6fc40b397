//! The jobs of the plan as a process makes them, the instance that they call, and the settings of the workers that do them.

use std::time::Duration;

use camunda_test_cluster::JobSpec;
use serde_json::json;
use servicenow_stand_in::{Flow, Instance, User};

use super::facts::WORKER_HEADER;
use super::plan::{HOSTS, JobPlan, OnUnknown, READ_TIMEOUT};

/// The instance's user.
pub const USER: &str = "chaos";
/// The user's password.
pub const PASSWORD: &str = "chaos-password";
const TYPE: &str = "servicenow-flow-starter:1";

/// The longest call of a worker.
const LONGEST_CALL: Duration = Duration::from_secs(10);
/// From which follows for how long its jobs are locked, with the minute that the worker adds, and the 2 s of its poll.
pub const LOCK: Duration = Duration::from_secs(72);

/// The settings of `flow-starter worker`.
#[must_use]
pub fn flags() -> Vec<String> {
    let longest = format!("{}s", LONGEST_CALL.as_secs());
    let flags = [
        "--limit-wall-clock",
        longest.as_str(),
        "--job-timeout",
        "1s",
        "--request-timeout",
        "2s",
        "--max-jobs",
        "32",
        "--max-jobs-per-instance",
        "8",
    ];
    flags.map(str::to_owned).to_vec()
}

/// The instance, with one flow for each job.
#[must_use]
pub fn instance() -> Instance {
    let mut instance = Instance::new(host(0)).user(User::new(USER, PASSWORD).role("starter"));
    instance.hosts.extend((1..HOSTS).map(host));
    instance.flow(Flow::new("/api/x_chaos/flows/{number}").role("starter"))
}

fn host(number: usize) -> String {
    format!("chaos{number}")
}

/// The path of a job's flow.
#[must_use]
pub fn path(job: &JobPlan) -> String {
    format!("/api/x_chaos/flows/{}", job.number)
}

/// The job, for `flow-starter worker`.
#[must_use]
pub fn spec(job: &JobPlan) -> JobSpec {
    let on_unknown = match job.on_unknown {
        OnUnknown::Incident => "incident",
        OnUnknown::Retry => "retry",
        OnUnknown::Error | OnUnknown::Caught => "bpmnError",
    };
    let spec = JobSpec::new(TYPE)
        .inputs(json!({
            "snTarget": "instance",
            "snInstance": host(job.host),
            "restApiTriggerPath": path(job),
            "method": "POST",
            "headers": { WORKER_HEADER: "{{secrets.SN_WORKER}}" },
            "body": { "correlationValue": format!("job-{}", job.number) },
            "authentication": { "type": "basic", "username": USER, "password": "{{secrets.SN_PASSWORD}}" },
            "connectionTimeoutInSeconds": READ_TIMEOUT,
            "readTimeoutInSeconds": READ_TIMEOUT,
        }))
        .header("resultVariable", "result")
        .header("onUnknown", on_unknown)
        .header("retryBackoff", job.back_off)
        .retries(job.retries);
    match job.on_unknown {
        OnUnknown::Caught => spec.catches("FLOW_UNKNOWN"),
        _ => spec,
    }
}
