//! `make bench-java`: runs `bench` with three more contenders, which are written in Java.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use host_test::java::{Built, Java, or_skip, repository};

/// Builds the contenders in Java, and runs `bench` with them. It has to be started in the repository's directory.
#[derive(Debug, Parser)]
#[command(name = "bench-java")]
struct Arguments {
    /// The program `bench` and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    bench: Vec<OsString>,
}

/// Names of the table, and of the program.
const CONTENDERS: [(&str, &str); 3] = [
    ("Java, one shared Apache HttpClient 5", "shared"),
    ("Java, a new Apache HttpClient 5 for each request", "per-request"),
    ("Camunda's REST connector 8.8.7, without its worker", "camunda"),
];

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench-java: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let built = Java::find().and_then(|java| Ok((java.maven(&repository().join("bench/java"))?, java)));
    let Some((built, java)) = or_skip(built, "the contenders in Java") else {
        return Ok(ExitCode::SUCCESS);
    };
    let Some((program, own)) = arguments.bench.split_first() else {
        bail!("no program is given");
    };
    let mut bench = Command::new(program);
    bench.args(own);
    for (label, name) in CONTENDERS {
        bench
            .arg("--also")
            .arg(format!("{label}={}", command(&java, &built, name)?));
    }
    let ended = bench.status();
    let ended = ended.with_context(|| format!("cannot run {}", program.display()))?;
    Ok(match ended.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// `bench` splits it at spaces, so paths are relative to the repository.
fn command(java: &Java, built: &Built, contender: &str) -> Result<String> {
    let java = java.plain();
    let java = java.get_program().to_string_lossy();
    let root = format!("{}/", repository().display());
    let class_path = built.class_path().replace(&root, "");
    let command = format!("{java} @bench/java/jvm.options -cp {class_path} Contender {contender}");
    if java.contains(' ') {
        bail!("the JDK's path has a space: {java}");
    }
    Ok(command)
}
