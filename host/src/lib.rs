//! The connector host: loads the flow starter component, lets it reach only the destinations that a call names, and checks each result
//! against a log of the requests that left.
//! | module | input | output |
//! |---|---|---|
//! | [`contract`] | | the contract's types, which everything else uses |
//! | [`component`] | a component's bytes; a call's input | a [`Connector`]; an [`Outcome`] |
//! | [`egress`] | a component's HTTP request | the response, or why it was not sent; a [`RequestRecord`](egress::RequestRecord) |
//! | [`secrets`] | references to secrets; text | their values; text without them |
//! | `tokens` | a token request | a token, requested once for many calls |
//! | [`starter`] | a call's input, as a process has it | an [`Outcome`] without secrets |
//! | [`input`] | | the typed input of a call |
//! | [`inspect`] | a component's bytes | what the file is, and whether it can be loaded |
//!
//! Start with five types: [`Engine`] (the limits; compile once), [`Connector`] (a loaded component), [`Egress`] (allowed hosts, TLS,
//! proxy), [`FlowStarter`] (all of these, with secrets and tokens) and [`Outcome`] (the result of a call).
//!
//! ```
//! use flow_starter_host::secrets::DirectorySecrets;
//! use flow_starter_host::{Egress, Engine, FlowStarter, FlowState, Limits, Policy, Secrets};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # std::env::set_current_dir("../dist")?;
//! let engine = Engine::new(Limits::default())?;
//! let connector = engine.load(&std::fs::read("servicenow-flow-starter.wasm")?).await?;
//! let egress = Egress::builder().policy(Policy::new(["acme.service-now.com".parse()?])).build()?;
//! # let egress = { drop(egress); Egress::builder().policy(Policy::deny_all()).build()? }; // Doc tests call no server.
//! let mounted = "/run/secrets";
//! # let folder = tempfile::tempdir()?;
//! # let mounted = folder.path();
//! # std::fs::write(mounted.join("SN_PASSWORD"), "demo-password")?;
//! let starter = FlowStarter::new(connector, egress).secrets(Secrets::none().with(DirectorySecrets::new(mounted)));
//!
//! let input = r#"{
//!     "snInstance": "acme",
//!     "restApiTriggerPath": "/api/sn_cico/flow_starter/my_flow",
//!     "method": "POST",
//!     "body": { "correlationValue": "cam-id-1" },
//!     "authentication": { "type": "basic", "username": "camunda", "password": "{{secrets.SN_PASSWORD}}" }
//! }"#;
//! let outcome = starter.execute(input).await;
//! # assert_eq!(outcome.result.as_ref().unwrap_err().kind, flow_starter_host::ErrorKind::Denied);
//! match outcome.result {
//!     Ok(json) => println!("started: {json}"),
//!     Err(error) => match error.flow {
//!         FlowState::NotStarted if error.retryable => println!("retry later: {error}"),
//!         FlowState::NotStarted => println!("fix this first: {error}"),
//!         FlowState::Started => println!("started, but its ID is lost: {error}"),
//!         FlowState::Unknown => println!("look in ServiceNow before you retry: {error}"),
//!     },
//! }
//! # Ok(()) }
//! ```
//!
//! Everything runs on the caller's tokio runtime. One current-thread runtime per core is fastest.
#![deny(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod component;
pub mod contract;
pub mod egress;
pub mod input;
pub mod secrets;
pub mod starter;
mod tokens;

pub use component::{Connector, Engine, Limits, Outcome, inspect};
pub use contract::{ErrorKind, FlowResponse, FlowState, TriggerError};
pub use egress::{Egress, Policy};
pub use input::FlowConfig;
pub use secrets::Secrets;
pub use starter::FlowStarter;
