//! Why a file cannot be loaded as a connector.

use super::imports::ImportDenied;
use super::typecheck::{CONTRACT, Mismatch};

/// Why a file cannot be loaded as a connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not a WebAssembly component.
    #[error("this is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// A component for another version of WASI.
    #[error(
        "this is a component for WASI {version} (it has {name}), but this host runs components for WASI 0.2: build it for WASI 0.2"
    )]
    Wasi {
        /// The first two numbers of the version: `0.3`.
        version: String,
        /// An interface of that version that it imports or exports.
        name: String,
    },
    /// A valid component with a feature that this host does not support; the runtime's message.
    #[error("this component needs a WebAssembly feature that this host does not support: {0}")]
    Newer(String),
    /// Not precompiled code that this host can run.
    #[error("this is not a compiled connector for this host: {0}")]
    NotCompiled(String),
    /// A component whose structure exceeds a limit; the runtime's message.
    #[error("the component exceeds a limit of the connector host: {0}")]
    Limit(String),
    /// Everything that is missing, different or not allowed.
    #[error("the component does not implement the contract {CONTRACT}: {}", reasons(.0).join("; "))]
    Contract(Vec<Mismatch>),
    /// It cannot be instantiated within the limits.
    #[error("the component cannot be instantiated: {0}")]
    Instantiate(String),
}

impl LoadError {
    /// One sentence for each reason; imports that are denied for the same reason share one.
    ///
    /// ```
    /// use flow_starter_host::component::LoadError;
    ///
    /// assert_eq!(LoadError::Limit("it has more than 8 tables".to_owned()).reasons().len(), 1);
    /// ```
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Contract(found) => reasons(found),
            other => vec![other.to_string()],
        }
    }
}

fn reasons(found: &[Mismatch]) -> Vec<String> {
    let mut others: Vec<String> = Vec::new();
    let mut closed: Vec<(ImportDenied, Vec<&str>)> = Vec::new();
    for mismatch in found {
        match mismatch {
            Mismatch::Import { name, why } => match closed.iter_mut().find(|(of, _)| of == why) {
                Some((_, names)) => names.push(name),
                None => closed.push((*why, vec![name])),
            },
            other => others.push(other.to_string()),
        }
    }
    let imports = closed
        .iter()
        .map(|(why, names)| format!("it imports {}: {why}", names.join(", ")));
    imports.chain(others).collect()
}
