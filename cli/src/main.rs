//! `flow-starter`: the connector as a command-line program. Arguments in, exit code out.
//! | file | contents |
//! |---|---|
//! | `arguments` | the commands, and their help |
//! | `settings/` | the effective settings, from flags, environment, file or defaults |
//! | `input/` | the arguments → the component's JSON input |
//! | `connector` | the settings → a loaded component and its egress |
//! | `trigger`, `outcome`, `dry_run`, `interrupt` | a call and its outcome, or its dry run |
//! | `worker` | the job worker |
//! | `check` | tests the connection to an instance step by step |
//! | `advice` | what an operator can do if a connection fails |
//! | `inspect` | inspects and compiles a component |
//! | `secrets` | lists the secrets that an input uses |
//! | `manual` | completions and manual pages |
//! | `log`, `progress`, `terminal` | output |
//! | `exit` | the exit codes |
//! | `embedded` | the component in this binary |
// The documentation of an argument is its help, word for word.
#![allow(rustdoc::bare_urls)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod advice;
mod arguments;
mod check;
mod connector;
mod dry_run;
mod embedded;
mod exit;
mod input;
mod inspect;
mod interrupt;
mod log;
mod manual;
mod outcome;
mod progress;
mod secrets;
mod settings;
mod terminal;
mod trigger;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, FromArgMatches as _};
use flow_starter_host::component::LoadError;
use flow_starter_worker::traces::Traces;
use serde_json::json;
use tracing::Instrument as _;

use arguments::{Arguments, Config, Secrets, Task};
use exit::{Exit, bad};
use input::{Input, LoadedInput};
use progress::Waiting;
use settings::{Resolved, Settings};
use terminal::{Out, print, print_error, print_json, printable};

fn main() -> ExitCode {
    // Prints help and argument errors; exits with 2 if the arguments are wrong.
    let matches = arguments::matches();
    let ended = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => run(&arguments.command, &matches),
        Err(error) => arguments::without_values(error).exit(),
    };
    let exit = ended.unwrap_or_else(|error| {
        print_error(&format!("{error:#}"));
        Exit::from(&error)
    });
    exit.into()
}

fn run(task: &Task, matches: &ArgMatches) -> Result<Exit> {
    match task {
        Task::Completions { shell } => return manual::completions(*shell),
        Task::Config(Config::Example) => {
            print(&settings::example())?;
            return Ok(Exit::Success);
        }
        Task::Man { directory } => return manual::pages(directory.as_deref()),
        Task::Settings => {
            print(&arguments::explained())?;
            return Ok(Exit::Success);
        }
        _ => {}
    }
    // A global flag is only visible in the subcommand's matches.
    let is_worker = matches!(task, Task::Worker(_));
    let settings = Settings::gather(innermost(matches), &std::env::vars_os().collect(), is_worker)?;
    let runtime = match task {
        Task::Worker(_) => worker::runtime()?,
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
    };
    let traces = match is_worker {
        true => Traces::from_environment(runtime.handle().clone()),
        false => Ok(None),
    };
    let layer = traces.as_ref().ok().and_then(Option::as_ref).map(Traces::layer);
    log::start(&settings, is_worker, layer);
    let traces = traces.unwrap_or_else(|off| {
        tracing::warn!("{off}");
        None
    });
    if let Some(traces) = &traces {
        tracing::info!("traces go to {}", traces.endpoint());
    }
    let ended = runtime.block_on(async {
        if let Task::Config(Config::Show) = task {
            return show(&settings);
        }
        let gathered = &settings;
        let settings = settings.resolve()?;
        match task {
            Task::Worker(arguments) => worker::work(arguments, gathered, &settings).await,
            Task::Trigger(arguments) => trigger::trigger(arguments, &settings).await,
            Task::Check { input } => check(input, &settings).await,
            Task::Inspect { file } => inspect(file.as_deref(), &settings),
            Task::Compile { file, to } => compile(file.as_deref(), to, &settings),
            Task::Secrets(Secrets::List { input }) => secrets::list(input, &settings).await,
            Task::Config(_) | Task::Settings | Task::Completions { .. } | Task::Man { .. } => Ok(Exit::Success),
        }
    });
    if let Some(traces) = traces {
        traces.finish();
    }
    // A hanging read of a secrets file keeps its thread; do not wait for it.
    runtime.shutdown_background();
    match ended {
        // Programs read only standard output.
        Err(error) if settings.json() => {
            let exit = Exit::from(&error);
            let kind = if exit == Exit::BadInput {
                "invalid-input"
            } else {
                "internal"
            };
            let report = json!({
                "error": {"kind": kind, "message": format!("{error:#}"), "flow": "not-started", "retryable": false},
                "requests": [],
            });
            print_json(&report.to_string())?;
            Ok(exit)
        }
        ended => ended,
    }
}

async fn check(input: &Input, settings: &Resolved<'_>) -> Result<Exit> {
    let LoadedInput { json: input, warnings } = input.read()?;
    let (starter, egress) = connector::starter(settings).await?;
    let colours = settings.colour.on(&std::io::stdout());
    let mut out = Out;
    let checked = check::check(&starter, &egress, &input, &warnings, colours, settings.json, &mut out);
    checked.instrument(log::call()).await
}

fn inspect(file: Option<&Path>, settings: &Resolved<'_>) -> Result<Exit> {
    let (name, wasm) = connector::bytes(file, settings)?;
    let engine = connector::engine(settings)?;
    Ok(
        match inspect::inspect(&engine, &name, &wasm, settings.json, &mut Out)? {
            true => Exit::Success,
            false => Exit::BadInput,
        },
    )
}

fn compile(file: Option<&Path>, to: &Path, settings: &Resolved<'_>) -> Result<Exit> {
    // An empty parent is the current directory.
    if to
        .parent()
        .is_some_and(|folder| folder != Path::new("") && !folder.is_dir())
    {
        return Err(bad("cannot write the --to file: its directory does not exist"));
    }
    // The file is replaced: a device, a pipe or a link would be lost.
    if to.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(bad(format!(
            "cannot write to `{}`: it exists and is not a regular file; choose another name, for example --to flow-starter.cwasm",
            to.display()
        )));
    }
    let (name, wasm) = connector::bytes(file, settings)?;
    let engine = connector::engine(settings)?;
    let waiting = Waiting::begin("compiling the component");
    let compiled = inspect::compile(&engine, &wasm, to);
    drop(waiting);
    // A faulty component is the user's error.
    let size = compiled.map_err(|error| match error.downcast_ref::<LoadError>() {
        Some(error) => bad(format!("`{}` cannot be compiled: {error}", name.display())),
        None => error,
    })?;
    let file = to.display().to_string();
    match settings.json {
        true => print_json(&json!({"file": file, "bytes": size}).to_string())?,
        false => print(&format!("{}: {size} bytes, for --precompiled\n", printable(&file)))?,
    }
    Ok(Exit::Success)
}

/// Shows all settings, then an invalid one.
fn show(settings: &Settings) -> Result<Exit> {
    let checked = settings.resolve();
    if settings.json() {
        let error = checked.as_ref().err().map(|error| format!("{error:#}"));
        print_json(&format!("{:#}", settings.as_json(error)))?;
        return Ok(checked.map_or_else(|error| Exit::from(&error), |_| Exit::Success));
    }
    print(&settings.as_text(settings.colour().on(&std::io::stdout())))?;
    checked.map(|_| Exit::Success)
}

fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}
