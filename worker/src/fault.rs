//! Why a job was not completed: the facts behind `error` in a report.

use flow_starter_host::{ErrorKind, FlowState, TriggerError};

use crate::answer::{Answer, without_nul};
use crate::attempt::AttemptId;

/// What went wrong, as a BPMN author's expressions see it.
#[derive(Debug)]
pub struct Fault {
    /// `error.code`: the HTTP status as text, `408` where a connection was tried and no status came (as Camunda's connector has it), or a word
    /// where nothing was tried.
    pub code: String,
    /// `error.type`.
    pub kind: &'static str,
    /// Whether the flow was started.
    pub flow: FlowState,
    /// Whether the cause passes by itself. True only where nothing was started.
    pub retryable: bool,
    /// What happened, without secrets.
    pub what: String,
    /// What was answered, where anything was.
    pub response: Option<Answer>,
}

/// `error.code` where nothing was tried because of the input.
pub const INVALID_INPUT: &str = "INVALID_INPUT";
/// `error.code` where nothing was tried because the host's policy denies it.
pub const DENIED: &str = "DENIED";
/// `error.code` for an attempt that a job came with, and the code of the BPMN error for an unknown outcome.
pub const FLOW_UNKNOWN: &str = "FLOW_UNKNOWN";
/// `error.code` for a job that is handed out again through no fault of its own.
const GIVEN_BACK: &str = "GIVEN_BACK";
/// `error.code` where a connection was tried and no status came.
const NO_STATUS: &str = "408";

impl Fault {
    /// Of a call, whose texts the host has masked.
    pub fn of_call(error: &TriggerError) -> Self {
        let code = match (&error.response, error.kind) {
            (Some(response), _) => response.status.to_string(),
            (None, ErrorKind::InvalidInput) => INVALID_INPUT.to_owned(),
            (None, ErrorKind::Denied) => DENIED.to_owned(),
            (None, _) => NO_STATUS.to_owned(),
        };
        Self {
            code,
            kind: error.kind.as_str(),
            flow: error.flow,
            retryable: error.retryable,
            what: error.message.replace('\0', "\u{fffd}"),
            response: error.response.as_ref().map(Answer::of_failure),
        }
    }

    /// Of a task that is set up wrongly. Nothing was sent.
    pub fn of_task(what: String) -> Self {
        Self {
            code: INVALID_INPUT.to_owned(),
            kind: ErrorKind::InvalidInput.as_str(),
            flow: FlowState::NotStarted,
            retryable: false,
            what,
            response: None,
        }
    }

    /// Of an attempt that a job came with, and whose end is not known.
    /// `origin`: by whom and when, as the end of a phrase.
    pub fn of_found_attempt(attempt: &AttemptId, origin: &str) -> Self {
        Self {
            code: FLOW_UNKNOWN.to_owned(),
            kind: ErrorKind::Internal.as_str(),
            flow: FlowState::Unknown,
            retryable: false,
            what: format!(
                "An earlier attempt at this task ({}{origin}) ended without a report: its worker was stopped, or the engine gave the job to another worker.",
                without_nul(&shortened(attempt.as_str()))
            ),
            response: None,
        }
    }

    /// Of a started flow that cannot be reported as a success.
    pub fn of_started(what: String, answer: &Answer) -> Self {
        Self {
            code: answer
                .ids()
                .status
                .map_or_else(|| NO_STATUS.to_owned(), |status| status.to_string()),
            kind: ErrorKind::Internal.as_str(),
            flow: FlowState::Started,
            retryable: false,
            what,
            response: None,
        }
    }

    /// Of a worker that failed while the call was out.
    pub fn of_lost_call() -> Self {
        Self {
            code: NO_STATUS.to_owned(),
            kind: ErrorKind::Internal.as_str(),
            flow: FlowState::Unknown,
            retryable: false,
            what: "The worker failed during the call.".to_owned(),
            response: None,
        }
    }

    /// Of a job that is given back, or must be handed out once more before a flow is started. Nothing was sent.
    pub fn of_delay(what: &str) -> Self {
        Self {
            code: GIVEN_BACK.to_owned(),
            kind: ErrorKind::Internal.as_str(),
            flow: FlowState::NotStarted,
            retryable: true,
            what: what.to_owned(),
            response: None,
        }
    }
}

/// An attempt's identifier may be any text that stood in the variable.
fn shortened(text: &str) -> String {
    flow_starter_input::message::cut(text, 100)
}
