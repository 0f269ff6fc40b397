//! What a test of the worker stands on: a test cluster, a stand-in ServiceNow, and the program between them.
//!
//! Nothing here sleeps: a test waits for a state of a job, for a request at the stand-in or for a line of the log.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use camunda_test_cluster::{
    Call, Cluster, Failure, JobKey, JobSnapshot, JobSpec, JobState, Options, Variables, Version,
};
use serde_json::{Value, json};
use servicenow_stand_in::{Behaviour, Instance, StandIn};

use crate::cli::workspace::{Workspace, flow, program};

/// The path of the flow that [`job`] starts.
pub const FLOW: &str = servicenow_stand_in::DEMO_FLOW;
/// The job type.
pub const TYPE: &str = "servicenow-flow-starter:1";
/// A test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The password in every job of [`job`].
pub const PASSWORD: &str = "demo-password";

/// A job for the demo's flow whose result is the variable `result`.
pub fn job() -> JobSpec {
    job_with(json!({}))
}

/// The same with members in place of its own; null takes one away.
pub fn job_with(members: Value) -> JobSpec {
    JobSpec::new(TYPE)
        .inputs(flow(members))
        .header("resultVariable", "result")
}

/// A cluster and a stand-in. The program is started on demand, any number of times.
pub struct Rig {
    pub cluster: Cluster,
    pub place: Workspace,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Options::new(Version::V8_8))
    }

    pub fn with(options: Options) -> Self {
        Self::of(options, Instance::demo())
    }

    pub fn of(options: Options, instance: Instance) -> Self {
        Self {
            cluster: Cluster::start(options).unwrap(),
            place: Workspace::of(instance),
        }
    }

    pub fn stand_in(&self) -> &StandIn {
        &self.place.stand_in
    }

    /// The flow does so once.
    pub fn flow_once(&self, behaviour: Behaviour) {
        self.stand_in().behave_once(FLOW, behaviour);
    }

    /// The flow does so from now on.
    pub fn flow_always(&self, behaviour: Behaviour) {
        self.stand_in().behave(FLOW, behaviour);
    }

    pub fn create(&self, spec: JobSpec) -> JobKey {
        self.cluster.create_job(spec)
    }

    /// The program, not started yet: it finds the cluster and the stand-in, and logs everything as JSON.
    pub fn worker(&self) -> Worker {
        let mut command = self.place.command(&program());
        let to_stand_in = self
            .stand_in()
            .hosts()
            .into_iter()
            .map(|host| format!("{host}:443:{}", self.stand_in().https_addr()));
        command
            .arg("worker")
            .env(
                "FLOW_STARTER_NETWORK_CONNECT_TO",
                to_stand_in.collect::<Vec<_>>().join(","),
            )
            .env("FLOW_STARTER_POLICY_ALLOW", self.stand_in().hosts().join(","))
            .env("FLOW_STARTER_WORKER_MANAGEMENT_ADDRESS", "127.0.0.1:0")
            .env("FLOW_STARTER_COMPONENT_PRECOMPILED", precompiled())
            .env("CAMUNDA_REST_ADDRESS", self.cluster.url());
        Worker(command)
    }

    /// The program with nothing out of the ordinary.
    pub fn start(&self) -> Program {
        self.worker().start()
    }

    /// Runs the program until there are no jobs. It must end with 0.
    pub fn once(&self) -> Vec<String> {
        let program = self.worker().arg("--once").start();
        let lines = program.ended();
        assert_eq!(lines.0, Some(0), "{}", lines.1.join("\n"));
        lines.1
    }

    pub fn until(&self, key: JobKey, holds: impl FnMut(&JobSnapshot) -> bool + Send + 'static) -> JobSnapshot {
        self.cluster
            .block_until(key, holds)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits for the job's completion, and gives its variables.
    pub fn completed(&self, key: JobKey) -> Variables {
        self.until(key, |job| job.state == JobState::Completed)
            .completed_with
            .unwrap()
    }

    /// Waits for the job's incident.
    pub fn incident(&self, key: JobKey) -> Incident {
        let job = self.until(key, |job| matches!(job.state, JobState::Incident { .. }));
        let JobState::Incident { message, .. } = job.state.clone() else {
            unreachable!("it was waited for");
        };
        Incident { message, job }
    }

    /// Waits for the `n`-th failure that the cluster accepted, from 1.
    pub fn failure(&self, key: JobKey, n: usize) -> Failure {
        let mut failures = self.until(key, move |job| job.failures.len() >= n).failures;
        failures.swap_remove(n - 1)
    }

    /// Kills the program, and lets the locks of its jobs pass.
    pub fn killed(&self, program: Program) {
        program.kill();
        // A poll of the dead must not take the job once more.
        self.cluster.drop_connections();
        self.cluster.advance(Duration::from_secs(3600));
    }

    /// A person resolves the job's incident.
    pub fn resolve(&self, key: JobKey) {
        self.cluster.resolve_incident(key, Some(1)).unwrap();
    }

    /// Waits until so many requests have reached the stand-in, heads alone included.
    pub fn sent(&self, requests: usize) {
        assert!(
            self.stand_in().wait_for_requests(requests, PATIENCE),
            "{} requests",
            self.stand_in().requests().len()
        );
    }

    /// Waits until so many flows have started.
    pub fn started(&self, starts: usize) {
        assert!(self.stand_in().wait_until(PATIENCE, |_, seen| seen.len() >= starts));
    }

    /// How many flows have started by now.
    pub fn starts(&self) -> usize {
        self.stand_in().starts().len()
    }

    /// Waits for the `n`-th request of a kind.
    pub fn asked(&self, call: Call, n: usize) -> camunda_test_cluster::Recorded {
        self.cluster
            .block_nth_request(call, n)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// No request to the cluster has these texts in it.
    pub fn assert_never_told(&self, texts: &[&str]) {
        for request in self.cluster.requests() {
            let all = format!(
                "{} {:?} {}",
                request.target,
                request.headers,
                String::from_utf8_lossy(&request.body)
            );
            for text in texts {
                assert!(!all.contains(text), "{text} came out: {all}");
            }
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_never_told(&[PASSWORD]);
        }
    }
}

/// A job with an incident.
pub struct Incident {
    pub message: String,
    pub job: JobSnapshot,
}

impl Incident {
    /// The variable `error`.
    pub fn error(&self) -> &Value {
        &self.job.local["error"]
    }

    /// The state in the variable `flowStarterOutcome`.
    pub fn state(&self) -> &str {
        state(&self.job)
    }

    /// The first 400 UTF-16 units of the message.
    pub fn head(&self) -> String {
        let units: Vec<u16> = self.message.encode_utf16().take(400).collect();
        String::from_utf16_lossy(&units)
    }
}

/// The state in the variable `flowStarterOutcome`; empty where there is none.
pub fn state(job: &JobSnapshot) -> &str {
    job.local
        .get("flowStarterOutcome")
        .and_then(|outcome| outcome["state"].as_str())
        .unwrap_or_default()
}

/// Compiled by the program itself, once for all tests.
fn precompiled() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("worker.cwasm");
        let own = file.with_extension(format!("{}.cwasm", std::process::id()));
        let done = Command::new(program())
            .env_clear()
            .arg("compile")
            .arg("-o")
            .arg(&own)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // Another process may have the old file open.
        std::fs::rename(&own, &file).unwrap();
        file
    })
}

