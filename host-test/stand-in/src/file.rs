//! An instance's file (TOML), and what a person is told whose file is wrong.

use std::fmt;

use crate::instance::Instance;

/// An instance's file with every key explained; it describes [`Instance::demo`].
pub const SAMPLE_FILE: &str = include_str!("sample.toml");

/// A library's words → plain ones.
const PLAIN_WORDS: [(&str, &str); 7] = [
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("map", "a table"),
    ("a string", "text in quotes"),
    ("a boolean", "true or false"),
    ("u16", "a whole number up to 65535"),
    ("u64", "a whole number"),
];

/// An instance's file cannot be read as one. It says where, what is wrong and, where it can, what would be right;
/// it does not repeat a value of the wrong type, which may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    line: usize,
    key: Option<String>,
    what: String,
    example: Option<&'static str>,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(key) = &self.key {
            write!(f, ", {key}")?;
        }
        write!(f, ": {}", self.what)?;
        match self.example {
            Some(example) => write!(f, "; right would be: {example}"),
            None => Ok(()),
        }
    }
}

impl Instance {
    /// Reads an instance's file ([`SAMPLE_FILE`] is one).
    pub fn from_toml(file: &str) -> Result<Self, FileError> {
        // Windows editors begin a file with a byte order mark, which is no part of the first key.
        let file = file.strip_prefix('\u{feff}').unwrap_or(file);
        toml::from_str(file).map_err(|error| explain(file, &error))
    }
}

fn explain(file: &str, error: &toml::de::Error) -> FileError {
    let before = error.span().and_then(|span| file.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count();
    let key = key_of(file.lines().nth(line).unwrap_or_default());
    let message = error.message();
    let wanted = match message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
    {
        Some(missing) if !key.is_some_and(|key| key.starts_with('"')) => Some(missing),
        _ => key,
    };
    FileError {
        line: line + 1,
        key: key.map(str::to_owned),
        what: what(message),
        example: if message.starts_with("unknown field") {
            None
        } else {
            wanted.and_then(example)
        },
    }
}

/// `name = …` → `name`, `[[user]]` → `user`.
fn key_of(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with('[') {
        return Some(line.trim_matches(['[', ']']));
    }
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    // Anything else may be a part of a value, and that may be a password.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./{}\"".contains(c);
    key.chars().all(plain).then_some(key)
}

fn what(message: &str) -> String {
    let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return message.to_owned();
    };
    // `string "hunter2"`, "integer `12`": the value stays out.
    let kind = found.split([' ', '"', '`']).next().unwrap_or_default();
    format!("this should be {}, not {}", plain(expected), plain(kind))
}

fn plain(words: &str) -> &str {
    PLAIN_WORDS
        .iter()
        .find(|(own, _)| *own == words)
        .map_or(words, |(_, plain)| plain)
}

