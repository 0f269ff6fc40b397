//! What the check's request shows: whether the instance is awake, the credentials are valid, and the clocks agree.

use std::time::{Duration, SystemTime};

use flow_starter_host::egress::{Progress, Purpose};
use flow_starter_host::input::Authentication;
use flow_starter_host::{ErrorKind, FlowResponse, Outcome, TriggerError};
use serde_json::Value;

use super::{StepReport, Verdict};

/// The tolerated clock difference. Tokens and signed requests commonly allow a minute.
const SKEW: Duration = Duration::from_secs(60);

/// The kind of credentials in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    None,
    Basic,
    Bearer,
    ApiKey,
    OAuth,
}

impl Credentials {
    pub(super) fn of(authentication: &Authentication) -> Self {
        match authentication {
            Authentication::None => Self::None,
            Authentication::Basic(_) => Self::Basic,
            Authentication::Bearer(_) => Self::Bearer,
            Authentication::ApiKey(_) => Self::ApiKey,
            Authentication::OauthClientCredentials(_) => Self::OAuth,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "no credentials",
            Self::Basic => "user name and password",
            Self::Bearer => "bearer token",
            Self::ApiKey => "API key",
            Self::OAuth => "access token",
        }
    }

    fn to_do(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Basic => {
                "Check the user name and the password (or the secrets they come from), and that the user is active and not locked out. Newer \
                 instances may refuse passwords altogether: use OAuth then."
            }
            Self::Bearer => "The token is wrong or has expired: get a new one.",
            Self::ApiKey => "Check the key, the name of its header or query parameter, and that the key is active.",
            Self::OAuth => {
                "The token was issued, but the instance does not accept it: check that the token endpoint belongs to this instance, and \
                 check the OAuth application's user."
            }
        }
    }
}

/// An API access policy applies to one API, so the Table API may refuse credentials that the flow accepts.
const POLICY: &str = "An API access policy may also refuse this kind of credentials for the Table API only.";

const TOKEN_TO_DO: &str = "Check the client id and the client secret (or the secrets they come from). In ServiceNow, the system property \
    glide.oauth.inbound.client.credential.grant_type.enabled must be true, and the client needs an OAuth Application User.";

/// What is known before the response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) credentials: Credentials,
    pub(super) oauth: bool,
    /// The token comes from a host other than the instance.
    pub(super) token_elsewhere: bool,
}

/// The verdicts on a response.
struct Verdicts {
    instance: Verdict,
    token: Verdict,
    credentials: Verdict,
}

impl Verdicts {
    /// Only the first verdict.
    fn only(instance: Verdict) -> Self {
        Self {
            instance,
            token: Verdict::not_reached(),
            credentials: Verdict::not_reached(),
        }
    }
}

impl Asked {
    /// The steps, if no request can be made.
    pub(super) fn not_reached(self) -> Vec<StepReport> {
        self.lines(Verdicts::only(Verdict::not_reached()), Verdict::not_reached())
    }

    /// The steps of a request that was made between these times, on this machine's clock.
    pub(super) fn steps(self, outcome: &Outcome<FlowResponse>, sent: SystemTime, heard: SystemTime) -> Vec<StepReport> {
        let verdicts = match &outcome.result {
            Ok(answer) if is_tables(answer) => self.accepted(status(outcome).unwrap_or(200)),
            Ok(_) => Verdicts {
                token: Verdict::Passed("issued".to_owned()),
                ..Verdicts::only(stranger(status(outcome)))
            },
            Err(error) => self.refused(error, outcome),
        };
        self.lines(verdicts, clock(date(outcome), sent, heard))
    }

    fn lines(self, verdicts: Verdicts, clock: Verdict) -> Vec<StepReport> {
        let mut lines = vec![("instance", verdicts.instance)];
        if self.oauth {
            lines.push(("token", verdicts.token));
        }
        lines.push(("credentials", verdicts.credentials));
        lines.push(("clock", clock));
        lines
    }

    fn accepted(self, status: u16) -> Verdicts {
        let credentials = match (self.credentials, status) {
            (Credentials::None, _) => Verdict::Skipped("the input has none".to_owned()),
            (_, 403) => Verdict::Passed(format!(
                "{} accepted; without read access to the user table, which no flow needs",
                self.credentials.name()
            )),
            _ => Verdict::Passed(format!("{} accepted", self.credentials.name())),
        };
        Verdicts {
            instance: awake(status),
            token: Verdict::Passed("issued".to_owned()),
            credentials,
        }
    }

