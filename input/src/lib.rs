//! The input of a call, parsed the same way for the component, the host, the command line and the templates' check.
//! | module | input | output |
//! |---|---|---|
//! | `template` | the element template's JSON | a [`FlowConfig`] |
//! | `request` | a [`FlowConfig`] | its HTTP requests, or why it is invalid |
//! | `output` | a response | the JSON that a process reads |
//! | `credentials` | JSON, or a [`FlowConfig`] | the [`Mask`] of its credentials |
//! | `mask` | text | the text without credentials |
//! | `json` | JSON text | its values, with their positions |
//! | `fields` | | the names of the input's fields |
//! | `message` | | the sentences that every error message shares |
//!
//! Plain Rust: no WASI, no wasmtime, no IO. Every error in an input is found here, before anything is sent.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod credentials;
pub mod fields;
mod invalid;
pub mod json;
pub mod mask;
pub mod message;
pub mod output;
#[cfg(test)]
mod properties;
pub mod request;
mod sensitive;
pub mod template;
mod types;

pub use invalid::Invalid;
pub use mask::Mask;
pub use sensitive::Sensitive;
pub use types::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, DEFAULT_LIMITS,
    FlowConfig, Limits, Method, TokenRequest,
};
