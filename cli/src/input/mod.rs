//! Arguments → the component's JSON input: from a file, standard input, flags, or flags merged into a file.
//! | file | contents |
//! |---|---|
//! | `flags`, `merge` | the fields as flags, and merging them into the input |
//! | `members` | a JSON object's members as raw text |
//! | `syntax`, `feel`, `unread` | common mistakes: invalid JSON, expressions, unknown fields |

mod feel;
mod flags;
mod members;
mod merge;
mod syntax;
mod unread;

use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::de::IgnoredAny;

use crate::arguments;
use crate::exit::{bad, unreadable};
use crate::terminal::{print_stderr, warn};
use flags::Flags;
pub(crate) use members::Members;

/// The input arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// The input file (JSON with the element template's fields), or `-` for standard input
    #[arg(value_name = "INPUT", value_hint = clap::ValueHint::FilePath)]
    input: Option<PathBuf>,

    /// Exit with 2 instead of a warning if the input has a field that is not used and looks misspelled
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    flags: Flags,
}

/// An input and its warnings. References to secrets are not replaced yet.
#[derive(Debug)]
pub(crate) struct LoadedInput {
    pub(crate) json: String,
    /// One sentence for each unused member. They were printed already.
    pub(crate) warnings: Vec<String>,
}

impl Input {
    /// The whole input. Warnings are written to standard error.
    ///
    /// # Errors
    /// An unreadable file, invalid JSON, contradictory flags, an expression instead of a value; a warning, with `--strict`.
    pub(crate) fn read(&self) -> Result<LoadedInput> {
        self.check_no_value_is_a_flag()?;
        let (source, json) = self.json()?;
        let members = Members::of(&json).unwrap_or_default();
        feel::check(&source, &members)?;
        let warnings = unread::warnings(&members);
        if self.strict && !warnings.is_empty() {
            return Err(bad(format!("{source}: {} (--strict)", warnings.join("; "))));
        }
        warnings.iter().for_each(|warning| warn(warning));
        Ok(LoadedInput { json, warnings })
    }

    /// A value, such as a password, may start with a hyphen. If the value is missing (`--username $USER --dry-run` with an unset
    /// variable), the next flag would be taken as the value, and the dry run would be a real one.
    fn check_no_value_is_a_flag(&self) -> Result<()> {
        let mut begun = self.flags.values().filter(|value| value.starts_with("--")).peekable();
        if begun.peek().is_none() {
            return Ok(());
        }
        let known = arguments::flags();
        match begun.find_map(|value| known.iter().find(|flag| begins_as(value, flag))) {
            Some(flag) => Err(bad(format!("a value is missing before --{flag}"))),
            None => Ok(()),
        }
    }

    /// The input, and its name in messages.
    fn json(&self) -> Result<(String, String)> {
        match &self.input {
            None if self.flags.are_none() => Err(bad(
                "no input: name a file, or `-` for standard input, or set --instance-name and --rest-api-trigger-path (`flow-starter trigger --help` \
                 has examples)",
            )),
            None => Ok((
                "the flags".to_owned(),
                self.flags.merge_into(Members::default(), true)?.to_json(),
            )),
            Some(file) => {
                let (name, text) = read(file)?;
                let members = object(&name, &text)?;
                let text = match self.flags.are_none() {
                    // Unchanged, byte for byte.
                    true => text,
                    false => self.flags.merge_into(members, false)?.to_json(),
                };
                Ok((name, text))
            }
        }
    }
}

/// `--dry-run` or `--output=json`.
fn begins_as(value: &str, flag: &str) -> bool {
    let rest = value.strip_prefix("--").and_then(|value| value.strip_prefix(flag));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// ServiceNow accepts bodies up to 25 MB; a larger file is not an input, and may be endless.
const LARGEST: u64 = 64 << 20;

/// The input's text, and its name in messages.
fn read(file: &Path) -> Result<(String, String)> {
    if file.to_string_lossy().trim_start().starts_with(['{', '[', '"']) && !file.exists() {
        return Err(bad(
            "INPUT is a file name, or `-` for standard input, not the JSON itself: for example `flow-starter trigger -`, with the JSON on standard \
             input",
        ));
    }
    if file != Path::new("-") {
        let name = format!("`{}`", file.display());
        let text = std::fs::File::open(file).and_then(whole);
        return Ok((name, text.map_err(|error| unreadable("the input", file, &error))?));
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        print_stderr("flow-starter: reading the input from this terminal; Ctrl-D at the start of a line ends it\n");
    }
    let text = whole(stdin.lock());
    let text = text.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => bad("cannot read the input from standard input: it is not UTF-8 text"),
        _ => bad(format!("cannot read the input from standard input: {error}")),
    })?;
    Ok(("standard input".to_owned(), text))
}

fn whole(file: impl Read) -> io::Result<String> {
    let mut text = String::new();
    match file.take(LARGEST + 1).read_to_string(&mut text)? as u64 {
        0..=LARGEST => Ok(match without_byte_order_mark(&text) {
            rest if rest.len() < text.len() => rest.to_owned(),
            _ => text,
        }),
        _ => Err(io::Error::other("it is larger than 64 MiB")),
    }
}

/// Windows editors start a file with U+FEFF, which is not part of the text.
pub(crate) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn object(name: &str, text: &str) -> Result<Members> {
    if text.trim().is_empty() {
        return Err(bad(format!(
            "{name} is empty: the input is a JSON object, as in examples/flow.json"
        )));
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        // Its message may quote the line, and so a password.
        return Err(bad(format!("{name} is not JSON{}", syntax::described(text, &error))));
    }
    let members = Members::of(text).ok_or_else(|| {
        bad(format!(
            "{name} must be a JSON object with the template's fields: for example {{\"snInstance\": \"acme\", …}}"
        ))
    })?;
    unread::check_names(name, &members)?;
    Ok(members)
}
