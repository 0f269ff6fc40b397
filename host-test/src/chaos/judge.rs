//! The judge: what is promised of every job, compared with what the instance saw.

use std::collections::BTreeMap;
use std::fmt;

use super::facts::{Claim, End, JobFacts, Report, Request};

/// A promise that a job breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// More flows than decisions allow.
    SecondStart,
    /// Neither completed nor with an incident, though nobody works on it.
    Lost,
    /// Completed without a flow of its own.
    FalseCompletion,
    /// Says that an attempt started nothing, and it did.
    FalseNotStarted,
    /// Says that an attempt started a flow, and it did not.
    FalseStarted,
    /// Says that nobody knows, though nothing went wrong.
    NeedlesslyUnknown,
    /// The words say something else than the state.
    Words,
    /// A request left a worker before its mark was written.
    Unmarked,
}

impl Broken {
    /// In words.
    #[must_use]
    pub fn promise(self) -> &'static str {
        match self {
            Self::SecondStart => "a flow was started again without a decision",
            Self::Lost => "the job is neither completed nor has an incident",
            Self::FalseCompletion => "the job is completed, but not with a flow that was started for it",
            Self::FalseNotStarted => "`not-started` was reported for an attempt that started a flow",
            Self::FalseStarted => "`answered` was reported for an attempt that started no flow",
            Self::NeedlesslyUnknown => "the outcome was reported as unknown, although nothing went wrong",
            Self::Words => "the message contradicts the state",
            Self::Unmarked => "a request was sent without a mark",
        }
    }
}

/// A broken promise, and what is known of the job.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Which.
    pub broken: Broken,
    /// The job.
    pub job: JobFacts,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken, job } = self;
        writeln!(f, "job {} ({:?}): {}", job.number, job.on_unknown, broken.promise())?;
        writeln!(
            f,
            "    end: {:?}, resolves: {}, decisions: {}",
            job.end,
            job.resolves,
            job.decisions()
        )?;
        for request in &job.requests {
            let started = request.started.as_deref().unwrap_or("nothing");
            writeln!(
                f,
                "    request by {}: {:?}, started {started}",
                request.worker, request.conduct
            )?;
        }
        for (id, worker) in &job.marks {
            writeln!(f, "    mark by {worker}: {id}")?;
        }
        for report in &job.reports {
            let attempt = report.attempt.as_deref().unwrap_or("-");
            let resolved = if report.resolved { ", resolved" } else { "" };
            writeln!(
                f,
                "    report on {attempt}: {:?}{resolved}: {}",
                report.claim, report.message
            )?;
        }
        Ok(())
    }
}

/// The promises that a worker breaks which marks no attempts, and whose incidents do not say whether a flow was started. To resolve any of
/// them is a decision.
#[must_use]
pub fn judge_any(job: &JobFacts) -> Vec<Broken> {
    let mut broken = Vec::new();
    if job.starts().count() > 1 + job.resolves {
        broken.push(Broken::SecondStart);
    }
    broken.extend(end(job, ""));
    broken
}

/// Every promise that the job breaks.
#[must_use]
pub fn judge(job: &JobFacts) -> Vec<Broken> {
    let mut broken = Vec::new();
    let starts = job.starts().count();
    if starts > 1 + job.decisions() {
        broken.push(Broken::SecondStart);
    }
    broken.extend(end(job, NO_ID));
    broken.extend(attempts(job));
    broken.extend(job.reports.iter().filter_map(|report| {
        let beginning = match report.claim {
            // A person who reads that no flow was started would start a second one.
            Claim::NotStarted if report.after_unknown => "This attempt did not start the flow",
            Claim::NotStarted => "The flow was not started",
            Claim::Started => "The flow was started",
            Claim::Unknown | Claim::Retry | Claim::Error => "It is unknown whether the flow was started",
            Claim::Other => return Some(Broken::Words),
        };
        (!report.message.starts_with(beginning)).then_some(Broken::Words)
    }));
    let open = job.requests.iter().any(|request| request.conduct.leaves_open());
    if !job.touched && !open && job.reports.iter().any(|report| report.claim.is_unknown()) {
        broken.push(Broken::NeedlesslyUnknown);
    }
    broken.sort_unstable();
    broken.dedup();
    broken
}

/// A result without an id.
const NO_ID: &str = r#""executionId":null"#;

fn end(job: &JobFacts, no_id: &str) -> Option<Broken> {
    match &job.end {
        End::Open(_) => Some(Broken::Lost),
        End::Completed(variables) => {
            let own_id = job.starts().any(|id| variables.contains(id));
            // The call may have ended with its worker's pause: all that is known then is that a flow was started.
            let lost = |request: &Request| request.started.is_some() && (job.touched || request.conduct.loses_the_id());
            let no_id = variables.contains(no_id) && job.requests.iter().any(lost);
            (!own_id && !no_id).then_some(Broken::FalseCompletion)
        }
        End::Thrown | End::Incident => None,
    }
}

/// An attempt sends one request at most. Which request belongs to which attempt of the same worker is not known, but their numbers are.
fn attempts(job: &JobFacts) -> Vec<Broken> {
    #[derive(Default)]
    struct Sum {
        marks: usize,
        not_started: usize,
        answered: usize,
        requests: usize,
        starts: usize,
    }
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for (id, worker) in &job.marks {
        let sum = sums.entry(worker).or_default();
        sum.marks += 1;
        let claims = |claim| {
            let of_attempt = |report: &&Report| report.attempt.as_ref() == Some(id) && report.claim == claim;
            usize::from(job.reports.iter().any(|report| of_attempt(&report)))
        };
        sum.not_started += claims(Claim::NotStarted);
        sum.answered += claims(Claim::Started);
    }
    for request in &job.requests {
        let sum = sums.entry(&request.worker).or_default();
        sum.requests += 1;
        sum.starts += usize::from(request.started.is_some());
    }
    let mut broken = Vec::new();
    for sum in sums.values() {
        if sum.requests > sum.marks {
            broken.push(Broken::Unmarked);
        } else if sum.starts > sum.marks.saturating_sub(sum.not_started) {
            broken.push(Broken::FalseNotStarted);
        }
        if sum.answered > sum.starts {
            broken.push(Broken::FalseStarted);
        }
    }
    broken
}
