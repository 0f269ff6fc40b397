//! A test cluster: the jobs of a Camunda 8 Orchestration Cluster over HTTP. It executes no BPMN.
//!
//! A test creates jobs; a worker activates and settles them over a real socket. The cluster keeps to the documented behaviour
//! in the corners (timeouts, back-offs, incidents, late settlements, leases, suspension), its clock can be moved, every
//! request is recorded, and any call can be made to fail, before it is processed or after.
//!
//! # In a test
//!
//! ```no_run
//! use camunda_test_cluster::{Answer, Call, Cluster, Fault, JobSpec, Options, Times, Version};
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = Cluster::start(Options::new(Version::V8_8))?;
//! let job = cluster.create_job(JobSpec::new("servicenow-flow-starter:1").input("snInstance", "acme"));
//! cluster.fault(Call::Completion, Times::Once, Fault::answer(Answer::resource_exhausted()));
//! // … run a worker against cluster.url() …
//! let done = cluster.completed(job).await?;
//! assert_eq!(done.times_activated, 1);
//! assert_eq!(cluster.count(Call::Completion), 2);
//! # Ok(()) }
//! ```
//!
//! Each [`Cluster`] listens on a port of its own, on a thread of its own, and stops when it is dropped.
//!
//! # As a program
//!
//! `camunda-test-cluster` prints its address, then a line for each change of a job. `GET /control/` at that address lists what
//! can be done from outside.
//!
//! # Files
//!
//! | file | what it holds |
//! |---|---|
//! | `options` | what a cluster is like: version, authentication, transport |
//! | `cluster`, `wait`, `fault_handle` | the handle of a test; waiting; a fault that was set |
//! | `job`, `journal`, `keys` | a job, asked for and seen; what happened to it; keys |
//! | `clock` | time, and what it was moved by |
//! | `state`, `scopes` | the jobs and what time does to them; where variables are written and read |
//! | `activation`, `settle`, `instance` | what workers do with jobs, and people with process instances |
//! | `messages` | the messages that are buffered |
//! | `call`, `fields`, `process` | which call a request is; which fields it may have; the request → its answer |
//! | `auth` | credentials and tokens |
//! | `evaluation`, `forward` | expressions; the service that evaluates them |
//! | `answer` | answers, also those of gateways and proxies |
//! | `faults`, `wire` | what goes wrong, as data; a connection that can be cut and silenced |
//! | `exchange`, `serving`, `tls` | one request; the listener and its connections; certificates |
//! | `record` | what was received |
//! | `control`, `control_json` | the control API and its JSON |
//! | `core`, `error` | everything that runs, under one lock; what can fail |
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod activation;
mod answer;
mod auth;
mod call;
mod clock;
mod cluster;
mod control;
mod control_json;
mod core;
mod error;
mod evaluation;
mod exchange;
mod fault_handle;
mod faults;
mod fields;
mod forward;
mod instance;
mod job;
mod journal;
mod keys;
mod messages;
mod options;
mod process;
mod record;
mod scopes;
mod serving;
mod settle;
mod state;
mod tls;
mod wait;
mod wire;

pub use answer::Answer;
pub use call::Call;
pub use cluster::Cluster;
pub use control_json::{JobFileError, job_from_json};
pub use error::{StartError, TimedOut};
pub use evaluation::{Evaluated, Evaluation};
pub use fault_handle::FaultHandle;
pub use faults::{Fault, FaultId, Times};
pub use forward::evaluator_at;
pub use job::{Catches, Failure, IncidentKind, JobSnapshot, JobSpec, JobState, Thrown, Variables};
pub use journal::{Change, Observer, What};
pub use keys::{ElementInstanceKey, JobKey, ProcessInstanceKey};
pub use options::{Auth, DEFAULT_TENANT, Options, Transport, Version};
pub use record::Recorded;
pub use settle::Refusal;
pub use tls::Certificates;
