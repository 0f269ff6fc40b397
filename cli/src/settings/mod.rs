//! The effective settings and their sources. Order of precedence: flag, environment, configuration file, default.
//! | file | contents |
//! |---|---|
//! | `table` | one row for each setting: its flag, its variable, its key in the file, its default, its help |
//! | `value` | the values of settings, and how they are read |
//! | `file` | the configuration file |
//! | `resolved` | the library's types, made from the settings |
//! | `worker`, `worker_table` | what the job worker takes, and its part of the table |
//! | `show` | `config show`, `config example` |

mod file;
mod resolved;
mod show;
mod table;
mod value;
mod worker;
mod worker_table;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::exit::bad;
use crate::terminal::Colour;

pub(crate) use file::File;
pub(crate) use resolved::{Code, Resolved};
pub(crate) use show::example;
pub(crate) use table::Entry;

use table::{Row, rows};
use value::{Kind, RawValue, Value};

/// Every setting, with its source.
#[derive(Debug)]
pub(crate) struct Settings {
    values: Vec<Setting>,
    file: File,
}

#[derive(Debug)]
struct Setting {
    row: &'static Row,
    value: Value,
    source: Source,
}

/// A value's source, lowest precedence first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Default,
    /// A variable that other programs use, too.
    WellKnown(&'static str),
    File(PathBuf),
    Environment(String),
    Flag(&'static str),
}

impl Source {
    /// Its precedence, without its name.
    fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::WellKnown(_) => 1,
            Self::File(_) => 2,
            Self::Environment(_) => 3,
            Self::Flag(_) => 4,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::WellKnown(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag --{flag}"),
        }
    }
}

/// The flag of the configuration file; it cannot be a row of the table.
const CONFIG: &str = "config";
const CONFIG_VARIABLE: &str = "FLOW_STARTER_CONFIG";

/// The flags of all settings, for a command. Every command accepts them all, but its help explains only those with one of these prefixes.
pub(crate) fn flags(own: &'static [&'static str]) -> impl Iterator<Item = Arg> {
    let is_own = move |name: &str| own.iter().any(|begin| name.starts_with(begin));
    let help = format!(
        "The configuration file [env: {CONFIG_VARIABLE}; default: ~/.config/flow-starter/config.toml, if it exists]"
    );
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .value_hint(clap::ValueHint::FilePath)
        .global(true)
        .hide_short_help(true)
        .hide_long_help(own.is_empty())
        .help_heading("Settings")
        .help(help.clone())
        .long_help(help);
    let rows = rows().map(move |row| flag(row).hide_long_help(!is_own(row.name)));
    std::iter::once(config).chain(rows)
}

fn flag(row: &'static Row) -> Arg {
    let default = match row.default {
        "" => String::new(),
        default => format!("; default: {}", default.replace(',', ", ")),
    };
    let several = match row.kind.is_list() {
        true => "; repeatable",
        false => "",
    };
    let help = format!("{}{several} [env: {}{default}]", row.help, row.variable());
    let arg = Arg::new(row.flag)
        .long(row.flag)
        .value_name(row.value_name)
        .global(true)
        // Twenty settings would hide the command's own flags.
        .hide_short_help(true)
        .help_heading("Settings")
        // The manual page uses the long help here, and completions use the short one.
        .help(help.clone())
        .long_help(help)
        .value_hint(match row.value_name {
            "FILE" => clap::ValueHint::FilePath,
            "DIR" => clap::ValueHint::DirPath,
            _ => clap::ValueHint::Other,
        });
    match row.kind {
        kind if kind.is_list() => arg.action(ArgAction::Append),
        Kind::Choice(words) => arg
            .value_parser(words.to_vec())
            .ignore_case(true)
            .hide_possible_values(false),
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("on"),
        _ => arg,
    }
}

