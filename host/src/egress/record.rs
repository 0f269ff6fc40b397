//! The log of a call's requests, from which the host decides the flow's state.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use http::Method;
use zeroize::Zeroizing;

use super::address::AddressKind;
use super::certificate::CertificateFault;
use super::origin::Origin;
use crate::contract::FlowState;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It starts the flow.
    Flow,
    /// It requests an access token.
    Token,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The host denied it: nothing was sent, not even a DNS query.
    Denied,
    /// It was never handed to a connection, came back unsent, or was refused below HTTP (a TLS alert for the client's certificate as a
    /// connection's first response, HTTP/2's REFUSED_STREAM): proof that nobody processed it.
    Unsent,
    /// It was handed to a connection, and no status was received.
    Sent,
    /// A status was received.
    Answered(u16),
}

/// One request of a component, without headers, query and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// Scheme, host, port and path, without the query, which may contain a key.
    pub url: String,
    /// Its purpose.
    pub purpose: Purpose,
    /// How far it got.
    pub progress: Progress,
    /// Where connecting failed, if it did.
    pub stopped: Option<Stop>,
}

impl RequestRecord {
    /// The request's destination; `None` if it cannot be read, or comes from a secret and is masked.
    pub fn origin(&self) -> Option<Origin> {
        Origin::split(&self.url).ok().map(|(origin, _)| origin)
    }
}

/// A step of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The check of the name against the policy.
    Policy,
    /// The look-up of the name.
    Dns,
    /// The check of the addresses that the name resolves to.
    Address,
    /// The tunnel through the proxy.
    Proxy,
    /// The connection itself.
    Tcp,
    /// The TLS handshake.
    Tls,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "the policy",
            Self::Dns => "DNS",
            Self::Address => "the address",
            Self::Proxy => "the proxy",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        })
    }
}

/// Where and why connecting failed. A WASI error code has no text, so a call's message uses this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// At which step.
    pub step: Step,
    /// For people. Except for the names in a certificate, neither the component nor the server controls this text.
    pub why: String,
    /// The cause as data, if known.
    pub cause: Option<StopCause>,
}

/// The fact behind a [`Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopCause {
    /// The policy does not allow this kind of address: at [`Step::Address`].
    Address(AddressKind),
    /// Plain http to another machine: at [`Step::Address`].
    PlainHttp,
    /// The proxy answered `CONNECT` with this HTTP status, which is not 2xx (RFC 9110, section 9.3.6): at [`Step::Proxy`]. 407: it
    /// requires credentials.
    ProxyStatus(u16),
    /// The policy does not allow the destination: at [`Step::Policy`].
    NotAllowed,
    /// The server's certificate, or the proxy's, is not trusted: at [`Step::Tls`] or [`Step::Proxy`].
    Certificate(CertificateFault),
    /// The server requires a client certificate, or refuses the one it got: at [`Step::Tls`].
    ClientCertificate,
}

impl Stop {
    pub(crate) fn new(step: Step, why: impl Into<String>) -> Self {
        Self {
            step,
            why: why.into(),
            cause: None,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.why)
    }
}

impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.url)?;
        match self.progress {
            Progress::Denied => f.write_str("denied"),
            Progress::Unsent => f.write_str("not sent"),
            Progress::Sent => f.write_str("no response"),
            Progress::Answered(status) => write!(f, "{status}"),
        }
    }
}

/// Observes each step while a connection is made.
pub(super) trait ConnectObserver: Send + Sync {
    /// A step begins; `late` is the message if it times out.
    fn begins(&self, step: Step, late: &str);

    /// The step succeeded.
    fn passed(&self, _step: Step, _found: fmt::Arguments<'_>) {}

    /// The step is not needed.
    fn skipped(&self, _step: Step, _why: &str) {}

    /// The connection will not be made.
    fn stops(&self, stop: Stop);

    /// The same, without a [`StopCause`].
    fn failed(&self, step: Step, why: &str) {
        self.stops(Stop::new(step, why));
    }
}

const WAITING: u8 = 0;
const SENT: u8 = 1;
const REVOKED: u8 = 2;
const DENIED: u8 = 3;

/// A request's state, shared by the task that sends it and the call.
#[derive(Debug)]
pub(crate) struct Attempt {
    method: Method,
    /// Its path can contain a secret, which is masked only after the call has ended.
    url: Zeroizing<String>,
    purpose: Purpose,
    state: AtomicU8,
    /// 0: none came.
    status: AtomicU16,
    stopped: Mutex<Option<Stop>>,
}

impl Attempt {
    pub(crate) fn new(method: Method, url: String, purpose: Purpose, denied: bool) -> Self {
        Self {
            method,
            url: Zeroizing::new(url),
            purpose,
            state: AtomicU8::new(if denied { DENIED } else { WAITING }),
            status: AtomicU16::new(0),
            stopped: Mutex::new(None),
        }
    }

    pub(crate) fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub(crate) fn stopped(&self, step: Step, why: impl Into<String>) {
        self.stops_at(Some(Stop::new(step, why)));
    }

    pub(crate) fn connected(&self) {
        self.stops_at(None);
    }

