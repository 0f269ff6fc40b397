//! What is known of a job afterwards: the cluster's history of it, and what the instance saw.

use std::collections::BTreeMap;

use camunda_test_cluster::{JobSnapshot, JobState, What};
use serde_json::Value;
use servicenow_stand_in::StandIn;

use super::plan::{Conduct, JobPlan, OnUnknown};

/// A job, as the judge sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFacts {
    /// Which of the run.
    pub number: usize,
    /// What its author wants of an unknown outcome.
    pub on_unknown: OnUnknown,
    /// Where it is.
    pub end: End,
    /// What the instance received for it, in order.
    pub requests: Vec<Request>,
    /// The attempts that were marked: identifier and worker, in order.
    pub marks: Vec<(String, String)>,
    /// What the engine was told of attempts that did not complete the job, in order.
    pub reports: Vec<Report>,
    /// A worker was stopped or killed, or a request to the cluster went wrong, while the job was in hand.
    pub touched: bool,
    /// How often a person has resolved an incident of it.
    pub resolves: usize,
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Completed with these variables, as JSON.
    Completed(String),
    /// An error was caught.
    Thrown,
    /// Waits for a person.
    Incident,
    /// Anything else. Nobody will ever look after it.
    Open(&'static str),
}

/// A request for the job's flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The worker that sent it.
    pub worker: String,
    /// What the instance did with it.
    pub conduct: Conduct,
    /// The flow that it started.
    pub started: Option<String>,
}

/// What an attempt came to, as the engine was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The attempt; none for an error.
    pub attempt: Option<String>,
    /// What is claimed.
    pub claim: Claim,
    /// In words.
    pub message: String,
    /// It raised an incident.
    pub incident: bool,
    /// A person has resolved that.
    pub resolved: bool,
    /// When the job was handed out for this attempt, an earlier one had been reported as unknown.
    pub after_unknown: bool,
}

/// The state that a report claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// `not-started`
    NotStarted,
    /// `answered`
    Started,
    /// `retry`: unknown, and the flow is started again.
    Retry,
    /// `reported`: unknown.
    Unknown,
    /// A BPMN error: unknown.
    Error,
    /// None that this program knows.
    Other,
}

impl Claim {
    /// Nobody knows whether the attempt started a flow.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Retry | Self::Unknown | Self::Error)
    }
}

impl JobFacts {
    /// The flows that were started for it.
    pub fn starts(&self) -> impl Iterator<Item = &str> {
        self.requests.iter().filter_map(|request| request.started.as_deref())
    }

    /// The decisions to start the flow once more: a person's, or the author's.
    #[must_use]
    pub fn decisions(&self) -> usize {
        let decided = |report: &&Report| match report.claim {
            Claim::Retry => true,
            Claim::Unknown | Claim::Error => report.resolved,
            Claim::NotStarted | Claim::Started | Claim::Other => false,
        };
        self.reports.iter().filter(decided).count()
    }

    /// From the plan, the cluster's account and the instance's.
    #[must_use]
    pub fn of(plan: &JobPlan, job: &JobSnapshot, requests: Vec<Request>, touched: bool) -> Self {
        let mut facts = Self {
            number: plan.number,
            on_unknown: plan.on_unknown,
            end: end(job),
            requests,
            marks: Vec::new(),
            reports: Vec::new(),
            touched,
            resolves: 0,
        };
        let (mut failures, mut errors) = (job.failures.iter(), job.errors.iter());
        let mut known: BTreeMap<&str, bool> = BTreeMap::new();
        for change in &job.history {
            match &change.what {
                What::Activated { worker, .. } => {
                    known.insert(worker, facts.reports.iter().any(|report| report.claim.is_unknown()));
                }
                What::VariablesSet { variables, .. } => facts.mark(variables.get("flowStarterAttempt")),
                What::Failed { .. } => {
                    if let Some(failure) = failures.next() {
                        let outcome = failure.variables.get("flowStarterOutcome").unwrap_or(&Value::Null);
                        let mut report = Report::of_failure(outcome, &failure.message);
                        let mark = facts.marks.iter().find(|(id, _)| report.attempt.as_ref() == Some(id));
                        let unknown = mark.and_then(|(_, worker)| known.get(worker.as_str()));
                        report.after_unknown = unknown.copied().unwrap_or_default();
                        facts.reports.push(report);
                    }
                }
                What::ErrorThrown { .. } => {
                    if let Some(error) = errors.next() {
                        facts.reports.push(Report {
                            attempt: None,
                            claim: Claim::Error,
                            message: error.message.clone(),
                            incident: false,
                            resolved: false,
                            after_unknown: false,
                        });
                    }
                }
                What::IncidentRaised { .. } => {
                    if let Some(last) = facts.reports.last_mut() {
                        last.incident = true;
                    }
                }
                What::IncidentResolved => {
                    facts.resolves += 1;
                    if let Some(last) = facts.reports.last_mut() {
                        last.resolved = true;
                    }
                }
                _ => {}
            }
        }
        facts
    }

