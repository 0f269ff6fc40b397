//! What became of a call, by the component's word and the host's own record of what left.

use std::time::Duration;

use super::contract::{ErrorKind, FlowState, TriggerError};
use crate::egress::{Progress, Purpose, RequestRecord, flow_state, proves_unsent};
use crate::secrets::Mask;

/// A call's end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome<T> {
    /// The answer, or what went wrong and whether the flow was started.
    pub result: Result<T, TriggerError>,
    /// What the component asked for, in order, and how far each request came.
    pub requests: Vec<RequestRecord>,
    pub(crate) mask: Mask,
}

impl<T> Outcome<T> {
    pub(crate) fn new(result: Result<T, TriggerError>, requests: Vec<RequestRecord>) -> Self {
        Self {
            result,
            requests,
            mask: Mask::default(),
        }
    }

    /// The secrets of a call by [`FlowStarter`](crate::FlowStarter), its token included: for who shows a success's body to a person. The
    /// rest is masked already.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Flow,
    Token,
}

/// How the component's part of a call ended.
pub(super) enum End<T> {
    Returned(Result<T, TriggerError>),
    Trapped(String),
    OutOfTime(Duration),
    /// By the caller.
    GivenUp,
}

/// The component's own last words where it cannot know (`src/error.rs`).
const CANNOT_KNOW: &str =
    "It is unknown whether the flow started: look for its execution in ServiceNow before you start it again.";
const NOT_STARTED: &str = "The flow has not started.";
const STARTED: &str = "The flow has started.";

impl<T> Outcome<T> {
    pub(super) fn judge(door: Door, end: End<T>, requests: Vec<RequestRecord>) -> Self {
        let result = match end {
            End::Returned(result) if is_lie(door, &result, &requests) => Err(ended(
                "The connector component says what the connector host's own record contradicts.",
                false,
                &requests,
            )),
            End::Returned(result) => result.map_err(|error| with_step(with_proof(sober(error), &requests), &requests)),
            End::Trapped(why) => Err(ended(
                &format!("The connector component failed ({why})."),
                false,
                &requests,
            )),
            End::GivenUp => Err(ended("The call was given up before it ended.", true, &requests)),
            End::OutOfTime(limit) => Err(ended(
                &format!(
                    "The call took longer than the connector host allows ({} s) and was ended.",
                    limit.as_secs_f64()
                ),
                true,
                &requests,
            )),
        };
        Self::new(result, requests)
    }

    /// Given up before anything of the flow's request was made.
    pub(crate) fn given_up() -> Self {
        Self::judge(Door::Flow, End::GivenUp, Vec::new())
    }

    /// Ended by the wall clock before anything of the flow's request was made.
    pub(crate) fn out_of_time(limit: Duration) -> Self {
        Self::judge(Door::Flow, End::OutOfTime(limit), Vec::new())
    }

    /// An input that would not fit into an instance, refused by name instead of by a trap.
    pub(super) fn too_large(size: usize, most: usize) -> Self {
        let message = format!(
            "The input is {size} bytes, and the connector host's memory limit allows {most}: send less, or raise the limit. \
             Nothing was sent. {NOT_STARTED}"
        );
        Self::new(Err(TriggerError::invalid(message)), Vec::new())
    }
}

impl TriggerError {
    /// An input that the host itself refuses.
    pub(crate) fn invalid(message: String) -> Self {
        Self {
            kind: ErrorKind::InvalidInput,
            message,
            flow: FlowState::NotStarted,
            retryable: false,
            retry_after_ms: None,
            response: None,
        }
    }
}

/// A success or `started` takes an answer of 2xx; `not-started` cannot be known of a request that left and got no status, and after a 2xx
/// only where that was a web page. A call for a token starts no flow, and gets its token from an answer.
fn is_lie<T>(door: Door, result: &Result<T, TriggerError>, requests: &[RequestRecord]) -> bool {
    let has = |purpose: Purpose, came: fn(Progress) -> bool| {
        let mut own = requests.iter().filter(|request| request.purpose == purpose);
        own.any(|request| came(request.progress))
    };
    let answered = |progress| matches!(progress, Progress::Answered(200..=299));
    let said = result.as_ref().map_or_else(|error| error.flow, |_| FlowState::Started);
    match (door, said) {
        (Door::Token, FlowState::Started) if result.is_ok() => !has(Purpose::Token, answered),
        (Door::Token, said) => said != FlowState::NotStarted,
        (Door::Flow, FlowState::Started) => !has(Purpose::Flow, answered),
        (Door::Flow, FlowState::NotStarted) => {
            let is_page = result
                .as_ref()
                .is_err_and(|error| error.kind == ErrorKind::NotServicenow && !error.retryable);
            has(Purpose::Flow, |progress| match progress {
                Progress::Sent => true,
                // A refusal; and 503, which says by its answer what it is.
                Progress::Answered(300..=499 | 503) | Progress::Denied | Progress::Unsent => false,
                Progress::Answered(_) => true,
            }) && !(is_page && has(Purpose::Flow, answered))
        }
        (Door::Flow, FlowState::Unknown) => false,
    }
}

