//! Camunda's connector runtime (`host-test/judge/`), one process for all expressions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use host_test::java::{Java, Missing, project};
use serde_json::{Map, Value, json};

use crate::corpus::{Answer, Case, Header};
use crate::outcome::{Kind, Outcome};

pub struct Judge {
    child: Child,
    calls: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// Builds the judge where necessary, and starts it.
    pub fn start(java: &Java) -> Result<Self, Missing> {
        let built = java.maven(&project("judge"))?;
        let broken = |why: String| Missing::Broken(format!("the judge does not start: {why}"));
        let mut child = java
            .command()
            .args(["-cp", &built.class_path(), "Judge"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| broken(error.to_string()))?;
        let (Some(calls), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("it has no pipes".to_owned()));
        };
        let mut judge = Self {
            child,
            calls,
            answers: BufReader::new(answers),
        };
        judge.read().map_err(|error| broken(error.to_string()))?;
        Ok(judge)
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the judge has ended");
        Ok(serde_json::from_str(&line)?)
    }

    pub fn evaluate(&mut self, case: &Case, given: &Answer) -> Result<Outcome> {
        let is_error = case.kind == Header::Error;
        let call = json!({ "evaluate": case.expression, "response": given.whole(), "error": is_error });
        writeln!(self.calls, "{call}")?;
        self.calls.flush()?;
        let mut answer = self.read()?;
        if answer.get("failed").is_some() {
            // Its words name objects of the one run.
            return Ok(Outcome::failed(None));
        }
        match (answer.get_mut("value").map(Value::take), is_error) {
            (Some(Value::Object(variables)), false) => Ok(Outcome::variables(variables)),
            (Some(Value::Object(error)), true) => connector_error(error),
            (Some(Value::Null), true) => Ok(Outcome::nothing()),
            _ => bail!("the judge says {answer}"),
        }
    }
}

/// The runtime's `ConnectorError` as JSON. Its members say which one it is.
fn connector_error(mut error: Map<String, Value>) -> Result<Outcome> {
    let mut take = |name: &str| error.remove(name).unwrap_or_default();
    let (code, message, variables) = (take("errorCode"), take("errorMessage"), take("variables"));
    let (retries, back_off) = (take("retries"), take("retryBackoff"));
    // Null and no text are the same to the cluster.
    let message = if message.is_null() { json!("") } else { message };
    match back_off.as_str() {
        None => Ok(Outcome::new(
            Kind::BpmnError,
            [("code", code), ("message", message), ("variables", variables)],
        )),
        Some(back_off) => Ok(Outcome::new(
            Kind::JobError,
            [
                ("message", message),
                ("variables", variables),
                ("retries", retries),
                ("retryBackoff", milliseconds(back_off)?.into()),
            ],
        )),
    }
}

/// A duration as Java prints it: `PT26H3M4.5S`, each part with a sign of its own.
fn milliseconds(duration: &str) -> Result<i64> {
    let parts = duration.strip_prefix("PT").context("no duration")?;
    let mut sum = 0.0;
    for part in parts.split_inclusive(['H', 'M', 'S']) {
        let (number, unit) = part.split_at(part.len() - 1);
        let unit = match unit {
            "H" => 3_600_000.0,
            "M" => 60_000.0,
            _ => 1000.0,
        };
        sum += number.parse::<f64>()? * unit;
    }
    // A thousandth of a second is the smallest part that a cluster knows.
    Ok(sum.round() as i64)
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
