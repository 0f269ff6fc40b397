//! Typed input for a call, from the crate `flow-starter-input`: [`FlowConfig`] and everything in it.

pub use flow_starter_input::fields::INPUT as INPUT_FIELDS;
pub use flow_starter_input::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, FlowConfig,
    Limits as CallLimits, Mask, Method, Sensitive, TokenRequest,
};
