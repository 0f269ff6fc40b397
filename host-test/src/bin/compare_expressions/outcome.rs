//! What came of an expression, in the words that both sides share.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// What an expression came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Variables of the process, perhaps none.
    Variables,
    /// An error expression says that there is no error.
    Nothing,
    BpmnError,
    JobError,
    IgnoreError,
    /// It was not evaluated, or its result is of no use: an incident.
    Failed,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Variables => "variables",
            Self::Nothing => "nothing",
            Self::BpmnError => "bpmnError",
            Self::JobError => "jobError",
            Self::IgnoreError => "ignoreError",
            Self::Failed => "failed",
        }
    }
}

/// The outcome of one expression on one side.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub kind: Kind,
    /// `code`, `message`, `variables`, `retries`, `retryBackoff` (in milliseconds).
    #[serde(flatten)]
    fields: BTreeMap<&'static str, Value>,
    /// The words for a person; they are not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Outcome {
    pub fn new<const N: usize>(kind: Kind, fields: [(&'static str, Value); N]) -> Self {
        Self {
            kind,
            fields: BTreeMap::from(fields),
            why: None,
        }
    }

    pub fn variables(variables: Map<String, Value>) -> Self {
        Self::new(Kind::Variables, [("variables", Value::Object(variables))])
    }

    pub fn nothing() -> Self {
        Self::new(Kind::Nothing, [])
    }

    pub fn failed(why: Option<String>) -> Self {
        Self {
            why,
            ..Self::new(Kind::Failed, [])
        }
    }

    /// What differs: the kinds, as `theirs → ours`; or else the names of the fields.
    pub fn differences(theirs: &Self, ours: &Self) -> Vec<String> {
        if theirs.kind != ours.kind {
            return vec![format!("{} → {}", theirs.kind.name(), ours.kind.name())];
        }
        let names = theirs.fields.keys().filter(|name| {
            let (their, our) = (theirs.fields.get(*name), ours.fields.get(*name));
            !their.zip(our).is_some_and(|(their, our)| same(their, our))
        });
        names.map(|name| (*name).to_owned()).collect()
    }
}

/// The same JSON; 45.0 and 45 are the same number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut members = one.iter();
            one.len() == other.len()
                && members.all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => {
            // Of the engine's 34 digits, serde_json reads the last bit wrong at times.
            let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) else {
                return false;
            };
            (one - other).abs() <= one.abs() * f64::EPSILON
        }
        _ => one == other,
    }
}
