//! A setting's value, read from a flag, a variable or the file.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Any number of texts.
    List,
    /// A file or a directory. In the configuration file it is relative to that file's own directory.
    Path,
    /// Any number of them.
    Paths,
    /// Bytes.
    Size,
    /// A length of time.
    Time,
    /// A whole number.
    Count,
    /// One of these words, in capitals or not.
    Choice(&'static [&'static str]),
    /// `on` or `off`. A flag without a value is `on`.
    Switch,
    /// A text that is never shown.
    Secret,
}

/// A value as given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RawValue<'a> {
    /// A flag's values, one for each occurrence.
    Flags(&'a [String]),
    /// A variable's value or a default; lists use commas.
    Word(&'a str),
    /// The configuration file's.
    Line(&'a toml::Value),
}

/// A parsed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Nothing,
    Text(String),
    List(Vec<String>),
    Size(usize),
    Time(Duration),
    Count(u32),
    Switch(bool),
    Secret(Hidden),
}

/// A secret in the settings.
#[derive(Clone)]
pub(crate) struct Hidden(SecretString);

impl Hidden {
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl PartialEq for Hidden {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Hidden {}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Kind {
    /// Any number of values.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::List | Self::Paths)
    }

    /// # Errors
    /// What the value must be, to follow the setting's name. It never quotes the value, which may be a password.
    pub(crate) fn read(self, given: RawValue, example: &str) -> Result<Value, String> {
        let value = match (self, given) {
            (Self::List | Self::Paths, RawValue::Flags(all)) => Some(Value::List(all.to_vec())),
            (Self::List | Self::Paths, RawValue::Word(text)) => Some(Value::List(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )),
            (Self::List | Self::Paths, RawValue::Line(line)) => texts(line).map(Value::List),
            // No time of its own: what it is depends on other settings.
            (Self::Time, RawValue::Word("")) => Some(Value::Nothing),
            (_, RawValue::Flags(all)) => all.last().and_then(|text| self.word(text)),
            (_, RawValue::Word(text)) => self.word(text),
            (Self::Size | Self::Time | Self::Count, RawValue::Line(toml::Value::Integer(number))) => {
                self.word(&number.to_string())
            }
            (Self::Switch, RawValue::Line(toml::Value::Boolean(on))) => Some(Value::Switch(*on)),
            (Self::Count, RawValue::Line(_)) => None,
            (_, RawValue::Line(line)) => line.as_str().and_then(|text| self.word(text)),
        };
        value.ok_or_else(|| self.must(matches!(given, RawValue::Line(_)), example))
    }

    fn word(self, text: &str) -> Option<Value> {
        match self {
            Self::Text | Self::List | Self::Path | Self::Paths => Some(Value::Text(text.to_owned())),
            Self::Size => size(text).map(Value::Size),
            Self::Time => time(text).map(Value::Time),
            Self::Count => text.parse().ok().map(Value::Count),
            Self::Choice(words) => {
                let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                known.map(|word| Value::Text((*word).to_owned()))
            }
            Self::Switch => match text.to_ascii_lowercase().as_str() {
                "on" | "true" => Some(Value::Switch(true)),
                "off" | "false" => Some(Value::Switch(false)),
                _ => None,
            },
            Self::Secret if text.is_empty() => Some(Value::Nothing),
            Self::Secret => Some(Value::Secret(Hidden(text.to_owned().into()))),
        }
    }

    /// In the file, text needs quotation marks and a list needs brackets.
    fn must(self, in_file: bool, example: &str) -> String {
        let what = match self {
            Self::Text | Self::Secret => "text".to_owned(),
            Self::Switch => "on or off".to_owned(),
            Self::List => "a list of strings".to_owned(),
            Self::Path => "a file name".to_owned(),
            Self::Paths => "a list of file names".to_owned(),
            Self::Size => "a size in bytes, optionally with KiB, MiB or GiB".to_owned(),
            Self::Time => "a time in seconds, optionally with ms, s, min or h".to_owned(),
            Self::Count => format!("a whole number up to {}", u32::MAX),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
        };
        let example = if in_file { example } else { example.trim_matches('"') };
        format!("must be {what}, for example {example}")
    }
}

impl Value {
    /// Makes a path, or each path, relative to this directory.
    pub(crate) fn relative_to(self, directory: &Path) -> Self {
        let seen = |path: String| match path.as_str() {
            "" => path,
            path => directory.join(path).to_string_lossy().into_owned(),
        };
        match self {
            Self::Text(path) => Self::Text(seen(path)),
            Self::List(paths) => Self::List(paths.into_iter().map(seen).collect()),
            other => other,
        }
    }
}

fn texts(line: &toml::Value) -> Option<Vec<String>> {
    let items = line.as_array()?.iter();
    items.map(|item| item.as_str().map(str::to_owned)).collect()
}

/// `67108864`, `64MiB`; `64 MB` is 64,000,000.
fn size(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    usize::try_from(number.checked_mul(unit)?).ok()
}

/// `300`, `300s`, `500ms`, `5min`, `1h`.
fn time(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let milliseconds = match unit.to_ascii_lowercase().as_str() {
        "ms" => 1,
        "" | "s" => 1_000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("-"),
            Self::Text(text) => f.write_str(text),
            Self::List(items) if items.is_empty() => f.write_str("-"),
            Self::List(items) => f.write_str(&items.join(", ")),
            Self::Size(bytes) => match bytes {
                0 => f.write_str("0"),
                bytes if bytes.trailing_zeros() >= 30 => write!(f, "{}GiB", bytes >> 30),
                bytes if bytes.trailing_zeros() >= 20 => write!(f, "{}MiB", bytes >> 20),
                bytes if bytes.trailing_zeros() >= 10 => write!(f, "{}KiB", bytes >> 10),
                bytes => write!(f, "{bytes}"),
            },
            Self::Time(time) if time.subsec_millis() > 0 => write!(f, "{}ms", time.as_millis()),
            Self::Time(time) => write!(f, "{}s", time.as_secs()),
            Self::Count(number) => write!(f, "{number}"),
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Secret(_) => f.write_str("***"),
        }
    }
}

impl From<&Value> for serde_json::Value {
    /// Sizes in bytes, times in seconds.
    fn from(value: &Value) -> Self {
        match value {
            Value::Nothing => Self::Null,
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.as_slice().into(),
            Value::Size(bytes) => (*bytes).into(),
            Value::Time(time) if time.subsec_millis() > 0 => time.as_secs_f64().into(),
            Value::Time(time) => time.as_secs().into(),
            Value::Count(number) => (*number).into(),
            Value::Switch(on) => (*on).into(),
            Value::Secret(_) => "***".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("65536", Some(65_536)),
            ("64MiB", Some(64 << 20)),
            ("64 mib", Some(64 << 20)),
            ("1GB", Some(1_000_000_000)),
            ("64M", None),
            ("-1", None),
            ("1.5GiB", None),
            ("99999999999999999999", None),
            ("18446744073709551615GiB", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
        for (text, milliseconds) in [
            ("300", Some(300_000)),
            ("300s", Some(300_000)),
            ("500ms", Some(500)),
            ("5min", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("1d", None),
            ("ten", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(time(text), milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn a_value_is_shown_as_it_may_be_given() {
        for (kind, text) in [
            (Kind::Size, "64MiB"),
            (Kind::Size, "65537"),
            (Kind::Time, "300s"),
            (Kind::Time, "1500ms"),
            (Kind::Count, "256"),
        ] {
            let value = kind.read(RawValue::Word(text), "").unwrap();
            assert_eq!(value.to_string(), text);
        }
    }
}
