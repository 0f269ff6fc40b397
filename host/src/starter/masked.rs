//! An outcome without secrets: all of it but the body and the ids of a success, which are the process's.

use crate::component::{FlowResponse, Outcome, TriggerError};
use crate::egress::RequestRecord;
use crate::secrets::{Checked, Mask, quoted, spliced};

/// Of the JSON door.
pub(super) fn json(outcome: Outcome<String>, mask: &Mask) -> Outcome<String> {
    masked(outcome, mask, |json| headers_of_json(json, mask))
}

/// Of the typed door.
pub(super) fn response(outcome: Outcome<FlowResponse>, mask: &Mask) -> Outcome<FlowResponse> {
    masked(outcome, mask, |mut response| {
        headers(&mut response, mask);
        response
    })
}

fn masked<T>(outcome: Outcome<T>, mask: &Mask, success: impl FnOnce(T) -> T) -> Outcome<T> {
    Outcome {
        result: outcome.result.map(success).map_err(|error| failure(error, mask)),
        requests: outcome
            .requests
            .into_iter()
            .map(|request| record(request, mask))
            .collect(),
        mask: mask.clone(),
    }
}

pub(super) fn failure(mut error: TriggerError, mask: &Mask) -> TriggerError {
    replace(&mut error.message, mask);
    if let Some(response) = &mut error.response {
        headers(response, mask);
        replace(&mut response.body, mask);
        for id in [&mut response.execution_id, &mut response.sys_id].into_iter().flatten() {
            replace(id, mask);
        }
    }
    error
}

fn record(mut request: RequestRecord, mask: &Mask) -> RequestRecord {
    replace(&mut request.url, mask);
    if let Some(stop) = &mut request.stopped {
        replace(&mut stop.why, mask);
    }
    request
}

fn headers(response: &mut FlowResponse, mask: &Mask) {
    for (name, value) in &mut response.headers {
        replace(name, mask);
        replace(value, mask);
    }
}

fn replace(text: &mut String, mask: &Mask) {
    *text = mask.text(std::mem::take(text));
}

/// The answer's `headers`, names and values, and every other byte as it was. What is not the contract's JSON is masked as a whole.
fn headers_of_json(json: String, mask: &Mask) -> String {
    let Some(checked) = Checked::of(&json) else {
        return mask.text(json);
    };
    let pieces: Vec<_> = checked
        .scalars_and_names()
        .filter(|scalar| scalar.field() == "headers" && scalar.is_text())
        .filter_map(|scalar| {
            let value = scalar.text().filter(|value| !mask.is_clean(value))?;
            Some((scalar.range, quoted(&mask.text(value.to_string()))))
        })
        .collect();
    if pieces.is_empty() {
        return json;
    }
    let masked = std::mem::take(&mut *spliced(&json, &pieces));
    drop(zeroize::Zeroizing::new(json));
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{ErrorKind, FlowState};
    use crate::egress::{Progress, Purpose, Step, Stop};

    const SECRET: &str = "s3cret-value";

    fn mask() -> Mask {
        let mut mask = Mask::default();
        mask.add(SECRET);
        mask
    }

    fn requests() -> Vec<RequestRecord> {
        vec![RequestRecord {
            method: "POST".to_owned(),
            url: format!("https://acme.service-now.com/api/{SECRET}/x"),
            purpose: Purpose::Flow,
            progress: Progress::Answered(200),
            stopped: Some(Stop {
                step: Step::Tls,
                why: format!("a certificate for {SECRET}"),
                cause: None,
            }),
        }]
    }

    fn response_with_it() -> FlowResponse {
        FlowResponse {
            status: 200,
            headers: vec![("x-echo".to_owned(), format!("<{SECRET}>"))],
            body: format!("<{SECRET}>"),
            execution_id: Some(SECRET.to_owned()),
            sys_id: None,
        }
    }

    #[test]
    fn of_a_failure_everything_is_masked() {
        let error = TriggerError {
            kind: ErrorKind::Rejected,
            message: format!("it said {SECRET}"),
            flow: FlowState::NotStarted,
            retryable: false,
            retry_after_ms: None,
            response: Some(response_with_it()),
        };
        let outcome = json(Outcome::new(Err(error), requests()), &mask());
        let error = outcome.result.unwrap_err();
        let answer = error.response.unwrap();
        assert_eq!((error.message.as_str(), answer.body.as_str()), ("it said ***", "<***>"));
        assert_eq!(
            (answer.headers[0].1.as_str(), answer.execution_id.as_deref()),
            ("<***>", Some("***"))
        );
        assert_eq!(outcome.requests[0].url, "https://acme.service-now.com/api/***/x");
        assert_eq!(
            outcome.requests[0].stopped.as_ref().unwrap().why,
            "a certificate for ***"
        );
    }

    #[test]
    fn of_a_success_body_and_ids_are_the_processs() {
        let outcome = response(Outcome::new(Ok(response_with_it()), requests()), &mask());
        let answer = outcome.result.unwrap();
        assert_eq!(answer.headers[0].1, "<***>");
        assert_eq!(
            (answer.body, answer.execution_id),
            (format!("<{SECRET}>"), Some(SECRET.to_owned()))
        );
    }

    #[test]
    fn the_json_answer_is_masked_in_its_headers_alone() {
        let answer = |text: &str| Outcome::new(Ok(text.to_owned()), Vec::new());
        let told = r#"{"status":200,"headers":{"a":"s3cret-value","b":["1.0","s3cret\u002dvalue"],"s3cret-value":"é"},"body":{"x":"s3cret-value","n":1.0},"executionId":"s3cret-value"}"#;
        assert_eq!(
            json(answer(told), &mask()).result.unwrap(),
            r#"{"status":200,"headers":{"a":"***","b":["1.0","***"],"***":"é"},"body":{"x":"s3cret-value","n":1.0},"executionId":"s3cret-value"}"#
        );
        assert_eq!(json(answer("s3cret-value!"), &mask()).result.unwrap(), "***!");
    }
}
