//! The cases as data: `host-test/compare/cases.json`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use camunda_test_cluster::{Answer, Variables};
use serde::Deserialize;
use serde_json::Value;
use servicenow_stand_in::{Behaviour, DEMO_FLOW};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compare/cases.json");

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The secrets that both programs are started with.
    pub secrets: BTreeMap<String, String>,
    /// The task's input, in the words of our form, which each case changes.
    pub base: Variables,
    pub cases: Vec<Case>,
}

/// One job, and what happens to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// The heading under which it stands.
    pub group: String,
    /// Members of the input in place of the base's; null takes one away.
    #[serde(default)]
    pub input: Variables,
    /// The task's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The task's output mappings: variable of the process ← variable of the task.
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    #[serde(default = "three")]
    pub retries: i32,
    /// The error codes that a boundary event catches.
    #[serde(default)]
    pub catches: Vec<String>,
    /// What the flow's path does with its first requests, one by one.
    #[serde(default)]
    pub once: Vec<Behaviour>,
    /// What it does with every further request.
    pub always: Option<Behaviour>,
    /// What the token endpoint does with every request.
    pub token: Option<Behaviour>,
    /// The cluster refuses so many completions.
    pub completion: Option<RefusedCompletions>,
    /// The worker is killed at this point.
    pub killed: Option<Killed>,
    /// The line of the first table, if it stands there.
    pub number: Option<String>,
    /// Part of the quick run.
    #[serde(default)]
    pub ci: bool,
    pub expected: Expected,
}

/// Completions that are answered with an error and not processed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedCompletions {
    pub answer: ClusterError,
    pub times: usize,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterError {
    ResourceExhausted,
    Unavailable,
}

impl ClusterError {
    pub fn answer(self) -> Answer {
        match self {
            Self::ResourceExhausted => Answer::resource_exhausted(),
            Self::Unavailable => Answer::unavailable(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Killed {
    /// ServiceNow has the request, and has not answered.
    AfterSending,
    /// The answer has arrived, and the completion has not been processed.
    BeforeCompletion,
}

/// What may differ.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// `"same"`
    Same(Same),
    /// Ids of `differences.json`.
    Differences(Vec<String>),
}

#[derive(Debug, Deserialize)]
pub enum Same {
    #[serde(rename = "same")]
    Same,
}

impl Expected {
    pub fn ids(&self) -> &[String] {
        match self {
            Self::Same(_) => &[],
            Self::Differences(ids) => ids,
        }
    }
}

fn three() -> i32 {
    3
}

impl Case {
    /// It needs a cluster of its own, because the worker is killed or the cluster goes wrong.
    pub fn is_apart(&self) -> bool {
        self.killed.is_some() || self.completion.is_some()
    }

    /// The flow's path, without the query.
    pub fn path(&self) -> &str {
        let own = self.input.get("restApiTriggerPath").and_then(Value::as_str);
        own.unwrap_or(DEMO_FLOW).split('?').next().unwrap_or_default()
    }

    /// The base's input, changed.
    pub fn input(&self, base: &Variables) -> Variables {
        let mut input = base.clone();
        for (name, value) in &self.input {
            input.insert(name.clone(), value.clone());
        }
        input.retain(|_, value| !value.is_null());
        input
    }
}

impl Table {
    pub fn read() -> Result<Self> {
        let text = std::fs::read_to_string(FILE).context(FILE)?;
        let table: Self = serde_json::from_str(&text).context(FILE)?;
        let mut names: Vec<_> = table.cases.iter().map(|case| &case.name).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
            bail!("cases.json: two cases are named {pair:?}");
        }
        Ok(table)
    }
}
