//! A loaded connector with all that its calls share, and one call's way through it: secrets in, a token, the call, secrets masked.
//!
//! | file | what it holds |
//! |---|---|
//! | `mod` | the way of a call |
//! | `credentials` | what of an input is a credential by its place |
//! | `masked` | an outcome without secrets |
//! | `rehearsal` | the same way, with nothing sent at its end |

mod credentials;
mod masked;
mod rehearsal;

use std::time::Duration;

use tokio::time::Instant;

use crate::component::{
    Authentication, Connector, ErrorKind, FlowConfig, FlowResponse, FlowState, Outcome, TokenRequest, TriggerError,
};
use crate::egress::{Egress, Progress, Purpose, RequestRecord};
use crate::secrets::{Checked, ExpandError, Expanded, Mask, Secrets};
use crate::tokens::{Given, NotGiven, OauthInput, Tokens};

pub use rehearsal::{Rehearsal, RehearsedRequest};

/// A loaded connector with all that its calls share: the way out, the secrets, the tokens. Cheap to clone; the clones share their tokens.
///
/// A [`Connector`] alone is the component under its limits. This is what a job worker or a command line wants around it: references to
/// secrets in a JSON input are replaced, an access token is asked for once for many calls, and whatever comes back is masked.
///
/// ```
/// use flow_starter_host::{Egress, Engine, FlowStarter, Limits, Secrets};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # std::env::set_current_dir("../dist")?;
/// let connector = Engine::new(Limits::default())?.load(&std::fs::read("servicenow-flow-starter.wasm")?).await?;
/// let starter = FlowStarter::new(connector, Egress::builder().build()?).secrets(Secrets::default());
///
/// let input = r#"{ "snInstance": "acme", "restApiTriggerPath": "/api/sn_cico/flow_starter/my_flow", "method": "GET" }"#;
/// let rehearsal = starter.rehearse(input).await;
/// assert_eq!(rehearsal.requests[0].url, "https://acme.service-now.com/api/sn_cico/flow_starter/my_flow");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FlowStarter {
    connector: Connector,
    egress: Egress,
    secrets: Secrets,
    tokens: Tokens,
}

impl FlowStarter {
    /// Without secrets: an input that refers to one is refused.
    pub fn new(connector: Connector, egress: Egress) -> Self {
        Self {
            connector,
            egress,
            secrets: Secrets::none(),
            tokens: Tokens::default(),
        }
    }

    /// Puts these secrets into the JSON inputs of its calls.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// Starts a flow by the template's JSON: the contract's `execute`.
    ///
    /// A secret that cannot be had is an error of the kind `invalid-input`; nothing was sent then. A token that the instance refuses
    /// (401) is dropped, and the error is retryable where it had been kept from an earlier call.
    pub async fn execute(&self, input: &str) -> Outcome<String> {
        self.execute_until(input, std::future::pending()).await
    }

    /// The same, given up when `stop` is ready: by a person, or by a host that shuts down. What left by then decides what is known of the
    /// flow, so that this is better than to drop the call.
    pub async fn execute_until(&self, input: &str, stop: impl Future<Output = ()> + Send) -> Outcome<String> {
        tokio::pin!(stop);
        if let Some(outcome) = self.connector.too_large(input.len()) {
            return told(outcome);
        }
        let deadline = self.deadline();
        let expanded = tokio::select! {
            biased;
            expanded = self.expand(input) => match expanded {
                Ok(expanded) => expanded,
                Err(error) => return told(refused(&error)),
            },
            ended = self.ended(deadline, stop.as_mut()) => return told(ended),
        };
        let checked = Checked::of(expanded.json());
        let Ok(mut mask) = checked.map_or(Ok(Mask::default()), Mask::of_checked) else {
            return told(Outcome::new(Err(too_many_credentials()), Vec::new()));
        };
        mask.add_all(expanded.mask());
        let outcome = match checked.and_then(OauthInput::of) {
            None => {
                let left = left_until(deadline);
                self.connector
                    .execute_until(&self.egress, expanded.json(), left, stop)
                    .await
            }
            Some(oauth) => {
                let token = tokio::select! {
                    biased;
                    token = self.token(&oauth.request) => token,
                    ended = self.ended(deadline, stop.as_mut()) => return told(masked::json(ended, &mask)),
                };
                match token {
                    Ok(given) => {
                        mask.add(given.value().expose());
                        let input = oauth.with_token(given.value());
                        let left = left_until(deadline);
                        let outcome = self.connector.execute_until(&self.egress, &input, left, stop).await;
                        self.after(&oauth.request, given, outcome)
                    }
                    Err(not) => failed(not),
                }
            }
        };
        told(masked::json(outcome, &mask))
    }

