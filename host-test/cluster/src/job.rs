//! A job: how a test asks for one, what it goes through, how it looks at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::journal::Change;
use crate::keys::{ElementInstanceKey, JobKey, ProcessInstanceKey};
use crate::options::DEFAULT_TENANT;

/// Variables by name.
pub type Variables = Map<String, Value>;

/// Which BPMN errors a boundary event on the task catches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Catches {
    /// None: an error leaves an incident.
    #[default]
    Nothing,
    /// Every error code.
    Everything,
    /// These error codes.
    Codes(Vec<String>),
}

impl Catches {
    pub(crate) fn catches(&self, code: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Codes(codes) => codes.iter().any(|own| own == code),
        }
    }
}

/// A job to create, with the service task and the process instance around it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSpec {
    /// The job type.
    pub job_type: String,
    /// Variables of the process instance.
    pub variables: Variables,
    /// Variables local to the task, as input mappings make them.
    pub inputs: Variables,
    /// Output mappings: variable of the process instance ← variable as the task sees it. Empty: there are none.
    pub outputs: BTreeMap<String, String>,
    /// The task's headers.
    pub headers: BTreeMap<String, String>,
    /// The retries that it starts with.
    pub retries: i32,
    /// The tenant.
    pub tenant: String,
    /// The errors that a boundary event catches.
    pub catches: Catches,
    /// The process (`bpmnProcessId`).
    pub process: String,
    /// The version of the process.
    pub process_version: i32,
    /// The task's id in the process.
    pub element: String,
    /// The instance that it belongs to; `None` makes one.
    pub instance: Option<ProcessInstanceKey>,
}

impl JobSpec {
    /// A job of this type with three retries and nothing else.
    #[must_use]
    pub fn new(job_type: &str) -> Self {
        Self {
            job_type: job_type.to_owned(),
            variables: Variables::new(),
            inputs: Variables::new(),
            outputs: BTreeMap::new(),
            headers: BTreeMap::new(),
            retries: 3,
            tenant: DEFAULT_TENANT.to_owned(),
            catches: Catches::Nothing,
            process: "test-process".to_owned(),
            process_version: 1,
            element: "service-task".to_owned(),
            instance: None,
        }
    }

    /// A variable of the process instance.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// A variable local to the task, as an input mapping makes it.
    #[must_use]
    pub fn input(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
        self
    }

    /// Several variables local to the task: the members of a JSON object. Anything else adds none.
    #[must_use]
    pub fn inputs(mut self, values: Value) -> Self {
        if let Value::Object(values) = values {
            self.inputs.extend(values);
        }
        self
    }

    /// An output mapping: after the completion `target` in the process instance is the task's `source`.
    #[must_use]
    pub fn output(mut self, source: &str, target: &str) -> Self {
        self.outputs.insert(target.to_owned(), source.to_owned());
        self
    }

    /// A task header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The retries that it starts with.
    #[must_use]
    pub fn retries(self, retries: i32) -> Self {
        Self { retries, ..self }
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(self, tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            ..self
        }
    }

    /// A boundary event for this error code.
    #[must_use]
    pub fn catches(mut self, code: &str) -> Self {
        match &mut self.catches {
            Catches::Codes(codes) => codes.push(code.to_owned()),
            catches => *catches = Catches::Codes(vec![code.to_owned()]),
        }
        self
    }

    /// A boundary event for every error code.
    #[must_use]
    pub fn catches_everything(self) -> Self {
        Self {
            catches: Catches::Everything,
            ..self
        }
    }

    /// The process and the task's id in it.
    #[must_use]
    pub fn element(self, process: &str, element: &str) -> Self {
        Self {
            process: process.to_owned(),
            element: element.to_owned(),
            ..self
        }
    }

    /// A task of a process instance that exists already.
    #[must_use]
    pub fn in_instance(self, instance: ProcessInstanceKey) -> Self {
        Self {
            instance: Some(instance),
            ..self
        }
    }
}

/// Why a job stands still until a person resolves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentKind {
    /// `JOB_NO_RETRIES`
    JobNoRetries,
    /// `UNHANDLED_ERROR_EVENT`
    UnhandledErrorEvent,
}

impl IncidentKind {
    /// As the cluster's API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JobNoRetries => "JOB_NO_RETRIES",
            Self::UnhandledErrorEvent => "UNHANDLED_ERROR_EVENT",
        }
    }
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Waits for a worker.
    Activatable,
    /// A worker has it.
    Active {
        /// The worker's name.
        worker: String,
    },
    /// Failed, and waits for its back-off.
    BackingOff,
    /// Waits for a person.
    Incident {
        /// Why.
        kind: IncidentKind,
        /// The incident's message.
        message: String,
    },
    /// Threw an error that a boundary event caught: the task has ended.
    Thrown {
        /// The error's code.
        code: String,
    },
    /// Completed: the task has ended.
    Completed,
    /// The process instance was cancelled.
    Cancelled,
}

impl JobState {
    /// The task is over; every call for the job is answered 404.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Thrown { .. } | Self::Completed | Self::Cancelled)
    }

    /// In one word, as the control API has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Activatable => "activatable",
            Self::Active { .. } => "active",
            Self::BackingOff => "backing-off",
            Self::Incident { .. } => "incident",
            Self::Thrown { .. } => "thrown",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A failure that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The retries that it left.
    pub retries: i32,
    /// Its message.
    pub message: String,
    /// The back-off before the next attempt.
    pub back_off: Duration,
    /// Its variables, which are now local to the task.
    pub variables: Variables,
}

/// An error that was accepted, caught or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Thrown {
    /// The error's code.
    pub code: String,
    /// Its message.
    pub message: String,
    /// Its variables.
    pub variables: Variables,
}

/// A job at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSnapshot {
    /// The job's key.
    pub key: JobKey,
    /// The task's key.
    pub element_instance: ElementInstanceKey,
    /// The process instance's key.
    pub instance: ProcessInstanceKey,
    /// How it was asked for.
    pub spec: JobSpec,
    /// Where it is.
    pub state: JobState,
    /// Its process instance is suspended.
    pub suspended: bool,
    /// The retries that are left.
    pub retries: i32,
    /// The variables local to the task: its inputs, and what was written there since.
    pub local: Variables,
    /// The variables of the process instance.
    pub process_variables: Variables,
    /// What it was completed with.
    pub completed_with: Option<Variables>,
    /// Every failure that was accepted, in order.
    pub failures: Vec<Failure>,
    /// Every error that was accepted, in order.
    pub errors: Vec<Thrown>,
    /// How often it was handed out.
    pub times_activated: usize,
    /// The lease of the last hand-out that had one.
    pub lease: Option<String>,
    /// When the lock or the back-off ends, by the cluster's wall clock (ms since 1970).
    pub until_ms: Option<i64>,
    /// All that happened to it, in order.
    pub history: Vec<Change>,
}
