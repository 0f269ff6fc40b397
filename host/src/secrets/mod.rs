//! References in, values out, and what masks them.
//!
//! | file | what it holds |
//! |---|---|
//! | `secret` | a value that cannot be printed, and is wiped when it is dropped |
//! | `provider` | where values come from, and the environment as one of them |
//! | `files` | a file of secrets, a directory of secrets |
//! | `read` | reads of files, away from the runtime's thread |
//! | `reference` | `{{secrets.NAME}}` in a text |
//! | `error` | why references cannot be replaced |
//! | `expand` | an input's references replaced by their values |

mod error;
mod expand;
mod files;
#[cfg(test)]
mod properties;
mod provider;
mod read;
mod reference;
mod secret;

pub use error::ExpandError;
pub use expand::{Expanded, SecretUse, Secrets};
pub use files::{DirectorySecrets, FileSecrets};
pub use provider::{EnvironmentSecrets, Providing, SecretError, SecretProvider};
pub use secret::Secret;
