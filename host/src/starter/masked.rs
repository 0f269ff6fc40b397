//! Masks an outcome, except a success's body and IDs, which belong to the process.

use flow_starter_input::Mask;

use crate::component::{Failure, Judged, Outcome};
use crate::contract::FlowResponse;
use crate::egress::RequestRecord;

/// Maximum length of an error's body, in bytes.
const BODY_MAX: usize = 1 << 20;

/// Text up to this size, in bytes, is masked in a fraction of a millisecond; longer text is masked on another thread.
const AT_ONCE: usize = 32 << 10;

/// Replaces text that cannot be masked in time.
const HIDDEN: &str = "***";

/// The masked outcome with its message. `late` is ready when the call's time is over; text that is not masked by then is omitted.
pub(super) async fn outcome(
    judged: Judged<FlowResponse>,
    mask: Mask,
    late: impl Future<Output = ()>,
) -> Outcome<FlowResponse> {
    let Judged { mut result, requests } = judged;
    match &mut result {
        Ok(response) => headers(response, &mask),
        Err(Failure {
            response: Some(response),
            ..
        }) => {
            headers(response, &mask);
            response.body = body(std::mem::take(&mut response.body), &mask, late).await;
            for id in [&mut response.execution_id, &mut response.sys_id].into_iter().flatten() {
                replace(id, &mask);
            }
        }
        Err(_) => {}
    }
    let requests = requests.into_iter().map(|request| record(request, &mask)).collect();
    Judged { result, requests }.into_outcome(mask)
}

async fn body(mut body: String, mask: &Mask, late: impl Future<Output = ()>) -> String {
    body.truncate(body.floor_char_boundary(BODY_MAX));
    if body.len() <= AT_ONCE {
        return mask.cut_text(body);
    }
    let mask = mask.clone();
    let masked = tokio::task::spawn_blocking(move || mask.cut_text(body));
    tokio::select! {
        biased;
        masked = masked => masked.unwrap_or_else(|_| HIDDEN.to_owned()),
        () = late => HIDDEN.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
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

    fn response() -> FlowResponse {
        FlowResponse {
            status: 200,
            headers: vec![("x-echo".to_owned(), format!("<{SECRET}>"))],
            body: format!("<{SECRET}>"),
            execution_id: Some(SECRET.to_owned()),
            sys_id: None,
        }
    }

    async fn masked(result: Result<FlowResponse, Failure>) -> Outcome<FlowResponse> {
        let requests = requests();
        outcome(Judged { result, requests }, mask(), std::future::pending()).await
    }

    fn failure(response: FlowResponse) -> Failure {
        let mut failure = Failure::invalid(format!("it said {SECRET}"), false);
        failure.response = Some(Box::new(response));
        failure
    }

    #[tokio::test]
    async fn everything_of_a_failure_is_masked() {
        let outcome = masked(Err(failure(response()))).await;
        let error = outcome.result.unwrap_err();
        let response = error.response.unwrap();
        assert_eq!(
            (error.message.as_str(), response.body.as_str()),
            ("it said ***", "<***>")
        );
        assert_eq!(
            (response.headers[0].1.as_str(), response.execution_id.as_deref()),
            ("<***>", Some("***"))
        );
        assert_eq!(outcome.requests[0].url, "https://acme.service-now.com/api/***/x");
        assert_eq!(
            outcome.requests[0].stopped.as_ref().unwrap().why,
            "a certificate for ***"
        );
    }

    #[tokio::test]
    async fn body_and_ids_of_a_success_stay_as_they_came() {
        let response = masked(Ok(response())).await.result.unwrap();
        assert_eq!(response.headers[0].1, "<***>");
        assert_eq!(
            (response.body, response.execution_id),
            (format!("<{SECRET}>"), Some(SECRET.to_owned()))
        );
    }

    #[tokio::test]
    async fn a_large_body_is_masked_or_left_out_when_the_time_is_over() {
        let large = || FlowResponse {
            body: format!("{SECRET}{}", ", word".repeat(BODY_MAX / 6)),
            ..response()
        };
        let body = masked(Err(failure(large())))
            .await
            .result
            .unwrap_err()
            .response
            .unwrap()
            .body;
        assert!(
            body.starts_with("***, word") && body.len() <= BODY_MAX,
            "{}",
            body.len()
        );
        let late = Judged {
            result: Err(failure(large())),
            requests: Vec::new(),
        };
        // Ready from the start; whichever of the two is first, no secret is in it.
        let body = outcome(late, mask(), std::future::ready(()))
            .await
            .result
            .unwrap_err()
            .response
            .unwrap()
            .body;
        assert!(body.starts_with("***"), "{}", body.len());
    }
}
