use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Expression;
use super::context::{integer_beyond_64_bits, of_error, of_response, of_success};
use super::result::{Said, of_error_expression, of_result_expression};

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn value(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).unwrap()
}

fn said(json: &str) -> Result<Said, String> {
    of_error_expression(&raw(json), &[], 0.5)
}

#[test]
fn an_expression_is_read_without_its_sign_and_white_space() {
    for (header, alone) in [
        ("=a", "=a"),
        (" = a + b\n", "=a + b"),
        ("a", "=a"),
        ("==a", "==a"),
        ("=", "="),
    ] {
        assert_eq!(Expression::read(header).unwrap().alone(), alone, "{header:?}");
    }
    for blank in ["", " ", "\n"] {
        assert_eq!(Expression::read(blank), None);
    }
}

#[test]
fn a_wrapped_expression_stands_on_lines_of_its_own() {
    let wrapped = Expression::read("= {a: 1} // why").unwrap().wrapped();
    assert!(wrapped.starts_with("={bpmnError: function(errorCode) {"), "{wrapped}");
    assert!(wrapped.ends_with("result: (\n{a: 1} // why\n)}.result"), "{wrapped}");
}

#[test]
fn a_result_expression_sees_the_responses_members_and_the_response() {
    let response = raw(r#"{"status":200,"body":{"n":1.10},"job":1,"response":2}"#);
    assert_eq!(
        of_response(&response).get(),
        r#"{"body":{"n":1.10},"job":1,"status":200,"response":{"status":200,"body":{"n":1.10},"job":1,"response":2}}"#
    );
}

#[test]
fn an_error_expression_sees_the_response_and_the_variables_of_the_result() {
    let (response, id, state) = (raw(r#"{"status":200,"job":1}"#), raw("7"), raw(r#""rejected""#));
    let outputs = [("id", &*id), ("status", &*state)].into_iter().collect();
    let seen = value(&of_success(&response, &outputs, 3));
    assert_eq!(
        seen,
        serde_json::json!({
            "id": 7, "status": "rejected", "job": {"retries": 3}, "response": {"id": 7, "status": 200, "job": 1}
        })
    );
}

#[test]
fn an_error_expression_sees_the_error_twice() {
    let seen = value(&of_error(&raw(r#"{"code":"404"}"#), 0));
    assert_eq!(
        seen,
        serde_json::json!({"error": {"code": "404"}, "response": {"error": {"code": "404"}}, "job": {"retries": 0}})
    );
}

#[test]
fn an_integer_that_the_engine_would_change_is_found() {
    for (json, found) in [
        (r#"{"a":[1,-9223372036854775808,9223372036854775807]}"#, None),
        (r#"{"a":9223372036854775808}"#, Some("9223372036854775808")),
        (r#"[-9223372036854775809]"#, Some("-9223372036854775809")),
        (
            r#"{"99999999999999999999":"99999999999999999999\"99999999999999999999"}"#,
            None,
        ),
        (r#"[99999999999999999999.0,1e99]"#, None),
        ("99999999999999999999", Some("99999999999999999999")),
    ] {
        assert_eq!(integer_beyond_64_bits(&raw(json)), found, "{json}");
    }
}

#[test]
fn a_result_expression_gives_a_context_or_nothing() {
    let variables = of_result_expression(&raw(r#"{"a":1.10,"b":null}"#), &[]).unwrap();
    assert_eq!((variables["a"].get(), variables["b"].get()), ("1.10", "null"));
    assert!(of_result_expression(&raw("null"), &[]).unwrap().is_empty());
    for other in ["1", r#""text""#, "[1]", "true"] {
        let why = of_result_expression(&raw(other), &[]).unwrap_err();
        assert_eq!(why, format!("returned `{other}`, and must return a context"));
    }
    let why = of_result_expression(&raw(r#"{"flowStarterAttempt":1}"#), &[]).unwrap_err();
    assert!(why.contains("`flowStarterAttempt`"), "{why}");
}

#[test]
fn null_and_an_empty_context_are_no_error() {
    for none in ["null", " null ", "{}"] {
        assert!(matches!(said(none), Ok(Said::Nothing)), "{none}");
    }
}

#[test]
fn a_null_that_a_missing_function_explains_is_a_mistake() {
    let warnings = ["No function found with name 'bmpnError' and 1 parameters".to_owned()];
    let why = of_error_expression(&raw("null"), &warnings, 0.5).unwrap_err();
    assert!(why.contains("bmpnError"), "{why}");
    // What people write for failures looks at `error`, which a success does not have.
    let warnings = [
        "No variable found with name 'error'".to_owned(),
        "Failed to invoke function 'contains': Illegal arguments: List(ValNull, ValString)".to_owned(),
    ];
    assert!(matches!(
        of_error_expression(&raw("null"), &warnings, 0.5),
        Ok(Said::Nothing)
    ));
}

#[test]
fn a_bpmn_error_has_its_code_message_and_variables() {
    let Ok(Said::BpmnError {
        code,
        message,
        variables,
    }) = said(r#"{"errorType":"bpmnError","errorCode":"404","errorMessage":"gone\u0000","variables":{"n":1.10}}"#)
    else {
        panic!("no BPMN error");
    };
    assert_eq!(
        (code.as_str(), message.as_str(), variables["n"].get()),
        ("404", "gone\u{fffd}", "1.10")
    );
    let Ok(Said::BpmnError { message, variables, .. }) =
        said(r#"{"errorType":"bpmnError","errorCode":"404","errorMessage":null,"variables":null}"#)
    else {
        panic!("no BPMN error");
    };
    assert!(message.is_empty() && variables.is_empty());
}

#[test]
fn a_job_error_has_its_defaults() {
    let Ok(Said::JobError {
        message,
        variables,
        retries,
        back_off,
    }) = said(r#"{"errorType":"jobError","errorMessage":"m"}"#)
    else {
        panic!("no job error");
    };
    assert_eq!(
        (message.as_str(), variables.len(), retries, back_off),
        ("m", 0, 0, Duration::ZERO)
    );
    for (given, expected) in [("2", 2), ("2.0", 2), ("-1", 0), ("1e30", u32::MAX), ("null", 0)] {
        let Ok(Said::JobError { retries, back_off, .. }) = said(&format!(
            r#"{{"errorType":"jobError","errorMessage":"m","retries":{given},"retryBackoff":"PT1.5S"}}"#
        )) else {
            panic!("{given}");
        };
        assert_eq!((retries, back_off), (expected, Duration::from_millis(1500)), "{given}");
    }
}

#[test]
fn a_back_off_grows_to_its_limit() {
    let delay = |arguments: &str, random: f64| {
        let json = format!(
            r#"{{"errorType":"jobError","errorMessage":"m","retryBackoff":{{"flowStarterBackoff":{arguments}}}}}"#
        );
        match of_error_expression(&raw(&json), &[], random) {
            Ok(Said::JobError { back_off, .. }) => Ok(back_off),
            Ok(other) => panic!("{other:?}"),
            Err(why) => Err(why),
        }
    };
    let seconds = Duration::from_secs;
    assert_eq!(delay(r#"{"attempt":1}"#, 0.5), Ok(Duration::from_millis(50)));
    assert_eq!(delay(r#"{"attempt":1}"#, 1.0), Ok(Duration::from_millis(55)));
    assert_eq!(delay(r#"{"attempt":100}"#, 0.5), Ok(seconds(5)));
    assert_eq!(
        delay(r#"{"attempt":3,"minDelay":"PT1S","factor":2}"#, 0.5),
        Ok(seconds(4))
    );
    assert_eq!(
        delay(
            r#"{"attempt":3,"minDelay":"PT1S","factor":10,"maxDelay":"PT7S","jitterFactor":0}"#,
            0.1
        ),
        Ok(seconds(7))
    );
    for (wrong, why) in [
        ("{}", "attempt must be a number"),
        (r#"{"attempt":0}"#, "attempt must be 1 or more"),
        (r#"{"attempt":1,"factor":0}"#, "factor"),
        (r#"{"attempt":1,"minDelay":"PT9S"}"#, "minDelay must not be longer"),
        (r#"{"attempt":1,"minDelay":9}"#, "minDelay must be a duration"),
        (r#"{"attempt":1,"jitterFactor":-1}"#, "jitterFactor"),
    ] {
        let said = delay(wrong, 0.5).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn ignore_error_gives_its_variables() {
    let Ok(Said::IgnoreError { variables }) = said(r#"{"errorType":"ignoreError","variables":{"a":1}}"#) else {
        panic!("no ignoreError");
    };
    assert_eq!(variables["a"].get(), "1");
    assert!(
        matches!(said(r#"{"errorType":"ignoreError"}"#), Ok(Said::IgnoreError { variables }) if variables.is_empty())
    );
}

#[test]
fn everything_else_is_a_mistake() {
    for (json, why) in [
        ("1", "returned `1`"),
        ("false", "returned `false`"),
        (
            r#""404""#,
            "must return bpmnError(…), jobError(…), ignoreError(…) or null",
        ),
        ("[]", "returned `[]`"),
        (r#"{"code":"404"}"#, "returned `{\"code\":\"404\"}`"),
        (r#"{"errorType":"other"}"#, "returned"),
        (r#"{"errorType":7}"#, "returned"),
        (r#"{"errorType":"bpmnError"}"#, "the error code is missing or empty"),
        (
            r#"{"errorType":"bpmnError","errorCode":null}"#,
            "the error code is missing or empty",
        ),
        (
            r#"{"errorType":"bpmnError","errorCode":" "}"#,
            "the error code is missing or empty",
        ),
        (
            r#"{"errorType":"bpmnError","errorCode":404}"#,
            "the error code must be a string, not `404`",
        ),
        (
            r#"{"errorType":"bpmnError","errorCode":"a","errorMessage":1}"#,
            "the message must be a string",
        ),
        (
            r#"{"errorType":"bpmnError","errorCode":"a","variables":[1]}"#,
            "the variables must be a context",
        ),
        (r#"{"errorType":"jobError"}"#, "the message is missing"),
        (
            r#"{"errorType":"jobError","errorMessage":"m","retries":1.5}"#,
            "a whole number",
        ),
        (
            r#"{"errorType":"jobError","errorMessage":"m","retries":"1"}"#,
            "a whole number",
        ),
        (
            r#"{"errorType":"jobError","errorMessage":"m","retryBackoff":5}"#,
            "the back-off must be a duration",
        ),
        (
            r#"{"errorType":"jobError","errorMessage":"m","retryBackoff":null}"#,
            "the back-off must be a duration",
        ),
        (
            r#"{"errorType":"jobError","errorMessage":"m","retryBackoff":"P1Y"}"#,
            "the back-off must be a duration",
        ),
        (
            r#"{"errorType":"jobError","errorMessage":"m","variables":{"flowStarterOutcome":1}}"#,
            "`flowStarterOutcome`",
        ),
    ] {
        let said = said(json).unwrap_err();
        assert!(said.contains(why), "{json}: {said}");
    }
}

#[test]
fn a_long_result_is_shown_shortened() {
    let why = said(&format!("{:?}", "x".repeat(10_000))).unwrap_err();
    assert!(why.len() < 400, "{why}");
}
