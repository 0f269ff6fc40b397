//! Runs a test cluster until it is stopped, and says what happens to its jobs.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use camunda_test_cluster::{
    Auth, Change, Cluster, JobFileError, JobSpec, Options, StartError, Version, evaluator_at, job_from_json,
};
use clap::Parser;

/// What a person at the terminal can still make use of.
const KEPT_REQUESTS: usize = 1000;

/// A stand-in for a Camunda 8 cluster: serves jobs for trials and tests, on this machine only. It executes no BPMN.
///
/// It prints its address, then one line for each change of a job. GET /control/ at that address lists the control calls.
#[derive(Debug, Parser)]
#[command(name = "camunda-test-cluster")]
struct Arguments {
    /// The port; 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    /// The Camunda version to imitate: 8.8, 8.9 or 8.10
    #[arg(long, value_name = "VERSION", default_value = "8.8", value_parser = version)]
    version: Version,

    /// A job to create at start, as JSON: {"type": "…", "inputs": {}, "headers": {}, "retries": 3}. May be repeated
    #[arg(long, value_name = "FILE")]
    job: Vec<PathBuf>,

    /// Require this user and password (basic authentication)
    #[arg(long, value_name = "USER:PASSWORD", conflicts_with = "client")]
    user: Option<String>,

    /// Require an access token, which /oauth/token issues to this client
    #[arg(long, value_name = "ID:SECRET")]
    client: Option<String>,

    /// Evaluate expressions (8.9 and later) with the FEEL service at this address: the one in host-test/feel
    #[arg(long, value_name = "http://127.0.0.1:PORT", value_parser = feel_address)]
    feel_url: Option<SocketAddr>,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} holds no job: {source}")]
    Job { path: PathBuf, source: JobFileError },
    #[error("write {0} with a colon in between")]
    Pair(&'static str),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot wait for a signal: {0}")]
    Signal(#[from] std::io::Error),
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "write 8.8, 8.9 or 8.10".to_owned())
}

/// A service on another machine would need TLS.
fn feel_address(text: &str) -> Result<SocketAddr, String> {
    let address = text
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/').parse());
    match address {
        Some(Ok(address)) => Ok(address),
        _ => Err("write http://127.0.0.1:PORT".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _nobody_reads = writeln!(std::io::stderr(), "camunda-test-cluster: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let jobs = arguments
        .job
        .iter()
        .map(|path| read_job(path))
        .collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    // Before anybody can know that there is something to end.
    let the_end = the_end()?;
    drop(inside);
    let options = Options::new(arguments.version)
        .port(arguments.port)
        .auth(auth(arguments)?)
        .keep_requests(KEPT_REQUESTS)
        .observer(Box::new(|change: &Change| say(&change.to_string())));
    let cluster = Cluster::start(options)?;
    if let Some(address) = arguments.feel_url {
        cluster.set_evaluator(evaluator_at(address));
    }
    say(&cluster.url());
    for job in jobs {
        cluster.create_job(job);
    }
    runtime.block_on(the_end);
    Ok(())
}

fn read_job(path: &Path) -> Result<JobSpec, Failure> {
    let path = path.to_owned();
    match std::fs::read(&path) {
        Err(source) => Err(Failure::Read { path, source }),
        Ok(text) => job_from_json(&text).map_err(|source| Failure::Job { path, source }),
    }
}

fn auth(arguments: &Arguments) -> Result<Auth, Failure> {
    let pair = |text: &str, what| {
        let (name, secret) = text.split_once(':').ok_or(Failure::Pair(what))?;
        Ok::<_, Failure>((name.to_owned(), secret.to_owned()))
    };
    Ok(match (&arguments.user, &arguments.client) {
        (Some(user), _) => {
            let (username, password) = pair(user, "--user")?;
            Auth::Basic { username, password }
        }
        (None, Some(client)) => {
            let (client_id, client_secret) = pair(client, "--client")?;
            Auth::Bearer {
                client_id,
                client_secret,
            }
        }
        (None, None) => Auth::None,
    })
}

/// Ctrl-C, or SIGTERM where there is one.
fn the_end() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut signals = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = signals.0.recv() => {}
            _ = signals.1.recv() => {}
        }
        #[cfg(not(unix))]
        let _either_way = tokio::signal::ctrl_c().await;
    })
}

/// A reader that left is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _nobody_reads = writeln!(out, "{line}").and_then(|()| out.flush());
}
