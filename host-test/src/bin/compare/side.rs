//! The two programs, each as a worker of a cluster: Camunda's connector runtime, and `flow-starter worker`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use camunda_test_cluster::JobSpec;
use host_test::java::Java;
use host_test::runtime::{self, Runtime, RuntimeOptions};
use serde_json::{Value, json};

use crate::cases::{Case, Table};

const OUR_JOB_TYPE: &str = "servicenow-flow-starter:1";

/// Which of the two.
pub enum Side {
    Camunda(Java),
    Ours {
        /// `flow-starter`
        program: PathBuf,
        /// The component, compiled by it.
        compiled: PathBuf,
        /// Where its log goes.
        logs: PathBuf,
    },
}

/// A running worker, which is killed when it is dropped.
pub enum Worker {
    Camunda { _killed_when_dropped: Runtime },
    Ours(Child),
}

impl Side {
    /// Ours. It compiles the component once, because that takes a second at each start.
    pub fn ours(program: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        let compiled = directory.join("flow-starter.cwasm");
        let ended = Command::new(program)
            .arg("compile")
            .arg("-o")
            .arg(&compiled)
            .stdout(Stdio::null())
            .status();
        let ended = ended.with_context(|| program.display().to_string())?;
        ensure!(ended.success(), "{} cannot compile the component", program.display());
        Ok(Self::Ours {
            program: program.to_owned(),
            compiled,
            logs: directory.to_owned(),
        })
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Camunda(_) => "Camunda's runtime",
            Self::Ours { .. } => "ours",
        }
    }

    /// How often it sends a completion that is answered 503, until it gives the job up. `None`: it never does.
    pub fn gives_up_after(&self) -> Option<usize> {
        match self {
            // The HTTP client repeats it once; the runtime itself only drops the error.
            Self::Camunda(_) => Some(2),
            Self::Ours { .. } => None,
        }
    }

    /// The case's job, for ServiceNow at this origin.
    pub fn job(&self, case: &Case, table: &Table, origin: &str) -> JobSpec {
        let mut input = case.input(&table.base);
        let job_type = match self {
            Self::Camunda(_) => {
                let path = input.remove("restApiTriggerPath").unwrap_or_default();
                input.retain(|name, _| !name.starts_with("sn"));
                // As the hidden field of Camunda's template makes it, but for the host.
                let url = format!("{origin}{}", path.as_str().unwrap_or_default());
                input.insert("url".to_owned(), json!(url));
                runtime::JOB_TYPE
            }
            Self::Ours { .. } => {
                input.insert("snTarget".to_owned(), json!("url"));
                input.insert("snEndpoint".to_owned(), json!(origin));
                OUR_JOB_TYPE
            }
        };
        let located = Value::Object(input).to_string().replace("${stand-in}", origin);
        let mut job = JobSpec::new(job_type)
            .retries(case.retries)
            .inputs(serde_json::from_str(&located).unwrap_or_default());
        job.headers.clone_from(&case.headers);
        job.outputs.clone_from(&case.outputs);
        case.catches.iter().fold(job, |job, code| job.catches(code))
    }

    /// Starts the program as a worker of the cluster, with ServiceNow at these origins.
    pub fn start(&self, cluster: &str, table: &Table, origins: &[String], log: &str) -> Result<Worker> {
        match self {
            Self::Camunda(java) => {
                let options = table
                    .secrets
                    .iter()
                    .fold(RuntimeOptions::new(cluster), |options, (name, value)| {
                        options.secret(name, value)
                    });
                Ok(Worker::Camunda {
                    _killed_when_dropped: Runtime::start(java, &options)?,
                })
            }
            Self::Ours {
                program,
                compiled,
                logs,
            } => {
                let log = File::create(logs.join(format!("{log}.log")))?;
                let secrets = table.secrets.iter();
                let child = Command::new(program)
                    .env_clear()
                    .arg("worker")
                    .arg("--precompiled")
                    .arg(compiled)
                    .env("FLOW_STARTER_POLICY_ALLOW", origins.join(","))
                    .env("FLOW_STARTER_WORKER_MANAGEMENT_ADDRESS", "none")
                    .env("CAMUNDA_REST_ADDRESS", cluster)
                    .envs(secrets.map(|(name, value)| (format!("SECRET_{name}"), value)))
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(log)
                    .spawn();
                Ok(Worker::Ours(child.with_context(|| program.display().to_string())?))
            }
        }
    }
}

impl Worker {
    /// Ends it at once, as a machine that loses its power would.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Self::Ours(child) = self {
            // It may have ended already.
            let _killed = child.kill();
            let _ended = child.wait();
        }
    }
}
