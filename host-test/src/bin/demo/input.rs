//! What is started: the blueprint's flow, or what a person's own file says.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use flow_starter_host::egress::Destinations;
use flow_starter_input::request::PLACEHOLDER;
use serde_json::{Value, json};

/// The flow of the blueprint that Camunda publishes with its connector, as its documentation fills in the form.
const BLUEPRINT: &str = "examples/flow.json";

/// The stand-in's instance.
pub const STAND_IN: &str = "acme";

pub struct Input {
    pub file: PathBuf,
    /// In place of the file's.
    pub body: Option<String>,
    /// It is a person's own.
    pub own: bool,
    /// What of it can be read: what is wrong with it, `flow-starter` says.
    pub text: String,
}

impl Input {
    /// With a correlation value that is new each time, as the blueprint's script task makes it.
    pub fn blueprint() -> Result<Self> {
        let body = json!({"correlationValue": format!("cam-id-{:x}", now())});
        Ok(Self {
            body: Some(body.to_string()),
            own: false,
            ..Self::own(Path::new(BLUEPRINT))?
        })
    }

    /// # Errors
    /// A file that cannot be opened. What is wrong with its content, `flow-starter` says.
    pub fn own(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        Ok(Self {
            file: file.to_owned(),
            body: None,
            own: true,
            // Windows editors begin a file with a byte order mark.
            text: text.trim_start_matches('\u{feff}').to_owned(),
        })
    }

    /// Whether it names the placeholder or the stand-in's instance, at no domain or address of its own.
    pub fn is_for_the_stand_in(&self) -> bool {
        let value: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let named = |field: &str| value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let is_stand_in = |name: &str| {
            [PLACEHOLDER, STAND_IN]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        };
        named("snInstance").is_some_and(is_stand_in)
            && named("snDomain").is_none_or(|domain| domain.eq_ignore_ascii_case("service-now.com"))
            && named("snEndpoint").is_none()
    }

    /// The origins that it would call.
    pub fn names(&self) -> Vec<String> {
        let named = Destinations::of_json(&self.text);
        let mut origins: Vec<_> = named
            .flow()
            .into_iter()
            .chain(named.token())
            .map(ToString::to_string)
            .collect();
        origins.dedup();
        origins
    }
}

fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}
