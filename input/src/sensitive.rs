//! Text that can be, or contain, a credential.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use zeroize::Zeroize;

/// Text that `Debug` never shows and that is zeroized on drop.
///
/// ```
/// use flow_starter_input::Sensitive;
///
/// let password = Sensitive::from("hunter2");
/// assert_eq!(format!("{password:?}"), "***");
/// assert_eq!(password.len(), 7);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Sensitive(String);

impl Sensitive {
    /// Takes the text. The caller must zeroize it.
    pub fn into_string(mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Sensitive {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Deref for Sensitive {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Sensitive {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Cow<'_, str>> for Sensitive {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.into_owned())
    }
}

impl From<&str> for Sensitive {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
