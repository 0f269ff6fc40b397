//! The control API's JSON: jobs and faults coming in, jobs and requests going out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::evaluation::Evaluated;
use crate::faults::{Fault, Times};
use crate::job::{Catches, JobSnapshot, JobSpec, JobState, Variables};
use crate::keys::ProcessInstanceKey;
use crate::record::Recorded;

/// A job to create. What is absent is as in [`JobSpec::new`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct JobInput {
    r#type: String,
    #[serde(default)]
    variables: Variables,
    #[serde(default)]
    inputs: Variables,
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    retries: Option<i32>,
    tenant_id: Option<String>,
    /// true: every error is caught; or the codes that are.
    #[serde(default)]
    catches: Value,
    process_definition_id: Option<String>,
    element_id: Option<String>,
    process_instance_key: Option<String>,
}

impl JobInput {
    pub fn spec(self) -> Result<JobSpec, String> {
        let mut spec = JobSpec::new(&self.r#type);
        spec.variables = self.variables;
        spec.inputs = self.inputs;
        spec.outputs = self.outputs;
        spec.headers = self.headers;
        spec.retries = self.retries.unwrap_or(spec.retries);
        spec.tenant = self.tenant_id.unwrap_or(spec.tenant);
        spec.process = self.process_definition_id.unwrap_or(spec.process);
        spec.element = self.element_id.unwrap_or(spec.element);
        spec.catches = match self.catches {
            Value::Null | Value::Bool(false) => Catches::Nothing,
            Value::Bool(true) => Catches::Everything,
            codes => Catches::Codes(serde_json::from_value(codes).map_err(|error| format!("catches: {error}"))?),
        };
        if let Some(key) = self.process_instance_key {
            let key: ProcessInstanceKey = key.parse().map_err(|error| format!("processInstanceKey: {error}"))?;
            spec.instance = Some(key);
        }
        Ok(spec)
    }
}

/// A fault to set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FaultInput {
    call: String,
    #[serde(default = "once")]
    times: Option<usize>,
    #[serde(default)]
    skip: usize,
    #[serde(default)]
    after: bool,
    job: Option<String>,
    r#do: Do,
}

fn once() -> Option<usize> {
    Some(1)
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Do {
    Named(String),
    Answer(AnswerInput),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerInput {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

impl FaultInput {
    pub fn fault(self) -> Result<(Call, Times, Fault), String> {
        let call = Call::named(&self.call).ok_or_else(|| format!("there is no call {:?}", self.call))?;
        let mut fault = self.r#do.fault()?.skip(self.skip);
        if self.after {
            fault = fault.after();
        }
        if let Some(key) = self.job {
            fault = fault.for_job(key.parse().map_err(|error| format!("job: {error}"))?);
        }
        let times = self.times.map_or(Times::Always, Times::N);
        Ok((call, times, fault))
    }
}

impl Do {
    fn fault(self) -> Result<Fault, String> {
        Ok(match self {
            Self::Answer(answer) => Fault::answer(answer.answer()?),
            Self::Named(name) => match name.as_str() {
                "resource-exhausted" => Fault::answer(Answer::resource_exhausted()),
                "resource-exhausted-500" => Fault::answer(Answer::resource_exhausted_500()),
                "rejected" => Fault::answer(Answer::rejected("PROCESSING_ERROR")),
                "forbidden" => Fault::answer(Answer::forbidden()),
                "unavailable" => Fault::answer(Answer::unavailable()),
                "gateway-timeout" => Fault::answer(Answer::gateway_timeout()),
                "garbage" => Fault::answer(Answer::garbage()),
                "hold" => Fault::hold(),
                "silence" => Fault::silence(),
                "cut" => Fault::cut(),
                "reset" => Fault::reset(),
                "half-then-close" => Fault::half_then_close(),
                "half-then-reset" => Fault::half_then_reset(),
                "half-then-stall" => Fault::half_then_stall(),
                "late" => Fault::late(),
                "late-and-cut" => Fault::late_and_cut(),
                "replay" => Fault::replay(),
                _ => return Err(format!("there is no fault {name:?}")),
            },
        })
    }
}

impl AnswerInput {
    /// Text is sent as it is, anything else as JSON.
    fn answer(self) -> Result<Answer, String> {
        if !(200..600).contains(&self.status) {
            return Err("a status is from 200 to 599".to_owned());
        }
        let mut answer = match self.body {
            Value::Null => Answer::new(self.status),
            Value::String(text) => {
                let mut answer = Answer::new(self.status);
                answer.body = text.into_bytes();
                answer
            }
            json => {
                let mut answer = Answer::new(self.status);
                answer.body = json.to_string().into_bytes();
                if !self
                    .headers
                    .keys()
                    .any(|name| name.eq_ignore_ascii_case("content-type"))
                {
                    answer = answer.header("content-type", "application/json");
                }
                answer
            }
        };
        answer.headers.extend(self.headers);
        Ok(answer)
    }
}

/// What an expression comes to: a result, or why there is none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpressionInput {
    /// `None`: every expression that is not named.
    expression: Option<String>,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    warnings: Vec<String>,
    unparsable: Option<String>,
    failed: Option<String>,
}

impl ExpressionInput {
    pub fn evaluated(self) -> Result<(Option<String>, Evaluated), &'static str> {
        let evaluated = match (self.unparsable, self.failed) {
            (None, None) => Evaluated::Result(self.result, self.warnings),
            (Some(why), None) => Evaluated::Unparsable(why),
            (None, Some(why)) => Evaluated::Failed(why),
            (Some(_), Some(_)) => return Err("an expression is unparsable, or its evaluation fails; not both"),
        };
        Ok((self.expression, evaluated))
    }
}

pub(crate) fn snapshot(job: JobSnapshot) -> Value {
    let incident = match &job.state {
        JobState::Incident { kind, message } => json!({ "kind": kind.name(), "message": message }),
        _ => Value::Null,
    };
    let failure = job.failures.last().map(|failure| &failure.message);
    json!({
        "jobKey": job.key.to_string(),
        "processInstanceKey": job.instance.to_string(),
        "elementInstanceKey": job.element_instance.to_string(),
        "type": job.spec.job_type,
        "state": job.state.name(),
        "incident": incident,
        "suspended": job.suspended,
        "retries": job.retries,
        "timesActivated": job.times_activated,
        "localVariables": job.local,
        "processVariables": job.process_variables,
        "completedWith": job.completed_with,
        "lastFailure": failure,
        "untilMs": job.until_ms,
        "history": job.history.iter().map(|change| change.what.to_string()).collect::<Vec<_>>(),
    })
}

pub(crate) fn request(request: &Recorded) -> Value {
    json!({
        "number": request.number,
        "connection": request.connection,
        "call": request.call.name(),
        "jobKey": request.job.map(|job| job.to_string()),
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.json,
        "answered": request.answered,
        "fault": request.fault,
    })
}

/// A file holds no job.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JobFileError(String);

/// Reads a job as `POST /control/jobs` takes it: `{"type": "…", "inputs": {…}, "headers": {…}, "retries": 3}`.
pub fn job_from_json(text: &[u8]) -> Result<JobSpec, JobFileError> {
    let input: JobInput = serde_json::from_slice(text).map_err(|error| JobFileError(error.to_string()))?;
    input.spec().map_err(JobFileError)
}
