//! Camunda's own connector runtime (8.8.7) as a job worker over REST, for comparison: a Java process between a test cluster and a stand-in.
//!
//! Its one connector is `io.camunda:http-json:1` (`host-test/judge`), whose secrets are environment variables `SECRET_…`.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::java::{Built, Java, project};

/// The job type that the runtime works on.
pub const JOB_TYPE: &str = "io.camunda:http-json:1";
/// Seconds, most often. On a machine that builds as well, it has been minutes.
const PATIENCE: Duration = Duration::from_secs(600);
/// Spring Boot's last line of the start.
const STARTED: &str = "Started ConnectorRuntime in ";

/// How the runtime is started.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// The cluster's REST address, without `/v2`.
    pub cluster: String,
    /// Secrets by name.
    pub secrets: Vec<(String, String)>,
    /// Jobs at a time, and threads to do them.
    pub jobs: usize,
    /// How long the cluster gives it for a job; `None` is the client's default of 5 minutes.
    pub job_timeout: Option<Duration>,
    /// More arguments of Spring Boot.
    pub arguments: Vec<String>,
    /// Options of the JVM, in place of those that start a small program quickly.
    pub jvm: Vec<String>,
}

impl RuntimeOptions {
    /// 32 jobs at a time, without secrets.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            secrets: Vec::new(),
            jobs: 32,
            job_timeout: None,
            arguments: Vec::new(),
            jvm: Vec::new(),
        }
    }

    /// A secret, which an input names as `{{secrets.NAME}}`.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The runtime's process, not started yet.
    #[must_use]
    pub fn command(&self, java: &Java, built: &Built) -> Command {
        let secrets = self.secrets.iter();
        let mut command = match self.jvm.is_empty() {
            true => java.command(),
            false => java.plain(),
        };
        command
            .args(&self.jvm)
            .arg("-cp")
            .arg(built.class_path())
            .arg("ConnectorRuntime")
            .args(self.arguments())
            // No setting of this machine counts; secrets with umlauts do.
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            // Otherwise the runtime looks for connectors on the whole class path.
            .env("CONNECTOR_REST_FUNCTION", "Rest")
            .envs(secrets.map(|(name, value)| (format!("SECRET_{name}"), value)));
        command
    }

    fn arguments(&self) -> Vec<String> {
        let timeout = self
            .job_timeout
            .map(|timeout| format!("--camunda.client.worker.defaults.timeout={}ms", timeout.as_millis()));
        let fixed = [
            "--camunda.client.mode=self-managed",
            "--camunda.client.auth.method=none",
            "--camunda.client.prefer-rest-over-grpc=true",
            // Never called.
            "--camunda.client.grpc-address=http://127.0.0.1:1",
            "--camunda.client.worker.defaults.stream-enabled=false",
            "--camunda.connector.polling.enabled=false",
            "--camunda.connector.webhook.enabled=false",
            "--camunda.connector.secretprovider.environment.prefix=SECRET_",
            "--server.address=127.0.0.1",
            "--server.port=0",
            "--spring.main.banner-mode=off",
        ];
        let own = [
            format!("--camunda.client.rest-address={}", self.cluster),
            format!("--camunda.client.worker.defaults.max-jobs-active={}", self.jobs),
            format!("--camunda.client.execution-threads={}", self.jobs),
        ];
        let fixed = fixed.into_iter().map(str::to_owned);
        fixed
            .chain(own)
            .chain(timeout)
            .chain(self.arguments.iter().cloned())
            .collect()
    }
}

/// A running connector runtime. It is killed when it is dropped.
pub struct Runtime {
    child: Child,
    log: Arc<Log>,
}

impl Runtime {
    /// Builds it unless that was done before, starts it, and waits until it asks for jobs.
    ///
    /// # Errors
    /// Where Maven cannot build it, or it does not start.
    pub fn start(java: &Java, options: &RuntimeOptions) -> Result<Self> {
        let built = java.maven(&project("judge"))?;
        let mut child = options
            .command(java, &built)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Warnings of the JVM about its libraries.
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run Java")?;
        let log = Arc::new(Log::default());
        if let Some(stdout) = child.stdout.take() {
            let own = Arc::clone(&log);
            // A full pipe would stop the runtime.
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                    own.push(String::from_utf8_lossy(&line).into_owned());
                }
                own.end();
            });
        }
        let runtime = Self { child, log };
        if !runtime.log.wait_for_the_start() {
            bail!(
                "Camunda's connector runtime does not start:\n{}",
                runtime.log().join("\n")
            );
        }
        Ok(runtime)
    }

    /// The latest lines of its log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.state().lines.iter().cloned().collect()
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a machine that loses its power would.
    ///
    /// # Errors
    /// Where the system refuses it.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Of a run of hours, with a stack trace for each error, the latest lines are enough.
const KEPT_LINES: usize = 2000;

#[derive(Default)]
struct Lines {
    lines: VecDeque<String>,
    started: bool,
    ended: bool,
}

/// What it writes to standard output.
#[derive(Default)]
struct Log {
    state: Mutex<Lines>,
    changed: Condvar,
}

impl Log {
    fn state(&self) -> MutexGuard<'_, Lines> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: String) {
        let mut state = self.state();
        state.started |= line.contains(STARTED);
        state.lines.push_back(line);
        if state.lines.len() > KEPT_LINES {
            state.lines.pop_front();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// False: the process ended before that, or it takes too long.
    fn wait_for_the_start(&self) -> bool {
        let state = self.state();
        let waited = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.started && !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.started
    }
}
