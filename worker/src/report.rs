//! What an engine is told: messages for people, and the variables beside them.
//!
//! Storage keeps 500, 4,000 or 10,000 characters of a message, so the first 400 hold the outcome, what is known of the flow, and what a
//! person does next. What a server said comes last.

use std::collections::BTreeMap;

use flow_starter_host::{ErrorKind, FlowState};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::answer::{Answer, Ids};
use crate::attempt::OutcomeVariable;
use crate::expression::Variables as AuthorVariables;
use crate::fault::Fault;
use crate::outcome::{OutcomeState, cut};

/// A report's variables, as JSON, are at most this large: an engine rejects more than 4 MB for all of a job's record, Camunda's connector
/// runtime more than 1.5 MB.
pub const MAX_BYTES: usize = 1_500_000;

/// The job's next step after a failure, as far as a person needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The engine hands the job out again; so many retries are left.
    Retry(u32),
    /// An incident.
    Incident,
    /// An incident of a started flow: the author's expressions failed, or reject its response.
    Expressions,
    /// An incident of a task whose expressions cannot be evaluated. Nothing was sent.
    Task,
    /// A BPMN error.
    Error,
}

/// The message of a failure or an error. `earlier`: an earlier attempt at this task ended unknown.
pub fn message(fault: &Fault, state: OutcomeState, ids: &Ids, next: Next, earlier: bool) -> String {
    let answered = fault.response.as_ref().map(Answer::ids);
    let known = known(fault, answered.filter(|_| *ids == Ids::default()).unwrap_or(ids));
    let outcome = match fault.flow {
        FlowState::Started => {
            format!("The flow was started, but the task cannot be completed with its response{known}.")
        }
        FlowState::NotStarted if earlier => {
            format!("This attempt did not start the flow{known}; an earlier attempt may have started it.")
        }
        FlowState::NotStarted => format!("The flow was not started{known}."),
        FlowState::Unknown => format!("It is unknown whether the flow was started{known}."),
    };
    let to_do = match (next, state, fault.flow) {
        (Next::Task, ..) => {
            " A job keeps its expressions: correct the process, and move this instance past the task. Only after a change of the cluster, resolve \
             the incident with at least 1 retry."
                .to_owned()
        }
        (Next::Expressions, ..) => {
            " The flow will not be started again. If the cause was temporary, resolve the incident with at least 1 retry: the expressions are \
             evaluated again with the same response. If an expression is wrong, move the process instance past this task."
                .to_owned()
        }
        (Next::Retry(left), OutcomeState::Retry, FlowState::Unknown) => {
            format!(" `onUnknown` is `retry`, so the next attempt starts it again. Retries left: {left}.")
        }
        (Next::Retry(left), OutcomeState::Retry, _) => {
            format!(" The error expression asks for a retry and `onUnknown` is `retry`, so the next attempt starts the flow again. Retries left: {left}.")
        }
        (Next::Retry(left), ..) => format!(" The job will be retried. Retries left: {left}."),
        (Next::Incident, OutcomeState::Answered, _) => {
            " Resolve the incident with at least 1 retry: the task then completes with what is known, and the flow is not started again."
                .to_owned()
        }
        (Next::Incident, _, FlowState::Unknown) => {
            " Look for its execution in ServiceNow. If it did not run, resolve the incident with at least 1 retry: the flow is then started. If it ran, \
             do not resolve the incident: move the process instance past this task."
                .to_owned()
        }
        (Next::Incident, OutcomeState::NotStarted, _) if earlier => {
            " Look for its execution in ServiceNow. If it did not run, fix the cause, and resolve the incident with at least 1 retry: the flow is then \
             started. If it ran, do not resolve the incident: move the process instance past this task."
                .to_owned()
        }
        (Next::Incident, ..) if fault.retryable => {
            " No retries are left: resolve the incident with at least 1 retry to try again.".to_owned()
        }
        (Next::Incident, ..) => " Fix the cause, then resolve the incident with at least 1 retry: the flow is then started.".to_owned(),
        (Next::Error, ..) => String::new(),
    };
    cut(&format!("{outcome}{to_do} {}", fault.what)).to_owned()
}

fn known(fault: &Fault, ids: &Ids) -> String {
    let mut known: Vec<String> = Vec::new();
    // What is not about the call says nothing to a person.
    if fault.kind != ErrorKind::Internal.as_str() {
        known.push(fault.kind.to_owned());
    }
    let mut add = |name: &str, value: &str| {
        known.push(format!("{name} {}", flow_starter_input::message::cut(value, 64)));
    };
    if let Some(status) = ids.status {
        add("status", &status.to_string());
    }
    if let Some(id) = &ids.execution_id {
        add("execution id", id);
    }
    if let Some(id) = &ids.sys_id {
        add("sys id", id);
    }
    match known.is_empty() {
        true => String::new(),
        false => format!(" ({})", known.join(", ")),
    }
}

