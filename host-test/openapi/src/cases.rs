//! `requests.json`: what is asked of the test cluster, in every version that knows it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::check::{Check, Exchange};
use crate::programs::Cluster;
use crate::version::Version;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Answers of a cluster in trouble, which every operation can give: the fault's name, and its status.
    troubles: Vec<(String, u16)>,
    cases: Vec<Case>,
}

/// A request. In path, body and control calls `{job}`, `{element}`, `{instance}` and `{lease}` stand for the job's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The first version that is asked.
    #[serde(default)]
    since: Option<String>,
    /// A job that is made first: `POST /control/jobs`, without its type.
    #[serde(default)]
    job: Option<Map<String, Value>>,
    /// The job is handed out by an activation with these members more.
    #[serde(default)]
    activated: Option<Map<String, Value>>,
    /// Calls of the control API before the request: path and body.
    #[serde(default)]
    control: Vec<(String, Value)>,
    /// Method and path, without `/v2`.
    request: String,
    #[serde(default)]
    body: Option<Value>,
    /// A body that is not JSON.
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
    /// The body is so many bytes longer than a cluster takes.
    #[serde(default)]
    too_large: bool,
    /// It is sent to a cluster that wants a password.
    #[serde(default)]
    without_password: bool,
    status: u16,
    /// The name that faults know the call by: this request is repeated in every trouble.
    #[serde(default)]
    call: Option<String>,
}

impl Table {
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("requests.json")
    }

    /// How many requests were sent.
    pub fn play(&self, program: &Path, version: Version, check: &mut Check) -> Result<usize> {
        let open = Cluster::start(program, version, None)?;
        let guarded = Cluster::start(program, version, Some("demo:demo"))?;
        let mut played = 0;
        for case in &self.cases {
            let since = case.since.as_deref().map(|since| Version::read(since).context("since"));
            if since.transpose()?.is_some_and(|since| version < since) {
                continue;
            }
            let cluster = if case.without_password { &guarded } else { &open };
            played += 1;
            case.play(cluster, version, played, check)?;
            let Some(call) = &case.call else { continue };
            for (fault, status) in &self.troubles {
                let mut troubled = case.clone();
                troubled.name = format!("{}, {fault}", case.name);
                troubled.status = *status;
                troubled
                    .control
                    .push(("faults".to_owned(), json!({ "call": call, "do": fault })));
                played += 1;
                troubled.play(cluster, version, played, check)?;
            }
        }
        Ok(played)
    }
}

impl Case {
    fn play(&self, cluster: &Cluster, version: Version, number: usize, check: &mut Check) -> Result<()> {
        let place = self.prepare(cluster, number).with_context(|| self.name.clone())?;
        for (path, body) in &self.control {
            let body = serde_json::from_str(&place.fill(&body.to_string()))?;
            cluster
                .control("POST", &place.fill(path), &body)
                .with_context(|| self.name.clone())?;
        }
        let request = place.fill(&self.request);
        let (method, path) = request.split_once(' ').context("request: a method and a path")?;
        let body = self
            .body
            .as_ref()
            .map(|body| serde_json::from_str::<Value>(&place.fill(&body.to_string())));
        let mut body = body.transpose()?;
        if let (Some(body), true) = (body.as_mut().and_then(Value::as_object_mut), self.too_large) {
            body.insert("variables".to_owned(), json!({ "large": "x".repeat(5 << 20) }));
        }
        let body = body.or_else(|| self.text.clone().map(Value::String));
        let bytes = match (&self.text, &body) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(body)) => body.to_string().into_bytes(),
            (None, None) => Vec::new(),
        };
        let kind = self.content_type.as_deref().unwrap_or("application/json");
        let kind = body.is_some().then_some(kind);
        let (status, reply) = cluster.send(method, &format!("/v2{path}"), kind, &bytes)?;
        let exchange = Exchange {
            name: self.name.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            body,
            status,
            answer: Some(reply),
        };
        if status != self.status {
            check.unexpected(version, &exchange, self.status);
        }
        check.exchange(version, &exchange)
    }

    fn prepare(&self, cluster: &Cluster, number: usize) -> Result<Place> {
        let mut place = Place(vec![("type", format!("type-{number}"))]);
        let Some(job) = &self.job else { return Ok(place) };
        let mut job = job.clone();
        job.insert("type".to_owned(), json!(place.fill("{type}")));
        let made = cluster.control("POST", "jobs", &Value::Object(job))?;
        for (name, member) in [
            ("job", "jobKey"),
            ("element", "elementInstanceKey"),
            ("instance", "processInstanceKey"),
        ] {
            let value = made.get(member).and_then(Value::as_str).context(member)?;
            place.0.push((name, value.to_owned()));
        }
        if let Some(more) = &self.activated {
            let mut body = json!({ "type": place.fill("{type}"), "timeout": 600_000, "maxJobsToActivate": 1, "requestTimeout": -1 });
            body.as_object_mut().context("an object")?.extend(more.clone());
            let bytes = body.to_string().into_bytes();
            let (_, reply) = cluster.send("POST", "/v2/jobs/activation", Some("application/json"), &bytes)?;
            let answer: Value = serde_json::from_slice(&reply.body)?;
            let job = answer
                .pointer("/jobs/0")
                .with_context(|| format!("no job was handed out: {answer}"))?;
            if let Some(lease) = job.get("jobLeaseToken").and_then(Value::as_str) {
                place.0.push(("lease", lease.to_owned()));
            }
        }
        Ok(place)
    }
}

/// What stands for the names in braces.
struct Place(Vec<(&'static str, String)>);

impl Place {
    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}
