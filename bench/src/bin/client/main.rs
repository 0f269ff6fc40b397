//! `bench-client`: the contenders in Rust, one process each, driven by the protocol in `bench/README.md`.
//! | file | contents |
//! |---|---|
//! | `main` | the options, and the contenders by name |
//! | `drive` | runs of many calls, and their figures |
//! | `native` | a pooled native client |
//! | `ours` | `Connector` and `FlowStarter` |
//! | `rival` | a component under wasmtime's default settings |
//! | `sender` | the default sender of wasmtime-wasi-http |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod drive;
mod native;
mod ours;
mod rival;
mod sender;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use flow_starter_bench::os;
use flow_starter_bench::protocol::Options;

/// Makes the same call as the other contenders, as often as standard input says
#[derive(Debug, Parser)]
#[command(name = "bench-client")]
struct Arguments {
    #[command(subcommand)]
    contender: Contender,
}

#[derive(Debug, Subcommand)]
enum Contender {
    /// A native client: hyper-util's, pooled
    Native(Contend),
    /// The component in the host library: `Connector::execute`
    Connector(Sandboxed),
    /// What the command line and the worker use: `FlowStarter::execute`
    Starter(Sandboxed),
    /// The same component under wasmtime-wasi-http's default sender and the pooling allocator
    DefaultSender(Sandboxed),
    /// A component with waki's client, under wasmtime's default settings
    Waki(Sandboxed),
    /// Compiles a component for one of the contenders
    Compile(Compile),
}

#[derive(Debug, Args)]
struct Contend {
    #[command(flatten)]
    options: Options,

    /// Make one call, print its output, and end
    #[arg(long)]
    print: bool,
}

#[derive(Debug, Args)]
struct Sandboxed {
    #[command(flatten)]
    contend: Contend,

    /// The component, compiled by `bench-client compile`
    #[arg(long, value_name = "FILE")]
    component: PathBuf,
}

#[derive(Debug, Args)]
struct Compile {
    /// The WebAssembly file
    wasm: PathBuf,

    /// Where to write the machine code
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    /// The engine's settings
    #[arg(long = "for", value_enum)]
    settings: Settings,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Settings {
    /// The host library's
    Ours,
    /// The pooling allocator, otherwise wasmtime's default
    Pooling,
    /// Wasmtime's default
    OnDemand,
}

fn main() -> ExitCode {
    let start = Instant::now();
    match run(Arguments::parse(), start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-client: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, start: Instant) -> Result<()> {
    os::raise_open_files().context("cannot raise the limit of open files")?;
    match arguments.contender {
        Contender::Native(contend) => contend.with(start, native::Native::new),
        Contender::Connector(ours) => ours
            .contend
            .with(start, |options| ours::connector(options, &ours.component)),
        Contender::Starter(ours) => ours
            .contend
            .with(start, |options| ours::starter(options, &ours.component)),
        Contender::DefaultSender(theirs) => theirs.contend.with(start, |options| {
            rival::Rival::default_sender(options, &theirs.component).map_err(rival::anyhow_error)
        }),
        Contender::Waki(theirs) => theirs.contend.with(start, |options| {
            rival::Rival::waki(options, &theirs.component).map_err(rival::anyhow_error)
        }),
        Contender::Compile(compile) => compile.run(),
    }
}

impl Contend {
    fn with<C: drive::Contender>(&self, start: Instant, new: impl FnOnce(&Options) -> Result<C>) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Some contenders start tasks when they are made.
        let contender = {
            let _entered = runtime.enter();
            new(&self.options)?
        };
        match self.print {
            true => drive::print(&runtime, &contender, &self.options),
            false => drive::drive(&runtime, &contender, &self.options, start),
        }
    }
}

impl Compile {
    fn run(&self) -> Result<()> {
        let wasm = std::fs::read(&self.wasm).with_context(|| format!("cannot read {}", self.wasm.display()))?;
        let code = match self.settings {
            Settings::Ours => ours::compile(&wasm)?,
            Settings::Pooling => rival::compile(&wasm, true).map_err(rival::anyhow_error)?,
            Settings::OnDemand => rival::compile(&wasm, false).map_err(rival::anyhow_error)?,
        };
        std::fs::write(&self.to, code).with_context(|| format!("cannot write {}", self.to.display()))
    }
}
