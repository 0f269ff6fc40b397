//! A job as an engine gives it → what the worker knows before it does anything: its settings, its attempt, its call.

use std::sync::Arc;
use std::time::Duration;

use flow_starter_host::FlowStarter;
use flow_starter_host::starter::PreparedCall;
use flow_starter_input::fields::INPUT as INPUT_FIELDS;
use flow_starter_input::message::cut;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::attempt::{AttemptId, HandedOut, Lock, OutcomeVariable, Time};
use crate::engine::{ATTEMPT, Job, OUTCOME, Variables};
use crate::expression::evaluate::Expressions;
use crate::expression::{Expression, Kind};
use crate::fault::{Fault, INVALID_INPUT};
use crate::outcome::{InvalidLength, OnUnknown, OutcomeState, Task, job_timeout, retry_back_off, tries};
use crate::report::EARLIER_UNKNOWN;

/// The task headers that the worker reads, by the names that Camunda's connector runtime uses.
pub mod header {
    /// The variable that gets the response.
    pub const RESULT_VARIABLE: &str = "resultVariable";
    /// An ISO 8601 duration between the tries of a job.
    pub const RETRY_BACK_OFF: &str = "retryBackoff";
    /// An ISO 8601 duration for which the job is locked.
    pub const JOB_TIMEOUT: &str = "jobTimeout";
    /// What to do where nobody knows whether the flow was started; ours.
    pub const ON_UNKNOWN: &str = "onUnknown";
}

/// The variables that an activation asks for. Never empty, which would be all of them.
pub fn fetched_variables() -> Vec<String> {
    INPUT_FIELDS
        .iter()
        .chain(&[ATTEMPT, OUTCOME])
        .map(|name| (*name).to_owned())
        .collect()
}

/// How a job was handed out.
#[derive(Clone, Debug)]
pub struct Handover {
    /// Unique for this hand-out.
    pub stem: Arc<str>,
    /// Before the activation was sent.
    pub asked_at: Time,
    /// What the activation asked for.
    pub timeout: Duration,
    /// The longest that a call takes.
    pub longest_call: Duration,
    /// Random, for jitter.
    pub random: u64,
}

/// A job that was read.
pub struct Intake {
    /// For the state machine.
    pub handed_out: HandedOut<Arc<Answer>>,
    /// The call that the job asks for.
    pub call: Call,
    /// An attempt before this one ended unknown: it may have started the flow.
    pub earlier: bool,
    /// What to report if the job came with an attempt, or is refused.
    pub fault: Option<Fault>,
    /// The variable that gets the response.
    pub result_variable: Option<String>,
    /// The expressions to evaluate once the call has ended.
    pub expressions: Expressions,
    /// The job was refused because of them.
    pub refused_expressions: bool,
}

impl Intake {
    /// Refuses the job because of its expressions, before anything is sent. What cannot be evaluated is not asked about this either.
    pub fn refuse_expressions(&mut self, what: String) {
        self.fault = Some(Fault::of_task(format!("{what} Nothing was sent.")));
        self.expressions = Expressions::default();
        self.call = Call::None;
        self.handed_out.refused = true;
        self.refused_expressions = true;
    }
}

/// The call that a job asks for.
pub enum Call {
    /// Ready.
    Ready(Box<PreparedCall>),
    /// Nothing can be sent at the moment, for instance because a secret provider does not answer.
    Impossible(Fault),
    /// None: the job was refused, or its variables do not permit one.
    None,
}

/// Reads a job. Where its variables permit a call, its secrets are put in, once, and its input is checked.
pub async fn read(job: &Job, handover: Handover, starter: &FlowStarter) -> Intake {
    let (settings, unreadable) = match settings(job) {
        Ok(settings) => (settings, None),
        Err(what) => (what_an_answer_needs(job), Some(Fault::of_task(what))),
    };
    let Handover {
        stem,
        asked_at,
        timeout,
        longest_call,
        random,
    } = handover;
    let mut handed_out = HandedOut {
        stem,
        asked_at,
        timeout,
        retries: tries(job.retries),
        attempt: attempt(&job.variables),
        outcome: outcome(&job.variables),
        lock: Lock {
            call: longest_call,
            timeout: timeout.max(settings.job_timeout.unwrap_or_default()),
        },
        task: settings.task,
        refused: false,
        random,
    };
    let mut intake_call = Call::None;
    let mut fault = None;
    if handed_out.may_call() {
        match unreadable {
            Some(refusal) => fault = Some(refusal),
            None => match starter.prepare(&input(&job.variables)).await {
                Ok(call) => intake_call = Call::Ready(Box::new(call)),
                Err(error) if error.retryable => {
                    // Nothing was tried.
                    let code = INVALID_INPUT.to_owned();
                    intake_call = Call::Impossible(Fault {
                        code,
                        ..Fault::of_call(&error)
                    });
                }
                Err(error) => fault = Some(Fault::of_call(&error)),
            },
        }
        handed_out.refused = fault.is_some();
    } else if let Some(found) = handed_out.found_attempt() {
        fault = Some(Fault::of_found_attempt(&found, &origin(&job.variables)));
    }
    Intake {
        earlier: earlier(&job.variables, handed_out.outcome.as_ref()),
        handed_out,
        call: intake_call,
        fault,
        result_variable: settings.result_variable,
        expressions: settings.expressions,
        refused_expressions: false,
    }
}

