//! `config show`: the effective settings and their sources. `config example`: a commented configuration file.

use std::fmt::Write as _;

use flow_starter_host::component::Import;
use flow_starter_host::egress::{AddressKind, ConnectTo, Pattern, Proxy, ProxyUrl};
use serde_json::{Map, json};

use super::resolved::OFF;
use super::table::{Entry, Row, SECTIONS, rows};
use super::value::Kind;
use super::{File, Setting, Settings, Value};
use crate::terminal::{Page, Tone};

/// A configuration file with every setting commented out: for `config example`.
pub(crate) fn example() -> String {
    let mut text = "# Remove the # from the settings that you want to change. Order of precedence: flag, environment variable, this file, default.\n".to_owned();
    for (section, what) in SECTIONS {
        let _infallible = writeln!(text, "\n# {what}\n[{section}]");
        let within = |row: &&Row| row.name.split('.').next() == Some(section);
        for row in rows().filter(within) {
            let default = match row.default {
                "" => String::new(),
                default => format!("; default: {}", default.replace(',', ", ")),
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
            File::Nowhere => "configuration file: none; neither HOME nor XDG_CONFIG_HOME is set".to_owned(),
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

    /// With the error of an invalid setting.
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
    /// A proxy shows only scheme, host and port. A value that does not have the setting's form may contain a password and is hidden.
    fn shown(&self) -> Value {
        let shown = |text: &String| match self.row.key {
            Entry::Proxy if text != OFF => without_credentials(text),
            key if is_harmless(key, self.row.kind, text) => text.clone(),
            _ => HIDDEN.to_owned(),
        };
        match &self.value {
            Value::Text(text) => Value::Text(shown(text)),
            Value::List(items) => Value::List(items.iter().map(shown).collect()),
            value => value.clone(),
        }
    }
}

const HIDDEN: &str = "***";

/// Whether the form of a text excludes credentials.
fn is_harmless(key: Entry, kind: Kind, text: &str) -> bool {
    match key {
        Entry::Allow => text.parse::<Pattern>().is_ok(),
        Entry::OpenAddress => text.parse::<AddressKind>().is_ok(),
        Entry::AllowImport => text.parse::<Import>().is_ok(),
        Entry::ConnectTo => text.parse::<ConnectTo>().is_ok(),
        Entry::NoProxy => Proxy::new("http://localhost", text).is_ok(),
        Entry::SecretsEnvironment => text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
        // A file need not exist yet. A URL or JSON in its place may contain anything.
        _ if matches!(kind, Kind::Path | Kind::Paths) => !text.contains("://") && !text.contains(['{', '"', '@', '=']),
        // A URL may hold a password or a key, and JSON in a name's place anything.
        key if key.is_the_workers() => {
            let is_json = text.contains(['{', '"']);
            let is_url_with_more = text.contains("://") && text.contains(['@', '?']);
            !is_json && !is_url_with_more
        }
        // One of a fixed set of words.
        _ => true,
    }
}

fn without_credentials(url: &str) -> String {
    match url.parse::<ProxyUrl>() {
        Ok(proxy) if proxy.has_credentials() => proxy.to_string().replacen("://", "://***@", 1),
        Ok(proxy) => proxy.to_string(),
        Err(_) => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_credentials_are_not_shown() {
        for (url, shown) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("http://user:pass@proxy.example:3128", "http://***@proxy.example:3128"),
            ("user:p%40ss@proxy.example:3128", "http://***@proxy.example:3128"),
            ("user:p@ss@proxy.example:3128", "***"),
            ("http://user:S3cret#word@127.0.0.1:13128", "***"),
            ("http://user:pass", "***"),
            ("socks5://user:pass@proxy.example", "***"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
