//! The kinds of answers that an engine gives. `detail` is what the answer says for a person: one line, without credentials.

use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;

/// Why an activation ended without a list of jobs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivationError {
    /// Something between here and the engine ended the request near its end (504, a reset): no job was there.
    #[error("the request was ended by a proxy or gateway: {detail}")]
    Cut {
        /// See the module.
        detail: String,
    },
    /// 429, 503 with the title `RESOURCE_EXHAUSTED`, or a 500 whose detail says so.
    #[error("the engine is overloaded: {detail}")]
    Overloaded {
        /// `Retry-After`.
        retry_after: Option<Duration>,
        /// See the module.
        detail: String,
    },
    /// 401 after a renewal of the token, 403, or no token.
    #[error("the engine does not accept the worker's credentials or tenants: {detail}")]
    Denied {
        /// See the module.
        detail: String,
    },
    /// Anything else.
    #[error("{detail}")]
    Failed {
        /// See the module.
        detail: String,
    },
}

/// The answer to a write of local variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutAnswer {
    /// Written.
    Done,
    /// 400, 401, 403, 404 or 409: not written, and never will be.
    Refused {
        /// See the module.
        detail: String,
    },
    /// Anything else: perhaps written.
    Unanswered {
        /// See the module.
        detail: String,
    },
}

/// The answer to a request that moves the end of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtendAnswer {
    /// The lock was moved.
    Done,
    /// The job is gone, another's, or the request is refused.
    Refused {
        /// See the module.
        detail: String,
    },
    /// Perhaps moved.
    Unanswered {
        /// See the module.
        detail: String,
    },
}

/// The answer to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettleAnswer {
    /// 204.
    Settled,
    /// 404 in the engine's own problem document: the job has ended.
    Gone,
    /// 409: superseded, failed already, or its process instance is suspended.
    TakenOver {
        /// See the module.
        detail: String,
    },
    /// Provably not processed: a refused connection, 429, 503 `RESOURCE_EXHAUSTED`, 401 or 403 after the one renewal.
    Deferred {
        /// `Retry-After`.
        after: Option<Duration>,
        /// See the module.
        detail: String,
    },
    /// Processed and rejected: 400, 413, or a 500 that says `rejected with code`.
    Rejected {
        /// The size of the report may be the cause.
        too_large: bool,
        /// See the module.
        detail: String,
    },
    /// Nobody knows whether it was processed.
    Unanswered {
        /// See the module.
        detail: String,
    },
}

/// The answer to an evaluation.
#[derive(Debug)]
pub enum EvaluateAnswer {
    /// 200.
    Evaluated {
        /// JSON.
        result: Box<RawValue>,
        /// What explains a null: a missing variable, a function that does not exist.
        warnings: Vec<String>,
    },
    /// It is not FEEL.
    Unparsable {
        /// See the module.
        detail: String,
    },
    /// It was not evaluated, and will not be: it failed, the request is refused, or the worker's permissions do not cover it.
    Failed {
        /// The engine tried, so it has parsed it.
        evaluated: bool,
        /// See the module.
        detail: String,
    },
    /// The engine has no such call: Camunda 8.8.
    Unsupported {
        /// See the module.
        detail: String,
    },
    /// 429, 503, 504, a reset, a timeout, or an answer that is not the engine's.
    Away {
        /// See the module.
        detail: String,
    },
}

impl fmt::Display for SettleAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled => f.write_str("accepted"),
            Self::Gone => f.write_str("the job has ended"),
            Self::TakenOver { detail } => write!(f, "no longer this worker's to report: {detail}"),
            Self::Deferred { detail, .. } => write!(f, "not processed: {detail}"),
            Self::Rejected { detail, .. } => write!(f, "rejected: {detail}"),
            Self::Unanswered { detail } => write!(f, "no clear answer: {detail}"),
        }
    }
}
