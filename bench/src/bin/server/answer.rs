//! A request and its response, with the headers and the body of ServiceNow's REST trigger.

use std::convert::Infallible;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flow_starter_bench::call;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA, SERVER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

/// What a request must have.
pub(crate) struct Expected {
    authorization: String,
}

impl Expected {
    pub(crate) fn new(username: &str, password: &str) -> Self {
        Self {
            authorization: format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))),
        }
    }

    /// What is missing in the request.
    fn missing<B>(&self, request: &Request<B>) -> Option<&'static str> {
        let headers = request.headers();
        let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
        let query = request.uri().query().unwrap_or_default();
        if request.method() != Method::POST {
            Some("the method is not POST")
        } else if !is("authorization", &self.authorization) {
            Some("the authorization is wrong")
        } else if !is("x-correlation-id", "order-4711") || !is("x-source", "bench") {
            Some("a header is missing")
        } else if !query.contains("process=order")
            || !(query.contains("tenant=acme%201") || query.contains("tenant=acme+1"))
        {
            Some("a query parameter is missing")
        } else {
            None
        }
    }
}

pub(crate) async fn answer(
    request: Request<Incoming>,
    expected: &Expected,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let missing = expected.missing(&request);
    let delay = delay(request.uri().path());
    let body = request
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let id = body.ok().and_then(|body| call::execution_id_for(&body));
    let answer = match (missing, id) {
        (Some(missing), _) => refusal(missing),
        (None, None) => refusal("the body has no correlationValue of 32 characters that begins with c"),
        (None, Some(id)) => success(&id),
    };
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    Ok(answer)
}

/// `/delay/50` at the end of the path: 50 ms.
fn delay(path: &str) -> Option<Duration> {
    let (_, ms) = path.rsplit_once("/delay/")?;
    ms.parse().ok().map(Duration::from_millis)
}

fn success(id: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!(r#"{{"result":{{"executionId":"{id}"}}}}"#)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache,no-store,must-revalidate,max-age=-1"),
    );
    headers.insert(PRAGMA, HeaderValue::from_static("no-store,no-cache"));
    headers.insert(SERVER, HeaderValue::from_static("snow_adc"));
    response
}

fn refusal(why: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!(
        r#"{{"error":{{"message":"{why}","detail":""}},"status":"failure"}}"#
    )));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_may_ask_for_a_delay() {
        assert_eq!(delay("/api/x/delay/50"), Some(Duration::from_millis(50)));
        assert_eq!(delay("/api/x"), None);
    }
}
