//! The requests to the engine. An expression is evaluated at most as often as its job is handed out, apart from the tries after an engine
//! that did not answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::value::RawValue;

use super::context::{integer_beyond_64_bits, of_error, of_response, of_success};
use super::result::{Said, of_error_expression, of_result_expression};
use super::{Expression, Kind, Variables};
use crate::answer::Answer;
use crate::engine::{Engine, EvaluateAnswer, Job};
use crate::random;
use crate::report::MAX_BYTES;
use crate::shared::Shared;

/// The expressions of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expressions {
    pub(crate) result: Option<Expression>,
    pub(crate) error: Option<Expression>,
}

impl Expressions {
    pub(crate) fn is_empty(&self) -> bool {
        self.result.is_none() && self.error.is_none()
    }

    fn each(&self) -> impl Iterator<Item = (Kind, &Expression)> {
        let result = self.result.iter().map(|expression| (Kind::Result, expression));
        result.chain(self.error.iter().map(|expression| (Kind::Error, expression)))
    }
}

/// What the expressions see.
pub(crate) enum Seen {
    /// The response of a started flow.
    Response(Arc<Answer>),
    /// The variable `error`.
    Error(Box<RawValue>),
}

/// What the expressions gave.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    /// None where there is no result expression, or it was not asked.
    pub(crate) result: Option<Variables>,
    pub(crate) said: Said,
}

/// Why there is no result. The text is a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotEvaluated {
    /// The same would happen again.
    Failed(String),
    /// Nobody evaluates at the moment.
    Away(String),
}

use NotEvaluated::{Away, Failed};

/// Which expressions parse by themselves. Text is all that decides it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    verdicts: Mutex<HashMap<String, Result<(), String>>>,
    /// The last evaluation got no result: perhaps the engine evaluates none at present, whatever is known of the text.
    doubtful: AtomicBool,
}

/// Every version of every process has its own expressions; nobody has so many.
const MOST_KNOWN: usize = 1000;

impl Known {
    fn get(&self, text: &str) -> Option<Result<(), String>> {
        if self.doubtful.load(Ordering::Relaxed) {
            return None;
        }
        self.verdicts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
            .cloned()
    }

    fn keep(&self, text: String, verdict: Result<(), String>) {
        let mut known = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(text, verdict);
    }
}

/// Whether the task's expressions can be evaluated at all, before anything is sent.
pub(crate) async fn check<E: Engine>(
    shared: &Shared<E>,
    job: &Job,
    expressions: &Expressions,
) -> Result<(), NotEvaluated> {
    for (kind, expression) in expressions.each() {
        parse(shared, job, kind, expression).await?;
    }
    Ok(())
}

/// Evaluates in the order that Camunda's connector runtime has: the result expression for a response, then the error expression, after a
/// success too. `result_variable`: the variable that gets the response.
pub(crate) async fn conclude<E: Engine>(
    shared: &Shared<E>,
    job: &Job,
    expressions: &Expressions,
    result_variable: Option<&str>,
    seen: Seen,
) -> Result<Spoken, NotEvaluated> {
    let mut spoken = Spoken::default();
    if let (Seen::Response(answer), Some(expression)) = (&seen, &expressions.result) {
        let variables = of_response(answer.json());
        let (result, warnings) = evaluate(shared, job, Kind::Result, expression, true, &variables).await?;
        let variables = of_result_expression(&result, &warnings).map_err(|why| wrong(Kind::Result, &why))?;
        let beside = result_variable.map_or(0, |name| name.len() + answer.json().get().len());
        let bytes = result.get().len() + beside;
        if bytes > MAX_BYTES {
            let why = format!(
                "returned variables that have {bytes} bytes with the result variable, more than the {MAX_BYTES} that fit into a job"
            );
            return Err(wrong(Kind::Result, &why));
        }
        spoken.result = Some(variables);
    }
    if let Some(expression) = &expressions.error {
        let retries = job.retries.unwrap_or(1);
        let succeeded = matches!(seen, Seen::Response(_));
        let variables = match &seen {
            Seen::Response(answer) => {
                let mut outputs: BTreeMap<&str, &RawValue> = BTreeMap::new();
                outputs.extend(result_variable.map(|name| (name, answer.json())));
                let result = spoken.result.iter().flatten();
                outputs.extend(result.map(|(name, value)| (name.as_str(), &**value)));
                // Each makes the request larger by itself, twice: those that the expression does not name are left out.
                outputs.retain(|name, _| expression.mentions(name));
                of_success(answer.json(), &outputs, retries)
            }
            Seen::Error(error) => of_error(error, retries),
        };
        let (result, warnings) = evaluate(shared, job, Kind::Error, expression, succeeded, &variables).await?;
        let said = of_error_expression(&result, &warnings, random::fraction());
        spoken.said = said.map_err(|why| wrong(Kind::Error, &why))?;
    }
    Ok(spoken)
}

