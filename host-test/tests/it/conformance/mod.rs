//! The table of cases (`conformance/*.json`) in our own host: over HTTPS, against a stand-in of each case's making.

mod table;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use flow_starter_host::egress::Progress;
use flow_starter_host::{ErrorKind, FlowState, Outcome, TriggerError};
use flow_starter_input::request::PLACEHOLDER;
use host_test::conformance::{self, Case, ExpectedAnswer, ExpectedError, ExpectedId, Sent};
use host_test::rig::Rig;
use serde_json::Value;
use servicenow_stand_in::{Instance, Recorded, Start};

/// No case waits longer than half a second; a slow machine may.
const LONGEST: Duration = Duration::from_secs(15);

/// Where the cases let tokens be asked for.
const TOKEN_ENDPOINT: &str = "/oauth_token.do";

#[test]
fn every_answer_is_what_the_contract_says() {
    every_case_of("answers");
}

#[test]
fn every_authentication_is_sent_as_servicenow_takes_it() {
    every_case_of("authentication");
}

#[test]
fn bad_input_is_refused_with_a_sentence_and_nothing_is_sent() {
    every_case_of("refusals");
}

#[test]
fn every_request_is_the_one_that_was_asked_for() {
    every_case_of("requests");
}

#[test]
fn no_case_stands_twice() {
    let (mut names, mut deeds) = (BTreeSet::new(), BTreeSet::new());
    for (file, _) in conformance::FILES {
        for case in conformance::cases(file, "127.0.0.1:8080").unwrap() {
            assert_ne!(
                case.answer.is_some(),
                case.error.is_some(),
                "{} expects both or nothing",
                case.name
            );
            let deed = format!("{} {:?}", case.input().unwrap(), case.server);
            assert!(deeds.insert(deed), "{} does what another case does", case.name);
            assert!(names.insert(case.name.clone()), "{} stands twice", case.name);
        }
    }
}

/// The example names no instance, so that it calls nobody's; the cases need one.
#[test]
fn the_cases_change_the_example_for_the_stand_ins_instance() {
    let example = include_str!("../../../../examples/flow.json");
    let mut example: Value = serde_json::from_str(example).unwrap();
    assert_eq!(example["snInstance"], PLACEHOLDER);
    example["snInstance"] = Value::from("acme");
    let base: Value = serde_json::from_str(conformance::BASE).unwrap();
    assert_eq!(example, base);
}

