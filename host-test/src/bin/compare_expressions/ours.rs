//! The worker's own part: what it sends to the engine, and what it makes of the answer.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use camunda_test_cluster::{Evaluated, Evaluation};
use flow_starter_worker::expression::context::{integer_beyond_64_bits, of_error, of_response, of_success};
use flow_starter_worker::expression::result::{Said, of_error_expression, of_result_expression};
use flow_starter_worker::expression::{Expression, Variables};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::corpus::{Answer, Case, Header};
use crate::outcome::{Kind, Outcome};

/// What the judge is told, too.
const RETRIES: i64 = 3;

/// No jitter.
const RANDOM: f64 = 0.5;

/// Evaluates an expression in the two requests that the worker makes of it.
pub fn evaluate(engine: impl Fn(&Evaluation) -> Evaluated, case: &Case, given: &Answer) -> Result<Outcome> {
    let Some(expression) = Expression::read(&case.expression) else {
        return Ok(match case.kind {
            Header::Result => Outcome::variables(Map::new()),
            Header::Error => Outcome::nothing(),
        });
    };
    let ask = |expression: String, variables| {
        engine(&Evaluation {
            expression,
            variables,
            tenant: None,
            scope: None,
        })
    };
    if let Evaluated::Unparsable(why) = ask(expression.alone(), Map::new()) {
        return Ok(Outcome::failed(Some(format!("is not valid FEEL: {why}"))));
    }
    let retries = (case.kind == Header::Error).then_some(RETRIES);
    let variables = match given {
        Answer::Response(response) => match retries {
            None => of_response(&to_raw_value(response)?),
            Some(retries) => of_success(&to_raw_value(response)?, &BTreeMap::new(), retries),
        },
        Answer::Error(error) => of_error(&to_raw_value(error)?, RETRIES),
    };
    if let Some(integer) = integer_beyond_64_bits(&variables) {
        return Ok(Outcome::failed(Some(format!("the response has the integer {integer}"))));
    }
    match ask(expression.wrapped(), serde_json::from_str(variables.get())?) {
        Evaluated::Result(result, warnings) => verdict(case.kind, &to_raw_value(&result)?, &warnings),
        Evaluated::Unparsable(why) | Evaluated::Failed(why) => Ok(Outcome::failed(Some(why))),
        Evaluated::Answer(_) => bail!("the FEEL service answers with HTTP"),
    }
}

fn verdict(kind: Header, result: &RawValue, warnings: &[String]) -> Result<Outcome> {
    let said = match kind {
        Header::Result => {
            return match of_result_expression(result, warnings) {
                Ok(variables) => Ok(Outcome::variables(object(variables)?)),
                Err(why) => Ok(Outcome::failed(Some(why))),
            };
        }
        Header::Error => of_error_expression(result, warnings, RANDOM),
    };
    Ok(match said {
        Err(why) => Outcome::failed(Some(why)),
        Ok(Said::Nothing) => Outcome::nothing(),
        Ok(Said::BpmnError {
            code,
            message,
            variables,
        }) => Outcome::new(
            Kind::BpmnError,
            [
                ("code", code.into()),
                ("message", message.into()),
                ("variables", object(variables)?.into()),
            ],
        ),
        Ok(Said::JobError {
            message,
            variables,
            retries,
            back_off,
        }) => Outcome::new(
            Kind::JobError,
            [
                ("message", message.into()),
                ("variables", object(variables)?.into()),
                ("retries", retries.into()),
                ("retryBackoff", u64::try_from(back_off.as_millis())?.into()),
            ],
        ),
        Ok(Said::IgnoreError { variables }) => {
            Outcome::new(Kind::IgnoreError, [("variables", object(variables)?.into())])
        }
    })
}

fn object(variables: Variables) -> Result<Map<String, Value>> {
    let parsed = variables
        .into_iter()
        .map(|(name, value)| Ok((name, serde_json::from_str(value.get())?)));
    parsed.collect()
}
