//! Errors: one table from cause to kind, flow state and retryable, and the messages.

use crate::types::{ErrorKind, FlowResponse, FlowState, TriggerError};
use flow_starter_input::message::{NOT_STARTED, STARTED, UNKNOWN, quoted};
use flow_starter_input::output::reason;
use flow_starter_input::{Invalid, Mask};

/// What went wrong. Each cause is one row of the table in `wit/flow-starter.wit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    // Nothing was sent.
    InvalidInput,
    Denied,
    Dns,
    Refused,
    Tls,
    /// Some hosts say it after sending, too.
    ConnectTimeout,
    // No status line came.
    Lost,
    Silent,
    Garbled,
    /// Any other code of the host.
    Host,
    // A status line came, and says no.
    Html,
    Redirected,
    Unauthorized,
    /// 403 in ServiceNow's error envelope.
    Forbidden,
    /// Any other 403: ServiceNow's IP address access control, a gateway or a firewall may say it.
    Blocked,
    NotFound,
    Rejected,
    /// 425.
    TooEarly,
    RateLimited,
    /// 503 from ServiceNow itself: with `Retry-After` or its error envelope.
    UnavailableSaid,
    /// Any other 503: a gateway may say it after it forwarded the request.
    Unavailable,
    ServerError,
    // A status line came, and does not say whether the flow has started.
    /// A 2xx in which ServiceNow reports a failure: it cancels a transaction after the status is sent.
    Cancelled,
    /// 202 without a result: accepted, perhaps never done (RFC 9110, section 15.3.3).
    Accepted,
    /// A 2xx whose body is neither the JSON that it should be nor a page that is surely not ServiceNow's API.
    Markup,
    /// 303: the request was processed, and the answer is elsewhere (RFC 9110, section 15.4.4).
    SeeOther,
    /// 408, which ServiceNow says while the request still runs.
    RequestTimeout,
    // A 2xx came, and its body did not come whole.
    AnswerLost,
    AnswerSilent,
    AnswerTooLarge,
    AnswerCompressed,
    /// A whole 2xx of the token endpoint that holds no usable token.
    NoToken,
}

/// The cause's row in the contract's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub kind: ErrorKind,
    pub flow: FlowState,
    pub retryable: bool,
}

impl Cause {
    #[cfg(test)]
    pub const ALL: [Self; 32] = {
        use Cause::*;
        [
            InvalidInput,
            Denied,
            Dns,
            Refused,
            Tls,
            ConnectTimeout,
            Lost,
            Silent,
            Garbled,
            Host,
            Html,
            Redirected,
            Unauthorized,
            Forbidden,
            Blocked,
            NotFound,
            Rejected,
            TooEarly,
            RateLimited,
            UnavailableSaid,
            Unavailable,
            ServerError,
            Cancelled,
            Accepted,
            Markup,
            SeeOther,
            RequestTimeout,
            AnswerLost,
            AnswerSilent,
            AnswerTooLarge,
            AnswerCompressed,
            NoToken,
        ]
    };

    /// The table: what the cause means for the flow's own request.
    #[rustfmt::skip]
    pub fn verdict(self) -> Verdict {
        use crate::types::{ErrorKind as K, FlowState::*};
        let (kind, flow, retryable) = match self {
            Self::InvalidInput     => (K::InvalidInput,     NotStarted, false),
            Self::Denied           => (K::Denied,           NotStarted, false),
            Self::Tls              => (K::Tls,              NotStarted, false),
            Self::Dns              => (K::Dns,              NotStarted, true),
            Self::Refused          => (K::Refused,          NotStarted, true),
            Self::ConnectTimeout   => (K::ConnectTimeout,   Unknown,    false),
            Self::Html             => (K::NotServicenow,    NotStarted, false),
            Self::Redirected       => (K::Redirected,       NotStarted, false),
            Self::Unauthorized     => (K::Unauthorized,     NotStarted, false),
            Self::Forbidden        => (K::Forbidden,        NotStarted, false),
            Self::Blocked          => (K::Forbidden,        NotStarted, false),
            Self::NotFound         => (K::NotFound,         NotStarted, false),
            Self::Rejected         => (K::Rejected,         NotStarted, false),
            Self::TooEarly         => (K::Rejected,         NotStarted, true),
            Self::RateLimited      => (K::RateLimited,      NotStarted, true),
            Self::UnavailableSaid  => (K::Unavailable,      NotStarted, true),
            Self::Unavailable      => (K::Unavailable,      Unknown,    false),
            Self::ServerError      => (K::ServerError,      Unknown,    false),
            Self::Cancelled        => (K::Unconfirmed,      Unknown,    false),
            Self::Accepted         => (K::Unconfirmed,      Unknown,    false),
            Self::Markup           => (K::Unconfirmed,      Unknown,    false),
            Self::RequestTimeout   => (K::Unconfirmed,      Unknown,    false),
            Self::SeeOther         => (K::Redirected,       Unknown,    false),
            Self::Lost             => (K::ConnectionLost,   Unknown,    false),
            Self::Silent           => (K::ReadTimeout,      Unknown,    false),
            Self::Garbled          => (K::Protocol,         Unknown,    false),
            Self::AnswerLost       => (K::ConnectionLost,   Started,    false),
            Self::AnswerSilent     => (K::ReadTimeout,      Started,    false),
            Self::AnswerTooLarge   => (K::ResponseTooLarge, Started,    false),
            Self::AnswerCompressed => (K::Protocol,         Started,    false),
            Self::NoToken          => (K::Protocol,         NotStarted, false),
            Self::Host             => (K::Internal,         Unknown,    false),
        };
        Verdict { kind, flow, retryable }
    }

