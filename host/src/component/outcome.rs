//! The result of a call, from the component's result and the host's request log.

use std::time::Duration;

use flow_starter_input::Mask;
use flow_starter_input::message::{NOT_STARTED, STARTED, UNKNOWN, quoted};

use crate::contract::{ErrorKind, FlowResponse, FlowState, TriggerError};
use crate::egress::{Progress, Purpose, RequestRecord, Step, Stop, StopCause, flow_state, proves_unsent};

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome<T> {
    /// The result, or the error with the flow's state.
    pub result: Result<T, TriggerError>,
    /// The component's requests, in order, and how far each got.
    pub requests: Vec<RequestRecord>,
    pub(crate) mask: Mask,
}

impl<T> Outcome<T> {
    /// The secrets of a [`FlowStarter`](crate::FlowStarter) call, including its token: use it before you show a success's body to people.
    /// Everything else is masked already.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    pub(crate) fn map<U>(self, success: impl FnOnce(T) -> U) -> Outcome<U> {
        Outcome {
            result: self.result.map(success),
            requests: self.requests,
            mask: self.mask,
        }
    }
}

/// The facts of a call's result, before the message is written.
#[derive(Debug)]
pub(crate) struct Judged<T> {
    pub(crate) result: Result<T, Failure>,
    pub(crate) requests: Vec<RequestRecord>,
}

/// The facts of a failed call. [`Self::into_error`] writes the message.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    /// What happened, without the flow's state.
    what: String,
    pub(crate) flow: FlowState,
    /// Whether the message ends with the flow's state; not if the component omitted it.
    says_state: bool,
    pub(crate) retryable: bool,
    retry_after_ms: Option<u32>,
    pub(crate) response: Option<Box<FlowResponse>>,
    /// The component could not know, but the host's request log proves that nothing was processed.
    proven: bool,
    /// Where connecting failed, which a WASI error code cannot express.
    stop: Option<Stop>,
    /// The call's token was cached and is dropped.
    pub(crate) token_dropped: bool,
}

/// The purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallKind {
    Flow,
    Token,
}

/// How the component's run ended.
pub(super) enum End<T> {
    Returned(Result<T, TriggerError>),
    Trapped(String),
    OutOfTime(Duration),
    /// By the caller.
    GivenUp,
}

/// The last sentence of a message, for this state.
fn sentence(flow: FlowState) -> &'static str {
    match flow {
        FlowState::NotStarted => NOT_STARTED,
        FlowState::Started => STARTED,
        FlowState::Unknown => UNKNOWN,
    }
}

impl<T> Judged<T> {
    pub(super) fn of(kind: CallKind, end: End<T>, requests: Vec<RequestRecord>) -> Self {
        let ended = |what: String, passes| Err(Failure::of_record(what, passes, &requests));
        let result = match end {
            End::Returned(result) if is_lie(kind, &result, &requests) => ended(
                "The connector component's result contradicts the connector host's request log, and the log counts."
                    .to_owned(),
                false,
            ),
            End::Returned(result) => result.map_err(|error| Failure::of_component(error, &requests)),
            End::Trapped(why) => ended(format!("The connector component failed ({why})."), false),
            End::GivenUp => ended("The call was cancelled before it ended.".to_owned(), true),
            End::OutOfTime(limit) => ended(
                format!(
                    "The call took longer than the connector host allows ({} s) and was ended.",
                    limit.as_secs_f64()
                ),
                true,
            ),
        };
        Self { result, requests }
    }

    /// Cancelled before the flow's request was made.
    pub(crate) fn given_up() -> Self {
        Self::of(CallKind::Flow, End::GivenUp, Vec::new())
    }

    /// Timed out before the flow's request was made.
    pub(crate) fn out_of_time(limit: Duration) -> Self {
        Self::of(CallKind::Flow, End::OutOfTime(limit), Vec::new())
    }

    /// An input that would not fit into an instance: refused with a message instead of a trap.
    pub(super) fn too_large(size: usize, most: usize) -> Self {
        let what = format!(
            "The input is {size} bytes, but the connector host's memory limit allows {most}: send less, or raise the limit. Nothing was sent."
        );
        Self::refused(Failure::invalid(what, true))
    }

    /// Refused before anything was sent.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            requests: Vec::new(),
        }
    }

    /// The outcome, with its message written. `mask` applies to the message only.
    pub(crate) fn into_outcome(self, mask: Mask) -> Outcome<T> {
        Outcome {
            result: self.result.map_err(|failure| failure.into_error(&mask)),
            requests: self.requests,
            mask,
        }
    }
}

impl Failure {
    /// An input that the host refuses. `says_state`: the message ends with the flow's state.
    pub(crate) fn invalid(what: String, says_state: bool) -> Self {
        Self {
            kind: ErrorKind::InvalidInput,
            what,
            flow: FlowState::NotStarted,
            says_state,
            retryable: false,
            retry_after_ms: None,
            response: None,
            proven: false,
            stop: None,
            token_dropped: false,
        }
    }