impl Settings {
    /// Reads them from the command line, the environment and the configuration file.
    ///
    /// # Errors
    /// An unreadable file, an unknown key, a value of the wrong type.
    pub(crate) fn gather(
        matches: &ArgMatches,
        variables: &HashMap<OsString, OsString>,
        is_worker: bool,
    ) -> Result<Self> {
        check_spelling(variables)?;
        let variable = |name: &str| variables.get(OsStr::new(name)).cloned();
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let named = matches.get_one::<PathBuf>(CONFIG).cloned();
        let (file, sections) = file::open(named.or_else(|| set(CONFIG_VARIABLE).map(PathBuf::from)), &set)?;
        let flags = |row: &Row| -> Option<Vec<String>> {
            let given = matches.value_source(row.flag) == Some(ValueSource::CommandLine);
            let values = matches.get_many::<String>(row.flag).filter(|_| given)?;
            Some(values.cloned().collect())
        };
        let line = |row: &Row| {
            let (section, key) = row.name.split_once('.')?;
            sections.get(section)?.get(key)
        };
        let values = rows()
            .map(|row| {
                if let Some(all) = flags(row) {
                    return Setting::new(row, RawValue::Flags(&all), Source::Flag(row.flag));
                }
                if let Some(value) = set(&row.variable()) {
                    let source = Source::Environment(row.variable());
                    return Setting::new(row, RawValue::Word(&text(value, &source)?), source);
                }
                if let (Some(line), File::Read(path)) = (line(row), &file) {
                    let setting = Setting::new(row, RawValue::Line(line), Source::File(path.clone()))?;
                    return Ok(setting.relative_to(path));
                }
                let well_known = row.also.iter().find_map(|name| Some((*name, set(name)?)));
                if let Some((name, value)) = well_known {
                    let source = Source::WellKnown(name);
                    // Whatever its value (https://no-color.org).
                    let value = if name == "NO_COLOR" { "never".into() } else { value };
                    let value = text(value, &source)?;
                    // Camunda's SDKs state times in milliseconds.
                    let is_plain = row.kind == Kind::Time && value.bytes().all(|byte| byte.is_ascii_digit());
                    let value = if is_plain { format!("{value}ms") } else { value };
                    let setting = Setting::new(row, RawValue::Word(&value), source);
                    if is_worker || setting.is_ok() || !row.key.is_the_workers() {
                        return setting;
                    }
                    // A variable that is there for other programs must not stop a command that does not use it.
                }
                Setting::new(row, RawValue::Word(row.default), Source::Default)
            })
            .collect::<Result<_>>()?;
        Ok(Self { values, file })
    }

    fn setting(&self, key: Entry) -> Option<&Setting> {
        self.values.iter().find(|setting| setting.row.key == key)
    }

    /// Whether nobody has set it.
    pub(crate) fn is_default(&self, key: Entry) -> bool {
        self.setting(key)
            .is_none_or(|setting| setting.source == Source::Default)
    }

    fn value(&self, key: Entry) -> Option<&Value> {
        Some(&self.setting(key)?.value)
    }

    /// A text; none where it is not set.
    pub(crate) fn text(&self, key: Entry) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn colour(&self) -> Colour {
        match self.text(Entry::Color) {
            Some("always") => Colour::Always,
            Some("never") => Colour::Never,
            _ => Colour::Auto,
        }
    }

    /// The result as JSON.
    pub(crate) fn json(&self) -> bool {
        self.text(Entry::Output) == Some("json")
    }

    fn list(&self, key: Entry) -> &[String] {
        match self.value(key) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// An error about a value, with its source.
    fn wrong(&self, key: Entry, why: impl fmt::Display) -> anyhow::Error {
        match self.setting(key) {
            Some(setting) => bad(format!("{} ({}): {why}", setting.row.name, setting.source)),
            None => bad(why.to_string()),
        }
    }
}

impl Setting {
    fn new(row: &'static Row, given: RawValue, source: Source) -> Result<Self> {
        let value = match row.kind.read(given, row.example) {
            Ok(Value::Text(text)) if text.is_empty() => Value::Nothing,
            Ok(value) => value,
            Err(must) => return Err(bad(format!("{} ({source}) {must}", row.name))),
        };
        Ok(Self { row, value, source })
    }

    /// A path in the configuration file is relative to that file.
    fn relative_to(mut self, file: &Path) -> Self {
        if let (Kind::Path | Kind::Paths, Some(directory)) = (self.row.kind, file.parent()) {
            self.value = self.value.relative_to(directory);
        }
        self
    }
}

/// A misspelled variable would go unnoticed, and with it a policy that does not apply. Other variables may have our prefix (Kubernetes
/// sets FLOW_STARTER_SERVICE_HOST for a service of that name) and are ignored.
fn check_spelling(variables: &HashMap<OsString, OsString>) -> Result<()> {
    let ours: Vec<_> = rows().map(Row::variable).chain([CONFIG_VARIABLE.to_owned()]).collect();
    let names = variables.keys().filter_map(|name| name.to_str());
    for name in names.filter(|name| name.starts_with("FLOW_STARTER_") && !ours.iter().any(|own| own == name)) {
        if let Some(meant) = ours.iter().find(|own| strsim::damerau_levenshtein(own, name) <= 2) {
            return Err(bad(format!(
                "unknown environment variable {name}: did you mean {meant}?"
            )));
        }
    }
    Ok(())
}

fn text(value: OsString, source: &Source) -> Result<String> {
    value
        .into_string()
        .map_err(|_| bad(format!("{source} is not UTF-8 text")))
}
