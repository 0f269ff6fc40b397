//! What one run of a case came to: what ServiceNow received, and what the process and its operator see.

use camunda_test_cluster::{Failure, IncidentKind, JobSnapshot, JobState};
use serde_json::{Map, Value, json};
use servicenow_stand_in::{Recorded, StandIn};

const TOKEN_ENDPOINT: &str = "/oauth_token.do";
/// Headers of the response whose values are new each time.
const CHANGING: [&str; 3] = ["date", "set-cookie", "x-ratelimit-reset"];

/// What one run of a case came to.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The requests for the flow, in order, each with its method, target, headers and body.
    pub requests: Vec<Value>,
    /// The requests for a token.
    pub tokens: Vec<Value>,
    /// How many flows have started.
    pub flows: usize,
    /// How the job ended.
    pub outcome: String,
    /// The retries that each failure left.
    pub retries: Vec<i32>,
    /// The back-off of each failure, as an ISO 8601 length of seconds.
    pub backoffs: Vec<String>,
    /// The last message that an operator or a boundary event sees.
    pub message: Value,
    /// The variable `error` of the last failure.
    pub error: Value,
    /// The other variables that the job ended with; those of the process where there are output mappings.
    pub variables: Value,
}

impl Facts {
    /// Looks at a job that has come to an end, and at the stand-in that served it alone.
    pub fn of(job: &JobSnapshot, stand_in: &StandIn) -> Self {
        let (tokens, requests): (Vec<_>, Vec<_>) = stand_in
            .requests()
            .into_iter()
            .partition(|request| request.path() == TOKEN_ENDPOINT);
        let starts = stand_in.starts();
        let last = job.failures.last();
        let mut variables = match (&job.state, last) {
            (JobState::Completed, _) if !job.spec.outputs.is_empty() => job.process_variables.clone(),
            (JobState::Completed, _) => job.completed_with.clone().unwrap_or_default(),
            (_, _) if !job.errors.is_empty() => of_the_throw(job),
            (_, Some(failure)) => failure.variables.clone(),
            (_, None) => Map::new(),
        };
        let error = variables.remove("error").or_else(|| last.and_then(error_of));
        let mut facts = json!({
            "requests": requests.iter().map(sent).collect::<Vec<_>>(),
            "tokens": tokens.iter().map(sent).collect::<Vec<_>>(),
            "message": message(job),
            "error": error,
            "variables": variables,
        });
        simplify(&mut facts);
        let mut text = facts.to_string().replace(&stand_in.http_addr().to_string(), "stand-in");
        for (number, start) in starts.iter().enumerate() {
            text = text.replace(&start.id, &format!("id-of-flow-{}", number + 1));
        }
        let facts: Value = serde_json::from_str(&text).unwrap_or_default();
        let part = |name: &str| facts.get(name).cloned().unwrap_or_default();
        let list = |name: &str| part(name).as_array().cloned().unwrap_or_default();
        Self {
            requests: list("requests"),
            tokens: list("tokens"),
            flows: starts.len(),
            outcome: outcome(job),
            retries: job.failures.iter().map(|failure| failure.retries).collect(),
            backoffs: job.failures.iter().map(back_off).collect(),
            message: part("message"),
            error: part("error"),
            variables: part("variables"),
        }
    }

    /// For a person who looks into a case.
    pub fn shown(&self) -> Value {
        json!({
            "requests": self.requests, "tokens": self.tokens, "flows": self.flows, "outcome": self.outcome, "retries": self.retries,
            "backoffs": self.backoffs, "message": self.message, "error": self.error, "variables": self.variables,
        })
    }
}

fn outcome(job: &JobSnapshot) -> String {
    match &job.state {
        JobState::Incident { kind, .. } => match (kind, job.errors.last()) {
            (IncidentKind::UnhandledErrorEvent, Some(error)) => format!("incident, error {}", error.code),
            _ => "incident".to_owned(),
        },
        JobState::Thrown { code } => format!("error {code}"),
        state => state.name().to_owned(),
    }
}

fn message(job: &JobSnapshot) -> Option<&str> {
    let failed = job.failures.last().map(|failure| failure.message.as_str());
    match job.state {
        JobState::Completed => None,
        _ => job.errors.last().map(|error| error.message.as_str()).or(failed),
    }
}

fn of_the_throw(job: &JobSnapshot) -> Map<String, Value> {
    job.errors
        .last()
        .map(|error| error.variables.clone())
        .unwrap_or_default()
}

fn error_of(failure: &Failure) -> Option<Value> {
    failure.variables.get("error").cloned()
}

fn back_off(failure: &Failure) -> String {
    format!("PT{}S", failure.back_off.as_secs_f64())
}

/// A request on the wire, without what belongs to the connection.
fn sent(request: &Recorded) -> Value {
    let mut headers = Map::new();
    for (name, value) in &request.headers {
        let name = name.to_lowercase();
        if name != "connection" && name != "host" {
            let values = headers.entry(name).or_insert_with(|| json!([]));
            values.as_array_mut().into_iter().for_each(|all| all.push(json!(value)));
        }
    }
    json!({
        "method": request.method,
        "target": request.target,
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
    })
}

/// Ours has each header of the response under two names; and some values are new each time.
fn simplify(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(headers)) = members.get_mut("headers") {
                let names: Vec<String> = headers.keys().cloned().collect();
                let is_spelt_twice = |name: &str| {
                    let mut others = names.iter().filter(|other| *other != name);
                    name == name.to_lowercase() && others.any(|other| other.eq_ignore_ascii_case(name))
                };
                headers.retain(|name, _| !is_spelt_twice(name));
                for (name, value) in headers.iter_mut() {
                    if CHANGING.contains(&name.to_lowercase().as_str()) {
                        *value = json!("…");
                    }
                }
            }
            // The rest of it names attempts and workers, and has the response once more.
            if let Some(Value::Object(outcome)) = members.get_mut("flowStarterOutcome") {
                outcome.retain(|name, _| name == "state");
            }
            members.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::String(text) => *text = without_identity(text),
        _ => {}
    }
}

/// Java names an object by its class and a number that is new each time: `[Ljava.lang.Object;@1c2eb221`.
fn without_identity(text: &str) -> String {
    let mut parts = text.split(";@");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + ";@" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    })
}
