//! The table of cases that every component host must pass (`conformance/*.json`), as data, so that no case is written twice.
//!
//! A case says what the process gives, what the server does, and what must come of it:
//!
//! | key | meaning |
//! |---|---|
//! | `name` | a promise; unique |
//! | `why` | where it is not plain: the reason, or the source |
//! | `input` | a merge patch (RFC 7396) over `conformance/base.json`; a null takes a member away |
//! | `raw` | instead: the input's text, as it stands |
//! | `server` | path → [`Behaviour`]; every other path is normal |
//! | `requests` | how many the server received; 1 if not said |
//! | `starts` | how many flows were started; 1 for an answer and 0 for an error if not said |
//! | `sentForToken`, `sent` | what the first request was, and the last: method, raw target, headers, body |
//! | `answer` | a success: status, body, headers, ids |
//! | `error` | or a failure: kind, flow state, retryable, retry-after, answer, parts of the message |
//!
//! [`STAND_IN`] in a file stands for the address at which the stand-in takes plain HTTP, such as `127.0.0.1:8080`, and [`VERSION`] for the
//! version in the component's user agent.
//!
//! Some hosts keep an object's members in order and some sort them. So that both send the same, a patch gives them in the alphabet's order,
//! behind those of the example; a `raw` has them in any. And some keep a connection for the next request: a script that answers in full
//! and then closes says `Connection: close`, as servers do, or the next case could lose its request on the way.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use servicenow_stand_in::Behaviour;

/// The blueprint's input, `examples/flow.json`, for the stand-in's instance. A case changes it.
pub const BASE: &str = include_str!("../conformance/base.json");

/// What is replaced in a file by the stand-in's address for plain HTTP.
pub const STAND_IN: &str = "${stand-in}";

/// What is replaced in a file by the component's version.
pub const VERSION: &str = "${version}";

/// The files, by name.
pub const FILES: [(&str, &str); 4] = [
    ("answers", include_str!("../conformance/answers.json")),
    ("authentication", include_str!("../conformance/authentication.json")),
    ("refusals", include_str!("../conformance/refusals.json")),
    ("requests", include_str!("../conformance/requests.json")),
];

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs, reason = "the table above says it")]
pub struct Case {
    pub name: String,
    pub why: Option<String>,
    pub input: Option<Value>,
    pub raw: Option<String>,
    #[serde(default)]
    pub server: BTreeMap<String, Behaviour>,
    #[serde(default = "one")]
    pub requests: usize,
    starts: Option<usize>,
    pub sent_for_token: Option<Sent>,
    pub sent: Option<Sent>,
    pub answer: Option<ExpectedAnswer>,
    pub error: Option<ExpectedError>,
}

/// What a request must have been.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Sent {
    /// The method.
    pub method: Option<String>,
    /// Path and query as they were on the wire.
    pub target: Option<String>,
    /// A value, a list for repeats, or null for a header that must not be there.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// The body's text, byte for byte.
    pub body: Option<String>,
}

/// What a success must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpectedAnswer {
    /// The status.
    pub status: u16,
    /// The status's phrase; not compared where it is not said.
    pub reason: Option<String>,
    /// Which id there is: that of the flow that the server started.
    #[serde(default)]
    pub id: ExpectedId,
    /// Instead of `id`, where the server's answer is the case's own: the execution id.
    pub execution_id: Option<String>,
    /// And the sys_id.
    pub sys_id: Option<String>,
    /// The body as the process reads it; not compared where it is not said.
    #[serde(default, deserialize_with = "present")]
    pub body: Option<Value>,
    /// Response headers by any of the names that they have; a list for repeats, null for one that must not be there.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
}

/// Which ids an answer has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "their names say it all")]
pub enum ExpectedId {
    #[default]
    ExecutionId,
    SysId,
    None,
}

/// What a failure must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpectedError {
    /// The contract's `error-kind`.
    pub kind: String,
    /// The contract's `flow-state`.
    pub flow: String,
    /// Whether to try again.
    #[serde(default)]
    pub retryable: bool,
    /// How long to wait first.
    pub retry_after_ms: Option<u32>,
    /// The status in the error's `response`; null where there must be no response.
    pub status: Option<u16>,
    /// The body in the error's `response`.
    pub body: Option<String>,
    /// Headers in the error's `response`, as in an answer's.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// Parts of the message.
    #[serde(default)]
    pub says: Vec<String>,
    /// What must not be in the message.
    #[serde(default)]
    pub unsaid: Vec<String>,
    /// What must be in no part of the error: neither the message nor the response's headers or body.
    #[serde(default)]
    pub hides: Vec<String>,
}

impl Case {
    /// The JSON door's input.
    ///
    /// # Errors
    /// Where the patched input is no JSON.
    pub fn input(&self) -> anyhow::Result<String> {
        if let Some(raw) = &self.raw {
            return Ok(raw.clone());
        }
        patched(self.input.as_ref().unwrap_or(&Value::Object(serde_json::Map::new())))
    }

    /// Whether the token's request is the last: what goes wrong then is judged by the contract's row for token requests.
    #[must_use]
    pub fn ends_with_the_token(&self) -> bool {
        let kind = self.input.as_ref().and_then(|it| it.pointer("/authentication/type"));
        kind.is_some_and(|it| it == "oauth-client-credentials-flow") && self.requests == 1 && self.error.is_some()
    }

    /// How many flows must have been started.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.starts.unwrap_or(usize::from(self.answer.is_some()))
    }
}

/// A file's cases; `stand_in` is its address for plain HTTP.
///
/// # Errors
/// Where the file is wrong, with the place.
pub fn cases(file: &str, stand_in: &str) -> anyhow::Result<Vec<Case>> {
    let (_, text) = FILES
        .iter()
        .find(|(name, _)| *name == file)
        .context("no such file of cases")?;
    let text = text
        .replace(STAND_IN, stand_in)
        .replace(VERSION, env!("CARGO_PKG_VERSION"));
    serde_json::from_str(&text).with_context(|| format!("conformance/{file}.json"))
}

/// The example's input, changed by a merge patch.
///
/// # Errors
/// Where the example is no JSON.
pub fn patched(patch: &Value) -> anyhow::Result<String> {
    let mut input: Value = serde_json::from_str(BASE)?;
    merge(&mut input, patch);
    Ok(input.to_string())
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(members) = target {
        for (name, value) in patch {
            match value {
                Value::Null => {
                    members.remove(name);
                }
                value => merge(members.entry(name.clone()).or_insert(Value::Null), value),
            }
        }
    }
}

fn one() -> usize {
    1
}

/// A null that is written is a null to compare with.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}
