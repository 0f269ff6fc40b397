//! `make worker-demo`: `flow-starter worker` takes one job from a test cluster, starts its flow at a stand-in ServiceNow, and completes it.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};
use camunda_test_cluster::{Cluster, JobSpec, JobState, Options, Version};
use clap::Parser;
use serde_json::{Value, json};
use servicenow_stand_in::{Instance, StandIn};

/// Shows a job being done: the cluster's side, the worker's log, ServiceNow's side.
#[derive(Debug, Parser)]
#[command(name = "worker-demo")]
struct Arguments {
    /// The program that does it
    #[arg(long, value_name = "FILE", default_value = "flow-starter")]
    flow_starter: PathBuf,
}

fn main() -> ExitCode {
    match demo(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("worker-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the job was completed with the flow that ServiceNow has started.
fn demo(arguments: &Arguments) -> Result<bool> {
    let stand_in = StandIn::start(Instance::demo())?;
    let cluster = Cluster::start(Options::new(Version::V8_8))?;
    let input = input();
    let spec = JobSpec::new("servicenow-flow-starter:1")
        .inputs(input.clone())
        .header("resultVariable", "snQueryResult");
    let key = cluster.create_job(spec);
    println!("A Camunda 8 cluster, played by a test cluster at {}", cluster.url());
    println!("ServiceNow, played by a stand-in at {}\n", stand_in.https_addr());
    println!("Job {key} waits, with this input from its task:\n");
    println!("{input:#}\n");

    let ca_file = std::env::temp_dir().join(format!("worker-demo-ca-{}.pem", std::process::id()));
    std::fs::write(&ca_file, stand_in.ca_pem()).with_context(|| format!("cannot write {}", ca_file.display()))?;
    let connect_to = format!("{}:443:{}", stand_in.host(), stand_in.https_addr());
    let (url, host) = (cluster.url(), stand_in.host().to_owned());
    let line = [
        "worker",
        "--once",
        "--engine-url",
        &url,
        "--allow",
        &host,
        "--connect-to",
        &connect_to,
        "--management-address",
        "none",
    ];
    println!(
        "$ SECRET_SN_PASSWORD=… flow-starter {} --ca-file {}\n",
        line.join(" "),
        ca_file.display()
    );
    let ended = Command::new(&arguments.flow_starter)
        .args(line)
        .arg("--ca-file")
        .arg(&ca_file)
        .env("SECRET_SN_PASSWORD", "demo-password")
        .stdin(Stdio::null())
        .status();
    // It is in the temporary directory.
    let _removed = std::fs::remove_file(&ca_file);
    let ended = ended.with_context(|| {
        format!(
            "cannot run {}: run `make worker-demo`",
            arguments.flow_starter.display()
        )
    })?;

    let job = cluster.job(key).context("the cluster has lost the job")?;
    println!("\nThe job's history in the cluster:\n");
    for change in &job.history {
        println!("  {}", change.what);
    }
    let starts = stand_in.starts();
    println!(
        "\nServiceNow received {} request(s) and started {} flow(s):\n",
        stand_in.requests().len(),
        starts.len()
    );
    for start in &starts {
        println!("  {}", start.id);
    }
    let result = job
        .completed_with
        .as_ref()
        .and_then(|variables| variables.get("snQueryResult"));
    let id = result
        .and_then(|result| result.get("executionId"))
        .and_then(Value::as_str);
    let same = matches!(starts.as_slice(), [start] if Some(start.id.as_str()) == id);
    let done = ended.success() && job.state == JobState::Completed && same;
    println!(
        "\n{}",
        match done {
            true => "The job is completed, and snQueryResult.executionId is the flow's own id.",
            false => "The job was NOT completed as it should: see the log above.",
        }
    );
    Ok(done)
}

/// What the form writes for the flow of Camunda's blueprint.
fn input() -> Value {
    json!({
        "snTarget": "instance",
        "snInstance": "acme",
        "restApiTriggerPath": "/api/sn_cico/flow_starter/my_flow",
        "method": "POST",
        "headers": {"hello": "header"},
        "queryParameters": {"hello": "query"},
        "body": {"correlationValue": "cam-id-1"},
        "authentication": {"type": "basic", "username": "camunda", "password": "{{secrets.SN_PASSWORD}}"},
    })
}
