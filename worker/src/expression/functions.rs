//! The functions that Camunda's connector runtime adds to FEEL, as FEEL.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// Marks what `backoff` gives: the worker computes the delay, because FEEL multiplies durations by whole numbers only.
pub(super) const BACK_OFF: &str = "flowStarterBackoff";

/// A function's name, its parameters in one of its overloads, and its body.
type Definition = (&'static str, &'static [&'static str], &'static str);

/// Overloads differ in the number of their parameters. Those of the same number differ in their names: the runtime's own, and the
/// documentation's, because an author may name arguments by either.
const DEFINITIONS: &[Definition] = &[
    (
        "bpmnError",
        &["errorCode"],
        r#"{errorType: "bpmnError", errorCode: errorCode}"#,
    ),
    (
        "bpmnError",
        &["errorCode", "errorMessage"],
        r#"{errorType: "bpmnError", errorCode: errorCode, errorMessage: errorMessage}"#,
    ),
    (
        "bpmnError",
        &["errorCode", "errorMessage", "variables"],
        r#"{errorType: "bpmnError", errorCode: errorCode, errorMessage: errorMessage, variables: variables}"#,
    ),
    ("bpmnError", &["code"], r#"{errorType: "bpmnError", errorCode: code}"#),
    (
        "bpmnError",
        &["code", "message"],
        r#"{errorType: "bpmnError", errorCode: code, errorMessage: message}"#,
    ),
    (
        "bpmnError",
        &["code", "message", "variables"],
        r#"{errorType: "bpmnError", errorCode: code, errorMessage: message, variables: variables}"#,
    ),
    (
        "jobError",
        &["errorMessage"],
        r#"{errorType: "jobError", errorMessage: errorMessage}"#,
    ),
    (
        "jobError",
        &["errorMessage", "variables"],
        r#"{errorType: "jobError", errorMessage: errorMessage, variables: variables}"#,
    ),
    (
        "jobError",
        &["errorMessage", "variables", "retries"],
        r#"{errorType: "jobError", errorMessage: errorMessage, variables: variables, retries: retries}"#,
    ),
    (
        "jobError",
        &["errorMessage", "variables", "retries", "retryBackoff"],
        r#"{errorType: "jobError", errorMessage: errorMessage, variables: variables, retries: retries, retryBackoff: retryBackoff}"#,
    ),
    (
        "jobError",
        &["message"],
        r#"{errorType: "jobError", errorMessage: message}"#,
    ),
    (
        "jobError",
        &["message", "variables"],
        r#"{errorType: "jobError", errorMessage: message, variables: variables}"#,
    ),
    (
        "jobError",
        &["message", "variables", "retries"],
        r#"{errorType: "jobError", errorMessage: message, variables: variables, retries: retries}"#,
    ),
    (
        "jobError",
        &["message", "variables", "retries", "timeout"],
        r#"{errorType: "jobError", errorMessage: message, variables: variables, retries: retries, retryBackoff: timeout}"#,
    ),
    ("ignoreError", &[], r#"{errorType: "ignoreError"}"#),
    (
        "ignoreError",
        &["variables"],
        r#"{errorType: "ignoreError", variables: variables}"#,
    ),
    ("backoff", &["attempt"], r#"{flowStarterBackoff: {attempt: attempt}}"#),
    (
        "backoff",
        &["attempt", "minDelay"],
        r#"{flowStarterBackoff: {attempt: attempt, minDelay: minDelay}}"#,
    ),
    (
        "backoff",
        &["attempt", "minDelay", "factor"],
        r#"{flowStarterBackoff: {attempt: attempt, minDelay: minDelay, factor: factor}}"#,
    ),
    (
        "backoff",
        &["attempt", "minDelay", "factor", "maxDelay"],
        r#"{flowStarterBackoff: {attempt: attempt, minDelay: minDelay, factor: factor, maxDelay: maxDelay}}"#,
    ),
    (
        "backoff",
        &["attempt", "minDelay", "factor", "maxDelay", "jitterFactor"],
        r#"{flowStarterBackoff: {attempt: attempt, minDelay: minDelay, factor: factor, maxDelay: maxDelay, jitterFactor: jitterFactor}}"#,
    ),
];

static PREFIX: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::from("={");
    for (name, parameters, body) in DEFINITIONS {
        // Writing to a String cannot fail.
        let _written = write!(text, "{name}: function({}) {body}, ", parameters.join(", "));
    }
    text.push_str("result: (\n");
    text
});

/// The line breaks keep a comment at the end of the expression from hiding the bracket.
pub(super) fn around(expression: &str) -> String {
    format!("{}{expression}\n)}}.result", *PREFIX)
}
