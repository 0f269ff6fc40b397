//! The figures, and those on record: what grew by more than a twentieth must be recorded on purpose.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Of one call, in instructions; and the component's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// `Connector::execute`, in the component.
    pub connector_guest: u64,
    /// `Connector::execute`, all.
    pub connector: u64,
    /// `FlowStarter::execute`, in the component.
    pub starter_guest: u64,
    /// `FlowStarter::execute`, all.
    pub starter: u64,
    /// The size of the component's file.
    pub component_bytes: u64,
}

/// How much more is still the same, in per cent.
const TOLERANCE: u64 = 5;

impl Figures {
    fn rows(&self) -> [(&'static str, u64); 5] {
        [
            ("Connector::execute, in the component", self.connector_guest),
            ("Connector::execute, all", self.connector),
            ("FlowStarter::execute, in the component", self.starter_guest),
            ("FlowStarter::execute, all", self.starter),
            ("the component, in bytes", self.component_bytes),
        ]
    }

    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not as `make count WRITE=1` writes it", file.display()))
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    pub fn compared(&self, recorded: &Self) -> Verdict {
        let both = self.rows().into_iter().zip(recorded.rows());
        let beyond = |now: u64, then: u64| now * 100 > then * (100 + TOLERANCE);
        let list = |more: bool| -> Vec<String> {
            let changed = both.clone().filter(|((_, now), (_, then))| match more {
                true => beyond(*now, *then),
                false => beyond(*then, *now),
            });
            changed
                .map(|((name, now), (_, then))| format!("{name}: {now}, and {then} on record"))
                .collect()
        };
        match list(true) {
            grown if grown.is_empty() => Verdict::Held(list(false)),
            grown => Verdict::Grown(grown),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, figure) in self.rows() {
            writeln!(f, "{figure:>12}  {name}")?;
        }
        Ok(())
    }
}

/// What the comparison says.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing has grown; what has shrunk by more than the tolerance.
    Held(Vec<String>),
    /// What has grown.
    Grown(Vec<String>),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lines, advice) = match self {
            Self::Held(shrunk) if shrunk.is_empty() => return writeln!(f, "As on record, within {TOLERANCE} %."),
            Self::Held(shrunk) => (shrunk, "Less than on record. Record it with `make count WRITE=1`."),
            Self::Grown(grown) => (
                grown,
                "More than on record. Take out what is not needed; or, if it is worth that much, record it with `make count WRITE=1`.",
            ),
        };
        for line in lines {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "{advice}")
    }
}
