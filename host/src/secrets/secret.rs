//! A value that cannot be printed and is zeroized on drop.

use std::fmt;

use flow_starter_input::Mask;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// A secret's value. `Debug` hides it; its memory is zeroized on drop.
///
/// ```
/// let secret = flow_starter_host::secrets::Secret::new("demo-password");
/// assert_eq!(secret.expose(), "demo-password");
/// assert_eq!(format!("{secret:?}"), "Secret(***)");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Copies the value; the caller zeroizes the original.
    pub fn new(value: impl AsRef<str>) -> Self {
        // Of its exact size from the start: a text that shrinks leaves a copy behind.
        Self(SecretString::from(Box::<str>::from(value.as_ref())))
    }

    /// The value.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the value is too short to be masked: under four characters it would hide ordinary words. It is used, but not masked; the
    /// log warns.
    pub fn is_short(&self) -> bool {
        self.expose().chars().nth(Mask::SHORTEST - 1).is_none()
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(value: Zeroizing<String>) -> Self {
        Self::new(value.as_str())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
