//! `make compare`: the same jobs go to Camunda's own connector runtime and to `flow-starter worker`, and a table of both is written to
//! `docs/compared.md`.
//!
//! It fails on a difference that no reason covers, and on a reason that covers nothing (`host-test/compare/`).

mod cases;
mod differing;
mod facts;
mod page;
mod play;
mod reasons;
mod side;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use host_test::feel::Feel;
use host_test::java::{Java, Missing, project};

use crate::cases::{Case, Table};
use crate::differing::{Difference, differing};
use crate::facts::Facts;
use crate::play::Stage;
use crate::reasons::Reasons;
use crate::side::Side;

/// Compares Camunda's connector runtime with flow-starter worker.
#[derive(Debug, Parser)]
#[command(name = "compare")]
struct Arguments {
    /// The program that is compared
    #[arg(long, value_name = "FILE")]
    flow_starter: PathBuf,
    /// "all", "ci", or a part of the names
    #[arg(long, default_value = "all")]
    cases: String,
    /// Print all that both did
    #[arg(long)]
    show: bool,
    /// Where the table goes
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compared.md"))]
    page: PathBuf,
}

/// A case, both runs of it, and what came of their comparison.
pub struct Compared<'a> {
    pub case: &'a Case,
    pub camunda: Facts,
    pub ours: Facts,
    /// Each difference with the reason that covers it.
    pub differences: Vec<(Difference, Option<String>)>,
    /// What is not as it should be, in lines.
    pub wrong: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ready = Java::find().and_then(|java| {
        java.maven(&project("judge"))?;
        Ok((java, Feel::start()?))
    });
    let (java, feel) = match ready {
        Ok(ready) => ready,
        Err(missing) => {
            let skips = !matches!(missing, Missing::Broken(_)) && std::env::var_os("CI").is_none();
            eprintln!("compare: {}{missing}", if skips { "skipped: " } else { "" });
            return ExitCode::from(u8::from(!skips));
        }
    };
    match run(&arguments, java, &feel) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is as expected.
fn run(arguments: &Arguments, java: Java, feel: &Feel) -> Result<bool> {
    let table = Table::read()?;
    let mut reasons = Reasons::read()?;
    let is_whole = arguments.cases == "all";
    let wanted = |case: &&Case| match arguments.cases.as_str() {
        "all" => true,
        "ci" => case.ci,
        part => case.name.contains(part),
    };
    let cases: Vec<&Case> = table.cases.iter().filter(wanted).collect();
    let logs = std::env::current_exe()?
        .ancestors()
        .nth(2)
        .context("no target directory")?
        .join("compare");
    let sides = [Side::Camunda(java), Side::ours(&arguments.flow_starter, &logs)?];
    let played = std::thread::scope(|scope| {
        let threads = sides.each_ref().map(|side| {
            let stage = Stage {
                side,
                table: &table,
                feel,
            };
            let cases = &cases;
            scope.spawn(move || stage.play(cases))
        });
        threads.map(|thread| thread.join().map_err(|_| anyhow!("a side has panicked"))?)
    });
    let [camunda, ours] = played;
    let mut all = Vec::new();
    for ((case, camunda), (_, ours)) in camunda?.into_iter().zip(ours?) {
        if arguments.show {
            println!(
                "{}\n  Camunda: {}\n  ours:    {}",
                case.name,
                camunda.shown(),
                ours.shown()
            );
        }
        all.push(compare(case, camunda, ours, &mut reasons)?);
    }
    Ok(report(&all, &reasons, is_whole)
        && (!is_whole || page::write(&arguments.page, &all, &reasons).map(|()| true)?))
}

fn compare<'a>(case: &'a Case, camunda: Facts, ours: Facts, reasons: &mut Reasons) -> Result<Compared<'a>> {
    let expected = case.expected.ids();
    let (mut differences, mut wrong) = (Vec::new(), Vec::new());
    for difference in differing(&camunda, &ours) {
        let reason = reasons.covering(&difference, expected)?;
        if reason.is_none() {
            let Difference { aspect, camunda, ours } = &difference;
            wrong.push(format!("{aspect} differs, and no reason covers it"));
            wrong.push(format!("    Camunda: {camunda}"));
            wrong.push(format!("    ours:    {ours}"));
        }
        differences.push((difference, reason));
    }
    for id in expected {
        if !differences.iter().any(|(_, reason)| reason.as_ref() == Some(id)) {
            wrong.push(format!(
                "`{id}` is expected and covers nothing: remove it from `expected`"
            ));
        }
    }
    Ok(Compared {
        case,
        camunda,
        ours,
        differences,
        wrong,
    })
}

/// Says what is wrong; true if nothing is.
fn report(all: &[Compared], reasons: &Reasons, is_whole: bool) -> bool {
    let mut failed = 0;
    for compared in all.iter().filter(|compared| !compared.wrong.is_empty()) {
        failed += 1;
        println!("FAILED {}", compared.case.name);
        for line in &compared.wrong {
            println!("    {line}");
        }
    }
    let unused: Vec<_> = reasons.unused().filter(|_| is_whole).collect();
    for id in &unused {
        println!("FAILED differences.json: `{id}` covers nothing: remove it");
    }
    println!("compare: {} cases, {failed} not as expected", all.len());
    failed == 0 && unused.is_empty()
}
