//! `make compare-expressions`: result and error expressions as people write them, evaluated by Camunda's connector runtime and by the worker's
//! own part with Camunda's FEEL engine behind it. See `host-test/feel/README.md`.

mod corpus;
mod judge;
mod ours;
mod outcome;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use host_test::feel::Feel;
use host_test::java::{Java, project};
use serde_json::{Value, json};

use corpus::{Case, Corpus, Reasons};
use judge::Judge;
use outcome::Outcome;

/// Compares what expressions come to, here and in Camunda's connector runtime.
///
/// It fails on a difference that no reason covers, and on a reason that covers nothing. What both sides said is written to results.json.
#[derive(Debug, Parser)]
#[command(name = "compare-expressions")]
struct Arguments {
    /// Only the expressions whose name has this in it; nothing is written
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let started = Java::find().and_then(|java| Ok((Judge::start(&java)?, Feel::start()?)));
    match started {
        Ok((judge, feel)) => match compare(judge, &feel, &Arguments::parse().only) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => fail(&format!("{error:#}")),
        },
        Err(missing) if missing.may_be_skipped() => {
            println!("compare-expressions: skipped: {missing}");
            ExitCode::SUCCESS
        }
        Err(missing) => fail(&missing.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("compare-expressions: {why}");
    ExitCode::FAILURE
}

/// Whether all differences are the expected ones.
fn compare(mut judge: Judge, feel: &Feel, only: &str) -> Result<bool> {
    let data = project("feel");
    let corpus = Corpus::read(&data.join("expressions.json"))?;
    let mut reasons = Reasons::read(&data.join("differences.json"))?;
    let engine = feel.evaluator();
    let (mut lines, mut same, mut different, mut failed) = (Vec::new(), 0, 0, 0);
    for case in corpus.expressions.iter().filter(|case| case.name.contains(only)) {
        let given = corpus.given(case)?;
        let theirs = judge.evaluate(case, given).with_context(|| case.name.clone())?;
        let ours = ours::evaluate(&engine, case, given).with_context(|| case.name.clone())?;
        let (explained, wrong) = verdict(case, &theirs, &ours, &mut reasons);
        lines.push(result(case, &theirs, &ours, &explained)?);
        match (wrong.is_empty(), explained.is_empty()) {
            (true, true) => same += 1,
            (true, false) => different += 1,
            (false, _) => {
                failed += 1;
                println!("FAILED {}: {}", case.name, case.expression);
                for line in wrong {
                    println!("    {line}");
                }
            }
        }
    }
    let total = lines.len();
    let mut gone = 0;
    if only.is_empty() {
        write(&data.join("results.json"), &lines)?;
        for name in reasons.unused() {
            gone += 1;
            println!("FAILED differences.json: `{name}` explains no expression: take it out");
        }
    }
    println!(
        "compare-expressions: {total} expressions: {same} the same, {different} with the differences expected, {failed} not as expected"
    );
    Ok(failed == 0 && gone == 0)
}

/// The reasons for the differences, and what is wrong, in lines.
fn verdict(case: &Case, theirs: &Outcome, ours: &Outcome, reasons: &mut Reasons) -> (Vec<String>, Vec<String>) {
    let (mut explained, mut wrong) = (Vec::new(), Vec::new());
    for aspect in Outcome::differences(theirs, ours) {
        match reasons.covering(&aspect, case.expected()) {
            Some(reason) => explained.push(reason),
            None => wrong.push(format!("{aspect}: differs, and nothing explains it")),
        }
    }
    if !wrong.is_empty() {
        wrong.push(format!("Camunda: {}", json!(theirs)));
        wrong.push(format!("ours:    {}", json!(ours)));
    }
    for name in case.expected() {
        if !explained.contains(name) {
            wrong.push(format!(
                "expected to differ by `{name}`, and does not: take it out of `expected`"
            ));
        }
    }
    (explained, wrong)
}

fn result(case: &Case, theirs: &Outcome, ours: &Outcome, explained: &[String]) -> Result<String> {
    let members: [(&str, Value); 4] = [
        ("name", json!(case.name)),
        ("camunda", json!(theirs)),
        ("ours", json!(ours)),
        ("differences", json!(explained)),
    ];
    let mut text = String::from("  {\n");
    for (at, (name, value)) in members.iter().enumerate() {
        let comma = if at + 1 < members.len() { "," } else { "" };
        writeln!(text, "    \"{name}\": {value}{comma}")?;
    }
    text.push_str("  }");
    Ok(text)
}

fn write(file: &Path, lines: &[String]) -> Result<()> {
    std::fs::write(file, format!("[\n{}\n]\n", lines.join(",\n")))
        .with_context(|| format!("cannot write {}", file.display()))
}
