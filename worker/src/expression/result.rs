//! What an expression gave. The engine's FEEL turns most mistakes into null or into a value of another type, so types are checked here: a
//! mistake must never look like "no error".

use std::time::Duration;

use flow_starter_input::message::cut;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Variables;
use super::backoff::BackOff;
use super::functions::BACK_OFF;
use crate::engine::{ATTEMPT, OUTCOME};
use crate::outcome::retry_back_off;
use crate::report::MAX_BYTES;

/// What an error expression asks for.
#[derive(Debug, Default)]
pub enum Said {
    /// Null or `{}`: no error.
    #[default]
    Nothing,
    /// `bpmnError`.
    BpmnError {
        /// What a boundary event catches; never empty.
        code: String,
        /// Empty where none was given.
        message: String,
        /// For the event that catches it.
        variables: Variables,
    },
    /// `jobError`.
    JobError {
        /// For a person.
        message: String,
        /// Local variables of the task.
        variables: Variables,
        /// How many retries the author grants.
        retries: u32,
        /// Until the next one.
        back_off: Duration,
    },
    /// `ignoreError`: the job completes with these variables, and with no others.
    IgnoreError {
        /// As the author gave them.
        variables: Variables,
    },
}

/// An author's variables beside the connector's own in one report.
const MOST: usize = MAX_BYTES - 100_000;

/// How much of a result a message shows.
const SHOWN: usize = 200;

/// The variables that a result expression gave. Null gives none.
///
/// # Errors
/// What is wrong with the expression, as the end of a sentence that names it.
pub fn of_result_expression(result: &RawValue, warnings: &[String]) -> Result<Variables, String> {
    match result.get().trim() {
        "null" => missing_function(warnings).map_or_else(|| Ok(Variables::default()), Err),
        _ => variables(result).ok_or_else(|| format!("returned {}, and must return a context", shown(result)))?,
    }
}

/// What an error expression says. `random`: 0 to 1, for the jitter of `backoff`.
///
/// # Errors
/// As [`of_result_expression`].
pub fn of_error_expression(result: &RawValue, warnings: &[String], random: f64) -> Result<Said, String> {
    if result.get().trim() == "null" {
        return missing_function(warnings).map_or_else(|| Ok(Said::Nothing), Err);
    }
    let none = || {
        format!(
            "returned {}, and must return bpmnError(…), jobError(…), ignoreError(…) or null",
            shown(result)
        )
    };
    let mut members: Variables = serde_json::from_str(result.get()).map_err(|_| none())?;
    if members.is_empty() {
        return Ok(Said::Nothing);
    }
    let kind = members
        .remove("errorType")
        .and_then(|kind| text(&kind))
        .ok_or_else(none)?;
    // An argument that is null counts as one that was not given. A back-off does not: the job would be retried at once.
    members.retain(|name, value| name == "retryBackoff" || value.get() != "null");
    let mut own = |function: &str| match members.remove("variables") {
        None => Ok(Variables::default()),
        Some(given) => variables(&given).ok_or_else(|| {
            format!(
                "returned {function} with a wrong argument: the variables must be a context, not {}",
                shown(&given)
            )
        })?,
    };
    match kind.as_str() {
        "bpmnError" => Ok(Said::BpmnError {
            variables: own("bpmnError")?,
            code: match members.get("errorCode").map(|code| (text(code), code)) {
                Some((Some(code), _)) if !code.trim().is_empty() => code,
                Some((None, code)) => {
                    return Err(format!(
                        "returned bpmnError with a wrong argument: the error code must be a string, not {}",
                        shown(code)
                    ));
                }
                _ => {
                    return Err(
                        "returned bpmnError with a wrong argument: the error code is missing or empty".to_owned(),
                    );
                }
            },
            message: message("bpmnError", &members)?.unwrap_or_default(),
        }),
        "jobError" => Ok(Said::JobError {
            variables: {
                let mut variables = own("jobError")?;
                // The worker's own, as in Camunda's connector runtime.
                variables.remove("error");
                variables
            },
            message: message("jobError", &members)?
                .filter(|message| !message.trim().is_empty())
                .ok_or("returned jobError with a wrong argument: the message is missing or empty")?,
            retries: retries(members.get("retries").map(|given| &**given))?,
            back_off: back_off(members.get("retryBackoff").map(|given| &**given), random)?,
        }),
        "ignoreError" => Ok(Said::IgnoreError {
            variables: own("ignoreError")?,
        }),
        _ => Err(none()),
    }
}

