//! The configuration file: finding it, reading it, and reporting unknown keys.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::table::{Row, SECTIONS, rows};
use crate::exit::{bad, unreadable};
use crate::input::without_byte_order_mark;

/// The configuration file, and whether there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum File {
    /// It was read.
    Read(PathBuf),
    /// There is none at the default path.
    Absent(PathBuf),
    /// The default path is unknown.
    Nowhere,
}

/// A file's sections.
pub(super) type Sections = toml::Table;

/// The named file, or the one at the default path, if it exists.
pub(super) fn open(named: Option<PathBuf>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<(File, Sections)> {
    let path = match named {
        Some(path) => path,
        None => match usual_place(variable) {
            None => return Ok((File::Nowhere, Sections::new())),
            Some(path) => match path.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok((File::Absent(path), Sections::new()));
                }
                _ => path,
            },
        },
    };
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable("the configuration file", &path, &error))?;
    let sections = parse(without_byte_order_mark(&text), &path)?;
    Ok((File::Read(path), sections))
}

/// `$XDG_CONFIG_HOME/flow-starter/config.toml`; a relative path there is to be ignored (XDG Base Directory Specification).
fn usual_place(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let configuration = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(configuration.join("flow-starter/config.toml"))
}

fn parse(text: &str, path: &Path) -> Result<Sections> {
    let sections: Sections = text.parse().map_err(|error: toml::de::Error| {
        let (line, column) = error.span().map_or((1, 1), |span| position(text, span.start));
        // Its `Display` quotes the line, which may contain a password.
        let why = error.message().lines().collect::<Vec<_>>().join(", ");
        bad(format!(
            "the configuration file `{}` is not TOML (line {line}, column {column}): {why}",
            path.display()
        ))
    })?;
    for (section, content) in &sections {
        let known = SECTIONS.iter().any(|(name, _)| name == section);
        let Some(content) = content.as_table().filter(|_| known) else {
            return Err(unknown(section, known, path));
        };
        for key in content.keys() {
            let name = format!("{section}.{key}");
            if row(&name).is_none() {
                return Err(unknown(&name, false, path));
            }
        }
    }
    Ok(sections)
}

fn row(name: &str) -> Option<&'static Row> {
    rows().find(|row| row.name == name)
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn unknown(name: &str, is_section: bool, path: &Path) -> anyhow::Error {
    let file = format!("the configuration file `{}`", path.display());
    if is_section {
        return bad(format!(
            "{file}: `{name}` is a section: write [{name}], and its keys below it"
        ));
    }
    match nearest(name) {
        Some(near) => bad(format!("{file} has an unknown key `{name}`: did you mean `{near}`?")),
        None => bad(format!(
            "{file} has an unknown key `{name}`: `flow-starter config example` lists the known ones"
        )),
    }
}

/// The known name that was probably meant.
fn nearest(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or(name);
    // The right key in the wrong section or without one, or a flag's name.
    let misplaced = rows().find(|row| row.last_name() == last || row.flag == last);
    let sections = SECTIONS.iter().map(|(section, _)| *section);
    let near = |known: &str| strsim::damerau_levenshtein(known, name);
    match (name.contains('.'), misplaced) {
        (_, Some(row)) => Some(row.name),
        (false, None) => sections
            .chain(rows().map(|row| row.name))
            .min_by_key(|known| near(known)),
        (true, None) => rows().map(|row| row.name).min_by_key(|known| near(known)),
    }
    .filter(|known| near(known) <= 1 + known.len() / 4 || known.ends_with(last))
    .or_else(|| misplaced.map(|row| row.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text, Path::new("config.toml")).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_gets_a_suggestion() {
        for (text, meant) in [
            ("[polcy]\nallow = []", "`polcy`: did you mean `policy`?"),
            ("[policy]\nalow = []", "`policy.alow`: did you mean `policy.allow`?"),
            ("allow = []", "`allow`: did you mean `policy.allow`?"),
            (
                "[network]\nca-file = []",
                "`network.ca-file`: did you mean `tls.ca-file`?",
            ),
            ("[limits]\nwall_clock = 1", "did you mean `limits.wall-clock`?"),
            ("[limits]\nlimit-memory = 1", "did you mean `limits.memory`?"),
            (
                "[camunda]\nrest-address = \"x\"",
                "`camunda`: `flow-starter config example` lists",
            ),
            ("policy = []", "`policy` is a section: write [policy]"),
            ("[[policy]]\nallow = []", "`policy` is a section"),
        ] {
            let message = refusal(text);
            assert!(message.contains(meant), "{text}: {message}");
            assert!(message.contains("`config.toml`"), "{message}");
        }
    }

    #[test]
    fn invalid_toml_is_reported_by_position_without_quoting() {
        let message = refusal("[network]\nproxy = http://user:pass-word@proxy\n");
        assert!(message.contains("(line 2, column 9)"), "{message}");
        assert!(!message.contains("pass-word"), "{message}");
    }

    #[test]
    fn the_usual_place_is_below_an_absolute_path() {
        let place = |variables: &[(&str, &str)]| {
            usual_place(&|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(
            place(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/home/a")]),
            Some("/x/flow-starter/config.toml".into())
        );
        assert_eq!(
            place(&[("XDG_CONFIG_HOME", "x"), ("HOME", "/home/a")]),
            Some("/home/a/.config/flow-starter/config.toml".into())
        );
        assert_eq!(place(&[]), None);
    }
}
