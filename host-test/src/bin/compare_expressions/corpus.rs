//! The expressions, and the reasons for which the two sides may differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// `expressions.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corpus {
    /// What a call came to, by name: a response, or an error.
    answers: BTreeMap<String, Answer>,
    pub expressions: Vec<Case>,
}

/// What an expression is applied to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    Response(Value),
    Error(Value),
}

impl Answer {
    /// What Camunda's runtime evaluates an expression against.
    pub fn whole(&self) -> Value {
        match self {
            Self::Response(response) => response.clone(),
            Self::Error(error) => json!({ "error": error }),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Where people write it, for a reader.
    #[serde(rename = "source")]
    _source: String,
    pub kind: Header,
    given: String,
    pub expression: String,
    #[serde(default)]
    expected: Expected,
}

/// The task header that has the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    Result,
    Error,
}

/// `"same"`, or the names of the differences.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    Same(Same),
    Different(Vec<String>),
}

#[derive(Debug, Deserialize)]
enum Same {
    #[serde(rename = "same")]
    Same,
}

impl Default for Expected {
    fn default() -> Self {
        Self::Same(Same::Same)
    }
}

impl Case {
    /// The differences that it names.
    pub fn expected(&self) -> &[String] {
        match &self.expected {
            Expected::Same(Same::Same) => &[],
            Expected::Different(names) => names,
        }
    }
}

impl Corpus {
    /// Reads the file, and checks that names are unique and known.
    pub fn read(file: &Path) -> Result<Self> {
        let corpus: Self = read(file)?;
        let mut names = BTreeSet::new();
        for case in &corpus.expressions {
            ensure!(names.insert(&case.name), "{} stands twice", case.name);
            ensure!(
                corpus.answers.contains_key(&case.given),
                "{}: there is no answer {}",
                case.name,
                case.given
            );
        }
        Ok(corpus)
    }

    pub fn given(&self, case: &Case) -> Result<&Answer> {
        self.answers.get(&case.given).context("there is no such answer")
    }
}

/// One reason of `differences.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// `theirs → ours`, or names of fields.
    aspects: Vec<String>,
    /// For a reader.
    #[serde(rename = "why")]
    _why: String,
}

/// The reasons, and which of them no case has used yet.
pub struct Reasons {
    all: BTreeMap<String, Reason>,
    used: BTreeSet<String>,
}

impl Reasons {
    pub fn read(file: &Path) -> Result<Self> {
        Ok(Self {
            all: read(file)?,
            used: BTreeSet::new(),
        })
    }

    /// The first of these reasons that covers the difference.
    pub fn covering(&mut self, aspect: &str, expected: &[String]) -> Option<String> {
        let covers = |name: &&String| {
            let reason = self.all.get(*name);
            reason.is_some_and(|reason| reason.aspects.iter().any(|covered| covered == aspect))
        };
        let name = expected.iter().find(covers)?.clone();
        self.used.insert(name.clone());
        Some(name)
    }

    pub fn unused(&self) -> impl Iterator<Item = &String> {
        self.all.keys().filter(|name| !self.used.contains(*name))
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read {}", file.display()))
}
