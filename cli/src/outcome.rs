//! Shows the outcome of a call, as text or JSON.

use flow_starter_host::egress::{Progress, Purpose, RequestRecord};
use flow_starter_host::input::Mask;
use flow_starter_host::{ErrorKind, FlowResponse, FlowState, TriggerError};
use serde_json::{Value, json};

use crate::advice;
use crate::terminal::{Page, Tone, with_member};

/// A success as text, with a masked body, since others may see it.
pub(crate) fn started(answer: &str, mask: &Mask, colours: bool) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let mut page = Page::new(colours);
    page.row("flow", "started", Tone::Good);
    let member = |name: &str| answer.get(name).filter(|value| !value.is_null());
    let shown = |value: &Value| mask.text(value.to_string());
    if let Some(status) = member("status") {
        page.row("status", &shown(status), Tone::Plain);
    }
    for (name, title) in [("executionId", "execution id"), ("sysId", "sys id")] {
        if let Some(id) = member(name).and_then(Value::as_str) {
            page.row(title, &mask.text(id.to_owned()), Tone::Bold);
        }
    }
    if let Some(body) = member("body") {
        page.row("body", &shown(body), Tone::Plain);
    }
    page.into_text()
}

/// An error as text. The library has masked it.
pub(crate) fn failed(error: &TriggerError, requests: &[RequestRecord], colours: bool) -> String {
    let mut page = Page::new(colours);
    page.row("flow", error.flow.as_str(), Tone::Bad);
    page.row("error", error.kind.as_str(), Tone::Plain);
    page.row("retry", &retry(error), Tone::Plain);
    for request in requests {
        page.row("request", &request.to_string(), Tone::Plain);
    }
    page.line("");
    page.line(&error.message);
    if let Some(to_do) = advice::of_call(requests) {
        page.line(&format!("To do: {to_do}"));
    }
    page.into_text()
}

fn retry(error: &TriggerError) -> String {
    match (error.flow, error.retryable, error.retry_after_ms) {
        (_, true, Some(ms)) => format!("yes, after {} s", f64::from(ms) / 1000.0),
        (_, true, None) => "yes, later".to_owned(),
        (FlowState::NotStarted, false, _) => match error.kind {
            ErrorKind::InvalidInput => "no; fix the input first".to_owned(),
            _ => "no; fix the cause first".to_owned(),
        },
        (FlowState::Unknown, false, _) => "no; look in ServiceNow first".to_owned(),
        (FlowState::Started, false, _) => "no".to_owned(),
    }
}

/// An error as JSON: the response has the shape of a success, with numbers and member order unchanged.
pub(crate) fn error_json(error: &TriggerError, requests: &[RequestRecord]) -> String {
    let response = error.response.as_ref().map(FlowResponse::to_json);
    let error = with_member(
        &error_members(error, requests).to_string(),
        "response",
        response.as_deref().unwrap_or("null"),
    );
    let requests = Value::from_iter(requests.iter().map(request_json));
    with_member(&with_member("{}", "error", &error), "requests", &requests.to_string())
}

/// The members of an error without its response.
fn error_members(error: &TriggerError, requests: &[RequestRecord]) -> Value {
    json!({
        "kind": error.kind.as_str(),
        "message": error.message,
        "flow": error.flow.as_str(),
        "retryable": error.retryable,
        "retryAfterMs": error.retry_after_ms,
        "fix": advice::of_call(requests),
    })
}

fn request_json(request: &RequestRecord) -> Value {
    let (progress, status) = match request.progress {
        Progress::Denied => ("denied", None),
        Progress::Unsent => ("unsent", None),
        Progress::Sent => ("sent", None),
        Progress::Answered(status) => ("answered", Some(status)),
    };
    json!({
        "purpose": purpose(request.purpose),
        "method": request.method,
        "url": request.url,
        "progress": progress,
        "status": status,
        "stopped": request.stopped.as_ref().map(|stop| stop.to_string()),
    })
}

pub(crate) fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Flow => "flow",
        Purpose::Token => "token",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> TriggerError {
        TriggerError {
            kind: ErrorKind::RateLimited,
            message: "It said ***.".to_owned(),
            flow: FlowState::NotStarted,
            retryable: true,
            retry_after_ms: Some(1500),
            response: Some(FlowResponse {
                status: 429,
                headers: ["a", "b", "c"].map(|value| ("x".to_owned(), value.to_owned())).to_vec(),
                body: "[\"***\"]".to_owned(),
                execution_id: None,
                sys_id: None,
            }),
        }
    }

    fn mask() -> Mask {
        let mut mask = Mask::default();
        mask.add("pass-word");
        mask
    }

    #[test]
    fn an_error_is_json_in_the_shape_of_a_success() {
        let json: Value = serde_json::from_str(&error_json(&error(), &[])).unwrap();
        assert_eq!(
            json,
            json!({
                "error": {
                    "kind": "rate-limited",
                    "message": "It said ***.",
                    "flow": "not-started",
                    "retryable": true,
                    "retryAfterMs": 1500,
                    "response": {
                        "status": 429,
                        "reason": "Too Many Requests",
                        "headers": {"x": ["a", "b", "c"], "X": ["a", "b", "c"]},
                        "body": ["***"],
                        "executionId": null,
                        "sysId": null,
                    },
                    "fix": null,
                },
                "requests": [],
            })
        );
    }

    #[test]
    fn a_response_keeps_its_numbers_and_the_order_of_its_members() {
        let mut error = error();
        let body = r#"{"z":1.10,"a":12345678901234567890123}"#;
        error.response.as_mut().unwrap().body = body.to_owned();
        assert!(error_json(&error, &[]).contains(body));
    }

    #[test]
    fn the_output_says_when_to_retry() {
        let text = failed(&error(), &[], false);
        assert!(text.contains("  retry         yes, after 1.5 s\n"), "{text}");
        assert!(text.ends_with("\nIt said ***.\n"), "{text}");
    }

    #[test]
    fn a_success_is_shown_without_the_credentials_that_it_echoes() {
        let answer =
            r#"{"status":200,"headers":{},"body":{"echo":"pass-word\u001b"},"executionId":"abc","sysId":null}"#;
        assert_eq!(
            started(answer, &mask(), false),
            "  flow          started\n  status        200\n  execution id  abc\n  body          {\"echo\":\"***\\u001b\"}\n"
        );
    }
}
