//! A loaded connector with everything that its calls share, and one call from start to end: insert secrets, check the input, get a token,
//! make the call, mask secrets.
//! | file | contents |
//! |---|---|
//! | `mod` | a call's steps |
//! | `input` | an expanded input → a prepared call, or why it is refused |
//! | `masked` | an outcome without secrets |
//! | `dry_run` | the same steps, without sending anything |

mod dry_run;
mod input;
mod masked;

use std::time::Duration;

use flow_starter_input::{Authentication, FlowConfig, Mask, TokenRequest, request};
use tokio::time::Instant;

use crate::component::{Connector, Failure, Judged, Outcome};
use crate::contract::{ErrorKind, FlowResponse, FlowState, TriggerError};
use crate::egress::{Egress, Progress, Purpose, RequestRecord};
use crate::secrets::{ExpandError, Expanded, Secrets};
use crate::tokens::{TokenLease, Tokens};

use input::{checked, refusal, unavailable};

pub use dry_run::{DryRun, RecordedRequest};
pub use input::PreparedCall;

/// A loaded connector with everything that its calls share: egress, secrets, tokens. Cheap to clone; clones share their tokens.
///
/// A [`Connector`] only runs the component under its limits. A `FlowStarter` adds what a job worker or a command line needs: it replaces
/// references to secrets in a JSON input, requests an access token once for many calls, and masks everything that comes back.
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
/// let dry_run = starter.dry_run(input).await;
/// assert_eq!(dry_run.requests[0].url, "https://acme.service-now.com/api/sn_cico/flow_starter/my_flow");
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
    /// Without secrets: an input that uses one is refused.
    pub fn new(connector: Connector, egress: Egress) -> Self {
        Self {
            connector,
            egress,
            secrets: Secrets::none(),
            tokens: Tokens::default(),
        }
    }

    /// Replaces references in the JSON inputs with these secrets.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// Starts a flow from the template's JSON: the contract's `execute`.
    ///
    /// A secret that is not available is an `invalid-input` error, and nothing is sent. A token that the instance refuses (401) is
    /// dropped; if it was cached, the error is retryable.
    pub async fn execute(&self, input: &str) -> Outcome<String> {
        self.execute_until(input, std::future::pending()).await
    }

    /// The same, cancelled when `stop` is ready: by a person, or by a host that shuts down. Prefer it to dropping the call: the outcome
    /// reports the flow's state from the requests that left by then.
    pub async fn execute_until(&self, input: &str, stop: impl Future<Output = ()> + Send) -> Outcome<String> {
        tokio::pin!(stop);
        let deadline = self.deadline();
        let (judged, mask) = match self.read(input, deadline, stop.as_mut()).await {
            Ok(call) => self.call(call, deadline, stop).await,
            Err(refused) => refused,
        };
        self.finish(judged, mask, deadline)
            .await
            .map(|response| response.to_json())
    }

    /// Starts a flow from typed input: the contract's `trigger-flow`. References to secrets are not replaced.
    pub async fn trigger_flow(&self, config: FlowConfig) -> Outcome<FlowResponse> {
        let deadline = self.deadline();
        let mask = Mask::of_config(&config);
        let (judged, mask) = match mask.check().and_then(|()| request::check(&config)) {
            Ok(()) => {
                let call = PreparedCall { config, mask };
                self.call(call, deadline, std::future::pending()).await
            }
            Err(invalid) => (Judged::refused(refusal(invalid, None)), mask),
        };
        self.finish(judged, mask, deadline).await
    }

    /// Reads and checks an input of [`Self::execute`], with its secrets. Sends nothing.
    ///
    /// # Errors
    /// As [`Self::execute`], if it refuses the input.
    pub async fn prepare(&self, input: &str) -> Result<PreparedCall, TriggerError> {
        let read = self.read(input, self.deadline(), std::future::pending()).await;
        read.map_err(|(judged, mask)| {
            let refused = judged.into_outcome(mask).result;
            refused
                .err()
                .unwrap_or_else(|| Failure::invalid(String::new(), true).into_error(&Mask::default()))
        })
    }

    /// Starts the flow of a prepared call.
    pub async fn start(&self, call: PreparedCall) -> Outcome<FlowResponse> {
        let deadline = self.deadline();
        let (judged, mask) = self.call(call, deadline, std::future::pending()).await;
        self.finish(judged, mask, deadline).await
    }

    /// The complete, checked input with its secrets, and their mask.
    async fn read(
        &self,
        input: &str,
        deadline: Instant,
        stop: impl Future<Output = ()>,
    ) -> Result<PreparedCall, (Judged<FlowResponse>, Mask)> {
        let refuse = |judged| (judged, Mask::default());
        if let Some(too_large) = self.connector.too_large(input.len()) {
            return Err(refuse(too_large));
        }
        let expanded = tokio::select! {
            biased;
            expanded = self.expand(input) => expanded.map_err(|error| refuse(Judged::refused(unavailable(&error))))?,
            ended = self.ended(deadline, stop) => return Err(refuse(ended)),
        };
        checked(&expanded).map_err(|(failure, mask)| (Judged::refused(failure), mask))
    }

    /// Requests a token if the authentication needs one, and starts the flow. The input is already checked: nothing is sent unless all of
    /// it is valid.
    async fn call(
        &self,
        call: PreparedCall,
        deadline: Instant,
        stop: impl Future<Output = ()> + Send,
    ) -> (Judged<FlowResponse>, Mask) {
        let PreparedCall { mut config, mut mask } = call;
        tokio::pin!(stop);
        let given = match config.token_request() {
            None => None,
            Some(request) => {
                let token = tokio::select! {
                    biased;
                    token = self.token(&request) => token,
                    ended = self.ended(deadline, stop.as_mut()) => return (ended, mask),
                };
                match token.result {
                    Ok(given) => {
                        mask.add(given.value().expose());
                        config.authentication = Authentication::Bearer(given.value().expose().into());
                        Some((request, given))
                    }
                    Err(failure) => {
                        let failed = Judged {
                            result: Err(failure),
                            requests: token.requests,
                        };
                        return (failed, mask);
                    }
                }
            }
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let mut judged = self
            .connector
            .trigger_flow_until(&self.egress, config, left, stop)
            .await;
        if let Some((request, given)) = given {
            self.after(&request, given, &mut judged);
        }
        (judged, mask)
    }

    /// Masks and logs the outcome.
    async fn finish(&self, judged: Judged<FlowResponse>, mask: Mask, deadline: Instant) -> Outcome<FlowResponse> {
        let late = tokio::time::sleep_until(deadline.max(Instant::now() + MASKING));
        logged(masked::outcome(judged, mask, late).await)
    }

    /// When the call's total time is over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.connector.wall_clock()
    }

    /// Ends a call before its flow's request is made.
    async fn ended<T>(&self, deadline: Instant, stop: impl Future<Output = ()>) -> Judged<T> {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline) => Judged::out_of_time(self.connector.wall_clock()),
            () = stop => Judged::given_up(),
        }
    }

    async fn expand(&self, input: &str) -> Result<Expanded, ExpandError> {
        let most = self.connector.largest_input();
        let expanded = self.secrets.expand_within(input, most).await.inspect_err(|error| {
            // A process sees the message; where secrets are stored is for the operator only.
            if let Some((secret, places)) = error.looked_for() {
                tracing::warn!(secret, looked_for = places.join(", "), "a secret is not available");
            }
        })?;
        for name in expanded.short() {
            tracing::warn!(secret = name, "a value under 4 characters cannot be masked");
        }
        Ok(expanded)
    }

    async fn token(&self, request: &TokenRequest) -> Judged<TokenLease> {
        let (connector, egress) = (self.connector.clone(), self.egress.clone());
        let given = self
            .tokens
            .get(request, |request| async move {
                connector.ask_for_token(&egress, request).await
            })
            .await;
        if let Ok(given) = &given.result {
            tracing::debug!(kept = given.from_cache, "an access token");
        }
        given
    }

    /// Updates the token cache from the result of a call with this token.
    fn after(&self, request: &TokenRequest, mut given: TokenLease, judged: &mut Judged<FlowResponse>) {
        if let Err(failure) = &mut judged.result
            && failure.kind == ErrorKind::Unauthorized
            && failure.flow == FlowState::NotStarted
            && was_refused(&judged.requests)
        {
            self.tokens.forget(request, &given);
            failure.token_dropped = given.from_cache;
            failure.retryable |= given.from_cache;
        }
        given.requests.append(&mut judged.requests);
        judged.requests = given.requests;
    }
}

/// Extra time for masking after the call's time is over: it takes milliseconds, and no call should lose its response for that.
const MASKING: Duration = Duration::from_secs(1);

/// According to the host's request log.
fn was_refused(requests: &[RequestRecord]) -> bool {
    let mut flows = requests.iter().filter(|request| request.purpose == Purpose::Flow);
    flows.any(|request| request.progress == Progress::Answered(401))
}

/// Logs no body, no header value and no server text.
fn logged<T>(outcome: Outcome<T>) -> Outcome<T> {
    for request in &outcome.requests {
        tracing::info!(%request, "request");
    }
    match &outcome.result {
        Ok(_) => tracing::info!(flow = %FlowState::Started, "the flow has started"),
        Err(error) => {
            tracing::info!(kind = %error.kind, flow = %error.flow, retryable = error.retryable, "the call failed")
        }
    }
    outcome
}
