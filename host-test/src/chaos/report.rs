//! The figures of a run.

use std::collections::BTreeMap;

use super::facts::{Claim, End, JobFacts};
use super::plan::Plan;
use super::run::Outcome;

/// Line by line, for a reader.
#[must_use]
pub fn figures(plan: &Plan, outcome: &Outcome) -> Vec<(&'static str, String)> {
    let after = &outcome.after;
    let requests: usize = after.iter().map(|job| job.requests.len()).sum();
    let starts: usize = after.iter().map(|job| job.starts().count()).sum();
    let count = |jobs: &[JobFacts], holds: &dyn Fn(&JobFacts) -> bool| jobs.iter().filter(|job| holds(job)).count();
    let incidents = |claim: Claim| {
        let of_claim = |job: &JobFacts| {
            let last = job.reports.last().map(|report| report.claim);
            job.end == End::Incident && last == Some(claim)
        };
        count(&outcome.before, &of_claim)
    };
    let completed = |jobs: &[JobFacts]| count(jobs, &|job| matches!(job.end, End::Completed(_)));
    let workers = outcome.workers;
    vec![
        ("seed, jobs", format!("{}, {}", plan.seed, plan.jobs.len())),
        ("duration", format!("{} s", outcome.took.as_secs())),
        (
            "workers",
            format!(
                "{}; killed {}, paused past their locks {}, stopped {}; {} jobs in their hands then",
                outcome.started, workers.killed, workers.paused, workers.terminated, outcome.interrupted
            ),
        ),
        (
            "cluster",
            format!(
                "connections of all workers lost {} times, {} requests delayed, refused, cut, repeated or left unanswered",
                outcome.cuts, outcome.troubled
            ),
        ),
        ("hand-outs", outcome.hand_outs.to_string()),
        ("requests that ServiceNow received", requests.to_string()),
        ("flows that it started", starts.to_string()),
        (
            "before the resolves",
            format!(
                "{} completed, {} ended by a caught error; incidents: {} not started, {} started, {} unknown, {} uncaught errors",
                completed(&outcome.before),
                count(&outcome.before, &|job| job.end == End::Thrown),
                incidents(Claim::NotStarted),
                incidents(Claim::Started),
                incidents(Claim::Unknown),
                incidents(Claim::Error)
            ),
        ),
        (
            "incidents that a person resolved",
            format!(
                "{} in {} rounds",
                outcome.resolved.iter().sum::<usize>(),
                outcome.resolved.len()
            ),
        ),
        (
            "at the end",
            format!(
                "{} completed, {} ended by a caught error",
                completed(after),
                count(after, &|job| job.end == End::Thrown)
            ),
        ),
        (
            "jobs with a second flow",
            format!(
                "{}, all after a decision unless listed below",
                count(after, &|job| job.starts().count() > 1)
            ),
        ),
        (
            "second flow before any resolve, without `onUnknown=retry`",
            count(&outcome.before, &|job| {
                job.starts().count() > 1 && !job.reports.iter().any(|report| report.claim == Claim::Retry)
            })
            .to_string(),
        ),
        (
            "completed without an id of the flow",
            count(after, &|job| match &job.end {
                End::Completed(variables) => !job.starts().any(|id| variables.contains(id)),
                _ => false,
            })
            .to_string(),
        ),
        ("violations", violations(outcome)),
    ]
}

/// How many, and of which promise.
fn violations(outcome: &Outcome) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for violation in &outcome.violations {
        *counts.entry(violation.broken.promise()).or_default() += 1;
    }
    match counts.is_empty() {
        true => "0".to_owned(),
        false => {
            let counts: Vec<String> = counts
                .iter()
                .map(|(promise, count)| format!("{count}: {promise}"))
                .collect();
            counts.join("; ")
        }
    }
}
