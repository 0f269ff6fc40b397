//! Starts a ServiceNow flow through its REST trigger: one call, exactly one HTTP request, one reliable outcome.
//!
//! This file contains the component's exports. A call goes down this list and back up:
//! | module | input | output |
//! |-------------|---------------------------|---------------------------------------------------|
//! | `convert`   | the contract's records    | the input crate's types                           |
//! | input crate | the input                 | a checked HTTP request                            |
//! | `transport` | the request               | the response as it came, or why none came         |
//! | `response`  | the response              | a `FlowResponse`, or why the flow is not started  |
//! | `error`     | a cause                   | kind, flow state, retryable and message: one table |
//!
//! Only `transport` knows `wasi:http`. Everything independent of WASI is in the crate `flow-starter-input`, which the host uses, too.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(any(target_arch = "wasm32", test))]
mod allocator;
mod convert;
pub mod error;
#[cfg(test)]
mod properties;
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
use flow_starter_input::{FlowConfig, Mask, TokenRequest, output, request, template};
use types::{AccessToken, FlowResponse, TriggerError};

struct FlowStarter;

// The native build of this crate (for its tests) has no component to export from.
#[cfg(target_arch = "wasm32")]
bindings::export!(FlowStarter with_types_in bindings);

impl flow_starter::Guest for FlowStarter {
    fn trigger_flow(config: types::FlowConfig) -> Result<FlowResponse, TriggerError> {
        let config = FlowConfig::from(config);
        let mut mask = Mask::of_config(&config);
        trigger(&config, &mut mask).map_err(|failure| failure.into_error(&mask))
    }

    fn request_token(request: types::TokenRequest) -> Result<AccessToken, TriggerError> {
        let request = TokenRequest::from(request);
        token(&request).map_err(|failure| failure.into_error(&Mask::of_token_request(&request)))
    }
}

impl connector::Guest for FlowStarter {
    fn execute(input: String) -> Result<String, TriggerError> {
        let config = template::parse(&input).map_err(|invalid| {
            let mask = Mask::of_json(&input);
            let invalid = mask.check().err().unwrap_or(invalid);
            Failure::from(invalid).into_error(&mask)
        })?;
        drop(input);
        let mut mask = Mask::of_config(&config);
        let response = trigger(&config, &mut mask).map_err(|failure| failure.into_error(&mask))?;
        Ok(output::json(output::Response {
            status: response.status,
            headers: &response.headers,
            body: &response.body,
            execution_id: response.execution_id.as_deref(),
            sys_id: response.sys_id.as_deref(),
        }))
    }
}

fn trigger(config: &FlowConfig, mask: &mut Mask) -> Result<FlowResponse, Failure> {
    mask.check()?;
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

fn token(request: &TokenRequest) -> Result<AccessToken, Failure> {
    let request = request::token(request)?;
    transport::send(&request)
        .and_then(response::token)
        .map_err(|failure| failure.at(Step::Token, request.authority()))
}
