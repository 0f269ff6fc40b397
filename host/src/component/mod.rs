//! From a component's bytes to an honest outcome.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | limits, the compiler, what a component may import |
//! | `connector` | a loaded component, and its calls: a fresh instance for each |
//! | `call` | what one call's instance may see |
//! | `outcome` | what became of a call, by the component's word and the host's own record |
//! | `contract`, `redacted`, `wiped` | the contract's types, a `Debug` that shows no secret, and a `Drop` that leaves none |

mod call;
mod connector;
mod contract;
mod engine;
mod outcome;
mod redacted;
mod wiped;

pub use connector::Connector;
pub use contract::{
    AccessToken, ApiKey, ApiKeyLocation, Authentication, CallLimits, ClientAuthentication, ClientCredentials,
    Credentials, ErrorKind, FlowConfig, FlowResponse, FlowState, Method, TokenRequest, TriggerError,
};
pub use engine::{Engine, EngineError, Limits, LoadError};
pub use outcome::Outcome;
