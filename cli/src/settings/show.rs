//! `config show`: what is in force, and where each value came from. `config example`: what could be.

use std::fmt::Write as _;

use serde_json::{Map, json};

use super::table::{Entry, ROWS, Row, SECTIONS};
use super::{File, Setting, Settings, Value};
use crate::terminal::{Page, Tone};

/// A configuration file that sets nothing, and shows all that it can: for `config example`.
pub(crate) fn example() -> String {
    let mut text = "# Take the # away before what you want to set. A flag counts before its variable, a variable before this file.\n".to_owned();
    for (section, what) in SECTIONS {
        let _infallible = writeln!(text, "\n# {what}\n[{section}]");
        let within = |row: &&Row| row.name.split('.').next() == Some(section);
        for row in ROWS.iter().filter(within) {
            let default = match row.default {
                "" => String::new(),
                default => format!("; otherwise {}", default.replace(',', ", ")),
            };
            let _infallible = writeln!(text, "# {}{default}\n# {} = {}", row.help, row.last_name(), row.example);
        }
    }
    text
}

impl Settings {
    pub(crate) fn as_text(&self, colours: bool) -> String {
        let mut page = Page::new(colours);
        page.line(&match &self.file {
            File::Read(path) => format!("configuration file: {}", path.display()),
            File::Absent(path) => format!("configuration file: none; looked for {}", path.display()),
            File::Nowhere => {
                "configuration file: none; there is neither HOME nor XDG_CONFIG_HOME to look in".to_owned()
            }
        });
        page.line("");
        let rows = self.values.iter().map(|setting| {
            let cells = [
                setting.row.name.to_owned(),
                setting.shown().to_string(),
                setting.source.to_string(),
            ];
            (Tone::Bold, cells)
        });
        page.table(&rows.collect::<Vec<_>>());
        page.into_text()
    }

    /// With what is wrong with one of them.
    pub(crate) fn as_json(&self, error: Option<String>) -> serde_json::Value {
        let (path, read) = match &self.file {
            File::Read(path) => (Some(path), true),
            File::Absent(path) => (Some(path), false),
            File::Nowhere => (None, false),
        };
        let settings: Map<_, _> = self
            .values
            .iter()
            .map(|setting| {
                let shown = json!({
                    "value": serde_json::Value::from(&setting.shown()),
                    "source": setting.source.to_string(),
                    "flag": format!("--{}", setting.row.flag),
                    "variable": setting.row.variable(),
                });
                (setting.row.name.to_owned(), shown)
            })
            .collect();
        json!({
            "file": path.map(|path| path.display().to_string()),
            "read": read,
            "settings": settings,
            "error": error,
        })
    }
}

impl Setting {
    /// Without the user name and the password that a proxy's URL may hold.
    fn shown(&self) -> Value {
        match &self.value {
            Value::Text(url) if self.row.key == Entry::Proxy => Value::Text(without_user(url)),
            value => value.clone(),
        }
    }
}

fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        // What follows the colon is a port, or a password whose host was forgotten.
        None => match url.rsplit_once(':') {
            Some((_, port))
                if !port.starts_with("//")
                    && !port.trim_end_matches(['/', ']']).bytes().all(|c| c.is_ascii_hexdigit()) =>
            {
                "***".to_owned()
            }
            _ => url.to_owned(),
        },
        Some((before, host)) => {
            let scheme = before.find("://").map_or(0, |at| at + 3);
            format!("{}***@{host}", before.get(..scheme).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_password_is_not_shown() {
        for (url, shown) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("http://user:pass@proxy.example:3128", "http://***@proxy.example:3128"),
            ("user:p@ss@proxy.example:3128", "***@proxy.example:3128"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }
}