/// A component's message is a few sentences; as much of it as a job's error message may hold is told. And what has started, or may have, is
/// not to be tried again.
fn sober(mut error: TriggerError) -> TriggerError {
    error.retryable &= error.flow == FlowState::NotStarted;
    if let Some((end, _)) = error.message.char_indices().nth(MESSAGE_MAX) {
        error.message.truncate(end);
        error.message.shrink_to_fit();
        error.message.push('…');
    }
    error
}

/// In characters, as Camunda's connector runtime cuts them.
const MESSAGE_MAX: usize = 6_000;

/// The component cannot see whether a connection was ever made; the host can, and may turn `unknown` into `not-started`.
fn with_proof(mut error: TriggerError, requests: &[RequestRecord]) -> TriggerError {
    if error.flow == FlowState::Unknown && proves_unsent(requests) {
        error.flow = FlowState::NotStarted;
        error.retryable = true;
        let told = error
            .message
            .strip_suffix(CANNOT_KNOW)
            .unwrap_or(&error.message)
            .trim_end();
        error.message = format!("{told} Nothing of it was processed. {NOT_STARTED}");
    }
    error
}

/// Adds where the connecting stopped, which a wasi error code cannot carry.
fn with_step(mut error: TriggerError, requests: &[RequestRecord]) -> TriggerError {
    if let Some(stop) = requests.last().and_then(|request| request.stopped.as_ref()) {
        let stop: String = stop
            .to_string()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(STOP_MAX)
            .collect();
        error.message = format!("{} It stopped at {stop}.", error.message);
    }
    error
}

/// How much of a step's own words a message holds, in characters.
const STOP_MAX: usize = 300;

