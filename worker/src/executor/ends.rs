//! How the steps of a job end: the engine's answers and the call's outcome as events.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use flow_starter_host::egress::{Progress, Purpose};
use flow_starter_host::{ErrorKind, FlowResponse, FlowState, Outcome};

use super::{Ended, Step};
use crate::answer::Answer;
use crate::attempt::{Action, Event, Time};
use crate::engine::{ExtendAnswer, Job, PutAnswer, SettleAnswer};
use crate::expression::evaluate::{NotEvaluated, Spoken};
use crate::expression::result::Said;
use crate::fault::Fault;
use crate::outcome::{CallOutcome, Verdict};
use crate::report::MAX_BYTES;

/// What a step came to, with what the executor keeps of it.
pub(super) struct Done {
    pub(super) event: Ended,
    /// What went wrong, for the report.
    pub(super) fault: Option<Fault>,
    /// What the engine said for a person.
    pub(super) said: Option<String>,
    /// What the author's expressions gave, or a sentence that says why they gave nothing.
    pub(super) spoken: Option<Result<Spoken, String>>,
}

impl From<Ended> for Done {
    fn from(event: Ended) -> Self {
        Self {
            event,
            fault: None,
            said: None,
            spoken: None,
        }
    }
}

/// What a step comes to that panicked: in doubt, everything may have happened.
pub(super) fn lost(step: &Step, asked_at: Time) -> Done {
    let event = match step {
        Action::Mark(id) => Event::MarkUnanswered(id.clone()),
        Action::Check { .. } => Event::Checked(false),
        Action::Extend { .. } => Event::ExtendUnanswered { asked_at },
        Action::Send { .. } => {
            return Done {
                fault: Some(Fault::of_lost_call()),
                ..Event::Outcome(CallOutcome::Unknown).into()
            };
        }
        Action::Evaluate(_) => Event::EvaluationFailed,
        Action::Complete { .. } | Action::Fail { .. } | Action::GiveBack { .. } | Action::Throw => {
            Event::SettleUnanswered
        }
        Action::Record(_) => Event::RecordUnanswered,
        Action::WakeAt(_) | Action::Forget(_) => Event::Tick,
    };
    event.into()
}

/// The end of a call, with its answer masked. A large answer takes a while, and is not masked on the runtime's threads.
pub(super) async fn of_call(outcome: Outcome<FlowResponse>, most: usize) -> Done {
    let mask = outcome.mask().clone();
    // What arrived before the call's own end, for instance its time limit.
    let mut requests = outcome.requests.iter().rev();
    let flow = requests.find(|request| request.purpose == Purpose::Flow);
    let status = flow.and_then(|request| match request.progress {
        Progress::Answered(status) => Some(status),
        Progress::Denied | Progress::Unsent | Progress::Sent => None,
    });
    match outcome.result {
        Ok(response) => {
            let answer = tokio::task::spawn_blocking(move || Answer::of_success(response, &mask)).await;
            let Ok(answer) = answer else {
                let answer = Arc::new(Answer::nothing());
                let fault = Fault::of_started("Its response could not be read.".to_owned(), &answer);
                return started(answer, false, Some(fault));
            };
            let bytes = answer.json().get().len();
            if bytes <= most {
                return started(Arc::new(answer), true, None);
            }
            let what = format!(
                "The response has {bytes} bytes as a variable, more than the {MAX_BYTES} that fit into a job. Its body was left out."
            );
            let fault = Fault::of_started(what, &answer);
            started(Arc::new(answer.without_body()), false, Some(fault))
        }
        Err(error) => {
            let fault = Fault::of_call(&error);
            match error.flow {
                FlowState::Started => {
                    let answer = match (&error.response, status) {
                        (Some(response), _) => Answer::of_failure(response),
                        (None, Some(status)) => Answer::of_status(status),
                        (None, None) => Answer::nothing(),
                    };
                    let answer = match error.kind {
                        // A part of a body is none that a process can read.
                        ErrorKind::ResponseTooLarge => answer.without_body(),
                        _ => answer,
                    };
                    started(Arc::new(answer), false, Some(fault))
                }
                FlowState::NotStarted => Done {
                    fault: Some(fault),
                    ..Event::Outcome(CallOutcome::NotStarted {
                        may_pass: error.retryable,
                        retry_after: error.retry_after_ms.map(|ms| Duration::from_millis(ms.into())),
                    })
                    .into()
                },
                FlowState::Unknown => Done {
                    fault: Some(fault),
                    ..Event::Outcome(CallOutcome::Unknown).into()
                },
            }
        }
    }
}

