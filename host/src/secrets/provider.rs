//! Where secrets' values come from, and the environment as one of them.

use std::fmt;
use std::io;
use std::pin::Pin;

use zeroize::{Zeroize, Zeroizing};

use super::secret::Secret;

/// Supplies secrets by name. Dropping the future cancels the look-up.
pub trait SecretProvider: fmt::Debug + Send + Sync {
    /// The value, or `None` if the provider has no such secret.
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a>;

    /// Where it looks for that name, for the operator: `the environment variable SECRET_SN_PWD`.
    fn place(&self, name: &str) -> String;

    /// The kind of provider, for messages that a process sees: no path and no address.
    fn kind(&self) -> &'static str {
        "a secret provider"
    }
}

/// A running look-up.
pub type Providing<'a> = Pin<Box<dyn Future<Output = Result<Option<Secret>, SecretError>> + Send + 'a>>;

/// A provider that cannot be read; different from a secret that it does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} cannot be read: {why}")]
pub struct SecretError {
    /// Where it looked, for the operator.
    pub place: String,
    /// The reason, which a process may see: no value and no path.
    pub why: String,
    /// Whether the error is temporary: a busy vault, but not a missing file.
    pub passes: bool,
}

impl SecretError {
    pub(super) fn new(place: String, error: &io::Error) -> Self {
        // `InvalidData`'s own words are of the encoding alone.
        Self {
            place,
            why: error.to_string(),
            passes: false,
        }
    }
}

/// Environment variables with a prefix: `secrets.SN_PWD` is `SECRET_SN_PWD`. Without the prefix, a process could read any variable.
#[derive(Clone, Debug)]
pub struct EnvironmentSecrets {
    prefix: String,
}

impl EnvironmentSecrets {
    /// The prefix of Camunda's own connector runtime.
    pub const PREFIX: &str = "SECRET_";

    /// With this prefix.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }
}

impl Default for EnvironmentSecrets {
    fn default() -> Self {
        Self::new(Self::PREFIX)
    }
}

impl SecretProvider for EnvironmentSecrets {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let value = self.value(name);
        Box::pin(std::future::ready(value))
    }

    fn place(&self, name: &str) -> String {
        format!("the environment variable {}{name}", self.prefix)
    }

    fn kind(&self) -> &'static str {
        "the environment"
    }
}

impl EnvironmentSecrets {
    fn value(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        // What no variable can be called would panic in some systems' look-up.
        if name.is_empty() || name.contains(['=', '\0']) {
            return Ok(None);
        }
        match std::env::var(format!("{}{name}", self.prefix)) {
            Ok(value) => Ok(Some(Zeroizing::new(value).into())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(value)) => {
                value.into_encoded_bytes().zeroize();
                Err(SecretError {
                    place: self.place(name),
                    why: "it is not UTF-8".to_owned(),
                    passes: false,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(found: Result<Option<Secret>, SecretError>) -> Option<String> {
        found.unwrap().map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_environment_is_read_below_its_prefix_alone() {
        // Cargo sets this one for every test.
        let package = std::env::var("CARGO_PKG_NAME").unwrap();
        let secrets = EnvironmentSecrets::new("CARGO_");
        assert_eq!(value(secrets.value("PKG_NAME")), Some(package));
        assert_eq!(value(secrets.value("NO_SUCH")), None);
        assert_eq!(value(EnvironmentSecrets::default().value("PKG_NAME")), None);
        assert_eq!(value(secrets.value("PKG=NAME")), None);
        assert_eq!(secrets.place("X"), "the environment variable CARGO_X");
    }
}
