//! valgrind's callgrind, and what its output says.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::client::Calls;

/// Instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// All of them.
    pub all: u64,
    /// In code that belongs to no file: what wasmtime compiled.
    pub guest: u64,
}

impl Counted {
    pub fn minus(self, other: Self) -> Self {
        Self {
            all: self.all.saturating_sub(other.all),
            guest: self.guest.saturating_sub(other.guest),
        }
    }

    pub fn each(self, calls: u64) -> Self {
        Self {
            all: self.all / calls,
            guest: self.guest / calls,
        }
    }
}

/// Whether valgrind can be run.
pub fn is_there() -> Result<()> {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    match version {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("valgrind is missing: install it, for example with `apt-get install valgrind`"),
    }
}

/// Makes the calls under callgrind, which writes to `file`.
pub fn run(calls: &Calls, file: &Path) -> Result<Counted> {
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?);
    calls.arguments(&mut command);
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "the calls failed under valgrind:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = fs::read_to_string(file).with_context(|| format!("callgrind has not written {}", file.display()))?;
    read(&text).context("callgrind's output is not as expected")
}

/// The format is described in valgrind's manual, section "Callgrind Format Specification".
fn read(text: &str) -> Option<Counted> {
    let mut names = HashMap::new();
    let mut guest = 0;
    let mut all = 0;
    let mut in_guest = false;
    let mut inclusive = false;
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            // `(3) /lib/x.so` the first time, and then `(3)`.
            let (id, name) = object.split_once(' ').unwrap_or((object, ""));
            if !name.is_empty() {
                names.insert(id, name);
            }
            in_guest = names.get(id).copied() == Some("???");
        } else if let Some(object) = line.strip_prefix("cob=") {
            if let Some((id, name)) = object.split_once(' ') {
                names.insert(id, name);
            }
        } else if line.starts_with("calls=") {
            // The next line says what the called function took, which is counted there.
            inclusive = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '*')) {
            let cost: u64 = line.split(' ').nth(1)?.parse().ok()?;
            if !std::mem::take(&mut inclusive) {
                all += cost;
                guest += if in_guest { cost } else { 0 };
            }
        }
    }
    (all > 0 && guest > 0).then_some(Counted { all, guest })
}
