//! The versions of a cluster that are checked.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u32, u32);

impl Version {
    /// The document is that version's own; for the others, what was added since is taken out of it.
    pub const NEWEST: Self = Self(8, 10);
    pub const ALL: [Self; 3] = [Self(8, 8), Self(8, 9), Self::NEWEST];

    pub fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}