    /// The same for a token request: nothing that goes wrong there has started the flow, and what was lost, timed out, limited or
    /// answered with 408, 425 or a 5xx may be asked for again.
    pub fn verdict_for_token(self) -> Verdict {
        let Verdict { kind, retryable, .. } = self.verdict();
        let passes = matches!(
            self,
            Self::ConnectTimeout
                | Self::Lost
                | Self::Silent
                | Self::AnswerLost
                | Self::AnswerSilent
                | Self::Unavailable
                | Self::ServerError
                | Self::RequestTimeout
        );
        Verdict {
            kind,
            flow: FlowState::NotStarted,
            retryable: retryable || passes,
        }
    }

    /// What happened, after the words that name the request (`The flow's request to acme.service-now.com `).
    fn happened(self) -> &'static str {
        match self {
            Self::InvalidInput | Self::Denied => "was not sent: the connector host's policy does not allow it",
            Self::Dns => "was not sent: the name could not be resolved",
            Self::Refused => "was not sent: nothing accepts connections there",
            Self::Tls => "failed: no secure connection (TLS) could be made",
            Self::ConnectTimeout => "failed: could not connect in time",
            Self::Lost => "got no response: the connection was lost",
            Self::Silent => "got no response in time",
            Self::Garbled => "got no complete HTTP response: it was cut off, or the server does not speak HTTP",
            Self::Host => "failed inside the connector host",
            Self::Html => "was answered with a web page: the instance is hibernating or this is not its REST API",
            Self::Redirected | Self::SeeOther => "was answered with a redirect, which is never followed",
            Self::Unauthorized => "was refused: the credentials are not accepted",
            Self::Forbidden => "was refused: these credentials do not have permission",
            Self::Blocked => "was refused",
            Self::NotFound => "found nothing at this path",
            Self::Rejected => "was rejected",
            Self::TooEarly => "was rejected for now: the server considers it too early",
            Self::RateLimited => "was refused: too many requests",
            Self::UnavailableSaid | Self::Unavailable => "failed: the service is unavailable",
            Self::ServerError => "failed on the server",
            Self::Cancelled => "was accepted, but the response reports a failure",
            Self::Accepted => "was accepted, but the response does not confirm that anything was done",
            Self::Markup => "was answered with markup in place of JSON, which may be a sign-in page",
            Self::RequestTimeout => "took the server too long and may still be running",
            Self::AnswerLost => "was accepted, but the connection was lost within the response",
            Self::AnswerSilent => "was accepted, but the response stopped midway",
            Self::AnswerTooLarge => "was accepted, but the response is larger than the limit",
            Self::AnswerCompressed => "was accepted, but the response is compressed, which was not requested",
            Self::NoToken => "got a response without a usable access token",
        }
    }

    /// What a person can do about it.
    fn advice(self, step: Step) -> &'static str {
        match (step, self) {
            (Step::Token, Self::Unauthorized | Self::Rejected) => {
                "Check the client ID and secret. In ServiceNow, check that the property glide.oauth.inbound.client.credential.grant_type.enabled is true and that the client has an OAuth application user."
            }
            (Step::Token, Self::Forbidden) => "Check the client's permissions.",
            (Step::Token, Self::NotFound | Self::Redirected | Self::SeeOther) => "Check the token endpoint.",
            (Step::Token, Self::Html) => "Wake the instance, or check the token endpoint.",
            (_, Self::Denied) => "Ask whoever runs the connector host to allow this destination.",
            (_, Self::Dns) => "Check the instance's name.",
            (_, Self::Refused) => "Check the instance's name and the network.",
            (_, Self::Tls) => "Check the certificate, its name and dates, and who issued it.",
            (_, Self::ConnectTimeout | Self::Silent | Self::AnswerSilent) => "To wait longer, raise the timeouts.",
            (_, Self::Html) => "Wake the instance, or check its name and the path.",
            (_, Self::Redirected) => "If the target is right, enter it as instance and path.",
            (_, Self::Unauthorized) => "Check the credentials and the authentication type.",
            (_, Self::Forbidden) => "Check the user's roles and the roles that the flow's trigger requires.",
            (_, Self::Blocked) => {
                "Check ServiceNow's IP address access control, and any gateway or firewall in between; then the user's roles."
            }
            (_, Self::NotFound) => {
                "Check the path, that the plugin Flow Trigger - REST is installed, that the flow is active and its trigger has this method."
            }
            (_, Self::TooEarly | Self::RateLimited | Self::UnavailableSaid) => "Try again later.",
            (_, Self::AnswerTooLarge) => "Raise the maximum response size.",
            _ => "",
        }
    }
}

