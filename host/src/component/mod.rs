//! From a component's bytes to an honest outcome.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine`, `limits`, `permits` | the compiler and the pool of instances; what a call may use, and the sentence for each limit; how many at once |
//! | `imports` | what a component may import: six interfaces, and what the engine was told to give beside them |
//! | `load`, `typecheck`, `refusal` | bytes in, connector out; what of the contract is missing, wrong or too much; why a file is refused |
//! | `newer` | a component for WASI 0.3, or with other features that this host does not have |
//! | `inspect` | the same for a person: imports, exports, size, and whether it would be loaded |
//! | `connector` | a loaded component, and its calls: a fresh instance for each |
//! | `call`, `cpu_time` | what one call's instance may see; how long it has computed |
//! | `outcome` | what became of a call, by the component's word and the host's own record |

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
