//! Why the two may differ: `host-test/compare/differences.json`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::differing::Difference;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compare/differences.json");
const CONNECTORS_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/judge/differences.json");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// What it covers in the cases that name it: patterns, in which `*` is any text.
    #[serde(default)]
    aspects: Vec<String>,
    /// What it covers in every case.
    #[serde(default)]
    everywhere: Vec<Everywhere>,
    /// Absent: it is a difference of the connector, and the sentence stands in `host-test/judge/differences.json`.
    why: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Everywhere {
    aspect: String,
    camunda: String,
    ours: String,
}

/// The reasons by id, and which of them have been used.
pub struct Reasons {
    reasons: BTreeMap<String, Reason>,
    used: BTreeSet<String>,
}

impl Reasons {
    pub fn read() -> Result<Self> {
        let mut reasons: BTreeMap<String, Reason> = read(FILE)?;
        let connectors: BTreeMap<String, Value> = read(CONNECTORS_FILE)?;
        for (id, reason) in &mut reasons {
            let connector = connectors.get(id).and_then(|it| it.get("why")).and_then(Value::as_str);
            match (&reason.why, connector) {
                (None, None) => bail!("differences.json: {id} has no `why`, and neither has the connector's file"),
                (None, Some(why)) => reason.why = Some(why.to_owned()),
                (Some(_), _) => {}
            }
        }
        let used = BTreeSet::new();
        Ok(Self { reasons, used })
    }

    /// The reason that covers a difference in a case that expects these.
    pub fn covering(&mut self, difference: &Difference, expected: &[String]) -> Result<Option<String>> {
        for id in expected {
            let Some(reason) = self.reasons.get(id) else {
                bail!("cases.json: {id} is not in differences.json");
            };
            if reason.aspects.iter().any(|glob| fits(glob, &difference.aspect)) {
                self.used.insert(id.clone());
                return Ok(Some(id.clone()));
            }
        }
        let everywhere = self.reasons.iter().find(|(_, reason)| {
            reason.everywhere.iter().any(|it| {
                fits(&it.aspect, &difference.aspect)
                    && fits(&it.camunda, &difference.camunda)
                    && fits(&it.ours, &difference.ours)
            })
        });
        let id = everywhere.map(|(id, _)| id.clone());
        self.used.extend(id.clone());
        Ok(id)
    }

    /// Ids that covered nothing.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.reasons
            .keys()
            .map(String::as_str)
            .filter(|id| !self.used.contains(*id))
    }

    /// The sentence of a reason.
    pub fn why(&self, id: &str) -> Option<&str> {
        self.reasons.get(id)?.why.as_deref()
    }

    /// Each id, its sentence, and whether it holds in every case.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.reasons.iter().map(|(id, reason)| {
            let why = reason.why.as_deref().unwrap_or_default();
            (id.as_str(), why, !reason.everywhere.is_empty())
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| file.to_owned())?;
    serde_json::from_str(&text).with_context(|| file.to_owned())
}

/// Whether the text is of this pattern, in which `*` is any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(beginning) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = text.find(piece) else {
            return false;
        };
        text = text.get(at + piece.len()..).unwrap_or_default();
    }
    text.ends_with(end)
}
