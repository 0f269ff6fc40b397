//! In which aspects two runs of a case differ. An aspect is a path into the facts, such as `variables.result.headers.Set-Cookie`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::facts::Facts;

/// One aspect, and what each side has there as JSON, or `nothing`.
#[derive(Debug)]
pub struct Difference {
    pub aspect: String,
    pub camunda: String,
    pub ours: String,
}

/// Every difference, in the order of the facts.
pub fn differing(camunda: &Facts, ours: &Facts) -> Vec<Difference> {
    let mut found = Found::default();
    for (what, theirs, own) in [
        ("request", &camunda.requests, &ours.requests),
        ("token", &camunda.tokens, &ours.tokens),
    ] {
        found.compare(&format!("{what}s"), &theirs.len().into(), &own.len().into());
        // Later ones repeat the first.
        if let (Some(theirs), Some(own)) = (theirs.first(), own.first()) {
            found.compare(what, theirs, own);
        }
    }
    found.compare("flows", &camunda.flows.into(), &ours.flows.into());
    found.compare(
        "outcome",
        &camunda.outcome.as_str().into(),
        &ours.outcome.as_str().into(),
    );
    found.compare("retries", &camunda.retries.clone().into(), &ours.retries.clone().into());
    if camunda.retries == ours.retries {
        found.compare(
            "backoffs",
            &camunda.backoffs.clone().into(),
            &ours.backoffs.clone().into(),
        );
    }
    // What belongs to different ends is no pair.
    if camunda.outcome == ours.outcome {
        found.compare("message", &camunda.message, &ours.message);
        if !camunda.error.is_null() || camunda.outcome != "completed" {
            found.compare("error", &camunda.error, &ours.error);
        }
        found.compare("variables", &camunda.variables, &ours.variables);
    }
    found.0
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn compare(&mut self, aspect: &str, camunda: &Value, ours: &Value) {
        match (camunda, ours) {
            (Value::Object(theirs), Value::Object(own)) => {
                let names: BTreeSet<_> = theirs.keys().chain(own.keys()).collect();
                for name in names {
                    let value = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                    self.compare(&format!("{aspect}.{name}"), &value(theirs), &value(own));
                }
            }
            (Value::Null, Value::Object(own)) if aspect.starts_with("error") => {
                own.iter()
                    .for_each(|(name, value)| self.compare(&format!("{aspect}.{name}"), camunda, value));
            }
            _ if camunda == ours => {}
            // Ours is a whole sentence, with the status and its phrase in it.
            (Value::String(phrase), Value::String(sentence))
                if aspect == "error.message" && sentence.contains(&format!(" {phrase})")) => {}
            _ => self.0.push(Difference {
                aspect: aspect.to_owned(),
                camunda: shown(camunda),
                ours: shown(ours),
            }),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    }
}