async fn evaluate<E: Engine>(
    shared: &Shared<E>,
    job: &Job,
    kind: Kind,
    expression: &Expression,
    succeeded: bool,
    variables: &RawValue,
) -> Result<(Box<RawValue>, Vec<String>), NotEvaluated> {
    parse(shared, job, kind, expression).await?;
    if let Some(number) = integer_beyond_64_bits(variables) {
        return Err(wrong(
            kind,
            &format!(
                "cannot be evaluated: the response has the integer {number}, which the engine would change because it needs more than 64 bits"
            ),
        ));
    }
    match ask(shared, job, &expression.wrapped(), Some(variables)).await {
        EvaluateAnswer::Evaluated { result, warnings } => {
            log(job, kind, succeeded, &result, &warnings);
            Ok((result, warnings))
        }
        answer => Err(not_evaluated(kind, answer)),
    }
}

/// Evaluates the expression by itself and without variables: what comes of it does not matter, as long as it parses.
async fn parse<E: Engine>(
    shared: &Shared<E>,
    job: &Job,
    kind: Kind,
    expression: &Expression,
) -> Result<(), NotEvaluated> {
    let text = expression.alone();
    // To an engine a lone `=` is text.
    if text == "=" {
        return Err(wrong(kind, "is empty after its `=`"));
    }
    if let Some(known) = shared.expressions.get(&text) {
        return known.map_err(|why| wrong(kind, &why));
    }
    match ask(shared, job, &text, None).await {
        EvaluateAnswer::Evaluated { .. } | EvaluateAnswer::Failed { evaluated: true, .. } => {
            shared.expressions.keep(text, Ok(()));
            Ok(())
        }
        EvaluateAnswer::Unparsable { detail } => {
            let why = format!("is not valid FEEL: {detail}");
            shared.expressions.keep(text, Err(why.clone()));
            Err(wrong(kind, &why))
        }
        answer => Err(not_evaluated(kind, answer)),
    }
}

async fn ask<E: Engine>(
    shared: &Shared<E>,
    job: &Job,
    expression: &str,
    variables: Option<&RawValue>,
) -> EvaluateAnswer {
    let asked = Instant::now();
    let answer = shared.engine.evaluate(job, expression, variables).await;
    shared.metrics.evaluation(asked.elapsed());
    let worked = matches!(
        answer,
        EvaluateAnswer::Evaluated { .. }
            | EvaluateAnswer::Unparsable { .. }
            | EvaluateAnswer::Failed { evaluated: true, .. }
    );
    shared.expressions.doubtful.store(!worked, Ordering::Relaxed);
    answer
}

fn not_evaluated(kind: Kind, answer: EvaluateAnswer) -> NotEvaluated {
    match answer {
        EvaluateAnswer::Evaluated { .. } => wrong(kind, "was evaluated, and its result is not known"),
        EvaluateAnswer::Unparsable { detail } | EvaluateAnswer::Failed { detail, .. } => {
            wrong(kind, &format!("was not evaluated: {detail}"))
        }
        EvaluateAnswer::Unsupported { detail } => Failed(format!(
            "The task has the header `{}`, which needs Camunda 8.9 or later. Clear that field, and use the result variable with an output mapping, or a \
             boundary event. ({detail})",
            kind.header()
        )),
        EvaluateAnswer::Away { detail } => Away(format!("The engine did not evaluate the {kind}: {detail}.")),
    }
}

fn wrong(kind: Kind, why: &str) -> NotEvaluated {
    Failed(format!(
        "The {kind} (task header `{}`) {}.",
        kind.header(),
        why.trim_end_matches('.')
    ))
}

/// What FEEL warned of explains a null. An error expression that looks at `error` warns on every success, which is nobody's mistake.
fn log(job: &Job, kind: Kind, succeeded: bool, result: &RawValue, warnings: &[String]) {
    let mut shown: Vec<&str> = Vec::new();
    for warning in warnings {
        if shown.len() < SHOWN_WARNINGS && !shown.contains(&warning.as_str()) {
            shown.push(warning);
        }
    }
    let (header, count, warnings) = (kind.header(), warnings.len(), shown.join("; "));
    match count {
        0 => {}
        _ if kind == Kind::Error && succeeded && result.get() == "null" => {
            tracing::debug!(
                jobKey = job.key,
                expression = header,
                count,
                "the engine warns: {warnings}"
            );
        }
        _ => tracing::warn!(
            jobKey = job.key,
            expression = header,
            count,
            "the engine warns: {warnings}"
        ),
    }
}

/// FEEL may warn once for each element of a list.
const SHOWN_WARNINGS: usize = 5;