/// The program before its start.
pub struct Worker(Command);

impl Worker {
    pub fn arg(mut self, argument: &str) -> Self {
        self.0.arg(argument);
        self
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    pub fn start(mut self) -> Program {
        let mut child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Lines::default());
        let (own, stderr) = (Arc::clone(&lines), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                own.push(String::from_utf8_lossy(&line).into_owned());
            }
            own.end();
        });
        Program { child, lines }
    }

    /// Runs it to its end with a log that cannot be written. The exit code.
    pub fn end_on_a_full_disk(mut self) -> Option<i32> {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        self.0
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(full)
            .status()
            .unwrap()
            .code()
    }

    /// Runs it to its end: the exit code and standard error.
    pub fn end(self) -> (Option<i32>, String) {
        let (code, lines) = self.start().ended();
        (code, lines.join("\n"))
    }
}

/// What the program has written to standard error.
#[derive(Default)]
struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Lines {
    fn push(&self, line: String) {
        self.state.lock().unwrap().0.push(line);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    /// Looks at all lines after each change, until there is something, or no more to come.
    fn wait<T>(&self, mut look: impl FnMut(&[String], bool) -> Option<T>) -> Option<T> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(found) = look(&state.0, state.1) {
                return Some(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || state.1 {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// The running program. It is killed when it is dropped, and its log must not have had a password in it.
pub struct Program {
    child: Child,
    lines: Arc<Lines>,
}

impl Program {
    /// All of standard error so far.
    pub fn stderr(&self) -> String {
        self.lines.state.lock().unwrap().0.join("\n")
    }

    /// The log so far.
    pub fn logs(&self) -> Vec<Value> {
        let state = self.lines.state.lock().unwrap();
        state
            .0
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Waits for a line of the log.
    pub fn log(&self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        let found = self.lines.wait(|lines, _| {
            let mut logs = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            logs.find(|line| fits(line))
        });
        found.unwrap_or_else(|| panic!("the log has no such line:\n{}", self.stderr()))
    }

    /// Waits for a message of the log that begins so.
    pub fn says(&self, beginning: &str) -> Value {
        self.log(|line| {
            line["message"]
                .as_str()
                .is_some_and(|message| message.starts_with(beginning))
        })
    }

    /// The lines of the log whose message has this text in it.
    pub fn count(&self, text: &str) -> usize {
        let logs = self.logs();
        logs.iter()
            .filter(|line| line["message"].as_str().is_some_and(|message| message.contains(text)))
            .count()
    }

    /// The address of the management server.
    pub fn management(&self) -> String {
        let line = self.lines.wait(|lines, _| lines.first().cloned());
        let line = line.unwrap_or_else(|| panic!("nothing on standard error"));
        line.strip_prefix("management: http://")
            .unwrap_or_else(|| panic!("{line}"))
            .to_owned()
    }

    /// A GET request to the management server: status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.get_as("localhost", path)
    }

    /// The same by another name of the host.
    pub fn get_as(&self, host: &str, path: &str) -> (u16, String) {
        self.get_at(&self.management(), host, path)
    }

    /// The same at another of its addresses.
    pub fn get_at(&self, address: &str, host: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Asks for the status of a path until it is this one.
    pub fn get_until(&self, path: &str, status: u16) {
        let end = Instant::now() + PATIENCE;
        while self.get(path).0 != status {
            assert!(Instant::now() < end, "{path} is not {status}:\n{}", self.stderr());
            std::thread::yield_now();
        }
    }

    /// The sample of this metric with these labels; 0 where there is none.
    pub fn metric(&self, name_and_labels: &str) -> f64 {
        let text = self.get("/metrics").1;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name_and_labels)?.trim().parse().ok());
        value.unwrap_or_default()
    }

    /// Asks for a metric until it has this value: it is counted after the log has said so.
    pub fn metric_until(&self, name_and_labels: &str, value: f64) {
        let end = Instant::now() + PATIENCE;
        while (self.metric(name_and_labels) - value).abs() > 0.1 {
            assert!(Instant::now() < end, "{name_and_labels}:\n{}", self.get("/metrics").1);
            std::thread::yield_now();
        }
    }

    /// Sends a signal such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Ends it at once, as a machine that loses its power would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end: the exit code, and standard error.
    pub fn ended(mut self) -> (Option<i32>, Vec<String>) {
        self.lines
            .wait(|_, ended| ended.then_some(()))
            .unwrap_or_else(|| panic!("it does not end:\n{}", self.stderr()));
        let code = self.child.wait().unwrap().code();
        (code, self.lines.state.lock().unwrap().0.clone())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, most often.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
        let stderr = self.stderr();
        if std::thread::panicking() {
            eprintln!("standard error of the worker:\n{stderr}");
        } else {
            assert!(!stderr.contains(PASSWORD), "a password came out:\n{stderr}");
        }
    }
}
