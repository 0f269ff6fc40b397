//! Checks the test cluster, and what the worker sends to it, against the OpenAPI document of Camunda's Orchestration Cluster.
//!
//! Input: `requests.json`, `worker.json`, `exceptions.json`, and three programs. Output: what differs, and exit code 1 if anything does.

mod cases;
mod check;
mod document;
mod exceptions;
mod programs;
mod schema;
mod version;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::check::Check;
use crate::document::Document;
use crate::exceptions::Exception;
use crate::version::Version;
use crate::worker::Programs;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("openapi: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let programs = arguments()?;
    let document = Document::find()?;
    let mut check = Check::new(&document);
    let cases = cases::Table::read(include_str!("../requests.json"))?;
    let mut requests = 0;
    for version in Version::ALL {
        requests += cases.play(&programs.cluster, version, &mut check)?;
    }
    check.never_seen();
    let table = worker::Table::read(include_str!("../worker.json"))?;
    let mut sent = 0;
    for lease in [false, true] {
        sent += table.play(&programs, Version::NEWEST, lease, &mut check)?;
    }
    let bodies = check.bodies;
    let exceptions = Exception::read(include_str!("../exceptions.json"))?;
    let (open, unused) = exceptions::apply(check.findings, &exceptions);
    let mut grouped = BTreeMap::new();
    for finding in open {
        let versions: &mut Vec<_> = grouped.entry((finding.at, finding.kind, finding.text)).or_default();
        versions.push(finding.version.to_string());
    }
    for ((at, kind, text), mut versions) in grouped.clone() {
        versions.dedup();
        println!("FAILED {at}: {kind:?} ({}): {text}", versions.join(", "));
    }
    for exception in &unused {
        println!("FAILED exceptions.json: this covers nothing: {exception}");
    }
    println!(
        "openapi: {requests} requests to the test cluster and {sent} of the worker, {bodies} checks against a schema: {} findings, {} exceptions",
        grouped.len(),
        exceptions.len()
    );
    Ok(grouped.is_empty() && unused.is_empty())
}

fn arguments() -> Result<Programs> {
    let mut given = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name}: a file is missing"))?;
        given.insert(name, PathBuf::from(value));
    }
    let mut take = |name: &str| given.remove(name).with_context(|| format!("{name} FILE is missing"));
    let programs = Programs {
        cluster: take("--cluster")?,
        worker: take("--flow-starter")?,
        stand_in: take("--stand-in")?,
    };
    if let Some(unknown) = given.keys().next() {
        bail!("there is no {unknown}");
    }
    Ok(programs)
}
