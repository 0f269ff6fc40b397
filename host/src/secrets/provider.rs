//! Where secrets' values come from, and the environment as one of them.

use std::fmt;
use std::io;
use std::pin::Pin;

use zeroize::{Zeroize, Zeroizing};

use super::secret::Secret;

/// Gives secrets' values by name. Dropping the future ends the look-up.
pub trait SecretProvider: fmt::Debug + Send + Sync {
    /// The value of that name; none where the provider has no such secret.
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a>;

    /// Where it would look for that name, for the operator: `the environment variable SECRET_SN_PWD`.
    fn place(&self, name: &str) -> String;

    /// What kind of provider it is, for a message that a process sees: no path and no address.
    fn kind(&self) -> &'static str {
        "a secret provider"
    }
}

/// A look-up that is under way.
pub type Providing<'a> = Pin<Box<dyn Future<Output = Result<Option<Secret>, SecretError>> + Send + 'a>>;

/// A provider that cannot be asked: not the same as a secret that it does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} cannot be read: {why}")]
pub struct SecretError {
    /// Where it was looked for: for the operator.
    pub place: String,
    /// In words, which a process may see: nothing of a value, and no path.
    pub why: String,
    /// It may well be readable again soon, without anybody's doing: a vault that is busy, and not a file that is missing.
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

/// Environment variables with a prefix: `secrets.SN_PWD` is `SECRET_SN_PWD`. Without the prefix a process could have any variable put into
/// its input.
#[derive(Clone, Debug)]
pub struct EnvironmentSecrets {
    prefix: String,
}

impl EnvironmentSecrets {
    /// The prefix of Camunda's own connector runtime.
    pub const PREFIX: &str = "SECRET_";

    /// With a prefix of one's own.
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
