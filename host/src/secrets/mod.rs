//! References in, values out, and what masks them.
//!
//! | file | what it holds |
//! |---|---|
//! | `secret` | a value that cannot be printed, and is wiped when it is dropped |
//! | `provider` | where values come from: the environment, a file, a directory |
//! | `reference` | `{{secrets.NAME}}` in a text |
//! | `expand` | an input's references replaced by their values |

mod expand;
#[cfg(test)]
mod properties;
mod provider;
mod reference;
mod secret;

pub use expand::{ExpandError, Expanded, SecretUse, Secrets};
pub use provider::{DirectorySecrets, EnvironmentSecrets, FileSecrets, Providing, SecretError, SecretProvider};
pub use secret::Secret;
