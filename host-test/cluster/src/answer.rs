//! An answer, and the answers that clusters, gateways and proxies are known for.

use serde_json::{Value, json};

/// An HTTP answer: status, headers, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers; the length is added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An empty answer.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body of this content type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut answer = self.header("content-type", content_type);
        answer.body = body.into();
        answer
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status).body("application/json", body.to_string())
    }

    /// A problem document (RFC 9457), as the cluster writes every error.
    #[must_use]
    pub fn problem(status: u16, title: &str, detail: &str) -> Self {
        let body =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail, "instance": "/v2" });
        Self::new(status).body("application/problem+json", body.to_string())
    }

    /// The same problem document for this path.
    pub(crate) fn at(mut self, path: &str) -> Self {
        let is_problem = self
            .headers
            .iter()
            .any(|(_, value)| value == "application/problem+json");
        if let Ok(Value::Object(mut problem)) = serde_json::from_slice(&self.body)
            && is_problem
        {
            problem.insert("instance".to_owned(), json!(path));
            self.body = Value::Object(problem).to_string().into_bytes();
        }
        self
    }

    /// An HTML page, as a proxy or an ingress answers.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let page = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\r\n");
        Self::new(status).body("text/html", page)
    }

    /// 200 with an empty list of jobs, however long the poll wanted to wait.
    #[must_use]
    pub fn no_jobs() -> Self {
        Self::json(200, &json!({ "jobs": [] }))
    }

    /// Back-pressure: 503 `RESOURCE_EXHAUSTED`.
    #[must_use]
    pub fn resource_exhausted() -> Self {
        Self::problem(
            503,
            "RESOURCE_EXHAUSTED",
            "The broker is overloaded; send the request again later",
        )
    }

    /// Back-pressure as some versions answer an activation: 500, and `RESOURCE_EXHAUSTED` in the detail.
    #[must_use]
    pub fn resource_exhausted_500() -> Self {
        Self::problem(
            500,
            "INTERNAL",
            "Activation failed on every partition: RESOURCE_EXHAUSTED",
        )
    }

    /// Back-pressure as older versions and rate limits answer: 429.
    #[must_use]
    pub fn too_many_requests(retry_after: Option<u64>) -> Self {
        let answer = Self::problem(429, "RESOURCE_EXHAUSTED", "Too many requests");
        match retry_after {
            Some(seconds) => answer.header("retry-after", &seconds.to_string()),
            None => answer,
        }
    }

    /// 503 without the word `RESOURCE_EXHAUSTED`: whether the command was processed is not known.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::problem(503, "UNAVAILABLE", "The connection to the broker was lost")
    }

    /// The gateway's own timeout: 504 as a problem document.
    #[must_use]
    pub fn gateway_timeout() -> Self {
        Self::problem(
            504,
            "DEADLINE_EXCEEDED",
            "The broker did not answer the gateway in time",
        )
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::problem(401, "Unauthorized", "The request has no valid credentials")
    }

    /// 401 as a valid client gets it for a tenant that it is not assigned to.
    #[must_use]
    pub fn tenant_not_assigned(tenants: &[String]) -> Self {
        let detail = format!("The client is not assigned to the tenants {tenants:?}");
        Self::problem(401, "UNAUTHORIZED", &detail)
    }

    /// 403.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::problem(
            403,
            "FORBIDDEN",
            "The client lacks the permission UPDATE_PROCESS_INSTANCE",
        )
    }

    /// 500 as the gateway answers a command that the engine refused with a code it has no status for, such as
    /// `EXCEEDED_BATCH_RECORD_SIZE` or `PROCESSING_ERROR`.
    #[must_use]
    pub fn rejected(code: &str) -> Self {
        let detail = format!("Command 'COMPLETE' rejected with code '{code}': ");
        Self::problem(500, "INTERNAL", &detail)
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::new(302).header("location", location)
    }

    /// 200 with a body that is not the JSON it says.
    #[must_use]
    pub fn garbage() -> Self {
        Self::new(200).body("application/json", "{\"jobs\": [{\"jobKey\": ]")
    }
}
