//! What the end of an evaluation means.
//!
//! | answer | meaning |
//! |---|---|
//! | 200 with a result | evaluated |
//! | 400 in a problem document that says `Failed to parse expression` | not FEEL |
//! | 500 in a problem document that says `Failed to evaluate expression` | failed, after it was parsed |
//! | 500 in a problem document that says `timed out` or `rejected with code`; another 400 in one; 413, whatever its body; 401; 403 in one | failed |
//! | 404 or 405 in a problem document | the cluster has no such call: 8.8 |
//! | anything else | away |

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, Ended, shown};
use crate::engine::EvaluateAnswer;

#[derive(Deserialize)]
struct Evaluated {
    result: Box<RawValue>,
    #[serde(default)]
    warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct Warning {
    message: String,
}

pub(super) fn evaluated(ended: Ended) -> EvaluateAnswer {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotSent { detail, .. } | Ended::Lost { detail, .. } => return EvaluateAnswer::Away { detail },
    };
    let says = |words: &str| {
        answer
            .problem
            .as_ref()
            .is_some_and(|problem| problem.detail.contains(words))
    };
    match (answer.status, &answer.problem) {
        (200, _) => result(answer),
        (400, Some(_)) if says("Failed to parse expression") => EvaluateAnswer::Unparsable { detail: answer.detail },
        (500, Some(_)) if says("Failed to evaluate expression") => EvaluateAnswer::Failed {
            evaluated: true,
            detail: answer.detail,
        },
        // The engine limits the time of an evaluation, and the size of its record.
        (500, Some(_)) if says("timed out") || says("rejected with code") => EvaluateAnswer::Failed {
            evaluated: false,
            detail: answer.detail,
        },
        (400 | 403, Some(_)) | (401 | 413, _) => EvaluateAnswer::Failed {
            evaluated: false,
            detail: answer.detail,
        },
        (404 | 405, Some(_)) => EvaluateAnswer::Unsupported { detail: answer.detail },
        _ => EvaluateAnswer::Away { detail: answer.detail },
    }
}

fn result(answer: Answer) -> EvaluateAnswer {
    let body = match answer.body {
        Ok(body) => body,
        Err(detail) => return EvaluateAnswer::Away { detail },
    };
    match serde_json::from_slice::<Evaluated>(&body) {
        Ok(Evaluated { result, warnings }) => EvaluateAnswer::Evaluated {
            result,
            warnings: warnings
                .into_iter()
                .map(|warning| shown(&warning.message, &[]))
                .collect(),
        },
        Err(_) => EvaluateAnswer::Away {
            detail: "the answer to the evaluation has no result".to_owned(),
        },
    }
}
