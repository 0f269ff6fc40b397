//! Replaces references to secrets with their values, and masks the values.
//! | file | contents |
//! |---|---|
//! | `secret` | a value that cannot be printed and is zeroized on drop |
//! | `provider` | the provider trait, and the environment as a provider |
//! | `files` | a file of secrets, a directory of secrets |
//! | `read` | reads files outside the runtime's thread |
//! | `reference` | `{{secrets.NAME}}` in a text |
//! | `error` | why references cannot be replaced |
//! | `expand` | replaces an input's references with their values |

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
