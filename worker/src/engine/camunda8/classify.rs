//! What the end of a request means for the job.
//!
//! Only a problem document counts as the cluster's word: proxies and gateways answer in its place, in HTML or not at all.
//!
//! | answer | verdict |
//! |---|---|
//! | 204 | accepted |
//! | 404 in a problem document with the title `NOT_FOUND` | gone |
//! | 409 in a problem document | taken over |
//! | 401, whatever its body: it is given before a request is read; 403 in a problem document | denied |
//! | 429, whatever its body: a rate limit comes before the request; 503 in a problem document with the title `RESOURCE_EXHAUSTED` | busy |
//! | 400 in a problem document; 413, whatever its body; 500 in a problem document that says `rejected with code` | rejected |
//! | anything else | unclear |
//!
//! | verdict | report | mark | record | move of the lock |
//! |---|---|---|---|---|
//! | accepted | settled | done | done | done |
//! | gone | gone | refused | refused | refused |
//! | taken over | taken over | refused | refused | refused |
//! | denied, or no access token | deferred | refused | unanswered | refused |
//! | busy, or no connection | deferred | unanswered | unanswered | unanswered |
//! | rejected, by 400 | rejected | refused | refused | refused |
//! | rejected, by 413 or 500 | rejected | unanswered | unanswered | unanswered |
//! | unclear, or no answer | unanswered | unanswered | unanswered | unanswered |
//!
//! A record that was denied is not refused for good: it may be repeated, for it writes what is known.

use std::time::Duration;

use super::answer::{Answer, Ended, Problem};
use crate::engine::{ActivationError, ExtendAnswer, PutAnswer, SettleAnswer};

const EXHAUSTED: &str = "RESOURCE_EXHAUSTED";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    Gone,
    TakenOver,
    Denied,
    Busy,
    Rejected { too_large: bool },
    Unclear,
}

pub(super) fn verdict(answer: &Answer) -> Verdict {
    match (answer.status, &answer.problem) {
        (204, _) => Verdict::Accepted,
        (401, _) | (403, Some(_)) => Verdict::Denied,
        (404, Some(Problem { title, .. })) if title == "NOT_FOUND" => Verdict::Gone,
        (409, Some(_)) => Verdict::TakenOver,
        (413, _) => Verdict::Rejected { too_large: true },
        (429, _) => Verdict::Busy,
        (503, Some(Problem { title, .. })) if title == EXHAUSTED => Verdict::Busy,
        (400, Some(problem)) => Verdict::Rejected {
            too_large: is_about_size(problem),
        },
        // The gateway has no status of its own for a command that the engine rejected (camunda/camunda 14006).
        (500, Some(problem)) if problem.detail.contains("rejected with code") => Verdict::Rejected {
            too_large: is_about_size(problem),
        },
        _ => Verdict::Unclear,
    }
}

fn is_about_size(problem: &Problem) -> bool {
    let detail = problem.detail.to_ascii_lowercase();
    ["exceeded_batch_record_size", "message size", "messagesize", "too large"]
        .iter()
        .any(|words| detail.contains(words))
}

pub(super) fn settled(ended: Ended) -> SettleAnswer {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotSent { after, detail, .. } => return SettleAnswer::Deferred { after, detail },
        Ended::Lost { detail, .. } => return SettleAnswer::Unanswered { detail },
    };
    let (after, verdict) = (answer.retry_after, verdict(&answer));
    let detail = answer.detail;
    match verdict {
        Verdict::Accepted => SettleAnswer::Settled,
        Verdict::Gone => SettleAnswer::Gone,
        Verdict::TakenOver => SettleAnswer::TakenOver { detail },
        Verdict::Denied | Verdict::Busy => SettleAnswer::Deferred { after, detail },
        Verdict::Rejected { too_large } => SettleAnswer::Rejected { too_large, detail },
        Verdict::Unclear => SettleAnswer::Unanswered { detail },
    }
}

pub(super) fn marked(ended: Ended) -> PutAnswer {
    match written(ended) {
        Written::Done => PutAnswer::Done,
        Written::Denied(detail) | Written::Refused(detail) => PutAnswer::Refused { detail },
        Written::Unanswered(detail) => PutAnswer::Unanswered { detail },
    }
}

pub(super) fn recorded(ended: Ended) -> PutAnswer {
    match written(ended) {
        Written::Done => PutAnswer::Done,
        Written::Refused(detail) => PutAnswer::Refused { detail },
        Written::Denied(detail) | Written::Unanswered(detail) => PutAnswer::Unanswered { detail },
    }
}

pub(super) fn extended(ended: Ended) -> ExtendAnswer {
    match written(ended) {
        Written::Done => ExtendAnswer::Done,
        Written::Denied(detail) | Written::Refused(detail) => ExtendAnswer::Refused { detail },
        Written::Unanswered(detail) => ExtendAnswer::Unanswered { detail },
    }
}

/// The end of a PUT or a PATCH.
enum Written {
    Done,
    Denied(String),
    Refused(String),
    Unanswered(String),
}

fn written(ended: Ended) -> Written {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotSent {
            denied: true, detail, ..
        } => return Written::Denied(detail),
        Ended::NotSent { detail, .. } | Ended::Lost { detail, .. } => return Written::Unanswered(detail),
    };
    match (verdict(&answer), answer.status, &answer.problem) {
        (Verdict::Accepted, ..) => Written::Done,
        (Verdict::Denied, ..) => Written::Denied(answer.detail),
        (_, 400 | 404 | 409, Some(_)) => Written::Refused(answer.detail),
        _ => Written::Unanswered(answer.detail),
    }
}

/// An activation that gave no list of jobs. `asked_for`: how long the cluster was to hold it.
pub(super) fn not_activated(ended: Ended, asked_for: Option<Duration>) -> ActivationError {
    // Something in between has a time limit of its own. Sooner than that it is a fault.
    let near_end = |took: Duration| asked_for.is_some_and(|asked_for| took >= asked_for / 2);
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotSent {
            denied: true, detail, ..
        } => return ActivationError::Denied { detail },
        Ended::Lost {
            timed_out: false,
            took,
            detail,
        } if near_end(took) => return ActivationError::Cut { detail },
        Ended::NotSent { detail, .. } | Ended::Lost { detail, .. } => return ActivationError::Failed { detail },
    };
    let exhausted = |problem: &Problem| problem.title == EXHAUSTED || problem.detail.contains(EXHAUSTED);
    let (retry_after, verdict) = (answer.retry_after, verdict(&answer));
    let detail = answer.detail;
    match (verdict, answer.status, &answer.problem) {
        (Verdict::Busy, ..) => ActivationError::Overloaded { retry_after, detail },
        (_, 500, Some(problem)) if exhausted(problem) => ActivationError::Overloaded { retry_after, detail },
        (Verdict::Denied, ..) | (_, 403, _) => ActivationError::Denied { detail },
        (_, 504, _) if near_end(answer.took) => ActivationError::Cut { detail },
        _ => ActivationError::Failed { detail },
    }
}
