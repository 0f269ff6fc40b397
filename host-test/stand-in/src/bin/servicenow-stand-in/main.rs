//! Runs a stand-in ServiceNow until Ctrl-C, and shows what it receives.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod screen;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use servicenow_stand_in::{Behaviour, FileError, Instance, Options, SAMPLE_FILE, StandIn, StartError};

/// What a person at the terminal can still scroll back to is enough.
const KEPT_REQUESTS: usize = 1000;

/// A stand-in ServiceNow: responds like an instance with REST-triggered flows, on this machine only.
///
/// It shows its users, their (demo) passwords and a working curl command, then one line for each request.
#[derive(Debug, Parser)]
#[command(name = "servicenow-stand-in", after_help = EXAMPLES)]
struct Arguments {
    /// The instance's configuration: users, flows, faults (TOML; see --print-config)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// HTTPS port; 0: any free port
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    /// Plain HTTP port; 0: any free port
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    http_port: u16,

    /// Control port; 0: any free port
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    control_port: u16,

    /// Where to write the certificate authority that clients must trust [default: a file in the temporary directory]
    #[arg(long, value_name = "PATH")]
    ca_file: Option<PathBuf>,

    /// The instance's name, instead of the file's: "acme" means acme.service-now.com
    #[arg(long, value_name = "NAME")]
    host_name: Option<String>,

    /// The behaviour of a path, as in the file's [behaviours]: a name, or TOML; repeatable
    #[arg(long, value_name = "PATH=BEHAVIOUR")]
    behave: Vec<String>,

    /// Print a file for --config with every key explained, and exit
    #[arg(long)]
    print_config: bool,
}

const EXAMPLES: &str = "\
Examples:
  servicenow-stand-in                                  the demo instance, on free ports
  servicenow-stand-in --port 8443 --ca-file ca.pem     on a fixed port
  servicenow-stand-in --behave '/oauth_token.do={ answer = { status = 503 } }'
  servicenow-stand-in --behave /api/sn_cico/flow_starter/my_flow=semaphore
  servicenow-stand-in --print-config > instance.toml   a file to change …
  servicenow-stand-in --config instance.toml           … and to run";

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a valid instance file: {source}")]
    File { path: PathBuf, source: FileError },
    #[error("--behave {argument}: {source}")]
    Behave { argument: String, source: FileError },
    #[error("--behave {0}: write PATH=BEHAVIOUR, for example /oauth_token.do=hibernating")]
    NoPath(String),
    #[error("cannot write the certificate authority to {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot wait for Ctrl-C: {0}")]
    Signal(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    if arguments.print_config {
        screen::say(SAMPLE_FILE.trim_end());
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut instance = match &arguments.config {
        Some(path) => read_instance(path)?,
        None => Instance::demo(),
    };
    if let Some(name) = &arguments.host_name {
        instance.hosts = vec![name.clone()];
    }
    for argument in &arguments.behave {
        instance.behaviours.extend(behaviours(argument)?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    // Before anybody can know that there is something to end, or to remove.
    let the_end = the_end()?;
    drop(inside);
    let stand_in = StandIn::start_with(
        instance,
        Options {
            https_port: arguments.port,
            http_port: arguments.http_port,
            control_port: arguments.control_port,
            observer: Some(Box::new(|event| screen::say(&screen::line(event)))),
            keep: Some(KEPT_REQUESTS),
        },
    )?;
    let ca_file = CaFile::write(arguments.ca_file.as_deref(), stand_in.ca_pem())?;
    screen::say(&screen::greeting(&stand_in, &ca_file.path));
    runtime.block_on(the_end);
    Ok(())
}

/// `PATH=BEHAVIOUR`, read as the line of a file that it would be.
fn behaviours(argument: &str) -> Result<BTreeMap<String, Behaviour>, Failure> {
    let (path, behaviour) = argument
        .split_once('=')
        .filter(|(path, _)| path.starts_with('/') && !path.contains(['"', '\\', '\n']))
        .ok_or_else(|| Failure::NoPath(argument.to_owned()))?;
    let is_name = behaviour.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let quote = if is_name { "\"" } else { "" };
    let file = format!("[behaviours]\n\"{path}\" = {quote}{behaviour}{quote}");
    let instance = Instance::from_toml(&file).map_err(|source| Failure::Behave {
        argument: argument.to_owned(),
        source,
    })?;
    Ok(instance.behaviours)
}

/// The file with the certificate authority; one that nobody asked for by name goes when the stand-in does.
struct CaFile {
    path: PathBuf,
    temporary: bool,
}

impl CaFile {
    fn write(asked: Option<&Path>, pem: &str) -> Result<Self, Failure> {
        let (path, written) = match asked {
            Some(path) => (path.to_owned(), std::fs::write(path, pem)),
            None => {
                let name = format!("servicenow-stand-in-ca-{}.pem", std::process::id());
                let path = std::env::temp_dir().join(name);
                let written = write_new(&path, pem);
                (path, written)
            }
        };
        match written {
            Ok(()) => Ok(Self {
                path,
                temporary: asked.is_none(),
            }),
            Err(source) => Err(Failure::Write { path, source }),
        }
    }
}

/// In a directory that others may write to, a file is made anew: never written through a link that somebody has laid
/// there. One left by a process of the same id that was killed is ours to remove.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if self.temporary {
            let _gone_already = std::fs::remove_file(&self.path);
        }
    }
}

fn read_instance(path: &Path) -> Result<Instance, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::Read {
        path: path.to_owned(),
        source,
    })?;
    Instance::from_toml(&text).map_err(|source| Failure::File {
        path: path.to_owned(),
        source,
    })
}

/// Ctrl-C, a process manager's SIGTERM, or the end of the terminal; listened for from the moment this returns.
#[cfg(unix)]
fn the_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            _ = hung_up.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn the_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _cannot_be_told = tokio::signal::ctrl_c().await;
    })
}

/// clap's own text is a paragraph; its first line says what is wrong.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        screen::say(error.to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("error: ").unwrap_or(first);
    complain(&format!("{sentence} (see --help)"));
    ExitCode::from(2)
}

fn complain(what: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "servicenow-stand-in: {what}");
}
