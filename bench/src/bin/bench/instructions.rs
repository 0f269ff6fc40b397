//! The processor instructions of a call, counted by valgrind's callgrind: unlike times, they repeat.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::contender::{self, Contender};
use crate::process::Process;
use crate::server::Target;

/// How many calls the two runs make. What both take besides drops out of the difference.
const FEW: u64 = 50;
const MANY: u64 = 250;
/// A small pool fits into valgrind's address space.
const IN_FLIGHT: u32 = 4;

/// Thousands of instructions of a call, for the native client and our two entrances, in this order; nothing where valgrind is missing.
/// Valgrind's address space has no room for the pools of the others.
pub(crate) fn measure(
    client: &Path,
    wasm: &Path,
    target: &Target,
    directory: &Path,
    cores: &[usize],
) -> Result<Vec<f64>> {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("valgrind is missing, for example `apt-get install valgrind`: instructions are not counted");
        return Ok(Vec::new());
    }
    // Compiled under valgrind, whose processor lacks some of this one's instructions.
    let code = directory.join("counted.cwasm");
    let mut compile = Command::new("valgrind");
    compile
        .arg("--tool=none")
        .arg(client)
        .arg("compile")
        .arg(wasm)
        .arg("--to")
        .arg(&code)
        .args(["--for", "ours"]);
    let compiled = compile.stderr(Stdio::null()).status()?;
    ensure!(compiled.success(), "{} does not compile under valgrind", wasm.display());
    let contenders = contender::in_rust(client, &[None, Some(code.clone()), Some(code)]);
    contenders
        .iter()
        .map(|contender| {
            let few = count(contender, target, directory, cores, FEW)?;
            let many = count(contender, target, directory, cores, MANY)?;
            Ok(many.saturating_sub(few) as f64 / (MANY - FEW) as f64 / 1e3)
        })
        .collect()
}

/// All instructions of a process that makes so many calls.
fn count(contender: &Contender, target: &Target, directory: &Path, cores: &[usize], calls: u64) -> Result<u64> {
    let file = directory.join("callgrind");
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()));
    contender.append_to(&mut command, target, IN_FLIGHT);
    command.stderr(Stdio::null());
    let mut process = Process::start(&contender.label, &mut command, cores)?;
    process.ready()?;
    process.run(calls, 1)?;
    process.end()?;
    let text = fs::read_to_string(&file).with_context(|| format!("valgrind has not written {}", file.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    ensure!(total.is_some(), "{} has no total", file.display());
    Ok(total.unwrap_or_default())
}
