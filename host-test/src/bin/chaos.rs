//! `make chaos`: jobs, workers and faults from a seed, and a judge. See `host_test::chaos`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use host_test::chaos::plan::Plan;
use host_test::chaos::report;
use host_test::chaos::run::{self, By};
use host_test::java::Java;

/// Violations that are told in full.
const TOLD: usize = 10;

/// Lets workers, cluster and ServiceNow fail at random, and checks that no flow starts twice, no job is lost and every incident is true.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// The program `flow-starter`
    #[arg(long, value_name = "FILE", default_value = "flow-starter")]
    flow_starter: PathBuf,

    /// Number of jobs
    #[arg(long, default_value_t = 10_000)]
    jobs: usize,

    /// Who does the jobs
    #[arg(long, value_enum, default_value_t = Runtime::FlowStarter)]
    by: Runtime,

    /// The plan's seed; a random one if it is left out
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Runtime {
    /// `flow-starter worker`
    FlowStarter,
    /// Camunda's connector runtime, for comparison (needs Java 21 and Maven)
    Camunda,
}

fn main() -> ExitCode {
    match chaos(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every promise was kept.
fn chaos(arguments: &Arguments) -> Result<bool> {
    let seed = arguments.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |now| u64::from(now.subsec_nanos()))
    });
    let (by, whose) = match arguments.by {
        Runtime::FlowStarter => (By::FlowStarter(arguments.flow_starter.clone()), ""),
        Runtime::Camunda => (By::Camunda(Java::find()?), " BY=camunda"),
    };
    let replay = format!("make chaos JOBS={} SEED={seed}{whose}", arguments.jobs);
    println!("{replay}: the seed repeats the plan, not the interleaving of the processes");
    let folder = std::env::temp_dir().join(format!("flow-starter-chaos-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let plan = Plan::new(seed, arguments.jobs);
    let outcome = run::play(&plan, &by, &folder).with_context(|| {
        format!(
            "the run with seed {seed} did not end; the workers' logs are in {}",
            folder.display()
        )
    })?;
    for (name, value) in report::figures(&plan, &outcome) {
        println!("{name}: {value}");
    }
    for violation in outcome.violations.iter().take(TOLD) {
        println!("\n{violation}");
    }
    for complaint in &outcome.complaints {
        println!("\n{complaint}");
    }
    let kept = outcome.violations.is_empty() && outcome.complaints.is_empty();
    if kept {
        // It is in the temporary directory.
        let _removed = std::fs::remove_dir_all(&folder);
        println!("Every promise was kept.");
    } else {
        println!(
            "\nNOT every promise was kept. The plan again: {replay}. The workers' logs: {}",
            folder.display()
        );
    }
    // What another worker does is to be told, not to be passed.
    Ok(kept || arguments.by == Runtime::Camunda)
}
