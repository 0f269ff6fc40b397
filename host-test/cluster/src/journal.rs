//! What happens to jobs, as data, and as a line for a reader.

use std::fmt;
use std::time::Duration;

use crate::job::{IncidentKind, Variables};
use crate::keys::JobKey;

/// Called for each change.
pub type Observer = Box<dyn Fn(&Change) + Send + Sync>;

/// A change of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When, by the cluster's wall clock (ms since 1970).
    pub at_ms: i64,
    /// Which job.
    pub job: JobKey,
    /// What happened.
    pub what: What,
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The token reached the task.
    Created {
        /// The job type.
        job_type: String,
    },
    /// It was handed out.
    Activated {
        /// The worker that it was handed to.
        worker: String,
        /// How often it was handed out by now.
        times: usize,
    },
    /// Its lock ended: it is activatable again.
    TimedOut,
    /// It was completed.
    Completed(Variables),
    /// It was failed.
    Failed {
        /// The retries left.
        retries: i32,
        /// The message.
        message: String,
        /// The back-off.
        back_off: Duration,
    },
    /// Its back-off is over.
    BackOffEnded,
    /// An incident was raised.
    IncidentRaised {
        /// Why.
        kind: IncidentKind,
        /// Its message.
        message: String,
    },
    /// The incident was resolved.
    IncidentResolved,
    /// A worker threw a BPMN error.
    ErrorThrown {
        /// The error's code.
        code: String,
        /// A boundary event caught it.
        caught: bool,
    },
    /// Its retries were set.
    RetriesSet(i32),
    /// Its lock ends so long from now.
    TimeoutSet(Duration),
    /// Variables were set.
    VariablesSet {
        /// The variables.
        variables: Variables,
        /// They were set on the task alone.
        local: bool,
    },
    /// Its process instance was suspended.
    Suspended,
    /// Its process instance was resumed.
    Resumed,
    /// Its process instance was cancelled.
    Cancelled,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {}: {}", self.job, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |variables: &Variables| serde_json::Value::Object(variables.clone()).to_string();
        match self {
            Self::Created { job_type } => write!(f, "created, type {job_type}"),
            Self::Activated { worker, times: 1 } => write!(f, "activated by {worker}"),
            Self::Activated { worker, times } => write!(f, "activated by {worker}, {times} times now"),
            Self::TimedOut => f.write_str("timed out, activatable again"),
            Self::Completed(variables) => write!(f, "completed with {}", json(variables)),
            Self::Failed {
                retries,
                message,
                back_off,
            } => write!(
                f,
                "failed, {retries} retries left, back-off {} ms: {message}",
                back_off.as_millis()
            ),
            Self::BackOffEnded => f.write_str("back-off over, activatable again"),
            Self::IncidentRaised { kind, message } => write!(f, "incident {}: {message}", kind.name()),
            Self::IncidentResolved => f.write_str("incident resolved, activatable again"),
            Self::ErrorThrown { code, caught: true } => write!(f, "threw error {code}, caught"),
            Self::ErrorThrown { code, caught: false } => write!(f, "threw error {code}, not caught"),
            Self::RetriesSet(retries) => write!(f, "retries set to {retries}"),
            Self::TimeoutSet(timeout) => write!(f, "timeout set to {} ms from now", timeout.as_millis()),
            Self::VariablesSet { variables, local: true } => write!(f, "local variables set: {}", json(variables)),
            Self::VariablesSet { variables, .. } => write!(f, "variables set: {}", json(variables)),
            Self::Suspended => f.write_str("process instance suspended"),
            Self::Resumed => f.write_str("process instance resumed"),
            Self::Cancelled => f.write_str("process instance cancelled"),
        }
    }
}
