//! The keys that the cluster gives: numbers, written as text in JSON.

use std::fmt;
use std::str::FromStr;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            /// Digits alone, as the cluster writes them.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

keys! {
    /// The key of a job.
    JobKey,
    /// The key of the element instance (the service task) that a job belongs to.
    ElementInstanceKey,
    /// The key of a process instance.
    ProcessInstanceKey
}
