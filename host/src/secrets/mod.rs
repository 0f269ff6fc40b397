//! References in, values out, and what masks them.
//!
//! | file | what it holds |
//! |---|---|
//! | `secret` | a value that cannot be printed, and is wiped when it is dropped |
//! | `provider` | where values come from: the environment, a file, a directory |
//! | `reference` | `{{secrets.NAME}}` in a text |
//! | `scalars` | a JSON text's values, where they stand |
//! | `expand` | an input's references replaced by their values |
//! | `mask`, `view` | text without them, however they are written in it |

mod expand;
mod mask;
#[cfg(test)]
mod properties;
mod provider;
mod reference;
mod scalars;
mod secret;
mod view;

pub use expand::{ExpandError, Expanded, INPUT_FIELDS, SecretUse, Secrets};
pub use mask::Mask;
pub use provider::{DirectorySecrets, EnvironmentSecrets, FileSecrets, Providing, SecretError, SecretProvider};
pub use secret::Secret;

pub(crate) use mask::quoted;
pub(crate) use scalars::{Checked, Scalar, spliced};
