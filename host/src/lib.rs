//! The connector host: loads the flow starter component, lets it reach only whom a call names, and judges each call by what really left.
//!
//! | room | takes | gives |
//! |---|---|---|
//! | `component` | a component's bytes; a call's input | a [`Connector`]; an [`Outcome`] |
//! | `egress` | a component's HTTP request | the answer, or why it was not sent; a [`RequestRecord`] of it |
//!
//! A stranger needs four types: an [`Engine`] (limits, compiled once), a [`Connector`] (a loaded component), an [`Egress`] (whom it may
//! reach, and over which TLS) and an [`Outcome`] (what became of a call).
//!
//! ```no_run
//! use flow_starter_host::{Authentication, Credentials, Egress, Engine, FlowConfig, FlowState, Limits, Method};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Limits::default())?;
//! let connector = engine.load(&std::fs::read("servicenow-flow-starter.wasm")?).await?;
//! let egress = Egress::builder().build()?;
//!
//! let mut config = FlowConfig::new(Method::Post, "acme", "/api/sn_cico/flow_starter/my_flow");
//! config.body = Some(r#"{"correlationValue":"cam-id-1"}"#.to_owned());
//! config.authentication = Authentication::Basic(Credentials { username: "camunda".into(), password: "…".into() });
//!
//! match connector.trigger_flow(&egress, config).await.result {
//!     Ok(response) => println!("started: {:?}", response.execution_id),
//!     Err(error) => match error.flow {
//!         FlowState::NotStarted if error.retryable => println!("try again later: {error}"),
//!         FlowState::NotStarted => println!("mend this first: {error}"),
//!         FlowState::Started => println!("started, but its id is lost: {error}"),
//!         FlowState::Unknown => println!("look in ServiceNow before you try again: {error}"),
//!     },
//! }
//! # Ok(()) }
//! ```
//!
//! Everything runs on the caller's tokio runtime. A current-thread runtime for each core is the fastest shape.
#![deny(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod component;
mod egress;
mod secrets;
mod starter;
mod tokens;

pub use component::{
    AccessToken, ApiKey, ApiKeyLocation, Authentication, CallLimits, ClientAuthentication, ClientCredentials,
    Connector, Credentials, Engine, EngineError, ErrorKind, FlowConfig, FlowResponse, FlowState, Limits, LoadError,
    Method, Outcome, TokenRequest, TriggerError,
};
pub use egress::{
    AddressKind, AddressKindError, ConnectTo, ConnectToError, Destinations, Egress, EgressBuilder, EgressError, Gate,
    Host, Ledger, Origin, OriginError, Pattern, PatternError, Policy, Progress, Proxy, ProxyError, Purpose,
    RequestRecord, Resolve, ResolveError, Resolving, Scheme, Step, Stop,
};
pub use secrets::{
    DirectorySecrets, EnvironmentSecrets, ExpandError, Expanded, FileSecrets, Mask, Providing, Secret, SecretError,
    SecretProvider, SecretUse, Secrets,
};
pub use starter::{FlowStarter, Rehearsal, RehearsedRequest};
