//! Arguments → the JSON input that the component takes: a file, standard input, flags, or flags over a file.

mod flags;
mod members;
mod over;

use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::Result;
use flow_starter_host::INPUT_FIELDS;
use serde::de::IgnoredAny;

use crate::exit::{bad, unreadable};
use crate::terminal::tell;
use flags::Flags;
pub(crate) use members::Members;

/// What the flow is started with.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// The input as JSON, with the fields of the element template: a file, or `-` for standard input
    #[arg(value_name = "INPUT", value_hint = clap::ValueHint::FilePath)]
    input: Option<PathBuf>,

    #[command(flatten)]
    flags: Flags,
}

impl Input {
    /// The whole input. References to secrets are still in it.
    ///
    /// # Errors
    /// A file that cannot be read or is no JSON object, or flags that contradict each other.
    pub(crate) fn json(&self) -> Result<String> {
        match &self.input {
            None if self.flags.are_none() => Err(bad(
                "say what to start: a file with the input, `-` for standard input, or --instance-name and --rest-api-trigger-path \
                 (`flow-starter trigger --help` has examples)",
            )),
            None => Ok(self.flags.over(Members::default(), true)?.to_json()),
            Some(file) => {
                let (name, text) = read(file)?;
                let members = object(&name, &text)?;
                match self.flags.are_none() {
                    // As it came, byte for byte.
                    true => Ok(text),
                    false => Ok(self.flags.over(members, false)?.to_json()),
                }
            }
        }
    }
}

/// ServiceNow takes a body of 25 MB at most; what is larger is no input, and may have no end.
const LARGEST: u64 = 64 << 20;

/// The input's text, and what to call it in a message.
fn read(file: &Path) -> Result<(String, String)> {
    if file.to_string_lossy().trim_start().starts_with(['{', '[', '"']) && !file.exists() {
        return Err(bad(
            "the input is the name of a file, or `-` for standard input, and not the JSON itself: for example `flow-starter trigger -`, with \
             the JSON on standard input",
        ));
    }
    if file != Path::new("-") {
        let name = format!("`{}`", file.display());
        let text = std::fs::File::open(file).and_then(whole);
        return Ok((name, text.map_err(|error| unreadable("the input", file, &error))?));
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        tell("flow-starter: the input comes from this terminal; Ctrl-D at the beginning of a line ends it\n");
    }
    let text = whole(stdin.lock());
    let text = text.map_err(|error| bad(format!("cannot read the input from standard input: {error}")))?;
    Ok(("standard input".to_owned(), text))
}

fn whole(file: impl Read) -> io::Result<String> {
    let mut text = String::new();
    match file.take(LARGEST + 1).read_to_string(&mut text)? as u64 {
        0..=LARGEST => Ok(text),
        _ => Err(io::Error::other("it is larger than 64 MiB")),
    }
}

fn object(name: &str, text: &str) -> Result<Members> {
    if text.trim().is_empty() {
        return Err(bad(format!(
            "{name} is empty: the input is a JSON object, as in examples/flow.json"
        )));
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        if error.is_eof() {
            return Err(bad(format!("{name} is not JSON: it ends too early")));
        }
        // Its own words may quote the line, and so a password.
        return Err(bad(format!(
            "{name} is not JSON (line {}, column {})",
            error.line(),
            error.column()
        )));
    }
    let members = Members::of(text).ok_or_else(|| {
        bad(format!(
            "{name} must hold a JSON object with the template's fields: for example {{\"snInstance\": \"acme\", …}}"
        ))
    })?;
    match slip(&members) {
        Some((given, meant)) => Err(bad(format!(
            "{name} has a member `{given}` and no `{meant}`: is that meant? The name must be exactly `{meant}`"
        ))),
        None => Ok(members),
    }
}

/// A member that is nearly a field's name, where that field is not there. The component leaves other members alone, since a job has them; a
/// file that a person has written has slips.
fn slip(members: &Members) -> Option<(&str, &'static str)> {
    let missing = INPUT_FIELDS.iter().filter(|known| members.get(known).is_none());
    let missing: Vec<_> = missing.collect();
    let others = members.names().filter(|name| !INPUT_FIELDS.contains(name));
    others.filter(|given| given.len() > 3).find_map(|given| {
        let near = |known: &&'static &str| {
            strsim::damerau_levenshtein(&known.to_lowercase(), &given.to_lowercase()) <= 2
                || (given.len() > 5 && known.starts_with(given.trim_end_matches('s')))
        };
        let meant = missing.iter().copied().find(near)?;
        Some((given, *meant))
    })
}
