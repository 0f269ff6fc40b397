//! What is started: the blueprint's flow, or what a person's own file says.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::quoted;

/// The flow of the blueprint that Camunda publishes with its connector, as its documentation fills in the form.
const BLUEPRINT: &str = include_str!("../../../../examples/flow.json");

pub struct Input {
    /// As the component takes it.
    pub json: String,
    /// The same, for showing.
    pub value: Value,
    pub target: Target,
    /// It came from a file of the person's own.
    pub own: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    StandIn,
    /// A real instance, or another server that the input names.
    Elsewhere,
}

impl Input {
    /// With a correlation value that is new each time, as the blueprint's script task makes it.
    pub fn blueprint() -> Result<Self> {
        let mut value: Value = serde_json::from_str(BLUEPRINT)?;
        if let Some(body) = value.get_mut("body").and_then(Value::as_object_mut) {
            body.insert(
                "correlationValue".to_owned(),
                Value::from(format!("cam-id-{:x}", now())),
            );
        }
        Ok(Self {
            json: value.to_string(),
            value,
            target: Target::StandIn,
            own: false,
        })
    }

    pub fn read(file: &Path) -> Result<Self> {
        let json = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", quoted(file)))?;
        let value: Value = match serde_json::from_str(&json) {
            Ok(value) => value,
            // Its own message may quote the line, and so a password.
            Err(error) => bail!(
                "{} is not JSON (line {}, column {}); examples/flow.json is one to start from",
                quoted(file),
                error.line(),
                error.column()
            ),
        };
        ensure!(
            !holds_a_reference(&value),
            "{} refers to a secret ({{{{secrets.…}}}}), which this command cannot look up: write the value itself. Nothing was sent.",
            quoted(file)
        );
        let named = |field: &str| value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let stand_in = named("snInstance").is_some_and(|name| name.eq_ignore_ascii_case("acme"))
            && named("snDomain").is_none_or(|domain| domain.eq_ignore_ascii_case("service-now.com"))
            && named("snEndpoint").is_none();
        Ok(Self {
            json,
            value,
            target: if stand_in { Target::StandIn } else { Target::Elsewhere },
            own: true,
        })
    }
}

/// A process's input that no runtime has put the secrets into.
fn holds_a_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{") && text.contains("secrets."),
        Value::Array(items) => items.iter().any(holds_a_reference),
        Value::Object(members) => members.values().any(holds_a_reference),
        _ => false,
    }
}

fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}
