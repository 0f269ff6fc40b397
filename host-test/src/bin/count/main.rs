//! `make count`: the processor instructions that one call takes, counted by callgrind and compared with the figures on record.
//!
//! A count repeats where a time does not: it is a guard that needs no quiet machine. The server is a process of its own, which callgrind does not
//! follow. What a call takes is the difference of two runs, divided by the calls that the longer one makes more: what both take to start drops out.

mod callgrind;
mod client;
mod record;
mod server;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use flow_starter_host::Engine;
use host_test::rig::component_file;

use callgrind::Counted;
use record::{Figures, Verdict};

/// Counts the instructions of one call of the flow starter: all of them, and those in the component.
#[derive(Debug, Parser)]
#[command(name = "count")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,

    /// The file with the figures on record
    #[arg(long, default_value = "host-test/count.json")]
    record: PathBuf,

    /// Write the figures to that file instead of comparing them
    #[arg(long)]
    write: bool,

    /// Print the figures, and compare nothing
    #[arg(long, conflicts_with = "write")]
    only: bool,

    /// Leave callgrind's output in this folder, for `callgrind_annotate`
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Answer requests until standard input ends
    #[command(hide = true)]
    Serve,
    /// Make calls
    #[command(hide = true)]
    Call(client::Calls),
}

/// How many calls the two runs make. The first ones fill the pools.
const FEW: u32 = 20;
const MANY: u32 = 120;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.part {
        Some(Part::Serve) => server::serve().map(|()| ExitCode::SUCCESS),
        Some(Part::Call(calls)) => calls.make().map(|()| ExitCode::SUCCESS),
        None => count(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("count: {error:#}");
        ExitCode::FAILURE
    })
}

fn count(arguments: &Arguments) -> Result<ExitCode> {
    callgrind::is_there()?;
    let folder = tempfile::tempdir()?;
    let output = arguments.keep.clone().unwrap_or_else(|| folder.path().to_owned());
    let wasm = fs::read(component_file()).context("dist/servicenow-flow-starter.wasm: run `make build` first")?;
    let compiled = folder.path().join("component.cwasm");
    fs::write(&compiled, Engine::new(client::limits())?.compile_portable(&wasm)?)?;
    let server = server::Server::start()?;
    let run = |door: client::Door, calls: u32| {
        let call = client::Calls {
            origin: server.origin().to_owned(),
            component: compiled.clone(),
            calls,
            door,
        };
        callgrind::run(&call, &output.join(format!("callgrind.{door}.{calls}")))
    };
    let of = |door: client::Door| -> Result<Counted> {
        let (few, many) = (run(door, FEW)?, run(door, MANY)?);
        Ok(many.minus(few).each(u64::from(MANY - FEW)))
    };
    let (connector, starter) = (of(client::Door::Connector)?, of(client::Door::Starter)?);
    let now = Figures {
        connector_guest: connector.guest,
        connector: connector.all,
        starter_guest: starter.guest,
        starter: starter.all,
        component_bytes: wasm.len() as u64,
    };
    print!("{now}");
    if arguments.only {
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.write {
        now.write(&arguments.record)?;
        println!("{}: written", arguments.record.display());
        return Ok(ExitCode::SUCCESS);
    }
    let verdict = now.compared(&Figures::read(&arguments.record)?);
    print!("{verdict}");
    Ok(match verdict {
        Verdict::Grown(_) => ExitCode::FAILURE,
        Verdict::Held(_) => ExitCode::SUCCESS,
    })
}