    pub(super) fn stops_at(&self, stop: Option<Stop>) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    /// Called before the request is handed to a connection: `false` if the call has ended, and it must not be sent.
    ///
    /// On a runtime with several threads a call can end while the task that sends its request still runs;
    /// without this the request could leave after it was reported as never sent.
    pub(crate) fn hand_over(&self) -> bool {
        self.state
            .compare_exchange(WAITING, SENT, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// The connection returned the request unsent, or the server proved that it did not process it.
    pub(crate) fn handed_back(&self) {
        let _ = self
            .state
            .compare_exchange(SENT, WAITING, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub(crate) fn answered(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The call has ended: a request that is not handed over by now never will be.
    fn close(&self) -> RequestRecord {
        let _ = self
            .state
            .compare_exchange(WAITING, REVOKED, Ordering::SeqCst, Ordering::SeqCst);
        let progress = match (self.state.load(Ordering::SeqCst), self.status.load(Ordering::SeqCst)) {
            (DENIED, _) => Progress::Denied,
            (SENT, 0) => Progress::Sent,
            (SENT, status) => Progress::Answered(status),
            _ => Progress::Unsent,
        };
        RequestRecord {
            method: self.method.to_string(),
            url: self.url.to_string(),
            purpose: self.purpose,
            progress,
            stopped: self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Keeps only the last report: the text given before a step is the one that counts if the step times out.
impl ConnectObserver for std::sync::Arc<Attempt> {
    fn begins(&self, step: Step, late: &str) {
        self.stopped(step, late);
    }

    fn stops(&self, stop: Stop) {
        self.stops_at(Some(stop));
    }
}

/// Closes a call's attempts, in the order in which they were made.
pub(crate) fn close<'a>(attempts: impl IntoIterator<Item = &'a std::sync::Arc<Attempt>>) -> Vec<RequestRecord> {
    attempts.into_iter().map(|it| it.close()).collect()
}

/// The flow's state according to the requests alone.
///
/// A status decides, as in the contract's table: 2xx started it, 3xx and 4xx did not; 202, 303, 408 and all others may have. Without a
/// status, `not-started` needs proof that nothing was processed.
pub(crate) fn flow_state(requests: &[RequestRecord]) -> FlowState {
    let flows = requests.iter().filter(|it| it.purpose == Purpose::Flow);
    let states = flows.map(|it| match it.progress {
        Progress::Denied | Progress::Unsent => FlowState::NotStarted,
        Progress::Answered(202 | 303 | 408) => FlowState::Unknown,
        Progress::Answered(200..=299) => FlowState::Started,
        Progress::Answered(300..=499) => FlowState::NotStarted,
        Progress::Answered(_) | Progress::Sent => FlowState::Unknown,
    });
    states.fold(FlowState::NotStarted, |all, one| match (all, one) {
        (FlowState::Started, _) | (_, FlowState::Started) => FlowState::Started,
        (FlowState::Unknown, _) | (_, FlowState::Unknown) => FlowState::Unknown,
        _ => FlowState::NotStarted,
    })
}

/// Whether the log proves that no flow request was processed (see [`Progress::Unsent`]).
pub(crate) fn proves_unsent(requests: &[RequestRecord]) -> bool {
    requests
        .iter()
        .filter(|it| it.purpose == Purpose::Flow)
        .all(|it| matches!(it.progress, Progress::Denied | Progress::Unsent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn attempt(purpose: Purpose) -> Arc<Attempt> {
        let url = "https://acme.service-now.com/api/x/y".to_owned();
        Arc::new(Attempt::new(Method::POST, url, purpose, false))
    }

    #[test]
    fn a_request_that_was_handed_over_cannot_be_called_unsent() {
        let sent = attempt(Purpose::Flow);
        assert!(sent.hand_over());
        let records = close([&sent]);
        assert_eq!(records[0].progress, Progress::Sent);
        assert_eq!(flow_state(&records), FlowState::Unknown);
        assert!(!proves_unsent(&records));
    }

    #[test]
    fn a_request_that_was_called_unsent_cannot_be_handed_over() {
        let late = attempt(Purpose::Flow);
        let records = close([&late]);
        assert!(proves_unsent(&records));
        assert_eq!(flow_state(&records), FlowState::NotStarted);
        assert!(!late.hand_over());
    }

    #[test]
    fn a_request_that_came_back_is_unsent() {
        let back = attempt(Purpose::Flow);
        assert!(back.hand_over());
        back.handed_back();
        assert_eq!(close([&back])[0].progress, Progress::Unsent);
    }

    #[test]
    fn the_status_line_decides() {
        for (status, state) in [
            (101, FlowState::Unknown),
            (200, FlowState::Started),
            (202, FlowState::Unknown),
            (204, FlowState::Started),
            (303, FlowState::Unknown),
            (408, FlowState::Unknown),
            (302, FlowState::NotStarted),
            (401, FlowState::NotStarted),
            (429, FlowState::NotStarted),
            (500, FlowState::Unknown),
            (503, FlowState::Unknown),
        ] {
            let flow = attempt(Purpose::Flow);
            assert!(flow.hand_over());
            flow.answered(status);
            assert_eq!(flow_state(&close([&flow])), state, "{status}");
        }
    }

    #[test]
    fn a_tokens_request_starts_no_flow() {
        let token = attempt(Purpose::Token);
        assert!(token.hand_over());
        token.answered(200);
        let records = close([&token]);
        assert_eq!(flow_state(&records), FlowState::NotStarted);
        assert!(proves_unsent(&records));
    }
}