    fn refused(self, error: &TriggerError, outcome: &Outcome<FlowResponse>) -> Verdicts {
        let last = outcome.requests.last();
        let status = status(outcome);
        if last.is_some_and(|request| request.purpose == Purpose::Token) {
            return self.without_token(error, status);
        }
        match (error.kind, status) {
            (ErrorKind::Unauthorized, Some(status)) => {
                let credentials = match self.credentials {
                    Credentials::None => Verdict::Skipped("the input has none".to_owned()),
                    known => Verdict::Failed(
                        format!("{} refused (401)", known.name()),
                        format!("{} {POLICY}", known.to_do()),
                    ),
                };
                Verdicts {
                    credentials,
                    ..self.accepted(status)
                }
            }
            (ErrorKind::Forbidden, Some(status)) if is_json(error) => self.accepted(status),
            // Its body does not matter here.
            (kind, Some(status @ 200..=299)) if !matches!(kind, ErrorKind::NotServicenow | ErrorKind::Unconfirmed) => {
                self.accepted(status)
            }
            _ => {
                let stop = last.and_then(|request| request.stopped.as_ref());
                Verdicts {
                    token: Verdict::Passed("issued".to_owned()),
                    ..Verdicts::only(failed(error, status, stop.map(ToString::to_string)))
                }
            }
        }
    }

    /// The token request failed, so the instance got no other request.
    fn without_token(self, error: &TriggerError, status: Option<u16>) -> Verdicts {
        use ErrorKind::{Forbidden, NotFound, NotServicenow, Protocol, Redirected, Rejected, Unauthorized};
        let token = match (error.kind, status) {
            (Unauthorized | Forbidden | Rejected, Some(status)) => {
                Verdict::Failed(format!("refused ({status})"), TOKEN_TO_DO.to_owned())
            }
            (NotFound | Protocol, Some(_)) => no_token(status),
            (NotServicenow | Redirected, Some(_)) if self.token_elsewhere => no_token(status),
            // A failure of the host, not of the client's credentials.
            _ if self.token_elsewhere => failed(error, status, None),
            _ => return Verdicts::only(failed(error, status, None)),
        };
        let instance = match status {
            Some(status) if !self.token_elsewhere => awake(status),
            _ => Verdict::not_reached(),
        };
        Verdicts {
            token,
            ..Verdicts::only(instance)
        }
    }
}

fn no_token(status: Option<u16>) -> Verdict {
    Verdict::Failed(
        format!("the response contains no token{}", in_brackets(status)),
        "Check authentication.oauthTokenEndpoint (default: /oauth_token.do on the instance).".to_owned(),
    )
}

/// The last response's status.
fn status(outcome: &Outcome<FlowResponse>) -> Option<u16> {
    match outcome.requests.last()?.progress {
        Progress::Answered(status) => Some(status),
        _ => None,
    }
}

/// Without `{"result": …}` it is not the Table API, and proves nothing about the credentials.
fn is_tables(answer: &FlowResponse) -> bool {
    serde_json::from_str(&answer.body).is_ok_and(|body: Value| body.get("result").is_some())
}

fn awake(status: u16) -> Verdict {
    Verdict::Passed(format!("awake: it responded with {status}"))
}

/// A 403 without JSON does not come from ServiceNow's REST API.
fn is_json(error: &TriggerError) -> bool {
    let response = error.response.as_ref();
    let kind = response.and_then(|response| header(response, "content-type"));
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
}

fn header<'a>(response: &'a FlowResponse, name: &str) -> Option<&'a str> {
    response
        .headers
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.as_str())
}

fn stranger(status: Option<u16>) -> Verdict {
    Verdict::Failed(
        format!("not a response from ServiceNow{}", in_brackets(status)),
        "Check snInstance (or snEndpoint): the server there is not a ServiceNow instance.".to_owned(),
    )
}

fn in_brackets(status: Option<u16>) -> String {
    status.map_or(String::new(), |status| format!(" ({status})"))
}

