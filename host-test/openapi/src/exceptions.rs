//! `exceptions.json`: where the document and the cluster may differ, and why.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::check::{Finding, Kind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// An operation and a status as a finding has them; `*` in front stands for every operation.
    at: String,
    kind: Kind,
    /// Why it is right all the same.
    why: String,
}

impl Exception {
    pub fn read(text: &str) -> Result<Vec<Self>> {
        serde_json::from_str(text).context("exceptions.json")
    }

    fn covers(&self, finding: &Finding) -> bool {
        let at = match self.at.strip_prefix('*') {
            Some(end) => finding.at.ends_with(end),
            None => finding.at == self.at,
        };
        at && self.kind == finding.kind
    }
}

impl std::fmt::Display for Exception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} ({})", self.at, self.kind, self.why)
    }
}

/// The findings that no exception covers, and the exceptions that cover nothing.
pub fn apply(findings: Vec<Finding>, exceptions: &[Exception]) -> (Vec<Finding>, Vec<&Exception>) {
    let unused = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| exception.covers(finding)));
    let unused = unused.collect();
    let open = findings
        .into_iter()
        .filter(|finding| !exceptions.iter().any(|exception| exception.covers(finding)));
    (open.collect(), unused)
}