/// The sample's line for a key; for a path in quotes, which is a behaviour's key, the first behaviour.
fn example(key: &str) -> Option<&'static str> {
    SAMPLE_FILE
        .lines()
        .map(|line| line.trim_start_matches("# "))
        .find_map(|line| {
            let own = key_of(line)?;
            let fits = own == key || (key.starts_with('"') && own.starts_with('"'));
            fits.then(|| line.split(" #").next().unwrap_or(line).trim_end())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, TlsFault};

    #[test]
    fn the_sample_file_describes_the_demo_instance() {
        assert_eq!(Instance::from_toml(SAMPLE_FILE).unwrap(), Instance::demo());
    }

    #[test]
    fn every_behaviour_that_the_sample_file_shows_can_be_read() {
        let shown = SAMPLE_FILE
            .lines()
            .filter(|line| line.starts_with("# \"/"))
            .collect::<Vec<_>>();
        assert!(shown.len() >= 6, "{shown:?}");
        for line in shown {
            let file = format!("[behaviours]\n{}", line.trim_start_matches("# "));
            assert_eq!(Instance::from_toml(&file).unwrap().behaviours.len(), 1, "{line}");
        }
    }

    #[test]
    fn every_handshake_and_port_that_the_sample_file_shows_can_be_read() {
        let (_, shown) = SAMPLE_FILE.split_once("[tls-faults]\n").unwrap();
        let file = shown
            .lines()
            .map(|line| line.trim_start_matches("# "))
            .filter(|line| line.starts_with(['"', '[']) || line.contains(" = "))
            .filter(|line| !line.starts_with("A port"))
            .collect::<Vec<_>>()
            .join("\n");
        let instance = Instance::from_toml(&format!("[tls-faults]\n{file}")).unwrap();
        assert_eq!((instance.tls_faults.len(), instance.faulty_ports.len()), (2, 1));
    }

    #[test]
    fn every_fault_that_the_sample_file_names_exists() {
        #[derive(serde::Deserialize)]
        struct Named<F> {
            fault: F,
        }
        let names = |from: &str, to: &str| {
            let (_, rest) = SAMPLE_FILE.split_once(from).unwrap();
            let (list, _) = rest.split_once(to).unwrap();
            list.replace("\n#", "")
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        };
        let mut faults = names("faults with a name alone:", ".\n")
            .iter()
            .map(|name| {
                toml::from_str::<Named<Fault>>(&format!("fault = {name:?}"))
                    .unwrap()
                    .fault
            })
            .collect::<Vec<_>>();
        faults.extend([
            Fault::Early(413),
            Fault::Drip(std::time::Duration::from_millis(20)),
            Fault::Alert(116),
        ]);
        assert!(Fault::ALL.iter().all(|fault| faults.contains(fault)));
        let handshakes = names("One of:", ".\n[tls-faults]")
            .iter()
            .map(|name| {
                let value = if name.starts_with('{') {
                    name.clone()
                } else {
                    format!("{name:?}")
                };
                toml::from_str::<Named<TlsFault>>(&format!("fault = {value}"))
                    .unwrap()
                    .fault
            })
            .collect::<Vec<_>>();
        assert_eq!(handshakes.len(), TlsFault::ALL.len());
        assert!(TlsFault::ALL.iter().all(|fault| handshakes.contains(fault)));
    }

    #[test]
    fn an_invalid_file_is_reported_with_position_and_correction() {
        let table = [
            (
                "[[user]]\nname = 1\npassword = \"x\"",
                "line 2, name: this should be text in quotes, not integer; right would be: name = \"camunda\"",
            ),
            (
                "[[user]]\nname = \"a\"",
                "line 1, user: missing field `password`; right would be: password = \"demo-password\"",
            ),
            (
                "hosts = \"acme\"",
                "line 1, hosts: this should be a list, not string; right would be: hosts = [\"acme\"]",
            ),
            (
                "[user]\nname = \"a\"\npassword = \"p\"",
                "line 1, user: this should be a list, not a table; right would be: [[user]]",
            ),
            (
                "[[flow]]\npath = \"/a\"\nmethods = [\"post\"]",
                "line 3, methods: unknown variant `post`, expected one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`; \
                 right would be: methods = [\"POST\"]",
            ),
            (
                "[behaviours]\n\"/a\" = { answer = {} }",
                "line 2, \"/a\": missing field `status`; \
                 right would be: \"/oauth_token.do\" = { answer = { status = 503 } }",
            ),
        ];
        for (file, message) in table {
            assert_eq!(Instance::from_toml(file).unwrap_err().to_string(), message);
        }
        let unknown = Instance::from_toml("[[flow]]\npath = \"/a\"\nmethds = []")
            .unwrap_err()
            .to_string();
        assert!(
            unknown.starts_with("line 3, methds: unknown field `methds`, expected one of `path`, "),
            "{unknown}"
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_key() {
        let file = format!("\u{feff}{SAMPLE_FILE}");
        assert_eq!(Instance::from_toml(&file).unwrap(), Instance::demo());
        let message = Instance::from_toml("\u{feff}hosts = \"acme\"").unwrap_err().to_string();
        assert!(message.starts_with("line 1, hosts: "), "{message}");
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_repeated() {
        let message = Instance::from_toml("[[user]]\nname = \"a\"\npassword = 271828").unwrap_err();
        assert!(!format!("{message} {message:?}").contains("271828"), "{message:?}");
    }
}