fn every_case_of(file: &str) {
    let rig = Rig::start(Instance::demo()).unwrap();
    let cases = conformance::cases(file, &rig.stand_in.http_addr().to_string()).unwrap();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            // The rig panics where a credential comes out: that too is this case's failure and no other's.
            let played = catch_unwind(AssertUnwindSafe(|| play(&rig, case)));
            let failed = played.unwrap_or_else(|panic| Err(panic_text(&*panic))).err()?;
            Some(format!("{}: {failed}", case.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// Plays a case and says what was not as it must be.
fn play(rig: &Rig, case: &Case) -> Result<(), String> {
    let stand_in = &rig.stand_in;
    stand_in.behave_well();
    stand_in.clear();
    for (path, behaviour) in &case.server {
        stand_in.behave(path, behaviour.clone());
    }
    let input = case.input().map_err(|error| error.to_string())?;
    let begun = Instant::now();
    let outcome = rig.execute(&input);
    let took = begun.elapsed();
    let (requests, starts) = (stand_in.requests(), stand_in.starts());
    match (&case.answer, &case.error) {
        (Some(expected), _) => check_answer(expected, &outcome, starts.last())?,
        (_, Some(expected)) => {
            let error = outcome.result.as_ref().err().ok_or("it is a success")?;
            check_error(expected, error)?;
            check_nothing_of_the_input_is_told(&input, error)?;
            check_the_flow_state(error, &requests, &starts)?;
        }
        _ => return Err("the case expects nothing".to_owned()),
    }
    same("requests", requests.len(), case.requests)?;
    same("starts", starts.len(), case.starts())?;
    // The host's own record and the server's must agree.
    let left = outcome
        .requests
        .iter()
        .filter(|it| matches!(it.progress, Progress::Sent | Progress::Answered(_)));
    same("requests in the host's record", left.count(), case.requests)?;
    check_sent(case.sent_for_token.as_ref(), requests.first())
        .map_err(|what| format!("to the token endpoint: {what}"))?;
    check_sent(case.sent.as_ref(), requests.last())?;
    if took > LONGEST {
        Err(format!("it took {took:?}"))
    } else {
        Ok(())
    }
}

/// Who is right about the flow: the server knows what it had and what it did.
fn check_the_flow_state(error: &TriggerError, requests: &[Recorded], starts: &[Start]) -> Result<(), String> {
    let arrived = requests
        .iter()
        .any(|request| request.complete && request.path() != TOKEN_ENDPOINT);
    let refused = error.response.as_ref().is_some_and(|it| match it.status {
        202 | 303 | 408 => false,
        300..=499 | 503 => true,
        _ => error.kind == ErrorKind::NotServicenow,
    });
    let wrong = match error.flow {
        FlowState::NotStarted if !starts.is_empty() => "a flow was started, and the error says that none was",
        FlowState::NotStarted if arrived && !refused => {
            "the whole request arrived and was not refused, and the error says that no flow was started"
        }
        FlowState::Started
            if !requests
                .iter()
                .any(|request| matches!(request.answered, Some(200..=299))) =>
        {
            "no 2xx was sent, and the error says that a flow was started"
        }
        _ => return Ok(()),
    };
    Err(wrong.to_owned())
}

fn check_sent(sent: Option<&Sent>, request: Option<&Recorded>) -> Result<(), String> {
    let Some(sent) = sent else { return Ok(()) };
    let request = request.ok_or("nothing was sent")?;
    if let Some(method) = &sent.method {
        same("method", &request.method, method)?;
    }
    if let Some(target) = &sent.target {
        same("target", &request.target, target)?;
    }
    if let Some(body) = &sent.body {
        same("body", &String::from_utf8_lossy(&request.body).into_owned(), body)?;
    }
    for (name, value) in &sent.headers {
        check_header(name, request.header(name), value)?;
    }
    Ok(())
}

/// A value, a list for repeats, or null for none.
fn check_header<'a>(name: &str, found: impl Iterator<Item = &'a str>, must: &Value) -> Result<(), String> {
    let must: Vec<&str> = match must {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    };
    same(&format!("header {name}"), found.collect(), must)
}

fn check_answer(expected: &ExpectedAnswer, outcome: &Outcome<String>, start: Option<&Start>) -> Result<(), String> {
    let json = outcome
        .result
        .as_ref()
        .map_err(|error| format!("it failed: {} {} {error}", error.kind, error.flow))?;
    let answer: Value = serde_json::from_str(json).map_err(|error| format!("no JSON: {error}"))?;
    same("status", &answer["status"], &Value::from(expected.status))?;
    if let Some(reason) = &expected.reason {
        same("reason", answer["reason"].as_str(), Some(reason))?;
    }
    if let Some(body) = &expected.body {
        same("body", &answer["body"], body)?;
    }
    for (name, value) in &expected.headers {
        same(&format!("header {name}"), &answer["headers"][name], value)?;
    }
    let id = |given: &Option<String>, flavour: ExpectedId| match given {
        _ if expected.execution_id.is_some() || expected.sys_id.is_some() => Value::from(given.clone()),
        _ => Value::from(start.filter(|_| expected.id == flavour).map(|start| start.id.as_str())),
    };
    same(
        "executionId",
        &answer["executionId"],
        &id(&expected.execution_id, ExpectedId::ExecutionId),
    )?;
    same("sysId", &answer["sysId"], &id(&expected.sys_id, ExpectedId::SysId))
}

fn check_error(expected: &ExpectedError, error: &TriggerError) -> Result<(), String> {
    let message = &error.message;
    same("kind", error.kind.as_str(), expected.kind.as_str()).map_err(|what| format!("{what} ({message})"))?;
    same("flow", error.flow.as_str(), expected.flow.as_str())?;
    same("retryable", error.retryable, expected.retryable)?;
    same("retry-after-ms", error.retry_after_ms, expected.retry_after_ms)?;
    same("status", error.response.as_ref().map(|it| it.status), expected.status)?;
    let (headers, body) = error
        .response
        .as_ref()
        .map(|it| (it.headers.as_slice(), it.body.as_str()))
        .unwrap_or_default();
    if let Some(expected) = &expected.body {
        same("body", body, expected.as_str())?;
    }
    for (name, value) in &expected.headers {
        let found = headers
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_str());
        check_header(name, found, value)?;
    }
    for part in &expected.says {
        if !message.contains(part.as_str()) {
            return Err(format!("the message does not say {part:?}: {message}"));
        }
    }
    for part in expected.unsaid.iter().chain(&expected.hides) {
        if message.contains(part.as_str()) {
            return Err(format!("the message says {part:?}: {message}"));
        }
    }
    for secret in &expected.hides {
        if format!("{headers:?} {body}").contains(secret.as_str()) {
            return Err(format!("the response shows {secret:?}: {headers:?} {body}"));
        }
    }
    Ok(())
}

/// The contract: of the input a message never holds a body, a header's value or a credential.
fn check_nothing_of_the_input_is_told(input: &str, error: &TriggerError) -> Result<(), String> {
    let input: Value = serde_json::from_str(input).unwrap_or_default();
    // Shorter values (the example's header is `header`) are words of ordinary sentences.
    let mut private = Vec::new();
    for (part, shortest) in [
        ("/headers", 8),
        ("/body", 8),
        ("/authentication/password", 4),
        ("/authentication/token", 4),
        ("/authentication/value", 4),
        ("/authentication/clientSecret", 4),
    ] {
        let mut texts = Vec::new();
        leaves(input.pointer(part).unwrap_or_default(), &mut texts);
        private.extend(texts.into_iter().filter(|text| text.chars().count() >= shortest));
    }
    match private.iter().find(|text| error.message.contains(text.as_str())) {
        Some(text) => Err(format!("the message holds {text:?} of the input: {error}")),
        None => Ok(()),
    }
}

/// The texts and numbers in a value, wherever they stand in it.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| leaves(value, found)),
        Value::Array(items) => items.iter().for_each(|value| leaves(value, found)),
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, must: T) -> Result<(), String> {
    if is == must {
        Ok(())
    } else {
        Err(format!("{what} is {is:?}, not {must:?}"))
    }
}