/// The settings of a task.
#[derive(Debug, Default)]
struct Settings {
    task: Task,
    job_timeout: Option<Duration>,
    result_variable: Option<String>,
    expressions: Expressions,
}

/// Or a sentence that says which header is wrong.
fn settings(job: &Job) -> Result<Settings, String> {
    let text = |name: &str| job.headers.get(name).map(String::as_str).unwrap_or_default();
    let length = |name: &str, read: fn(&str) -> Result<Option<Duration>, InvalidLength>| {
        read(text(name)).map_err(|why| invalid(name, text(name), &why.to_string(), "PT30S"))
    };
    let on_unknown = text(header::ON_UNKNOWN);
    let result_variable = result_variable(job);
    if let Some(name) = result_variable
        .as_deref()
        .filter(|name| [ATTEMPT, OUTCOME].contains(name))
    {
        let why = "the worker keeps that variable for itself";
        return Err(invalid(header::RESULT_VARIABLE, name, why, "snQueryResult"));
    }
    Ok(Settings {
        task: Task {
            on_unknown: OnUnknown::parse(on_unknown).ok_or_else(|| {
                let why = "it must be incident, retry or bpmnError";
                invalid(header::ON_UNKNOWN, on_unknown, why, "incident")
            })?,
            retry_back_off: length(header::RETRY_BACK_OFF, retry_back_off)?.unwrap_or_default(),
        },
        job_timeout: length(header::JOB_TIMEOUT, job_timeout)?,
        result_variable,
        expressions: expressions(job),
    })
}

/// Whatever else is wrong with a task: an answer that is kept already goes where the author wants it, and never past an expression.
fn what_an_answer_needs(job: &Job) -> Settings {
    Settings {
        result_variable: result_variable(job),
        expressions: expressions(job),
        ..Settings::default()
    }
}

fn expressions(job: &Job) -> Expressions {
    let read = |kind: Kind| Expression::read(job.headers.get(kind.header())?);
    Expressions {
        result: read(Kind::Result),
        error: read(Kind::Error),
    }
}

fn result_variable(job: &Job) -> Option<String> {
    let name = job.headers.get(header::RESULT_VARIABLE)?.trim();
    (!name.is_empty()).then(|| name.replace('\0', "\u{fffd}"))
}

/// A header's value may be an expression of any length.
fn invalid(name: &str, value: &str, why: &str, example: &str) -> String {
    let value = cut(value, 60);
    format!(
        "The task header `{name}` has the value `{value}`, which cannot be used: {why}. For example `{example}`. Nothing was sent."
    )
}

/// The connector's own input: the members that it knows, as the engine wrote them.
fn input(variables: &Variables) -> String {
    let mut json = String::from("{");
    for (name, value) in variables.iter().filter(|(name, _)| INPUT_FIELDS.contains(name)) {
        if json.len() > 1 {
            json.push(',');
        }
        json.push('"');
        json.push_str(name);
        json.push_str("\":");
        json.push_str(value);
    }
    json.push('}');
    json
}

#[derive(Deserialize)]
struct AttemptJson {
    id: String,
}

/// For a person: which worker made the attempt, and when; empty where the variable does not say.
fn origin(variables: &Variables) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Origin {
        worker: String,
        started_at: String,
    }
    let origin = variables
        .get(ATTEMPT)
        .and_then(|json| serde_json::from_str::<Origin>(json).ok());
    origin.map_or_else(String::new, |Origin { worker, started_at }| {
        format!(" by worker {} at {}", cut(&worker, 64), cut(&started_at, 40))
    })
}

/// A value that cannot be read is still an attempt.
fn attempt(variables: &Variables) -> Option<AttemptId> {
    let json = variables.get(ATTEMPT).filter(|json| json.trim() != "null")?;
    let id = serde_json::from_str::<AttemptJson>(json).map(|attempt| attempt.id);
    Some(AttemptId::new(id.as_deref().unwrap_or(json)))
}

#[derive(Deserialize)]
struct OutcomeJson<'a> {
    attempt: String,
    state: String,
    retries: Option<u32>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

/// A job that was handed out again after an unknown attempt: by its author's `onUnknown`, or because a person resolved the incident.
fn earlier(variables: &Variables, outcome: Option<&OutcomeVariable<Arc<Answer>>>) -> bool {
    #[derive(Deserialize)]
    struct Earlier {
        earlier: String,
    }
    let state = outcome.map(|outcome| outcome.state);
    let json = variables.get(OUTCOME).unwrap_or_default();
    matches!(state, Some(OutcomeState::Retry | OutcomeState::Reported))
        || serde_json::from_str::<Earlier>(json).is_ok_and(|json| json.earlier == EARLIER_UNKNOWN)
}

/// A value that cannot be read is none: the attempt then counts as one whose end is not known.
fn outcome(variables: &Variables) -> Option<OutcomeVariable<Arc<Answer>>> {
    let json: OutcomeJson = serde_json::from_str(variables.get(OUTCOME)?).ok()?;
    let state = OutcomeState::parse(&json.state)?;
    let answered = state == OutcomeState::Answered;
    let response = json
        .response
        .map_or_else(Answer::nothing, |json| Answer::of_variable(json.get()));
    Some(OutcomeVariable {
        attempt: AttemptId::new(&json.attempt),
        state,
        retries: json.retries,
        response: answered.then(|| Arc::new(response)),
    })
}

#[cfg(test)]
mod tests;
