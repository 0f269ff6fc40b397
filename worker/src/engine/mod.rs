//! What the worker needs of a process engine, and one implementation for each engine.
//!
//! | module | engine |
//! |---|---|
//! | [`camunda8`] | a Camunda 8 Orchestration Cluster, 8.8 and later, over its REST API |
//!
//! [`Engine`] is small on purpose: each method is one request, sent at most once. An implementation never retries, with two
//! exceptions where nothing was processed: a 401 is followed by one renewal of the access token and the same request once more, and an
//! activation whose lease was refused is sent once without one. What an answer means
//! for the job is decided in [`crate::attempt`]; an implementation says only which kind of answer it was, and in doubt that it was none.

mod answer;
pub mod camunda8;
mod job;

pub use answer::{ActivationError, EvaluateAnswer, ExtendAnswer, PutAnswer, SettleAnswer};
pub use job::{Job, Variables};

use std::time::Duration;

use serde_json::value::RawValue;

/// Which jobs to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationRequest {
    /// The job type.
    pub job_type: String,
    /// At most so many jobs.
    pub max_jobs: usize,
    /// How long the jobs stay locked.
    pub timeout: Duration,
    /// How long the engine may hold the request until a job arrives. `None`: not at all.
    pub request_timeout: Option<Duration>,
    /// The names of the variables to fetch. Never empty.
    pub fetch: Vec<String>,
}

/// One report of a job's outcome.
#[derive(Clone, Copy, Debug)]
pub enum Report<'a> {
    /// The job is done.
    Complete {
        /// A JSON object.
        variables: &'a RawValue,
    },
    /// The job failed. With retries 0 it becomes an incident.
    Fail {
        /// What is left of the job's retries.
        retries: u32,
        /// How long the job waits before it is handed out again.
        back_off: Duration,
        /// For a person, masked and cut.
        message: &'a str,
        /// A JSON object; its members become local variables of the job's element instance.
        variables: &'a RawValue,
    },
    /// A BPMN error.
    Throw {
        /// What a boundary event catches.
        code: &'a str,
        /// For a person, masked and cut.
        message: &'a str,
        /// A JSON object.
        variables: &'a RawValue,
    },
}

/// A process engine that hands out jobs.
pub trait Engine: Send + Sync + 'static {
    /// Asks for jobs. Ends after [`ActivationRequest::request_timeout`] and 10 s at the latest.
    ///
    /// # Errors
    /// Every end without a list of jobs.
    fn activate(&self, request: &ActivationRequest) -> impl Future<Output = Result<Vec<Job>, ActivationError>> + Send;

    /// Writes the job's attempt (a JSON value) and clears its outcome, both as local variables, in one request.
    fn mark(&self, job: &Job, attempt: &RawValue) -> impl Future<Output = PutAnswer> + Send;

    /// Asks whether the job is still this worker's, where the engine can tell. A request that moves the lock moves it to `timeout` from now,
    /// and `None` stands for an engine that cannot tell: the worker's clock decides.
    fn check(&self, job: &Job, timeout: Duration) -> impl Future<Output = Option<ExtendAnswer>> + Send;

    /// Moves the end of the job's lock to `timeout` from now.
    fn extend(&self, job: &Job, timeout: Duration) -> impl Future<Output = ExtendAnswer> + Send;

    /// Reports the job's outcome.
    fn settle(&self, job: &Job, report: Report<'_>) -> impl Future<Output = SettleAnswer> + Send;

    /// Writes the job's outcome (a JSON value) as a local variable.
    fn record(&self, job: &Job, outcome: &RawValue) -> impl Future<Output = PutAnswer> + Send;

    /// Evaluates FEEL, with its leading `=`, for the job's tenant. `variables`: a JSON object.
    fn evaluate(
        &self,
        job: &Job,
        expression: &str,
        variables: Option<&RawValue>,
    ) -> impl Future<Output = EvaluateAnswer> + Send;

    /// The engine's version, for the log.
    ///
    /// # Errors
    /// A sentence that says why it is not known.
    fn version(&self) -> impl Future<Output = Result<String, String>> + Send;
}

/// The local variable in which the mark of an attempt is written.
pub const ATTEMPT: &str = "flowStarterAttempt";
/// The local variable in which a report writes the attempt's outcome.
pub const OUTCOME: &str = "flowStarterOutcome";