/// A call that the host had to end is judged by what left.
fn ended(what: &str, passes: bool, requests: &[RequestRecord]) -> TriggerError {
    let flow = flow_state(requests);
    let state = match flow {
        FlowState::NotStarted => NOT_STARTED,
        FlowState::Started => STARTED,
        FlowState::Unknown => CANNOT_KNOW,
    };
    let error = TriggerError {
        kind: ErrorKind::Internal,
        message: format!("{what} {state}"),
        flow,
        // A refusal that was answered stays one.
        retryable: passes && proves_unsent(requests),
        retry_after_ms: None,
        response: None,
    };
    with_step(error, requests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{Step, Stop};

    fn flow(progress: Progress) -> Vec<RequestRecord> {
        vec![RequestRecord {
            method: "POST".to_owned(),
            url: "https://acme.service-now.com/api/x/y".to_owned(),
            purpose: Purpose::Flow,
            progress,
            stopped: None,
        }]
    }

    fn unknown() -> TriggerError {
        TriggerError {
            kind: ErrorKind::ConnectTimeout,
            message: format!("No connection in time. {CANNOT_KNOW}"),
            flow: FlowState::Unknown,
            retryable: false,
            retry_after_ms: None,
            response: None,
        }
    }

    fn judged(end: End<()>, progress: Progress) -> TriggerError {
        Outcome::judge(Door::Flow, end, flow(progress)).result.unwrap_err()
    }

    #[test]
    fn proof_turns_unknown_into_not_started_and_nothing_else_does() {
        for (progress, state) in [
            (Progress::Denied, FlowState::NotStarted),
            (Progress::Unsent, FlowState::NotStarted),
            (Progress::Sent, FlowState::Unknown),
            (Progress::Answered(500), FlowState::Unknown),
        ] {
            let error = judged(End::Returned(Err(unknown())), progress);
            assert_eq!(error.flow, state, "{progress:?}");
            assert_eq!(error.retryable, state == FlowState::NotStarted);
            assert_eq!(
                error.message.contains("unknown"),
                state == FlowState::Unknown,
                "{error}"
            );
        }
    }

    #[test]
    fn what_the_component_knows_is_left_as_it_is() {
        for (state, progress) in [
            (FlowState::NotStarted, Progress::Unsent),
            (FlowState::NotStarted, Progress::Answered(503)),
            (FlowState::Started, Progress::Answered(202)),
        ] {
            let error = TriggerError {
                flow: state,
                ..unknown()
            };
            assert_eq!(judged(End::Returned(Err(error.clone())), progress), error);
        }
    }

    #[test]
    fn a_component_that_lies_is_not_believed() {
        let said = |flow| End::Returned(Err(TriggerError { flow, ..unknown() }));
        for (end, progress, state) in [
            (said(FlowState::Started), Progress::Unsent, FlowState::NotStarted),
            (said(FlowState::Started), Progress::Sent, FlowState::Unknown),
            (said(FlowState::Started), Progress::Answered(500), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Sent, FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(200), FlowState::Started),
            (said(FlowState::NotStarted), Progress::Answered(101), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(500), FlowState::Unknown),
            (End::Returned(Ok(())), Progress::Denied, FlowState::NotStarted),
            (End::Returned(Ok(())), Progress::Answered(401), FlowState::NotStarted),
        ] {
            let error = judged(end, progress);
            assert_eq!(
                (error.kind, error.flow, error.retryable),
                (ErrorKind::Internal, state, false),
                "{progress:?}"
            );
            assert!(error.message.contains("contradicts"), "{error}");
        }
        let token = |progress| {
            let mut requests = flow(progress);
            requests[0].purpose = Purpose::Token;
            requests
        };
        for (end, progress, is_believed) in [
            (End::Returned(Ok(())), Progress::Answered(200), true),
            (End::Returned(Ok(())), Progress::Answered(401), false),
            (End::Returned(Ok(())), Progress::Sent, false),
            (said(FlowState::NotStarted), Progress::Sent, true),
            (said(FlowState::Unknown), Progress::Answered(200), false),
            (said(FlowState::Started), Progress::Answered(200), false),
        ] {
            let contradicts = match Outcome::judge(Door::Token, end, token(progress)).result {
                Ok(()) => false,
                Err(error) => {
                    assert_eq!(error.flow, FlowState::NotStarted);
                    error.message.contains("contradicts")
                }
            };
            assert_eq!(contradicts, !is_believed, "{progress:?}");
        }
    }

    #[test]
    fn a_page_with_status_200_is_no_lie_and_what_may_have_started_is_not_to_be_tried_again() {
        let page = TriggerError {
            kind: ErrorKind::NotServicenow,
            flow: FlowState::NotStarted,
            ..unknown()
        };
        assert_eq!(judged(End::Returned(Err(page.clone())), Progress::Answered(200)), page);
        for flow in [FlowState::Unknown, FlowState::Started] {
            let eager = TriggerError {
                flow,
                retryable: true,
                ..unknown()
            };
            assert!(
                !judged(End::Returned(Err(eager)), Progress::Answered(200)).retryable,
                "{flow}"
            );
        }
    }

    #[test]
    fn a_message_without_end_is_cut() {
        let mut error = unknown();
        error.message = "ä".repeat(100_000);
        let told = judged(End::Returned(Err(error)), Progress::Sent).message;
        assert_eq!((told.chars().count(), told.chars().last()), (6_001, Some('…')));
    }

    #[test]
    fn a_message_says_where_the_connecting_stopped() {
        let mut requests = flow(Progress::Unsent);
        requests[0].stopped = Some(Stop {
            step: Step::Tls,
            why: "invalid peer certificate: Expired".to_owned(),
            cause: None,
        });
        let error = Outcome::judge(Door::Flow, End::<()>::Returned(Err(unknown())), requests)
            .result
            .unwrap_err();
        assert!(
            error
                .message
                .ends_with("It stopped at TLS: invalid peer certificate: Expired."),
            "{error}"
        );
    }

    #[test]
    fn a_call_that_the_host_ends_is_judged_by_what_left() {
        for (progress, state, sentence) in [
            (Progress::Unsent, FlowState::NotStarted, NOT_STARTED),
            (Progress::Sent, FlowState::Unknown, CANNOT_KNOW),
            (Progress::Answered(200), FlowState::Started, STARTED),
            (Progress::Answered(403), FlowState::NotStarted, NOT_STARTED),
        ] {
            let out_of_time = judged(End::OutOfTime(Duration::from_secs(300)), progress);
            assert_eq!((out_of_time.kind, out_of_time.flow), (ErrorKind::Internal, state));
            assert_eq!(out_of_time.retryable, progress == Progress::Unsent);
            assert!(out_of_time.message.contains("(300 s)") && out_of_time.message.ends_with(sentence));
            let given_up = judged(End::GivenUp, progress);
            assert_eq!(
                (given_up.flow, given_up.retryable),
                (state, progress == Progress::Unsent)
            );
            assert!(given_up.message.ends_with(sentence), "{given_up}");
            let trapped = judged(End::Trapped("unreachable".to_owned()), progress);
            assert_eq!(
                (trapped.kind, trapped.flow, trapped.retryable),
                (ErrorKind::Internal, state, false)
            );
        }
    }
}