#[derive(Serialize)]
struct Variables<'a> {
    error: ErrorVariable<'a>,
    #[serde(rename = "flowStarterOutcome", skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a RawValue>,
    /// The author's own, which never have these two names.
    #[serde(flatten)]
    own: Option<&'a AuthorVariables>,
}

#[derive(Serialize)]
struct ErrorVariable<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    variables: ErrorDetails<'a>,
}

#[derive(Serialize)]
struct ErrorDetails<'a> {
    kind: &'a str,
    flow: &'a str,
    retryable: bool,
    response: Option<&'a RawValue>,
}

impl<'a> ErrorVariable<'a> {
    fn of(fault: &'a Fault, response: Option<&'a Answer>) -> Self {
        Self {
            code: &fault.code,
            message: cut(&fault.what),
            kind: fault.kind,
            variables: ErrorDetails {
                kind: fault.kind,
                flow: fault.flow.as_str(),
                retryable: fault.retryable,
                response: response.map(Answer::json),
            },
        }
    }
}

/// The variable `error`, as error expressions see it.
pub fn error(fault: &Fault) -> Box<RawValue> {
    json(&ErrorVariable::of(fault, fault.response.as_ref()))
}

/// The variables of a failure (with the outcome) or an error (without), at most [`MAX_BYTES`] long: bodies are left out where they do not fit.
/// `own`: the author's, of `jobError`. `earlier`: as for [`message`].
pub fn variables(
    fault: &Fault,
    outcome: Option<&OutcomeVariable<std::sync::Arc<Answer>>>,
    own: Option<&AuthorVariables>,
    without_body: bool,
    earlier: bool,
) -> Box<RawValue> {
    let build = |response: Option<&Answer>, outcome: Option<&RawValue>| {
        json(&Variables {
            error: ErrorVariable::of(fault, response),
            outcome,
            own,
        })
    };
    let response = fault.response.as_ref();
    let whole = outcome.map(|outcome| outcome_variable(outcome, false, earlier));
    if !without_body {
        let all = build(response, whole.as_deref());
        if all.get().len() <= MAX_BYTES {
            return all;
        }
    }
    let response = response.map(Answer::without_body);
    if !without_body {
        let all = build(response.as_ref(), whole.as_deref());
        if all.get().len() <= MAX_BYTES {
            return all;
        }
    }
    let small = outcome.map(|outcome| outcome_variable(outcome, true, earlier));
    build(response.as_ref(), small.as_deref())
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    attempt: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier: Option<&'static str>,
}

/// Of `flowStarterOutcome.earlier`: an attempt before this one ended unknown.
pub const EARLIER_UNKNOWN: &str = "unknown";

/// The variable `flowStarterOutcome`. A body that would make it larger than [`MAX_BYTES`] is left out.
pub fn outcome_variable(
    outcome: &OutcomeVariable<std::sync::Arc<Answer>>,
    without_body: bool,
    earlier: bool,
) -> Box<RawValue> {
    let small = outcome
        .response
        .as_deref()
        .filter(|answer| without_body || answer.json().get().len() > MAX_BYTES);
    let small = small.map(Answer::without_body);
    let response = small.as_ref().or(outcome.response.as_deref());
    json(&OutcomeJson {
        attempt: outcome.attempt.as_str(),
        state: outcome.state.as_str(),
        retries: outcome.retries,
        response: response.map(Answer::json),
        // The other states say it themselves, or make it irrelevant.
        earlier: (earlier && outcome.state == OutcomeState::NotStarted).then_some(EARLIER_UNKNOWN),
    })
}

#[derive(Serialize)]
struct AttemptJson<'a> {
    id: &'a str,
    worker: &'a str,
    #[serde(rename = "startedAt")]
    started_at: &'a str,
}

/// The variable `flowStarterAttempt`. `started_at` is for people: ISO 8601, UTC.
pub fn attempt_variable(id: &str, worker: &str, started_at: &str) -> Box<RawValue> {
    json(&AttemptJson { id, worker, started_at })
}

/// The variables of a completion: the response under this name, and over it what the result expression gave.
pub fn result(variable: Option<&str>, answer: Option<&Answer>, expression: Option<&AuthorVariables>) -> Box<RawValue> {
    let mut variables: BTreeMap<&str, &RawValue> = variable
        .zip(answer)
        .map(|(name, answer)| (name, answer.json()))
        .into_iter()
        .collect();
    for (name, value) in expression.into_iter().flatten() {
        variables.insert(name, value);
    }
    json(&variables)
}

/// The author's variables as they are: of `bpmnError` and `ignoreError`.
pub fn author(variables: &AuthorVariables) -> Box<RawValue> {
    json(variables)
}

/// None of these types can fail to become JSON.
fn json<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_default()
}
