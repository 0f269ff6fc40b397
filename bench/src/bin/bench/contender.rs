//! The contenders: how each is started, and what the tables call it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use flow_starter_bench::call::{PASSWORD, USERNAME};
use serde_json::Value;

use crate::process::Process;
use crate::server::Target;

/// Somebody who makes the calls.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// For the tables.
    pub(crate) label: String,
    program: PathBuf,
    before: Vec<String>,
    after: Vec<String>,
    /// Warm-up before the first round.
    pub(crate) warm_up: Duration,
    /// A virtual machine warms up on all cores.
    pub(crate) warms_up_everywhere: bool,
    /// Starts for the measurement of the start.
    pub(crate) starts: usize,
}

/// The yardstick of all ratios.
pub(crate) const NATIVE: usize = 0;
/// What the command line and the worker use.
pub(crate) const STARTER: usize = 2;

/// A component, and its machine code for each contender.
pub(crate) struct Components {
    pub(crate) ours: PathBuf,
    pub(crate) waki: PathBuf,
    /// By contender; none for native code.
    pub(crate) compiled: Vec<Option<PathBuf>>,
}

impl Components {
    /// Compiles all components into the directory.
    pub(crate) fn compile(client: &Path, ours: &Path, waki: &Path, directory: &Path) -> Result<Self> {
        let compile = |wasm: &Path, settings: &str| {
            let to = directory.join(format!("{settings}.cwasm"));
            let mut command = Command::new(client);
            command
                .arg("compile")
                .arg(wasm)
                .arg("--to")
                .arg(&to)
                .args(["--for", settings]);
            let status = command.status().context("cannot start bench-client")?;
            ensure!(status.success(), "{} does not compile", wasm.display());
            Ok(to)
        };
        let (host, pooling, on_demand) = (
            compile(ours, "ours")?,
            compile(ours, "pooling")?,
            compile(waki, "on-demand")?,
        );
        Ok(Self {
            ours: ours.to_owned(),
            waki: waki.to_owned(),
            compiled: vec![None, Some(host.clone()), Some(host), Some(pooling), Some(on_demand)],
        })
    }
}

/// The contenders in Rust, in the order of [`Components::compiled`].
pub(crate) fn in_rust(client: &Path, compiled: &[Option<PathBuf>]) -> Vec<Contender> {
    let all = [
        ("native", "native, pooled (hyper-util)"),
        ("connector", "**this component, `Connector::execute`**"),
        ("starter", "**this component, `FlowStarter::execute`**"),
        ("default-sender", "this component, wasmtime-wasi-http's default sender"),
        ("waki", "a component with waki's client, default settings"),
    ];
    all.into_iter()
        .zip(compiled)
        .map(|((name, label), compiled)| Contender {
            label: label.to_owned(),
            program: client.to_owned(),
            before: vec![name.to_owned()],
            after: compiled
                .iter()
                .flat_map(|file| ["--component".to_owned(), file.display().to_string()])
                .collect(),
            warm_up: Duration::from_secs(1),
            warms_up_everywhere: false,
            starts: 15,
        })
        .collect()
}

/// A contender of another make: `label=program argument …`.
pub(crate) fn other(text: &str) -> Result<Contender> {
    let Some((label, command)) = text.split_once('=') else {
        bail!("`{text}` is not of the form label=program argument …");
    };
    let mut words = command.split_whitespace().map(str::to_owned);
    let program = words.next().with_context(|| format!("`{text}` names no program"))?;
    Ok(Contender {
        label: label.to_owned(),
        program: program.into(),
        before: words.collect(),
        after: Vec::new(),
        // A JVM compiles its hot code in the background.
        warm_up: Duration::from_secs(25),
        warms_up_everywhere: true,
        starts: 3,
    })
}

impl Contender {
    fn command(&self, target: &Target, in_flight_max: u32) -> Command {
        let mut command = Command::new(&self.program);
        self.add_arguments(&mut command, target, in_flight_max);
        command
    }

    /// Appends its program and arguments to a command that runs another program.
    pub(crate) fn append_to(&self, command: &mut Command, target: &Target, in_flight_max: u32) {
        command.arg(&self.program);
        self.add_arguments(command, target, in_flight_max);
    }

    fn add_arguments(&self, command: &mut Command, target: &Target, in_flight_max: u32) {
        command.args(&self.before).args(["--url", &target.url]);
        if let Some(ca) = &target.ca {
            command.arg("--ca").arg(ca);
        }
        command
            .args(["--username", USERNAME, "--password", PASSWORD])
            .args(["--in-flight-max", &in_flight_max.to_string()])
            .args(&self.after);
    }

    /// Starts its process on these cores and waits for its first answer. Returns the time that this took, too.
    pub(crate) fn start(&self, target: &Target, in_flight_max: u32, cores: &[usize]) -> Result<(Process, Duration)> {
        let mut process = Process::start(&self.label, &mut self.command(target, in_flight_max), cores)?;
        let elapsed = process.ready()?;
        Ok((process, elapsed))
    }

    /// The output of one call, without the headers that depend on the time.
    pub(crate) fn output(&self, target: &Target) -> Result<Value> {
        let output = self.command(target, 1).arg("--print").output()?;
        ensure!(
            output.status.success(),
            "{}: {}",
            self.label,
            String::from_utf8_lossy(&output.stderr)
        );
        let mut output: Value = serde_json::from_slice(&output.stdout).context("the output is not JSON")?;
        if let Some(headers) = output.get_mut("headers").and_then(Value::as_object_mut) {
            headers.retain(|name, _| !name.eq_ignore_ascii_case("date"));
        }
        Ok(output)
    }
}

/// Checks that all make the same output of the same response.
pub(crate) fn same_outputs(contenders: &[Contender], target: &Target) -> Result<()> {
    let mut first: Option<Value> = None;
    for contender in contenders {
        let output = contender.output(target)?;
        if let Some(first) = &first {
            ensure!(
                *first == output,
                "{} gives another output: {output} instead of {first}",
                contender.label
            );
        }
        first.get_or_insert(output);
    }
    Ok(())
}