    fn mark(&mut self, attempt: Option<&Value>) {
        let text = |name: &str| attempt.and_then(|attempt| attempt.get(name)?.as_str().map(str::to_owned));
        let Some((id, worker)) = text("id").zip(text("worker")) else {
            return;
        };
        // A proxy may have repeated it.
        if !self.marks.iter().any(|(own, _)| *own == id) {
            self.marks.push((id, worker));
        }
    }
}

impl Report {
    fn of_failure(outcome: &Value, message: &str) -> Self {
        let text = |name: &str| outcome.get(name).and_then(Value::as_str);
        Self {
            attempt: text("attempt").map(str::to_owned),
            claim: match text("state") {
                Some("not-started") => Claim::NotStarted,
                Some("answered") => Claim::Started,
                Some("retry") => Claim::Retry,
                Some("reported") => Claim::Unknown,
                _ => Claim::Other,
            },
            message: message.to_owned(),
            incident: false,
            resolved: false,
            after_unknown: false,
        }
    }
}

fn end(job: &JobSnapshot) -> End {
    match &job.state {
        JobState::Completed => {
            let variables = job.completed_with.clone().unwrap_or_default();
            End::Completed(Value::Object(variables).to_string())
        }
        JobState::Thrown { .. } => End::Thrown,
        JobState::Incident { .. } => End::Incident,
        state => End::Open(state.name()),
    }
}

/// The header by which a request says which worker sent it: a secret that each worker has another value of.
pub const WORKER_HEADER: &str = "x-worker";

/// The value of that header. It is not the worker's name, which would be masked as a secret.
#[must_use]
pub fn worker_header(worker: usize) -> String {
    format!("header-of-{worker}")
}

/// The name of a worker in the cluster, by its number in the run.
#[must_use]
pub fn worker_name(worker: usize) -> String {
    format!("worker-{worker}")
}

fn worker_of(header: &str) -> String {
    let number = header.strip_prefix("header-of-").and_then(|number| number.parse().ok());
    number.map_or_else(|| header.to_owned(), worker_name)
}

/// What the instance received, by the job's number.
#[must_use]
pub fn requests(stand_in: &StandIn, jobs: &[JobPlan]) -> BTreeMap<usize, Vec<Request>> {
    let started: BTreeMap<usize, String> = stand_in
        .starts()
        .into_iter()
        .map(|start| (start.request, start.id))
        .collect();
    let mut all: BTreeMap<usize, Vec<Request>> = BTreeMap::new();
    for request in stand_in.requests() {
        let number = request.path().rsplit_once('/').and_then(|(_, last)| last.parse().ok());
        let Some(job) = number.and_then(|number: usize| jobs.get(number)) else {
            continue;
        };
        let own = all.entry(job.number).or_default();
        own.push(Request {
            worker: worker_of(request.header(WORKER_HEADER).next().unwrap_or_default()),
            conduct: job.conduct.get(own.len()).copied().unwrap_or(Conduct::Normal),
            started: started.get(&request.number).cloned(),
        });
    }
    all
}
