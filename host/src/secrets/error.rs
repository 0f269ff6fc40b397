//! Why an input's references cannot be replaced.

use super::provider::SecretError;

/// A typical call has a handful.
pub(super) const MOST_NAMES: usize = 100;
/// The maximum length of a file name.
pub(super) const LONGEST_NAME: usize = 255;

/// Why an input's references cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// No provider has it.
    #[error("Secret with name '{name}' is not available (in `{field}`): {}.{}", looked_in(.kinds), if_text(.name, *.bare))]
    Missing {
        /// The secret's name.
        name: String,
        /// The field that uses it.
        field: String,
        /// The kinds of the providers that were asked.
        kinds: Vec<&'static str>,
        /// Where each provider looked, for the operator.
        places: Vec<String>,
        /// It is only used without braces, so it may be plain text.
        bare: bool,
    },
    /// A provider has it, but its value is empty.
    #[error("Secret with name '{name}' is empty (in `{field}`): give it a value in {kind}.")]
    Empty {
        /// The secret's name.
        name: String,
        /// The field that uses it.
        field: String,
        /// The kind of the provider that has it.
        kind: &'static str,
        /// Where the empty value was found: for the operator.
        place: String,
    },
    /// `{{secrets.` without a name and `}}`, or nearly that: `{{Secret.NAME}}`.
    #[error("`{0}` contains a malformed reference to a secret: write it as {{{{secrets.NAME}}}}.")]
    Unfinished(String),
    /// Unrealistically many references, or a name that is too long.
    #[error(
        "`{0}` refers to more than {MOST_NAMES} secrets, or to a secret with a name of more than {LONGEST_NAME} characters."
    )]
    TooMany(String),
    /// With its secrets, the input would be too large.
    #[error(
        "The input with its secrets is {size} bytes, but {most} are allowed: send less, or raise the memory limit."
    )]
    TooLarge {
        /// In bytes.
        size: usize,
        /// In bytes.
        most: usize,
    },
    /// A provider cannot be read.
    #[error("Secret with name '{name}' cannot be looked up (in `{field}`): {kind} cannot be read: {}.", .error.why)]
    Provider {
        /// The secret's name.
        name: String,
        /// The field that uses it.
        field: String,
        /// The kind of the provider.
        kind: &'static str,
        /// What went wrong.
        error: SecretError,
    },
}

impl ExpandError {
    /// The secret's name, and where it was looked for. For the operator: the message, which a process sees, contains neither paths nor
    /// variable names.
    pub fn looked_for(&self) -> Option<(&str, Vec<&str>)> {
        match self {
            Self::Missing { name, places, .. } => Some((name, places.iter().map(String::as_str).collect())),
            Self::Empty { name, place, .. } => Some((name, vec![place])),
            Self::Provider { name, error, .. } => Some((name, vec![&error.place])),
            Self::Unfinished(_) | Self::TooMany(_) | Self::TooLarge { .. } => None,
        }
    }
}

/// What to do if it is not a reference.
fn if_text(name: &str, bare: bool) -> String {
    match bare {
        true => format!(
            " `secrets.{name}` is a reference even without braces: if it is plain text, set `secrets.bare-references` to off."
        ),
        false => String::new(),
    }
}

fn looked_in(kinds: &[&'static str]) -> String {
    let mut different: Vec<&str> = Vec::new();
    for kind in kinds {
        if !different.contains(kind) {
            different.push(kind);
        }
    }
    match different.as_slice() {
        [] => "this host has no secret provider".to_owned(),
        [kind] => format!("looked in {kind}"),
        [kinds @ .., last] => format!("looked in {} and {last}", kinds.join(", ")),
    }
}
