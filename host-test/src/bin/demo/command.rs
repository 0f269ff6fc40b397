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
    ca_file: Option<PathBuf>,
}

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
            ca_file: None,
        }
    }

    /// The stand-in is `acme.service-now.com`, and its certificate is by nobody that the world trusts. Its name takes the placeholder's place.
    pub fn reaches(&mut self, stand_in: &StandIn) -> Result<()> {
        self.arguments.push(vec!["--instance-name".into(), STAND_IN.into()]);
        let file = std::env::temp_dir().join(format!("stand-in-ca-{}.pem", std::process::id()));
        std::fs::write(&file, stand_in.ca_pem()).with_context(|| format!("cannot write {}", file.display()))?;
        self.arguments.push(vec!["--ca-file".into(), file.clone().into()]);
        self.ca_file = Some(file);
        let mapping = format!("{}:443:{}", stand_in.host(), stand_in.https_addr());
        self.arguments.push(vec!["--connect-to".into(), mapping.into()]);
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
        let words = |words: &Vec<OsString>| {
            let quoted = words.iter().map(|word| quoted(&word.to_string_lossy()));
            quoted.collect::<Vec<_>>().join(" ")
        };
        let flags: Vec<_> = self.arguments.iter().map(words).collect();
        format!("$ flow-starter {}", flags.join(" \\\n    "))
    }

    pub fn run(&self) -> Result<Ended> {
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().flatten()).stdin(Stdio::null());
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
        if let Some(file) = &self.ca_file {
            let _it_is_in_the_temporary_directory = std::fs::remove_file(file);
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
