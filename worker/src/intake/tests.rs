use std::collections::BTreeMap;

use super::*;

fn variables(members: &[(&str, &str)]) -> Variables {
    let members = members.iter().map(|(name, json)| {
        let json = RawValue::from_string((*json).to_owned()).unwrap();
        ((*name).to_owned(), json)
    });
    Variables::new(members.collect())
}

fn job(headers: &[(&str, &str)]) -> Job {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Job {
        key: "1".to_owned(),
        job_type: "servicenow-flow-starter:1".to_owned(),
        retries: Some(3),
        headers: BTreeMap::from_iter(headers),
        variables: Variables::default(),
        process_instance_key: "2".to_owned(),
        process_id: "a-process".to_owned(),
        element_id: "a-task".to_owned(),
        element_instance_key: "3".to_owned(),
        tenant: None,
        lease: None,
    }
}

#[test]
fn the_input_keeps_its_numbers_and_leaves_other_variables_out() {
    let variables = variables(&[
        ("method", r#""POST""#),
        ("body", r#"{"n":1.10,"big":12345678901234567890123}"#),
        ("flowStarterAttempt", "{}"),
        ("other", "1"),
    ]);
    assert_eq!(
        input(&variables),
        r#"{"body":{"n":1.10,"big":12345678901234567890123},"method":"POST"}"#
    );
}

#[test]
fn an_attempt_that_cannot_be_read_is_still_an_attempt() {
    let read = |json: &str| attempt(&variables(&[(ATTEMPT, json)])).map(|id| id.as_str().to_owned());
    assert_eq!(read(r#"{"id":"a-1","worker":"w"}"#).as_deref(), Some("a-1"));
    assert_eq!(read("null"), None);
    assert_eq!(attempt(&Variables::default()), None);
    for odd in ["17", "{}", r#"{"id":3}"#, r#""text""#, "false"] {
        assert_eq!(read(odd).as_deref(), Some(odd));
    }
}

#[test]
fn an_outcome_that_cannot_be_read_is_none() {
    let read = |json: &str| outcome(&variables(&[(OUTCOME, json)]));
    let reported = read(r#"{"attempt":"a","state":"reported","retries":2}"#).unwrap();
    assert_eq!((reported.state, reported.retries), (OutcomeState::Reported, Some(2)));
    assert!(reported.response.is_none());
    let answered = read(r#"{"attempt":"a","state":"answered","response":{"status":200}}"#).unwrap();
    assert_eq!(answered.response.unwrap().json().get(), r#"{"status":200}"#);
    assert!(
        read(r#"{"attempt":"a","state":"answered"}"#)
            .unwrap()
            .response
            .is_some()
    );
    for odd in [
        "null",
        "1",
        "{}",
        r#"{"attempt":"a","state":"done"}"#,
        r#"{"state":"retry"}"#,
    ] {
        assert!(read(odd).is_none(), "{odd}");
    }
}

#[test]
fn headers_are_read_and_blank_is_absent() {
    let read = settings(&job(&[
        ("resultVariable", " snResult "),
        ("retryBackoff", "PT0S"),
        ("jobTimeout", ""),
        ("onUnknown", "bpmnError"),
        ("errorExpression", " "),
    ]))
    .unwrap();
    assert_eq!(read.result_variable.as_deref(), Some("snResult"));
    assert_eq!(read.task.on_unknown, OnUnknown::BpmnError);
    assert_eq!((read.job_timeout, read.expressions), (None, Expressions::default()));
    let none = settings(&job(&[("resultVariable", "  ")])).unwrap();
    assert_eq!(none.result_variable, None);
}

#[test]
fn a_wrong_header_hides_neither_result_variable_nor_expression() {
    let job = job(&[
        ("retryBackoff", "5m"),
        ("resultVariable", "snResult"),
        ("resultExpression", "={a: 1}"),
    ]);
    assert!(settings(&job).is_err());
    let kept = what_an_answer_needs(&job);
    assert_eq!(kept.result_variable.as_deref(), Some("snResult"));
    assert_eq!(kept.expressions.result, Expression::read("={a: 1}"));
}

#[test]
fn a_header_that_cannot_be_read_is_named_with_its_value() {
    for (name, value) in [
        ("retryBackoff", "P1Y"),
        ("retryBackoff", "5m"),
        ("jobTimeout", "PT0S"),
        ("jobTimeout", "-PT5S"),
        ("onUnknown", "ignore"),
        ("resultVariable", "flowStarterOutcome"),
    ] {
        let what = settings(&job(&[(name, value)])).unwrap_err();
        assert!(what.contains(&format!("`{name}` has the value `{value}`")), "{what}");
    }
}