/// A context as variables, or why its members cannot be written. None: it is no context.
fn variables(json: &RawValue) -> Option<Result<Variables, String>> {
    let variables: Variables = serde_json::from_str(json.get()).ok()?;
    if let Some(reserved) = [ATTEMPT, OUTCOME]
        .into_iter()
        .find(|name| variables.contains_key(*name))
    {
        return Some(Err(format!(
            "returned a variable named `{reserved}`, which is reserved for the worker"
        )));
    }
    let bytes = json.get().len();
    if bytes > MOST {
        return Some(Err(format!(
            "returned variables of {bytes} bytes, more than the {MOST} that fit into a job"
        )));
    }
    Some(Ok(variables))
}

fn message(function: &str, members: &Variables) -> Result<Option<String>, String> {
    match members.get("errorMessage") {
        None => Ok(None),
        Some(given) => {
            let given = text(given).ok_or_else(|| {
                format!(
                    "returned {function} with a wrong argument: the message must be a string, not {}",
                    shown(given)
                )
            })?;
            Ok(Some(given.replace('\0', "\u{fffd}")))
        }
    }
}

/// Below 0 counts as 0, as in Camunda's connector runtime.
fn retries(given: Option<&RawValue>) -> Result<u32, String> {
    let Some(given) = given else {
        return Ok(0);
    };
    let number = serde_json::from_str::<f64>(given.get())
        .ok()
        .filter(|number| number.fract() == 0.0);
    let number = number.ok_or_else(|| {
        format!(
            "returned jobError with a wrong argument: the retries must be a whole number, not {}",
            shown(given)
        )
    })?;
    match number <= 0.0 {
        true => Ok(0),
        false => Ok(format!("{number:.0}").parse().unwrap_or(u32::MAX)),
    }
}

fn back_off(given: Option<&RawValue>, random: f64) -> Result<Duration, String> {
    #[derive(Deserialize)]
    struct Marked {
        #[serde(rename = "flowStarterBackoff")]
        back_off: BackOff,
    }
    let Some(given) = given else {
        return Ok(Duration::ZERO);
    };
    if given.get().contains(BACK_OFF) {
        let marked: Marked = serde_json::from_str(given.get())
            .map_err(|_| "returned jobError with a wrong argument: the back-off is unreadable".to_owned())?;
        return marked.back_off.delay(random);
    }
    let wrong = |why: &str| {
        format!(
            "returned jobError with a wrong argument: the back-off must be a duration, for example duration(\"PT30S\"), not {}{why}",
            shown(given)
        )
    };
    let text = text(given).ok_or_else(|| wrong(""))?;
    match retry_back_off(&text) {
        Ok(Some(length)) => Ok(length),
        Ok(None) => Err(wrong("")),
        Err(why) => Err(wrong(&format!(": {why}"))),
    }
}

/// A name that FEEL does not know, or a call with the wrong number of arguments: the result is then null, as if there were no error.
fn missing_function(warnings: &[String]) -> Option<String> {
    let warning = warnings.iter().find(|warning| warning.contains("No function found"))?;
    Some(format!(
        "calls a function that does not exist, or with the wrong number of arguments ({})",
        cut(warning, SHOWN)
    ))
}

fn text(json: &RawValue) -> Option<String> {
    match serde_json::from_str(json.get()) {
        Ok(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn shown(json: &RawValue) -> String {
    format!("`{}`", cut(json.get(), SHOWN))
}