/// Which of the call's requests something happened to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Token,
    Flow,
}

/// A call's end that is no success, on its way out.
#[derive(Debug)]
pub struct Failure(Box<Details>);

#[derive(Debug)]
struct Details {
    cause: Cause,
    /// The whole sentence for bad input; what else is known for the other causes.
    detail: String,
    status: Option<u16>,
    said: Option<String>,
    retry_after_ms: Option<u32>,
    response: Option<FlowResponse>,
    request: Option<(Step, String)>,
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::of(Cause::InvalidInput).with_detail(invalid.sentence)
    }
}

impl Failure {
    pub fn of(cause: Cause) -> Self {
        Self(Box::new(Details {
            cause,
            detail: String::new(),
            status: None,
            said: None,
            retry_after_ms: None,
            response: None,
            request: None,
        }))
    }

    /// Adds what else is known about the cause: a host's error code, a redirect's target.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// Adds what the server said: its status and the error envelope's text.
    pub fn answered(mut self, status: u16, said: Option<String>, retry_after_ms: Option<u32>) -> Self {
        self.0.status = Some(status);
        self.0.said = said;
        self.0.retry_after_ms = retry_after_ms;
        self
    }

    /// Adds the flow request's answer. A token request's answer never gets here: it holds a credential.
    pub fn with_response(mut self, response: FlowResponse) -> Self {
        self.0.response = Some(response);
        self
    }

    /// Says which request failed, and to whom it went.
    pub fn at(mut self, step: Step, host: &str) -> Self {
        self.0.request = Some((step, host.to_owned()));
        self
    }

    pub fn into_error(self, mask: &Mask) -> TriggerError {
        let mut message = mask.text(self.message(mask, Words::Quoted));
        if message == Mask::HIDDEN {
            // A server that can hide a whole message must not hide what became of the flow.
            message = mask.text(self.message(mask, Words::LeftOut));
        }
        let details = *self.0;
        let step = details.request.map_or(Step::Flow, |(step, _)| step);
        let Verdict { kind, flow, retryable } = match step {
            Step::Flow => details.cause.verdict(),
            Step::Token => details.cause.verdict_for_token(),
        };
        TriggerError {
            kind,
            message,
            flow,
            retryable,
            retry_after_ms: details.retry_after_ms,
            response: details.response.filter(|_| step == Step::Flow),
        }
    }

    fn message(&self, mask: &Mask, words: Words) -> String {
        let details = &*self.0;
        let Some((step, host)) = details
            .request
            .as_ref()
            .filter(|_| details.cause != Cause::InvalidInput)
        else {
            return details.detail.clone();
        };
        let mut text = String::from(match step {
            Step::Token => "The token request to ",
            Step::Flow => "The request to ",
        });
        text.push_str(host);
        text.push(' ');
        text.push_str(details.cause.happened());
        if let Some(status) = details.status {
            text.push_str(" (status ");
            text.push_str(&status.to_string());
            let reason = reason(status);
            if !reason.is_empty() {
                text.push(' ');
                text.push_str(reason);
            }
            text.push(')');
        }
        if !details.detail.is_empty() && words == Words::Quoted {
            text.push_str(": ");
            text.push_str(&quoted(mask, details.detail.clone(), DETAIL_MAX));
        }
        text.push('.');
        let said = details
            .said
            .as_deref()
            .filter(|_| words == Words::Quoted)
            .map(|said| quoted(mask, said.to_owned(), SAID_MAX))
            .unwrap_or_default();
        let advice = details.cause.advice(*step);
        let state = match (step, details.cause.verdict().flow) {
            (Step::Flow, FlowState::Unknown) => UNKNOWN,
            (Step::Flow, FlowState::Started) => STARTED,
            _ => NOT_STARTED,
        };
        if !said.is_empty() {
            text.push_str(" The server says: ");
            text.push_str(&said);
            if !said.ends_with(['.', '!', '?']) {
                text.push('.');
            }
        }
        for sentence in [advice, state] {
            if !sentence.is_empty() {
                text.push(' ');
                text.push_str(sentence);
            }
        }
        text
    }
}

/// What a message does with the words of others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    Quoted,
    LeftOut,
}

/// How much of a server's own words a message holds, in characters, and how much of a host's.
const SAID_MAX: usize = 600;
const DETAIL_MAX: usize = 300;

#[cfg(test)]
mod tests;