fn started(answer: Arc<Answer>, whole: bool, fault: Option<Fault>) -> Done {
    Done {
        fault,
        ..Event::Outcome(CallOutcome::Started { answer, whole }).into()
    }
}

/// What the author's expressions come to.
pub(super) fn concluded(job: &Job, spoken: Result<Spoken, NotEvaluated>) -> Done {
    let (event, spoken) = match spoken {
        Ok(spoken) => (Event::Evaluated(verdict(&spoken.said)), Ok(spoken)),
        Err(NotEvaluated::Failed(why)) => (Event::EvaluationFailed, Err(why)),
        Err(NotEvaluated::Away(why)) => {
            tracing::warn!(jobKey = job.key, "{why}");
            (Event::EvaluatorAway, Err(why))
        }
    };
    Done {
        spoken: Some(spoken),
        ..event.into()
    }
}

fn verdict(said: &Said) -> Verdict {
    match said {
        Said::Nothing => Verdict::Default,
        Said::IgnoreError { .. } => Verdict::Complete,
        Said::BpmnError { .. } => Verdict::BpmnError,
        Said::JobError { retries, back_off, .. } => Verdict::JobError {
            retries: *retries,
            back_off: *back_off,
        },
    }
}

/// A report is made again after this time at the latest, whatever the engine asks for: the job's lock passes meanwhile.
const LONGEST_DEFERRAL: Duration = Duration::from_mins(1);

pub(super) fn settled(job: &Job, answer: SettleAnswer) -> Done {
    match &answer {
        SettleAnswer::Settled => {}
        SettleAnswer::Gone | SettleAnswer::TakenOver { .. } => {
            tracing::info!(jobKey = job.key, "the report was not taken: {answer}");
        }
        SettleAnswer::Deferred { .. } | SettleAnswer::Rejected { .. } => {
            tracing::warn!(jobKey = job.key, "the cluster did not accept the report: {answer}");
        }
        SettleAnswer::Unanswered { .. } => {
            tracing::warn!(
                jobKey = job.key,
                "no answer to the report; it may or may not have been accepted: {answer}"
            );
        }
    }
    let (event, said) = match answer {
        SettleAnswer::Settled => (Event::Settled, None),
        SettleAnswer::Gone => (Event::Gone, None),
        SettleAnswer::TakenOver { detail } => (Event::TakenOver, Some(detail)),
        SettleAnswer::Deferred { after, detail } => (
            Event::SettleDeferred(after.map(|after| after.min(LONGEST_DEFERRAL))),
            Some(detail),
        ),
        SettleAnswer::Rejected { too_large, detail } => (Event::SettleRejected { too_large }, Some(detail)),
        SettleAnswer::Unanswered { detail } => (Event::SettleUnanswered, Some(detail)),
    };
    Done { said, ..event.into() }
}

pub(super) fn log_put(job: &Job, what: &str, answer: &PutAnswer) {
    match answer {
        PutAnswer::Done => {}
        PutAnswer::Refused { detail } => tracing::info!(jobKey = job.key, "{what}: {detail}"),
        PutAnswer::Unanswered { detail } => tracing::warn!(jobKey = job.key, "perhaps {what}: {detail}"),
    }
}

pub(super) fn log_extension(job: &Job, answer: &ExtendAnswer) {
    match answer {
        ExtendAnswer::Done => {}
        ExtendAnswer::Refused { detail } => {
            tracing::info!(jobKey = job.key, "the job's timeout was not extended: {detail}")
        }
        ExtendAnswer::Unanswered { detail } => {
            tracing::warn!(jobKey = job.key, "perhaps the job's timeout was not extended: {detail}");
        }
    }
}

pub(super) fn now_for_people() -> String {
    let now = time::OffsetDateTime::from(SystemTime::now());
    now.format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}
