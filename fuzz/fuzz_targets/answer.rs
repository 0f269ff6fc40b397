//! Whatever a server answers: a success only where the contract's table has one, and never a credential where a person or a log sees it.

#![no_main]

use flow_starter_input::message::{NOT_STARTED, STARTED, UNKNOWN};
use flow_starter_input::{Authentication, FlowConfig, Mask, Method, output, request};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use servicenow_flow_starter::error::Step;
use servicenow_flow_starter::response;
use servicenow_flow_starter::transport::{Answer, End};
use servicenow_flow_starter::types::{ErrorKind, FlowResponse, FlowState, TriggerError};
use servicenow_flow_starter_fuzz::credentials::Credentials;
use servicenow_flow_starter_fuzz::wire;
use std::cell::RefCell;

const HOST: &str = "acme.service-now.com";
const USER: &str = "camunda";
const PASSWORD: &str = "p\"a/ss wörd";
const API_KEY: &str = "Key-4711";
const COOKIE: &str = "JSESSIONID=ABBAabba";
const TOKEN: &str = "tok.EN_0123456789";

fuzz_target!(|bytes: &[u8]| {
    let answer = wire::answer(bytes);
    let (status, end) = (answer.status, answer.end);
    // The two judge the same bytes, each by its own rows of the table.
    match response::token(wire::answer(bytes)) {
        Ok(token) => {
            assert!(
                matches!(status, 200..=299) && end == End::Whole,
                "a token out of {status} {end:?}"
            );
            assert!(request::is_token(&token.token));
        }
        Err(failure) => CALL.with_borrow(|(mask, credentials)| {
            let error = failure.at(Step::Token, HOST).into_error(mask);
            assert!(
                error.flow == FlowState::NotStarted && error.response.is_none(),
                "{error:?}"
            );
            check_error(&error, credentials);
        }),
    }
    let given = given(&answer);
    CALL.with_borrow(|(mask, credentials)| match response::flow(answer, mask) {
        Ok(response) => {
            assert!(
                matches!(status, 200..=299) && end == End::Whole && (status != 202 || given.result),
                "a success out of {status} {end:?}"
            );
            answered(&response, status, credentials);
            read_by_a_process(&response);
        }
        Err(failure) => {
            let error = failure.at(Step::Flow, HOST).into_error(mask);
            by_the_table(&error, status, end, &given);
            check_error(&error, credentials);
            let response = error.response.as_ref().expect("what was answered");
            answered(response, status, credentials);
            credentials.assert_not_in(&response.body, "the body");
            if end != End::Whole {
                credentials.assert_not_at_the_end_of(&response.body, "the body");
            }
            assert!(response.execution_id.is_none() && response.sys_id.is_none());
        }
    });
});

thread_local! {
    /// One call's mask, with the token that was fetched for it, and what it has to hide.
    static CALL: RefCell<(Mask, Credentials)> = RefCell::new(call());
}

fn call() -> (Mask, Credentials) {
    let mut config = FlowConfig::new(Method::Post, "acme", "/api/sn_cico/flow_starter/my_flow");
    config.headers = vec![
        ("Cookie".to_owned(), COOKIE.into()),
        ("X-API-Key".to_owned(), API_KEY.into()),
    ];
    config.authentication = Authentication::Basic(flow_starter_input::Credentials {
        username: USER.into(),
        password: PASSWORD.into(),
    });
    let mut mask = Mask::of_config(&config);
    mask.add(TOKEN);
    let mut credentials = Credentials::default();
    [PASSWORD, API_KEY, COOKIE, TOKEN]
        .into_iter()
        .for_each(|secret| credentials.add(secret));
    credentials.add_pair(USER, PASSWORD);
    (mask, credentials)
}

/// What the table asks of an answer beside its status.
struct Given {
    says_no_resource: bool,
    asks_to_wait: bool,
    /// It could be ServiceNow's error envelope.
    object: bool,
    /// It could be ServiceNow's error envelope, at its end.
    reports_a_failure: bool,
    /// It could be markup.
    markup: bool,
    compressed: bool,
    /// It could have a result.
    result: bool,
}

fn given(answer: &Answer) -> Given {
    let body = String::from_utf8_lossy(&answer.body);
    let text = serde_json::from_str(body.trim_start_matches('\u{feff}')).map(|value: Value| value.to_string());
    Given {
        says_no_resource: text
            .as_ref()
            .map_or(&*body, |text| text)
            .contains("does not represent any resource"),
        asks_to_wait: answer
            .header("retry-after")
            .is_some_and(|value| value.iter().any(u8::is_ascii_digit)),
        object: body.contains('{'),
        reports_a_failure: body.contains('{') && body.trim_end().ends_with('}'),
        markup: body.contains('<'),
        compressed: answer.header("content-encoding").is_some(),
        result: body.contains('{'),
    }
}

