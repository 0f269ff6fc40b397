//! The command line that a person would type, and its run.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};
use servicenow_stand_in::StandIn;

use crate::input::{Input, STAND_IN};

pub struct FlowStarter {
    program: PathBuf,
    /// Each flag with its value.
    arguments: Vec<Vec<OsString>>,
    stand_in: Option<Reached>,
}

/// Where the stand-in is.
struct Reached {
    host: String,
    address: String,
    ca_file: PathBuf,
}

impl Reached {
    fn arguments(&self) -> [Vec<OsString>; 2] {
        let mapping = format!("{}:443:{}", self.host, self.address);
        [
            vec!["--ca-file".into(), self.ca_file.clone().into()],
            vec!["--connect-to".into(), mapping.into()],
        ]
    }
}

/// A stand-in that outlives the demo, and where it is.
const LASTING: &str = "$ cargo run -p servicenow-stand-in -- --port 8443 --ca-file ca.pem";
const LASTING_ADDRESS: &str = "127.0.0.1:8443";
const LASTING_CA_FILE: &str = "ca.pem";

/// How it ended.
pub struct Ended {
    pub code: ExitCode,
    /// On standard output.
    pub said: String,
}

impl FlowStarter {
    pub fn new(program: &Path, input: &Input) -> Self {
        let mut arguments = vec![vec!["trigger".into(), input.file.clone().into()]];
        if let Some(body) = &input.body {
            arguments.push(vec!["--request-body".into(), body.into()]);
        }
        Self {
            program: program.to_owned(),
            arguments,
            stand_in: None,
        }
    }

    /// The stand-in is `acme.service-now.com`, and its certificate is by nobody that the world trusts. Its name takes the placeholder's place.
    pub fn reaches(&mut self, stand_in: &StandIn) -> Result<()> {
        self.arguments.push(vec!["--instance-name".into(), STAND_IN.into()]);
        let file = std::env::temp_dir().join(format!("stand-in-ca-{}.pem", std::process::id()));
        std::fs::write(&file, stand_in.ca_pem()).with_context(|| format!("cannot write {}", file.display()))?;
        self.stand_in = Some(Reached {
            host: stand_in.host().to_owned(),
            address: stand_in.https_addr().to_string(),
            ca_file: file,
        });
        Ok(())
    }

    /// A person at a terminal means what their input names.
    pub fn allows(&mut self, input: &Input) {
        for origin in input.names() {
            self.arguments.push(vec!["--allow".into(), origin.into()]);
        }
    }

    /// As a shell takes it.
    pub fn line(&self) -> String {
        self.line_to(self.stand_in.as_ref())
    }

    /// The commands that do the same once more: the demo's stand-in, its port and its certificate are gone when the demo ends.
    pub fn again(&self) -> Option<String> {
        let lasting = Reached {
            host: self.stand_in.as_ref()?.host.clone(),
            address: LASTING_ADDRESS.to_owned(),
            ca_file: LASTING_CA_FILE.into(),
        };
        Some(format!("{LASTING}\n{}", self.line_to(Some(&lasting))))
    }

    fn line_to(&self, stand_in: Option<&Reached>) -> String {
        let words = |words: &Vec<OsString>| {
            let quoted = words.iter().map(|word| quoted(&word.to_string_lossy()));
            quoted.collect::<Vec<_>>().join(" ")
        };
        let reaching = stand_in
            .map(Reached::arguments)
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        let flags: Vec<_> = self.arguments.iter().chain(&reaching).map(words).collect();
        format!("$ flow-starter {}", flags.join(" \\\n    "))
    }

    pub fn run(&self) -> Result<Ended> {
        let mut command = Command::new(&self.program);
        let reaching = self.stand_in.iter().flat_map(Reached::arguments).flatten();
        command
            .args(self.arguments.iter().flatten())
            .args(reaching)
            .stdin(Stdio::null());
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
            // What it writes is passed on to one.
            command.env("FLOW_STARTER_OUTPUT_COLOR", "always");
        }
        let ended = command.stderr(Stdio::inherit()).output();
        let ended = ended.with_context(|| format!("cannot run {}: run `make run`", self.program.display()))?;
        let code = ended.status.code().and_then(|code| u8::try_from(code).ok());
        Ok(Ended {
            code: ExitCode::from(code.unwrap_or(1)),
            said: String::from_utf8_lossy(&ended.stdout).into_owned(),
        })
    }
}

impl Drop for FlowStarter {
    fn drop(&mut self) {
        if let Some(Reached { ca_file, .. }) = &self.stand_in {
            let _it_is_in_the_temporary_directory = std::fs::remove_file(ca_file);
        }
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._:-=,@%+[]".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
