//! The workers: ours, Camunda's connector runtime, and one that makes no calls.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use host_test::java::{Built, Java};
use host_test::runtime::{self, RuntimeOptions};
use host_test::worker_program::WorkerProgram;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::stand_in::{FLOW, StandIn};

/// Jobs of a worker at a time, and calls.
pub const AT_ONCE: usize = 32;
pub const OUR_JOB_TYPE: &str = "servicenow-flow-starter:1";
/// The demo instance's.
const USER: &str = "camunda";
const PASSWORD: &str = "demo-password";
/// No lock passes during a run: 5 minutes are the Java client's default.
const LOCK: Duration = Duration::from_secs(300);

/// For a runtime that has the machine to itself: both compilers of the JVM, the collector that needs the least CPU and memory on two cores, and a
/// heap that it does not outgrow. The start is slower than with C1 alone, and each job is cheaper.
const JVM: [&str; 2] = ["-XX:+UseSerialGC", "-Xmx256m"];

/// Which worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// flow-starter worker
    Ours,
    /// Camunda's connector runtime
    Camunda,
    /// Completes jobs at once
    Empty,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "`flow-starter worker`",
            Self::Camunda => "Camunda's connector runtime 8.8.7",
            Self::Empty => "empty worker: no calls",
        })
    }
}

/// A worker, ready to be started.
pub enum Contender {
    Ours {
        /// `flow-starter`
        program: PathBuf,
        /// The component, compiled by it.
        compiled: PathBuf,
    },
    Camunda {
        java: Java,
        built: Built,
    },
    Empty,
}

impl Contender {
    /// Ours. It compiles the component once, as an operator does who starts many workers.
    pub fn ours(program: &Path, folder: &Path) -> Result<Self> {
        let compiled = folder.join("component.cwasm");
        let ended = Command::new(program)
            .env_clear()
            .arg("compile")
            .arg("-o")
            .arg(&compiled)
            .stdout(Stdio::null())
            .status();
        let ended = ended.with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(ended.success(), "{} cannot compile the component", program.display());
        Ok(Self::Ours {
            program: program.to_owned(),
            compiled,
        })
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Ours { .. } => Kind::Ours,
            Self::Camunda { .. } => Kind::Camunda,
            Self::Empty => Kind::Empty,
        }
    }

    /// Whether its code is compiled while it runs.
    pub fn warms_up(&self) -> bool {
        matches!(self, Self::Camunda { .. })
    }

    /// Whether it starts flows.
    pub fn calls(&self) -> bool {
        !matches!(self, Self::Empty)
    }

    /// The job with this number, as the cluster's control API takes it. Its flow has the same number.
    pub fn job(&self, number: u64, origin: &str) -> String {
        let flow = format!("{FLOW}{number}");
        let mut inputs = json!({
            "method": "POST",
            "headers": { "hello": "header", "x-source": "bench" },
            "queryParameters": { "hello": "query", "source": "bench" },
            "body": {
                "correlationValue": format!("bench-{number:026}"),
                "approver": "abel.tuter@example.com",
                "amount": "1250.00",
            },
            "authentication": { "type": "basic", "username": USER, "password": "{{secrets.SN_PASSWORD}}" },
        });
        let (job_type, target) = match self {
            Self::Camunda { .. } => (runtime::JOB_TYPE, json!({ "url": format!("{origin}{flow}") })),
            _ => (
                OUR_JOB_TYPE,
                json!({ "snTarget": "url", "snEndpoint": origin, "restApiTriggerPath": flow }),
            ),
        };
        if let (Value::Object(inputs), Value::Object(target)) = (&mut inputs, target) {
            inputs.extend(target);
        }
        json!({ "type": job_type, "inputs": inputs, "headers": { "resultVariable": "result" } }).to_string()
    }

    /// Starts it. What it writes goes to a file in the folder; nothing of the caller's environment reaches it.
    pub fn start(&self, cluster: &Cluster, stand_in: &StandIn, tls: bool, folder: &Path) -> Result<WorkerProgram> {
        let (command, name) = match self {
            Self::Ours { program, compiled } => {
                let mut command = Command::new(program);
                let at_once = AT_ONCE.to_string();
                command
                    .args(["worker", "--max-jobs", &at_once, "--max-jobs-per-instance", &at_once])
                    .args(["--log-level", "warn", "--management-address", "none"])
                    .current_dir(folder)
                    .env_clear()
                    .env("HOME", folder)
                    .env("FLOW_STARTER_COMPONENT_PRECOMPILED", compiled)
                    .env("FLOW_STARTER_POLICY_ALLOW", stand_in.origin(tls))
                    .env("CAMUNDA_REST_ADDRESS", cluster.url())
                    .env("SECRET_SN_PASSWORD", PASSWORD);
                if tls {
                    command.env("FLOW_STARTER_TLS_CA_FILE", ca_file(folder));
                }
                (command, "ours")
            }
            Self::Camunda { java, built } => {
                let mut options = RuntimeOptions::new(&cluster.url()).secret("SN_PASSWORD", PASSWORD);
                options.jobs = AT_ONCE;
                options.job_timeout = Some(LOCK);
                options.arguments.push("--logging.level.root=warn".to_owned());
                options.jvm = JVM.map(str::to_owned).to_vec();
                if tls {
                    options.jvm.extend(trust(java, folder)?);
                }
                (options.command(java, built), "camunda")
            }
            Self::Empty => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--empty-worker").arg(cluster.url());
                (command, "empty")
            }
        };
        WorkerProgram::spawn(command, name, folder)
    }
}

/// Where the stand-in writes its certificate authority.
pub fn ca_file(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

/// Makes a trust store of the stand-in's authority, and returns the JVM's options for it.
fn trust(java: &Java, folder: &Path) -> Result<[String; 2]> {
    let store = folder.join("trust.p12");
    if store.exists() {
        std::fs::remove_file(&store)?;
    }
    let ended = Command::new(java.home().join("bin/keytool"))
        .args([
            "-importcert",
            "-noprompt",
            "-alias",
            "stand-in",
            "-storetype",
            "PKCS12",
            "-storepass",
            "changeit",
        ])
        .arg("-file")
        .arg(ca_file(folder))
        .arg("-keystore")
        .arg(&store)
        .output()
        .context("cannot run keytool")?;
    ensure!(
        ended.status.success(),
        "keytool: {}",
        String::from_utf8_lossy(&ended.stdout)
    );
    Ok([
        format!("-Djavax.net.ssl.trustStore={}", store.display()),
        "-Djavax.net.ssl.trustStorePassword=changeit".to_owned(),
    ])
}
