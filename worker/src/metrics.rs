//! What one watches. No label holds a name that users choose: their number is bounded whatever runs.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use flow_starter_host::ErrorKind;

use crate::attempt::Event;
use crate::fault::Fault;
use crate::outcome::CallOutcome;

/// What became of a job, by the words of Camunda's connector runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAction {
    /// Handed out to this worker.
    Activated,
    /// Completed.
    Completed,
    /// Failed, as an incident or for another try.
    Failed,
    /// Ended by a BPMN error.
    Error,
}

/// The kinds of error that leave a flow's state unknown, by the contract's table (`wit/flow-starter.wit`).
const UNKNOWN: [ErrorKind; 9] = [
    ErrorKind::ConnectTimeout,
    ErrorKind::ReadTimeout,
    ErrorKind::ConnectionLost,
    ErrorKind::Protocol,
    ErrorKind::Redirected,
    ErrorKind::Unavailable,
    ErrorKind::ServerError,
    ErrorKind::Unconfirmed,
    ErrorKind::Internal,
];

impl JobAction {
    const ALL: [Self; 4] = [Self::Activated, Self::Completed, Self::Failed, Self::Error];

    const fn label(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Error => "bpmn-error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    r#type: String,
    action: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabel {
    r#type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    flow: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    call: &'static str,
    status: String,
}

/// The worker's metrics, in the OpenMetrics text format by [`Metrics::encode`].
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    jobs: Family<JobLabels, Counter>,
    times: Family<TypeLabel, Histogram>,
    outcomes: Family<OutcomeLabels, Counter>,
    in_flight: Gauge,
    token_fetches: Counter,
    requests: Family<RequestLabels, Counter>,
    evaluations: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All of them at zero.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let jobs = Family::default();
        registry.register(
            "camunda_connector_outbound_invocations",
            "Jobs by what became of them",
            jobs.clone(),
        );
        let times = Family::<TypeLabel, Histogram>::new_with_constructor(|| {
            Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0])
        });
        registry.register_with_unit(
            "camunda_connector_outbound_execution_time",
            "From a job's arrival to the end of its hand-out",
            Unit::Seconds,
            times.clone(),
        );
        let outcomes = Family::default();
        registry.register(
            "flow_starter_outcomes",
            "Calls by the flow's state and the kind of error; kind is none for a success",
            outcomes.clone(),
        );
        let in_flight = Gauge::default();
        registry.register("flow_starter_jobs_in_flight", "Jobs in hand", in_flight.clone());
        let token_fetches = Counter::default();
        registry.register(
            "flow_starter_token_fetches",
            "Requests for an access token to the engine",
            token_fetches.clone(),
        );
        let requests = Family::default();
        registry.register(
            "flow_starter_cluster_requests",
            "Requests to the engine by call and HTTP status; status is none where no answer came",
            requests.clone(),
        );
        let evaluations = Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        registry.register_with_unit(
            "flow_starter_evaluation",
            "Evaluations of expressions by the engine, from request to answer",
            Unit::Seconds,
            evaluations.clone(),
        );
        Self {
            registry,
            jobs,
            times,
            outcomes,
            in_flight,
            token_fetches,
            requests,
            evaluations,
        }
    }

    /// Shows zeros where alerts look for the first increase: Prometheus sees none where a series begins with 1.
    pub(crate) fn begin(&self, job_types: &[String]) {
        for job_type in job_types {
            for action in JobAction::ALL {
                drop(self.jobs.get_or_create(&JobLabels {
                    r#type: job_type.clone(),
                    action: action.label(),
                }));
            }
            drop(self.times.get_or_create(&TypeLabel {
                r#type: job_type.clone(),
            }));
        }
        let success = OutcomeLabels {
            flow: "started",
            kind: "none",
        };
        let unknown = UNKNOWN.map(|kind| OutcomeLabels {
            flow: "unknown",
            kind: kind.as_str(),
        });
        let unauthorized = OutcomeLabels {
            flow: "not-started",
            kind: ErrorKind::Unauthorized.as_str(),
        };
        for labels in [success, unauthorized].into_iter().chain(unknown) {
            drop(self.outcomes.get_or_create(&labels));
        }
    }

    /// The text for `/metrics`.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _written = encode(&mut text, &self.registry);
        text
    }

    /// A request to the engine has ended.
    pub fn request(&self, call: &'static str, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.requests.get_or_create(&RequestLabels { call, status }).inc();
    }

    /// A token was asked for.
    pub fn token_fetch(&self) {
        self.token_fetches.inc();
    }

    pub(crate) fn job(&self, job_type: &str, action: JobAction) {
        let labels = JobLabels {
            r#type: job_type.to_owned(),
            action: action.label(),
        };
        self.jobs.get_or_create(&labels).inc();
    }

    pub(crate) fn time(&self, job_type: &str, took: Duration) {
        let labels = TypeLabel {
            r#type: job_type.to_owned(),
        };
        self.times.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn outcome<A>(&self, event: &Event<A>, fault: Option<&Fault>) {
        let flow = match event {
            Event::Outcome(CallOutcome::Started { .. }) => "started",
            Event::Outcome(CallOutcome::NotStarted { .. }) => "not-started",
            Event::Outcome(CallOutcome::Unknown) => "unknown",
            _ => return,
        };
        let kind = fault.map_or("none", |fault| fault.kind);
        self.outcomes.get_or_create(&OutcomeLabels { flow, kind }).inc();
    }

    pub(crate) fn evaluation(&self, took: Duration) {
        self.evaluations.observe(took.as_secs_f64());
    }

    pub(crate) fn in_flight(&self, jobs: usize) {
        self.in_flight.set(i64::try_from(jobs).unwrap_or(i64::MAX));
    }
}