/// A failure of the instance step, and what to do.
fn failed(error: &TriggerError, status: Option<u16>, stop: Option<String>) -> Verdict {
    let (why, fix) = match error.kind {
        ErrorKind::Rejected | ErrorKind::Protocol => return stranger(status),
        ErrorKind::NotServicenow => (
            "a web page, as from a hibernating instance",
            "Sign in at https://developer.servicenow.com and wake the instance. If it is not a developer instance, check snInstance (or snEndpoint): the server there may be something else.",
        ),
        ErrorKind::Redirected => (
            "a redirect: the instance has another address, or a sign-in page is in front of it",
            "Open the address above in a browser and enter the instance that it leads to; its REST API must respond without a sign-in page.",
        ),
        ErrorKind::NotFound => (
            "there is no Table API at this address",
            "Check snInstance (or snEndpoint). If there is a gateway in front of the instance, it must forward /api/now/table/sys_user for this check.",
        ),
        ErrorKind::Forbidden => (
            "something in front of ServiceNow's REST API refuses the request",
            "Ask the ServiceNow administrator whether the instance accepts requests from this network's address (IP address access control), \
             and whoever runs a gateway in front of it.",
        ),
        ErrorKind::RateLimited => (
            "awake, but it refuses: too many requests",
            "Wait and check again; the ServiceNow administrator can raise this user's rate limit.",
        ),
        ErrorKind::Unconfirmed => (
            "it responds, but not with the data that was requested",
            "Check again later. If it persists, check snInstance (or snEndpoint): a gateway or a sign-in page may be responding.",
        ),
        ErrorKind::Unavailable | ErrorKind::ServerError => (
            "it fails, or is under maintenance",
            "Check again later; if it persists, ask the ServiceNow administrator.",
        ),
        ErrorKind::ReadTimeout => (
            "no response in time",
            "Check again; then raise readTimeoutInSeconds, or ask the ServiceNow administrator why the instance is slow.",
        ),
        ErrorKind::ConnectionLost => (
            "the connection ended without a response",
            "Ask whoever runs the firewall or the proxy why connections end after the handshake.",
        ),
        ErrorKind::Denied | ErrorKind::Dns | ErrorKind::Refused | ErrorKind::ConnectTimeout | ErrorKind::Tls => (
            "the connection that worked a moment ago now fails",
            "Check again; if it comes and goes, ask whoever runs the network.",
        ),
        _ => (
            error.message.as_str(),
            "This is a bug in the connector: report it with this output.",
        ),
    };
    let stop = stop.map_or(String::new(), |stop| format!(": {stop}"));
    Verdict::Failed(format!("{why}{}{stop}", in_brackets(status)), fix.to_owned())
}

/// The server's time, if the response has a date.
fn date(outcome: &Outcome<FlowResponse>) -> Option<SystemTime> {
    let response = match &outcome.result {
        Err(error) => error.response.as_ref()?,
        Ok(response) => response,
    };
    httpdate::parse_http_date(header(response, "date")?).ok()
}

fn clock(server: Option<SystemTime>, sent: SystemTime, heard: SystemTime) -> Verdict {
    let Some(server) = server else {
        return Verdict::Skipped("not reached: no response with a date".to_owned());
    };
    // The server's date has a resolution of one second.
    let second = Duration::from_secs(1);
    let apart = |later: SystemTime, earlier| later.duration_since(earlier).ok().filter(|apart| !apart.is_zero());
    let (apart, which) = match (apart(sent, server + second), apart(server, heard)) {
        (Some(ahead), _) => (ahead, "ahead of"),
        (_, Some(behind)) => (behind, "behind"),
        _ => return Verdict::Passed("agrees with the server's".to_owned()),
    };
    let difference = format!("this machine's clock is {} {which} the server's", in_words(apart));
    if apart <= SKEW {
        return Verdict::Passed(difference);
    }
    let fix =
        "Set this machine's clock (NTP). With a wrong clock, tokens and certificates seem expired or not yet valid.";
    Verdict::Failed(difference, fix.to_owned())
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ ..=119 => format!("{seconds} s"),
        seconds @ ..=7_199 => format!("{} min", seconds / 60),
        seconds @ ..=172_799 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
    }

    #[test]
    fn clocks_agree_within_a_minute_without_the_response_time() {
        for (server, sent, heard, passed, said) in [
            (100, 100, 100, true, "agrees with the server's"),
            (100, 101, 101, true, "agrees with the server's"),
            (100, 103, 104, true, "2 s ahead"),
            (100, 40, 100, true, "agrees with the server's"),
            (100, 161, 200, true, "60 s ahead"),
            (100, 162, 200, false, "61 s ahead"),
            (100, 20, 40, true, "60 s behind"),
            (100, 20, 39, false, "61 s behind"),
            (100, 100 + 7_201, 100 + 7_202, false, "2 h ahead"),
            (1_000_000, 0, 0, false, "11 days behind"),
        ] {
            let (detail, ok) = match clock(Some(at(server)), at(sent), at(heard)) {
                Verdict::Passed(detail) => (detail, true),
                Verdict::Failed(detail, _) => (detail, false),
                Verdict::Skipped(_) => panic!("there is a date"),
            };
            assert_eq!(ok, passed, "{server} {sent} {heard}: {detail}");
            assert!(detail.contains(said), "{detail}");
        }
        assert!(matches!(clock(None, at(0), at(0)), Verdict::Skipped(_)));
    }
}
