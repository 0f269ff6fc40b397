//! `bench`: starts the server and the contenders, measures them in interleaved rounds, and prints the tables.
//! | file | contents |
//! |---|---|
//! | `main` | the order of things |
//! | `contender`, `server`, `process` | the processes |
//! | `rounds` | the interleaved measurements |
//! | `sustained`, `masking`, `instructions` | the others |
//! | `results` | all figures |
//! | `stats`, `table`, `picture` | figures → text |
//! | `document`, `machine` | where the text goes, and what it says of the machine |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod contender;
mod document;
mod instructions;
mod machine;
mod masking;
mod picture;
mod process;
mod results;
mod rounds;
mod server;
mod stats;
mod sustained;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use flow_starter_bench::os::{self, Spinners};

use contender::{Components, STARTER};
use results::Results;
use rounds::{Cores, Extent};
use server::Server;

/// Measures what a call costs in the sandbox, against a native client and other sandboxed ones
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The component
    #[arg(long, value_name = "FILE", default_value = "dist/servicenow-flow-starter.wasm")]
    component: PathBuf,

    /// The component with waki's client
    #[arg(long, value_name = "FILE")]
    waki: PathBuf,

    /// Number of interleaved rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Short runs, for a check of the bench itself
    #[arg(long)]
    quick: bool,

    /// One more contender, which speaks the protocol in bench/README.md
    #[arg(long, value_name = "LABEL=PROGRAM ARGUMENT …", value_parser = contender::other)]
    also: Vec<contender::Contender>,

    /// The command that the tables name
    #[arg(long, default_value = "make bench")]
    command: String,

    /// Write the tables and the picture into the documents below this directory
    #[arg(long, value_name = "DIRECTORY")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn extent(&self) -> Extent {
        match self.quick {
            true => Extent {
                rounds: self.rounds,
                run: Duration::from_millis(100),
                delayed: vec![1, 100],
                sustained: 5_000,
            },
            false => Extent {
                rounds: self.rounds,
                run: Duration::from_millis(1_500),
                delayed: vec![1, 100, 1_000, 8_000],
                sustained: 100_000,
            },
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let all = os::cores()?;
    let [server, client, ..] = *all else {
        bail!("the bench needs two cores: one for the server and one for the clients");
    };
    let cores = Cores { server, client };
    if let Some(load) = machine::load().filter(|load| *load > 0.5) {
        eprintln!("other programs are busy on this machine (load {load}): the figures will vary");
    }
    let program = |name: &str| -> Result<PathBuf> { Ok(std::env::current_exe()?.with_file_name(name)) };
    let client = program("bench-client")?;
    let directory = Temporary::new()?;
    let components = Components::compile(&client, &arguments.component, &arguments.waki, &directory.0)?;
    let mut contenders = contender::in_rust(&client, &components.compiled);
    let server = Server::start(&program("bench-server")?, &directory.0, cores.server)?;
    contender::same_outputs(&contenders, &server.plain())?;
    contenders.extend(arguments.also.iter().cloned());

    eprintln!("instructions");
    let wasm = &components.ours;
    let instructions = instructions::measure(&client, wasm, &server.plain(), &directory.0, &[cores.client])?;

    let extent = arguments.extent();
    let _awake = Spinners::start(&[cores.server, cores.client])?;
    eprintln!("starts");
    let starts = sustained::starts(&contenders, &server.plain(), &cores)?;
    let samples = rounds::measure(&contenders, &server, &cores, &extent)?;
    eprintln!("{} calls in a row", extent.sustained);
    let sustained = match contenders.get(STARTER) {
        Some(starter) => sustained::sustained(starter, &server, &cores, extent.sustained)?,
        None => Vec::new(),
    };
    let results = Results {
        command: arguments.command,
        machine: machine::description(all.len()),
        extent,
        sizes: sizes(&components),
        instructions,
        masking: masking::measure(),
        contenders,
        samples,
        starts,
        sustained,
    };
    println!("{}", table::full(&results));
    match &arguments.write {
        Some(root) => write(root, &results),
        None => Ok(()),
    }
}

/// Bytes of each contender's component and of its machine code.
fn sizes(components: &Components) -> Vec<(Option<u64>, Option<u64>)> {
    let size = |file: &Path| file.metadata().map(|metadata| metadata.len()).ok();
    let last = components.compiled.len().saturating_sub(1);
    let of = |(at, code): (usize, &Option<PathBuf>)| {
        let wasm = if at == last { &components.waki } else { &components.ours };
        match code {
            Some(code) => (size(wasm), size(code)),
            None => (None, None),
        }
    };
    components.compiled.iter().enumerate().map(of).collect()
}

fn write(root: &Path, results: &Results) -> Result<()> {
    let picture = root.join("docs/pictures/bench.svg");
    std::fs::write(&picture, picture::svg(results)).with_context(|| format!("cannot write {}", picture.display()))?;
    for (file, text) in [
        ("docs/performance.md", table::full(results)),
        ("README.md", table::summary(results)),
    ] {
        if !document::write(&root.join(file), &text)? {
            eprintln!("{file} has no place for the table: <!-- bench --> … <!-- end -->");
        }
    }
    Ok(())
}

/// A directory of this process; its end removes it.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("flow-starter-bench-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
