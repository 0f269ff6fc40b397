//! `make bench-worker`: `flow-starter worker`, Camunda's connector runtime, and a worker that makes no calls, on the same jobs.
//!
//! | file | contents |
//! |---|---|
//! | `contender` | the three workers, their jobs, and how each is started |
//! | `measure` | one worker, measured once: a test cluster and a stand-in of its own, each a process |
//! | `cluster`, `stand_in`, `server` | these processes, and what they report |
//! | `empty` | the worker that completes jobs at once |
//! | `http` | an HTTP connection to them |
//! | `process` | what the system says of a process: CPU time, memory |
//! | `table` | medians, ratios, the Markdown |

mod cluster;
mod contender;
mod empty;
mod http;
mod measure;
mod process;
mod server;
mod stand_in;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use host_test::java::{Java, or_skip, project};

use crate::contender::{Contender, Kind};
use crate::measure::{Measured, Plan, measure};

/// Measures workers against a test cluster and a stand-in ServiceNow. The programs should be release builds.
#[derive(Debug, Parser)]
#[command(name = "bench-worker")]
struct Arguments {
    /// The program `flow-starter`
    #[arg(long, value_name = "FILE", default_value = "flow-starter")]
    flow_starter: PathBuf,

    /// The program `camunda-test-cluster`
    #[arg(long, value_name = "FILE", default_value = "camunda-test-cluster")]
    cluster: PathBuf,

    /// The program `servicenow-stand-in`
    #[arg(long, value_name = "FILE", default_value = "servicenow-stand-in")]
    stand_in: PathBuf,

    /// Rounds; in each, every worker is started and measured once
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Jobs to measure, of each worker in each round
    #[arg(long, default_value_t = 3000)]
    jobs: u64,

    /// Seconds of jobs before that, for Camunda's runtime; the others get a tenth, because they have nothing to compile
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    warm_up: u64,

    /// Call the stand-in by HTTPS
    #[arg(long)]
    tls: bool,

    /// Measure these alone
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Kind>,

    /// Write the table to docs/performance.md, between its markers
    #[arg(long)]
    write: bool,

    /// Be the empty worker of the cluster at this address
    #[arg(long, value_name = "http://127.0.0.1:PORT", hide = true)]
    empty_worker: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.empty_worker {
        Some(cluster) => empty::work(cluster),
        None => bench(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &Arguments) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "it reads /proc, which only Linux has: run it on Linux"
    );
    ensure!(
        arguments.rounds > 0 && arguments.jobs > 0,
        "--rounds and --jobs must be greater than 0"
    );
    let folder = std::env::temp_dir().join(format!("bench-worker-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let done = rounds(arguments, &folder);
    match &done {
        // It is in the temporary directory.
        Ok(()) => drop(std::fs::remove_dir_all(&folder)),
        Err(_) => eprintln!("bench-worker: the workers' logs are in {}", folder.display()),
    }
    done
}

fn rounds(arguments: &Arguments, folder: &Path) -> Result<()> {
    let plan = Plan {
        cluster: server::found(&arguments.cluster)?,
        stand_in: server::found(&arguments.stand_in)?,
        jobs: arguments.jobs,
        warm_up: Duration::from_secs(arguments.warm_up),
        tls: arguments.tls,
    };
    let contenders = contenders(arguments, folder)?;
    let mut table: Vec<(Kind, Vec<Measured>)> = contenders.iter().map(|it| (it.kind(), Vec::new())).collect();
    for round in 0..arguments.rounds {
        // The order rotates, so that none is always measured after the same one.
        for step in 0..contenders.len() {
            let at = (round + step) % contenders.len();
            let (Some(contender), Some((kind, rows))) = (contenders.get(at), table.get_mut(at)) else {
                continue;
            };
            let measured = measure(contender, &plan, folder);
            let measured = measured.with_context(|| format!("round {}: {kind}", round + 1))?;
            eprintln!("round {}: {kind}: {measured}", round + 1);
            rows.push(measured);
        }
    }
    let text = table::markdown(&table, &plan);
    println!("{text}");
    match arguments.write {
        true => table::write(&text),
        false => Ok(()),
    }
}

fn contenders(arguments: &Arguments, folder: &Path) -> Result<Vec<Contender>> {
    let wanted = |kind| arguments.only.is_empty() || arguments.only.contains(&kind);
    let mut contenders = Vec::new();
    if wanted(Kind::Ours) {
        contenders.push(Contender::ours(&server::found(&arguments.flow_starter)?, folder)?);
    }
    if wanted(Kind::Camunda) {
        let built = Java::find().and_then(|java| Ok((java.maven(&project("judge"))?, java)));
        if let Some((built, java)) = or_skip(built, "Camunda's connector runtime") {
            contenders.push(Contender::Camunda { java, built });
        }
    }
    if wanted(Kind::Empty) {
        contenders.push(Contender::Empty);
    }
    Ok(contenders)
}
