//! Starts a ServiceNow flow through its REST trigger: one call, exactly one HTTP request, one honest outcome.
//!
//! This file is the door: what the component exports, and nothing else. A call goes straight down the list and back up:
//!
//! | room        | takes                     | gives                                             |
//! |-------------|---------------------------|---------------------------------------------------|
//! | `input`     | the element template's JSON | a `FlowConfig`                                  |
//! | `request`   | a `FlowConfig`            | a checked HTTP request                            |
//! | `transport` | the request               | the answer as it came, or why none came           |
//! | `response`  | the answer                | a `FlowResponse`, or why the flow is not started  |
//! | `output`    | a `FlowResponse`          | the JSON that a process reads                     |
//! | `error`     | a cause                   | kind, flow state, retryable and message: one table |
//! | `mask`      | the call's credentials    | text without them                                 |
//!
//! Only `transport` knows `wasi:http`; every other room is plain Rust and is tested natively.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod error;
pub mod input;
mod json;
pub mod mask;
pub mod output;
#[cfg(test)]
mod properties;
pub mod request;
pub mod response;
pub mod transport;

mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "servicenow-flow-starter",
        // One set of WASI bindings in the component: waki's.
        with: {
            "wasi:clocks/monotonic-clock@0.2.2": waki::bindings::wasi::clocks::monotonic_clock,
            "wasi:http/outgoing-handler@0.2.2": waki::bindings::wasi::http::outgoing_handler,
            "wasi:http/types@0.2.2": waki::bindings::wasi::http::types,
            "wasi:io/error@0.2.2": waki::bindings::wasi::io::error,
            "wasi:io/poll@0.2.2": waki::bindings::wasi::io::poll,
            "wasi:io/streams@0.2.2": waki::bindings::wasi::io::streams,
        },
    });
}

pub use bindings::connectors::servicenow_flow_starter::types;
use bindings::exports::connectors::servicenow_flow_starter::{connector, flow_starter};
use error::{Failure, Step};
use mask::Mask;
use types::{AccessToken, FlowConfig, FlowResponse, TokenRequest, TriggerError};

struct FlowStarter;

// The native build of this crate (for its tests) has no component to export from.
#[cfg(target_arch = "wasm32")]
bindings::export!(FlowStarter with_types_in bindings);

impl flow_starter::Guest for FlowStarter {
    fn trigger_flow(config: FlowConfig) -> Result<FlowResponse, TriggerError> {
        let mut mask = Mask::of_config(&config);
        trigger(config, &mut mask).map_err(|failure| failure.into_error(&mask))
    }

    fn request_token(request: TokenRequest) -> Result<AccessToken, TriggerError> {
        let mask = Mask::of_client(&request.credentials);
        token(request).map_err(|failure| failure.into_error(&mask))
    }
}

impl connector::Guest for FlowStarter {
    fn execute(input: String) -> Result<String, TriggerError> {
        let config = input::parse(&input).map_err(|invalid| Failure::from(invalid).into_error(&input::mask(&input)))?;
        drop(input);
        <Self as flow_starter::Guest>::trigger_flow(config).map(|response| output::json(&response))
    }
}

fn trigger(config: FlowConfig, mask: &mut Mask) -> Result<FlowResponse, Failure> {
    let mut plan = request::plan(config)?;
    if let Some(request) = &plan.token {
        let fetched = transport::send(request)
            .and_then(response::token)
            .map_err(|failure| failure.at(Step::Token, request.authority()))?;
        mask.add(&fetched.token);
        plan.flow.authorize_bearer(&fetched.token);
    }
    transport::send(&plan.flow)
        .and_then(|answer| response::flow(answer, mask))
        .map_err(|failure| failure.at(Step::Flow, plan.flow.authority()))
}

fn token(request: TokenRequest) -> Result<AccessToken, Failure> {
    let request = request::token(request)?;
    transport::send(&request)
        .and_then(response::token)
        .map_err(|failure| failure.at(Step::Token, request.authority()))
}
