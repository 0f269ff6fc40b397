//! Expression evaluation: a test supplies the FEEL.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::fields::invalid;
use crate::job::Variables;
use crate::options::Version;

/// What is to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The expression, with its leading `=`.
    pub expression: String,
    /// The variables it sees.
    pub variables: Variables,
    /// The tenant, if it is named.
    pub tenant: Option<String>,
    /// The scope, if it is named (8.10).
    pub scope: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Evaluated {
    /// A result, and what FEEL warned of.
    Result(Value, Vec<String>),
    /// 400: it is no FEEL.
    Unparsable(String),
    /// 500: it cannot be evaluated.
    Failed(String),
    /// Any other answer.
    Answer(Answer),
}

/// Evaluates; called on a thread where it may block.
pub type Evaluator = dyn Fn(&Evaluation) -> Evaluated + Send + Sync;

impl Evaluated {
    pub(crate) fn answer(self, expression: &str, version: Version) -> Answer {
        match self {
            Self::Result(result, warnings) => {
                let warnings: Vec<Value> = warnings.iter().map(|message| json!({ "message": message })).collect();
                let mut body = json!({ "expression": expression, "result": result, "warnings": warnings });
                if let (Value::Object(fields), true) = (&mut body, version >= Version::V8_10) {
                    fields.insert("referencedSecrets".to_owned(), json!([]));
                }
                Answer::json(200, &body)
            }
            Self::Unparsable(why) => invalid(&format!("Failed to parse expression: {why}")),
            Self::Failed(why) => Answer::problem(500, "INTERNAL", &format!("Failed to evaluate expression: {why}")),
            Self::Answer(answer) => answer,
        }
    }
}