    /// A component's error, corrected by what the host knows.
    fn of_component(mut error: TriggerError, requests: &[RequestRecord]) -> Self {
        cut(&mut error.message, MESSAGE_MAX);
        let said = sentence(error.flow);
        let says_state = error.message.ends_with(said);
        // In place: a copy would stay in memory.
        let mut what = error.message;
        if says_state {
            what.truncate(what.len() - said.len());
            what.truncate(what.trim_end().len());
        }
        let by_proxy = match error.kind {
            ErrorKind::Denied | ErrorKind::Refused => refused_by_the_proxy(requests),
            _ => None,
        };
        let stop = if by_proxy.is_some() { None } else { stop(requests) };
        let what = by_proxy.unwrap_or(what);
        // The component cannot see whether a connection was ever made; the host can.
        let proven = error.flow == FlowState::Unknown && proves_unsent(requests);
        let flow = if proven { FlowState::NotStarted } else { error.flow };
        Self {
            kind: error.kind,
            what,
            flow,
            says_state: says_state || proven,
            // Never retry a flow that has started, or may have.
            retryable: proven || (error.retryable && flow == FlowState::NotStarted),
            retry_after_ms: error.retry_after_ms,
            response: error.response.map(Box::new),
            proven,
            stop,
            token_dropped: false,
        }
    }

    /// For a call that the host ended, the request log decides.
    fn of_record(what: String, passes: bool, requests: &[RequestRecord]) -> Self {
        Self {
            kind: ErrorKind::Internal,
            flow: flow_state(requests),
            // A refusal by the server stays a refusal.
            retryable: passes && proves_unsent(requests),
            stop: stop(requests),
            ..Self::invalid(what, true)
        }
    }

    /// The error with its message: what happened, the flow's state, and what else the host knows.
    pub(crate) fn into_error(self, mask: &Mask) -> TriggerError {
        let mut message = mask.text(self.what);
        let mut say = |text: &str| {
            if !message.is_empty() {
                message.push(' ');
            }
            message.push_str(text);
        };
        if self.proven {
            say("No part of the request was processed.");
        }
        if self.says_state {
            say(sentence(self.flow));
        }
        if let Some(stop) = self.stop {
            say(&format!("It stopped at {}.", quoted(mask, stop.to_string(), STOP_MAX)));
        }
        if self.token_dropped {
            say(TOKEN_DROPPED);
        }
        TriggerError {
            kind: self.kind,
            message,
            flow: self.flow,
            retryable: self.retryable,
            retry_after_ms: self.retry_after_ms,
            response: self.response.map(|response| *response),
        }
    }
}

const TOKEN_DROPPED: &str = "The cached token is dropped: the next attempt requests a new one.";

/// Maximum length of a message in characters, as in Camunda's connector runtime.
const MESSAGE_MAX: usize = 6_000;

/// Maximum length of a step's text in a message, in characters.
const STOP_MAX: usize = 300;

fn stop(requests: &[RequestRecord]) -> Option<Stop> {
    requests.last().and_then(|request| request.stopped.clone())
}

/// The message if the proxy opened no tunnel. WASI has no error code for proxies, so the component blames the policy or the destination.
fn refused_by_the_proxy(requests: &[RequestRecord]) -> Option<String> {
    let request = requests.last().filter(|request| request.progress == Progress::Unsent)?;
    let stop = request.stopped.as_ref().filter(|stop| stop.step == Step::Proxy)?;
    let origin = request.origin()?;
    let (host, port) = (origin.host(), origin.port());
    let advice = match stop.cause {
        Some(StopCause::ProxyStatus(407)) => {
            "Ask whoever runs the connector host to configure a user name and a password for the proxy.".to_owned()
        }
        Some(StopCause::ProxyStatus(403)) => {
            format!("Ask whoever runs the proxy to allow CONNECT to {host}:{port}.")
        }
        Some(StopCause::ProxyStatus(_)) => {
            format!("Try again later. If it persists, ask whoever runs the proxy whether it can reach {host}:{port}.")
        }
        _ => "Ask whoever runs the connector host to check its proxy.".to_owned(),
    };
    let what = match request.purpose {
        Purpose::Flow => "The request to",
        Purpose::Token => "The token request to",
    };
    // Not truncated: a truncated secret would mask the whole message.
    let why = stop.why.replace(char::is_control, " ");
    Some(format!("{what} {host} was not sent: the proxy {why}. {advice}"))
}

fn cut(text: &mut String, max: usize) {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.shrink_to_fit();
        text.push('…');
    }
}

