//! From a component's bytes to a checked outcome.
//! | file | contents |
//! |---|---|
//! | `engine`, `limits`, `permits` | the compiler and the pool of instances; the limits of a call and their messages; how many calls run at once |
//! | `imports` | what a component may import: six interfaces, and those that the engine adds |
//! | `load`, `typecheck`, `refusal` | bytes in, connector out; how a component differs from the contract; why a file is refused |
//! | `newer` | a component for WASI 0.3, or with other features that this host does not support |
//! | `inspect` | the same for people: imports, exports, size, and whether the component can be loaded |
//! | `connector` | a loaded component and its calls, each in a fresh instance |
//! | `call`, `cpu_time` | the host side of one call; its CPU time |
//! | `outcome` | the result of a call, from the component's result and the host's request log |

mod call;
mod connector;
mod cpu_time;
mod engine;
mod imports;
pub mod inspect;
mod limits;
mod load;
mod newer;
mod outcome;
mod permits;
mod refusal;
mod typecheck;

pub use connector::Connector;
pub use engine::{Engine, EngineError};
pub use imports::{Import, ImportDenied, ImportError};
pub use limits::Limits;
pub use outcome::Outcome;
pub(crate) use outcome::{Failure, Judged};
pub use refusal::LoadError;
pub use typecheck::Mismatch;
