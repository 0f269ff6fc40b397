//! The author's FEEL: result expressions and error expressions, evaluated by the engine itself.
//!
//! | module | subject |
//! |---|---|
//! | [`functions`] | `bpmnError`, `jobError`, `ignoreError` and `backoff`, which the engine's own FEEL does not have |
//! | [`context`] | the variables that an expression sees |
//! | [`result`] | what an expression gave, with its types checked |
//! | `backoff` | the delay that `backoff` stands for |
//! | `evaluate` | the requests to the engine, and what is remembered of them |
//!
//! An [`Expression`] is evaluated inside a FEEL context that defines the functions ([`Expression::wrapped`]). Text such as `1), other: (2`
//! would close that context, so each expression is evaluated by itself first ([`Expression::alone`]): what does not parse on its own is
//! refused. That also finds a syntax error before the flow is started.
//!
//! The behaviour follows Camunda's connector runtime (`ConnectorResultHandler` in camunda/connectors). `host-test/feel/differences.json`
//! lists the differences.

mod backoff;
pub mod context;
pub(crate) mod evaluate;
pub mod functions;
pub mod result;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

/// Variables by name, each as JSON.
pub type Variables = BTreeMap<String, Box<RawValue>>;

/// Which of the two an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The task header `resultExpression`.
    Result,
    /// The task header `errorExpression`.
    Error,
}

impl Kind {
    /// The task header.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Result => "resultExpression",
            Self::Error => "errorExpression",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Result => "result expression",
            Self::Error => "error expression",
        })
    }
}

/// An expression as its author wrote it, without white space around it and without its `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    text: String,
}

impl Expression {
    /// Reads a task header. Blank is none. As in Camunda's connector runtime, the leading `=` may be missing.
    pub fn read(header: &str) -> Option<Self> {
        let text = header.trim();
        let feel = text.strip_prefix('=').unwrap_or(text).trim();
        (!text.is_empty()).then(|| Self { text: feel.to_owned() })
    }

    /// The expression by itself, as the engine takes it.
    pub fn alone(&self) -> String {
        format!("={}", self.text)
    }

    /// Whether the text has this name in it.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.text.contains(name)
    }

    /// The expression where it can call the functions, as the engine takes it.
    pub fn wrapped(&self) -> String {
        functions::around(&self.text)
    }
}