/// The contract's table, for a flow's request whose status came.
fn by_the_table(error: &TriggerError, status: u16, end: End, given: &Given) {
    use ErrorKind as Kind;
    use FlowState::{NotStarted, Started, Unknown};
    let row = (error.kind, error.flow, error.retryable);
    let unconfirmed = (Kind::Unconfirmed, Unknown, false);
    let allowed = match status {
        202 => row == unconfirmed,
        200..=299 => {
            row == (Kind::NotServicenow, NotStarted, false)
                || (given.reports_a_failure || given.markup) && row == unconfirmed
                || row
                    == match end {
                        End::Whole => (Kind::Protocol, Started, false),
                        End::Cut => (Kind::ConnectionLost, Started, false),
                        End::Silent => (Kind::ReadTimeout, Started, false),
                        End::TooLarge => (Kind::ResponseTooLarge, Started, false),
                    }
                    && (end != End::Whole || given.compressed)
        }
        303 => row == (Kind::Redirected, Unknown, false),
        408 => row == unconfirmed,
        425 => row == (Kind::Rejected, NotStarted, true),
        300..=399 => row == (Kind::Redirected, NotStarted, false),
        401 => row == (Kind::Unauthorized, NotStarted, false),
        403 => row == (Kind::Forbidden, NotStarted, false),
        404 => row == (Kind::NotFound, NotStarted, false),
        400 => {
            row == (Kind::Rejected, NotStarted, false)
                || given.says_no_resource && row == (Kind::NotFound, NotStarted, false)
        }
        429 => row == (Kind::RateLimited, NotStarted, true),
        400..=499 => row == (Kind::Rejected, NotStarted, false),
        503 => {
            row == (Kind::Unavailable, Unknown, false)
                || (given.asks_to_wait || given.object) && row == (Kind::Unavailable, NotStarted, true)
        }
        500..=599 => row == (Kind::ServerError, Unknown, false),
        _ => row == (Kind::Protocol, Unknown, false),
    };
    assert!(allowed, "{status} {end:?} is no {row:?}");
    assert!(
        error.retry_after_ms.is_none() || matches!(status, 429 | 503),
        "{error:?}"
    );
    let sentence = match error.flow {
        NotStarted => NOT_STARTED,
        Started => STARTED,
        Unknown => UNKNOWN,
    };
    assert!(error.message.ends_with(sentence), "{}", error.message);
}

/// What a person reads.
fn check_error(error: &TriggerError, credentials: &Credentials) {
    credentials.assert_not_in(&error.message, "the message");
    assert!(
        !error.message.contains(char::is_control),
        "no single line: {:?}",
        error.message
    );
    assert!(
        error.message.chars().count() < 2000,
        "a long message: {}",
        error.message
    );
}

fn answered(response: &FlowResponse, status: u16, credentials: &Credentials) {
    assert_eq!(response.status, status);
    for (name, value) in &response.headers {
        assert!(
            !name.starts_with("set-cookie") || !matches!(&name[10..], "" | "2"),
            "a cookie: {value}"
        );
        assert!(
            !name.contains(|c: char| c.is_ascii_uppercase()),
            "not in lower case: {name}"
        );
        credentials.assert_not_in(value, "a header");
    }
}

/// The JSON door's answer, as serde_json reads it.
fn read_by_a_process(response: &FlowResponse) {
    let text = output::json(output::Response {
        status: response.status,
        headers: &response.headers,
        body: &response.body,
        execution_id: response.execution_id.as_deref(),
        sys_id: response.sys_id.as_deref(),
    });
    let read: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read["status"], response.status);
    assert_eq!(read["reason"], output::reason(response.status));
    assert_eq!(read["executionId"].as_str(), response.execution_id.as_deref());
    assert_eq!(read["sysId"].as_str(), response.sys_id.as_deref());
    let mut count = 0;
    for (name, value) in read["headers"].as_object().expect("an object of headers") {
        if name.contains(|c: char| c.is_ascii_uppercase()) {
            assert_eq!(read["headers"][name.to_ascii_lowercase()], *value, "{name}");
        } else {
            count += value.as_array().map_or(1, Vec::len);
            assert_eq!(read["headers"][output::spelling(name)], *value, "{name}");
        }
    }
    assert_eq!(count, response.headers.len(), "a header is lost or made: {text}");
    match &read["body"] {
        Value::String(body) => assert_eq!(*body, response.body),
        Value::Null => assert!(response.body.trim().is_empty(), "a body is lost: {}", response.body),
        value => assert_eq!(serde_json::from_str::<Value>(&response.body).ok().as_ref(), Some(value)),
    }
}