    /// Starts a flow by typed input: the contract's `trigger-flow`. Its secrets are the caller's own; references to them are not looked for.
    pub async fn trigger_flow(&self, mut config: FlowConfig) -> Outcome<FlowResponse> {
        let deadline = self.deadline();
        let mut mask = Mask::of_config(&config);
        let outcome = match token_request(&config) {
            None => self.connector.trigger_flow(&self.egress, config).await,
            Some(request) => {
                let token = tokio::select! {
                    biased;
                    token = self.token(&request) => token,
                    ended = self.ended(deadline, std::future::pending()) => return told(masked::response(ended, &mask)),
                };
                match token {
                    Ok(given) => {
                        mask.add(given.value().expose());
                        config.authentication = Authentication::Bearer(given.value().expose().to_owned());
                        let left = left_until(deadline);
                        let outcome = self.connector.trigger_flow_within(&self.egress, config, left).await;
                        self.after(&request, given, outcome)
                    }
                    Err(not) => failed(not),
                }
            }
        };
        told(masked::response(outcome, &mask))
    }

    /// The end of the time that a call has in all, whatever it is spent on.
    fn deadline(&self) -> Instant {
        Instant::now() + self.connector.wall_clock()
    }

    /// What ends a call before its flow's request is made.
    async fn ended<T>(&self, deadline: Instant, stop: impl Future<Output = ()>) -> Outcome<T> {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline) => Outcome::out_of_time(self.connector.wall_clock()),
            () = stop => Outcome::given_up(),
        }
    }

    async fn expand(&self, input: &str) -> Result<Expanded, ExpandError> {
        let most = self.connector.largest_input();
        let expanded = self.secrets.expand_within(input, most).await?;
        for name in expanded.short() {
            tracing::warn!(secret = name, "a value of under 4 characters cannot be masked");
        }
        Ok(expanded)
    }

    async fn token(&self, request: &TokenRequest) -> Result<Given, NotGiven> {
        let (connector, egress) = (self.connector.clone(), self.egress.clone());
        let given = self
            .tokens
            .get(request, |request| async move {
                connector.request_token(&egress, request).await
            })
            .await;
        if let Ok(given) = &given {
            tracing::debug!(kept = given.from_cache, "an access token");
        }
        given
    }

    /// What a call with this token came to, and what that says about the token.
    fn after<T>(&self, request: &TokenRequest, given: Given, mut outcome: Outcome<T>) -> Outcome<T> {
        if let Err(error) = &mut outcome.result
            && error.kind == ErrorKind::Unauthorized
            && error.flow == FlowState::NotStarted
            && was_refused(&outcome.requests)
        {
            self.tokens.forget(request, &given);
            if given.from_cache {
                error.retryable = true;
                error.message.push_str(" The token had been kept from an earlier call, and is dropped: the next attempt asks for a new one.");
            }
        }
        let mut requests = given.requests;
        requests.append(&mut outcome.requests);
        Outcome { requests, ..outcome }
    }
}

/// The request for the token that a config asks for; the rest of it stays.
fn token_request(config: &FlowConfig) -> Option<TokenRequest> {
    let Authentication::OauthClientCredentials(client) = &config.authentication else {
        return None;
    };
    Some(TokenRequest {
        instance: config.instance.clone(),
        domain: config.domain.clone(),
        endpoint: config.endpoint.clone(),
        credentials: client.clone(),
        limits: config.limits,
    })
}

/// By the host's own record.
fn was_refused(requests: &[RequestRecord]) -> bool {
    let mut flows = requests.iter().filter(|request| request.purpose == Purpose::Flow);
    flows.any(|request| request.progress == Progress::Answered(401))
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn too_many_credentials() -> TriggerError {
    let sentence = "The input has more credentials than a call may have (100), and they could not all be masked.";
    TriggerError::invalid(format!("{sentence} Nothing was sent. The flow has not started."))
}

fn failed<T>(not: NotGiven) -> Outcome<T> {
    Outcome::new(Err(not.error), not.requests)
}

/// Nothing was sent, and nothing will be until the input or a secret is mended; a provider that cannot be asked may be well again soon.
fn refusal(error: &ExpandError) -> TriggerError {
    let mut refusal = TriggerError::invalid(format!("{error} Nothing was sent. The flow has not started."));
    if matches!(error, ExpandError::Provider { error, .. } if error.passes) {
        refusal.kind = ErrorKind::Internal;
        refusal.retryable = true;
    }
    refusal
}

fn refused<T>(error: &ExpandError) -> Outcome<T> {
    Outcome::new(Err(refusal(error)), Vec::new())
}

/// Into the log: no body, no header's value, and no words of a server's.
fn told<T>(outcome: Outcome<T>) -> Outcome<T> {
    for request in &outcome.requests {
        tracing::info!(%request, "asked for");
    }
    match &outcome.result {
        Ok(_) => tracing::info!("the flow has started"),
        Err(error) => {
            tracing::info!(kind = %error.kind, flow = %error.flow, retryable = error.retryable, "the call did not succeed")
        }
    }
    outcome
}
