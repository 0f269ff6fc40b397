//! The built component under wasmtime, and a stand-in that it may reach: what the tests of a whole call stand on.

use std::path::PathBuf;

use flow_starter_host::contract::AccessToken;
use flow_starter_host::egress::{ConnectTo, EgressBuilder, Origin, Pattern, RequestRecord};
use flow_starter_host::input::TokenRequest;
use flow_starter_host::{Connector, Egress, Engine, FlowConfig, FlowResponse, Limits, Outcome, Policy, TriggerError};

use servicenow_stand_in::{Instance, StandIn};
use tokio::sync::OnceCell;

/// Where `make build` leaves the component.
#[must_use]
pub fn component_file() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../dist/servicenow-flow-starter.wasm"
    ))
}

/// A stand-in and a connector whose calls to the stand-in's host names reach it over TLS. It ends when it is dropped.
///
/// After each call it looks for the stand-in's credentials in all that came out of the call, a success's body excepted.
pub struct Rig {
    /// The stand-in.
    pub stand_in: StandIn,
    egress: Egress,
    runtime: tokio::runtime::Runtime,
    credentials: Vec<String>,
}

impl Rig {
    /// Brings up a stand-in on free ports.
    ///
    /// # Errors
    /// Where the component was not built, or no stand-in can be started.
    pub fn start(instance: Instance) -> anyhow::Result<Self> {
        let credentials = credentials(&instance);
        let stand_in = StandIn::start(instance)?;
        let egress = Self::reaching(&stand_in)?.build()?;
        Self::with(stand_in, egress, credentials)
    }

    /// The same with another way out, made from [`Self::reaching`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(stand_in: StandIn, egress: Egress) -> anyhow::Result<Self> {
        let credentials = credentials(stand_in.instance());
        Self::with(stand_in, egress, credentials)
    }

    fn with(stand_in: StandIn, egress: Egress, credentials: Vec<String>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(connector())?;
        Ok(Self {
            stand_in,
            egress,
            runtime,
            credentials,
        })
    }

    /// A way out that trusts the stand-in, finds it under its host names, and leads to it alone.
    ///
    /// # Errors
    /// Where a host name is none.
    pub fn reaching(stand_in: &StandIn) -> anyhow::Result<EgressBuilder> {
        let plain: Origin = format!("http://{}", stand_in.http_addr()).parse()?;
        let mut allowed = vec![Pattern::from(plain)];
        let mut egress = Egress::builder().extra_ca_pem(stand_in.ca_pem());
        for host in stand_in.hosts() {
            let origin: Origin = format!("https://{host}").parse()?;
            egress = egress.connect_to(ConnectTo::new(&origin, stand_in.https_addr()));
            allowed.push(origin.into());
        }
        Ok(egress.policy(Policy::new(allowed)))
    }

    /// The typed interface.
    pub fn trigger_flow(&self, config: FlowConfig) -> Outcome<FlowResponse> {
        let outcome = self.run(async |connector| connector.trigger_flow(&self.egress, config).await);
        let shown = outcome
            .result
            .as_ref()
            .map(|response| format!("{:?} {:?}", response.headers, response));
        self.scan(shown, &outcome.requests);
        outcome
    }

    /// The typed interface, token only.
    pub fn request_token(&self, request: TokenRequest) -> Outcome<AccessToken> {
        let outcome = self.run(async |connector| connector.request_token(&self.egress, request).await);
        self.scan(
            outcome.result.as_ref().map(|token| format!("{token:?}")),
            &outcome.requests,
        );
        outcome
    }

    /// The JSON interface.
    pub fn execute(&self, input: &str) -> Outcome<String> {
        let outcome = self.run(async |connector| connector.execute(&self.egress, input).await);
        let shown = outcome.result.as_ref().map(|json| {
            let mut answer: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
            // The process asked for the body as it is.
            answer.as_object_mut().and_then(|answer| answer.remove("body"));
            answer.to_string()
        });
        self.scan(shown, &outcome.requests);
        outcome
    }

    fn run<T>(&self, call: impl AsyncFnOnce(&Connector) -> T) -> T {
        self.runtime.block_on(async {
            match connector().await {
                Ok(connector) => call(connector).await,
                Err(error) => unreachable!("it was loaded when the rig was made: {error}"),
            }
        })
    }

    fn scan(&self, result: Result<String, &TriggerError>, requests: &[RequestRecord]) {
        let text = match result {
            Ok(text) => text,
            Err(error) => format!(
                "{error} {error:?} {:?}",
                error.response.as_ref().map(|it| (&it.headers, &it.body))
            ),
        };
        let text = format!("{text} {requests:?}");
        let received = self.stand_in.requests();
        // A token that the stand-in issued is known only by the request that carried it.
        let sent = received
            .iter()
            .flat_map(|request| request.header("authorization"))
            .filter_map(|value| value.split_once(' ').map(|(_, credential)| credential))
            // Shorter ones are not masked: they would blot out ordinary words.
            .filter(|credential| credential.chars().count() >= 4);
        for credential in self.credentials.iter().map(String::as_str).chain(sent) {
            assert!(!text.contains(credential), "a credential came out of a call: {text}");
        }
    }
}

/// One compiled component for all the tests of a process.
///
/// # Errors
/// Where `make build` did not run.
pub async fn connector() -> anyhow::Result<&'static Connector> {
    static CONNECTOR: OnceCell<Connector> = OnceCell::const_new();
    CONNECTOR
        .get_or_try_init(async || {
            let wasm = std::fs::read(component_file())
                .map_err(|error| anyhow::anyhow!("no component ({error}): run `make build` first"))?;
            let limits = Limits {
                concurrent_calls: 64,
                ..Limits::default()
            };
            Ok(Engine::new(limits)?.load(&wasm).await?)
        })
        .await
}

/// All that must not come out, as given and as sent.
fn credentials(instance: &Instance) -> Vec<String> {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let passwords = instance.users.iter().flat_map(|user| {
        [
            user.password.clone(),
            base64(&format!("{}:{}", user.name, user.password)),
        ]
    });
    let clients = instance.oauth_clients.iter().flat_map(|client| {
        [
            client.secret.clone(),
            base64(&format!("{}:{}", client.id, client.secret)),
        ]
    });
    let keys = instance.api_keys.iter().map(|key| key.value.clone());
    let tokens = instance.bearer_tokens.iter().map(|token| token.value.clone());
    passwords.chain(clients).chain(keys).chain(tokens).collect()
}