/// Whether the result contradicts the request log. A success or `started` needs a 2xx. `not-started` is impossible for a request that left
/// and got no status, or got 202, 303 or 408, and after another 2xx it needs a web page. A token call starts no flow, and gets its token
/// from a response.
fn is_lie<T>(kind: CallKind, result: &Result<T, TriggerError>, requests: &[RequestRecord]) -> bool {
    let has = |purpose: Purpose, came: &dyn Fn(Progress) -> bool| {
        let mut own = requests.iter().filter(|request| request.purpose == purpose);
        own.any(|request| came(request.progress))
    };
    let answered = |progress| matches!(progress, Progress::Answered(200..=299));
    let said = result.as_ref().map_or_else(|error| error.flow, |_| FlowState::Started);
    match (kind, said) {
        (CallKind::Token, FlowState::Started) if result.is_ok() => !has(Purpose::Token, &answered),
        (CallKind::Token, said) => said != FlowState::NotStarted,
        (CallKind::Flow, FlowState::Started) => !has(Purpose::Flow, &answered),
        (CallKind::Flow, FlowState::NotStarted) => {
            let is_page = result
                .as_ref()
                .is_err_and(|error| error.kind == ErrorKind::NotServicenow && !error.retryable);
            has(Purpose::Flow, &|progress| match progress {
                Progress::Sent => true,
                Progress::Answered(202 | 303 | 408) => true,
                Progress::Answered(200..=299) => !is_page,
                // Refusals; and 503, where the response tells.
                Progress::Answered(300..=499 | 503) | Progress::Denied | Progress::Unsent => false,
                Progress::Answered(_) => true,
            })
        }
        (CallKind::Flow, FlowState::Unknown) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            message: format!("No connection in time. {UNKNOWN}"),
            flow: FlowState::Unknown,
            retryable: false,
            retry_after_ms: None,
            response: None,
        }
    }

    fn judged(end: End<()>, progress: Progress) -> TriggerError {
        error(Judged::of(CallKind::Flow, end, flow(progress)))
    }

    fn error(judged: Judged<()>) -> TriggerError {
        judged.into_outcome(Mask::default()).result.unwrap_err()
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
    fn a_consistent_result_is_unchanged() {
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
    fn the_request_log_overrides_a_contradicting_component() {
        let said = |flow| End::Returned(Err(TriggerError { flow, ..unknown() }));
        for (end, progress, state) in [
            (said(FlowState::Started), Progress::Unsent, FlowState::NotStarted),
            (said(FlowState::Started), Progress::Sent, FlowState::Unknown),
            (said(FlowState::Started), Progress::Answered(500), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Sent, FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(200), FlowState::Started),
            (said(FlowState::NotStarted), Progress::Answered(101), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(500), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(202), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(303), FlowState::Unknown),
            (said(FlowState::NotStarted), Progress::Answered(408), FlowState::Unknown),
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
            let contradicts = match Judged::of(CallKind::Token, end, token(progress))
                .into_outcome(Mask::default())
                .result
            {
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
    fn a_page_with_status_200_is_consistent_and_unknown_is_not_retryable() {
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
        let message = judged(End::Returned(Err(error)), Progress::Sent).message;
        assert_eq!((message.chars().count(), message.chars().last()), (6_001, Some('…')));
    }

    #[test]
    fn a_message_says_where_the_connecting_stopped() {
        let mut requests = flow(Progress::Unsent);
        requests[0].stopped = Some(Stop {
            step: Step::Tls,
            why: "invalid peer certificate: Expired".to_owned(),
            cause: None,
        });
        let error = error(Judged::of(CallKind::Flow, End::Returned(Err(unknown())), requests));
        assert!(
            error
                .message
                .ends_with("It stopped at TLS: invalid peer certificate: Expired."),
            "{error}"
        );
    }

    #[test]
    fn a_proxys_refusal_is_reported_as_the_proxys() {
        let denied = || {
            End::Returned(Err(TriggerError {
                kind: ErrorKind::Denied,
                message: format!("The policy does not allow it. Allow it. {NOT_STARTED}"),
                flow: FlowState::NotStarted,
                ..unknown()
            }))
        };
        let message_at = |step: Step, progress: Progress| {
            let mut requests = flow(progress);
            requests[0].stopped = Some(Stop {
                step,
                why: "http://p.example:3128 answered 407 to CONNECT".to_owned(),
                cause: Some(StopCause::ProxyStatus(407)),
            });
            let error = error(Judged::of(CallKind::Flow, denied(), requests));
            assert_eq!((error.kind, error.flow), (ErrorKind::Denied, FlowState::NotStarted));
            error.message
        };
        assert_eq!(
            message_at(Step::Proxy, Progress::Unsent),
            "The request to acme.service-now.com was not sent: the proxy http://p.example:3128 answered 407 to CONNECT. Ask whoever runs the connector host to configure a user name and a password for the proxy. The flow has not started."
        );
        for (step, progress) in [(Step::Tcp, Progress::Unsent), (Step::Proxy, Progress::Denied)] {
            assert!(message_at(step, progress).starts_with("The policy does not allow it."));
        }
    }

    #[test]
    fn a_call_that_the_host_ends_is_judged_by_what_left() {
        for (progress, state, sentence) in [
            (Progress::Unsent, FlowState::NotStarted, NOT_STARTED),
            (Progress::Sent, FlowState::Unknown, UNKNOWN),
            (Progress::Answered(200), FlowState::Started, STARTED),
            (Progress::Answered(202), FlowState::Unknown, UNKNOWN),
            (Progress::Answered(303), FlowState::Unknown, UNKNOWN),
            (Progress::Answered(408), FlowState::Unknown, UNKNOWN),
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
