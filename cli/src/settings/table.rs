//! The table of settings: each row defines the flag, the environment variable and the key in the configuration file.

use super::value::Kind;
use super::worker_table::WORKER_ROWS;

/// What can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Allow,
    OpenAddress,
    Component,
    Precompiled,
    AllowImport,
    Memory,
    CpuTime,
    WallClock,
    ConcurrentCalls,
    SecretsEnvironment,
    SecretsFile,
    SecretsDirectory,
    BareReferences,
    CaFile,
    SystemRoots,
    ClientCertificate,
    ClientKey,
    Proxy,
    NoProxy,
    ConnectTo,
    IdleTimeout,
    Engine,
    EngineUrl,
    EngineAuthentication,
    EngineUsername,
    EnginePassword,
    EngineClientId,
    EngineClientSecret,
    EngineTokenUrl,
    EngineTokenScope,
    EngineTokenAudience,
    EngineTenants,
    EngineCaFile,
    EngineClientCertificate,
    EngineClientKey,
    WorkerName,
    JobTypes,
    MaxJobs,
    MaxJobsPerInstance,
    JobTimeout,
    RequestTimeout,
    Lease,
    ShutdownTimeout,
    ManagementAddress,
    LogLevel,
    LogFormat,
    Output,
    Color,
}

impl Entry {
    /// Whether the worker alone reads it.
    pub(super) fn is_the_workers(self) -> bool {
        WORKER_ROWS.iter().any(|row| row.key == self)
    }
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: Entry,
    /// Section and key in the configuration file.
    pub(crate) name: &'static str,
    /// Without the dashes.
    pub(crate) flag: &'static str,
    /// The placeholder of its value in the help.
    pub(crate) value_name: &'static str,
    pub(crate) kind: Kind,
    /// As a user would write it; lists use commas; empty means none.
    pub(crate) default: &'static str,
    /// Well-known variables that are read after the file; the first that is set counts.
    pub(crate) also: &'static [&'static str],
    pub(crate) help: &'static str,
    /// An example value in the configuration file's syntax.
    pub(crate) example: &'static str,
}

impl Row {
    /// `FLOW_STARTER_POLICY_ALLOW`
    pub(crate) fn variable(&self) -> String {
        format!(
            "FLOW_STARTER_{}",
            self.name.replace(['.', '-'], "_").to_ascii_uppercase()
        )
    }

    /// `allow` of `policy.allow`
    pub(crate) fn last_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// The configuration file's sections and their purpose, in the file's order.
pub(crate) const SECTIONS: [(&str, &str); 10] = [
    ("policy", "hosts that calls may reach"),
    ("component", "which component runs, and what it may import"),
    ("limits", "limits of a call"),
    ("secrets", "where the values of {{secrets.NAME}} come from"),
    ("tls", "trusted certificate authorities, and the client certificate"),
    ("network", "proxy and connections"),
    ("engine", "process engine that the worker takes jobs from"),
    ("worker", "job worker"),
    ("log", "log, on standard error"),
    ("output", "result, on standard output"),
];

/// Defaults for the rows.
pub(super) const BLANK: Row = Row {
    key: Entry::Allow,
    name: "",
    flag: "",
    value_name: "FILE",
    kind: Kind::Text,
    default: "",
    also: &[],
    help: "",
    example: "",
};

/// All settings, by section.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    CALL_ROWS.iter().chain(&WORKER_ROWS).chain(&OUTPUT_ROWS)
}

static CALL_ROWS: [Row; 21] = [
    Row {
        key: Entry::Allow,
        name: "policy.allow",
        flag: "allow",
        value_name: "PATTERN",
        kind: Kind::List,
        default: "*.service-now.com,*.servicenowservices.com",
        help: "Hosts that calls may reach, instead of ServiceNow's clouds: a host name, *.domain, or an origin; `worker` needs it set",
        example: r#"["acme.service-now.com", "https://gateway.example.com:8443"]"#,
        ..BLANK
    },
    Row {
        key: Entry::OpenAddress,
        name: "policy.open",
        flag: "open-address",
        value_name: "KIND",
        kind: Kind::List,
        help: "Also allow names that resolve to this kind of address: private, loopback, …",
        example: r#"["private"]"#,
        ..BLANK
    },
    Row {
        key: Entry::Component,
        name: "component.file",
        flag: "component",
        kind: Kind::Path,
        help: "A component to run instead of the embedded one",
        example: r#""servicenow-flow-starter.wasm""#,
        ..BLANK
    },
    Row {
        key: Entry::Precompiled,
        name: "component.precompiled",
        flag: "precompiled",
        kind: Kind::Path,
        help: "Native code from `flow-starter compile`; it is trusted like flow-starter itself",
        example: r#""servicenow-flow-starter.cwasm""#,
        ..BLANK
    },
    Row {
        key: Entry::AllowImport,
        name: "component.imports",
        flag: "allow-import",
        value_name: "INTERFACE",
        kind: Kind::List,
        help: "An additional WASI interface that the component may import",
        example: r#"["wasi:random/random"]"#,
        ..BLANK
    },
    Row {
        key: Entry::Memory,
        name: "limits.memory",
        flag: "limit-memory",
        value_name: "SIZE",
        kind: Kind::Size,
        default: "64MiB",
        help: "Memory limit of a call",
        example: r#""64MiB""#,
        ..BLANK
    },
    Row {
        key: Entry::CpuTime,
        name: "limits.cpu-time",
        flag: "limit-cpu-time",
        value_name: "TIME",
        kind: Kind::Time,
        default: "10s",
        help: "CPU time limit of a call; waiting does not count",
        example: r#""10s""#,
        ..BLANK
    },
    Row {
        key: Entry::WallClock,
        name: "limits.wall-clock",
        flag: "limit-wall-clock",
        value_name: "TIME",
        kind: Kind::Time,
        default: "300s",
        help: "Time limit of a call, waiting included",
        example: r#""300s""#,
        ..BLANK
    },
    Row {
        key: Entry::ConcurrentCalls,
        name: "limits.concurrent-calls",
        flag: "limit-concurrent-calls",
        value_name: "NUMBER",
        kind: Kind::Count,
        default: "256",
        help: "How many calls may run at the same time; `trigger` makes one",
        example: "256",
        ..BLANK
    },
    Row {
        key: Entry::SecretsEnvironment,
        name: "secrets.environment-prefix",
        flag: "secrets-environment-prefix",
        value_name: "PREFIX",
        default: "SECRET_",
        help: "{{secrets.NAME}} is read from the environment variable PREFIXNAME; `none`: not from the environment",
        example: r#""SECRET_""#,
        ..BLANK
    },
    Row {
        key: Entry::SecretsFile,
        name: "secrets.file",
        flag: "secrets-file",
        kind: Kind::Paths,
        help: "A secrets file of NAME=value lines (no spaces around `=`, no quotation marks), or a pipe; searched after the environment",
        example: r#"["secrets.env"]"#,
        ..BLANK
    },
    Row {
        key: Entry::SecretsDirectory,
        name: "secrets.directory",
        flag: "secrets-directory",
        value_name: "DIR",
        kind: Kind::Paths,
        help: "A directory with one file for each secret; searched after the secrets files",
        example: r#"["/run/secrets"]"#,
        ..BLANK
    },
    Row {
        key: Entry::BareReferences,
        name: "secrets.bare-references",
        flag: "secrets-bare-references",
        value_name: "WHEN",
        kind: Kind::Choice(&["on", "off"]),
        default: "on",
        help: "Whether secrets.NAME without braces is a reference too; `off`: it is plain text, as in Camunda 8.10",
        example: r#""off""#,
        ..BLANK
    },
    Row {
        key: Entry::CaFile,
        name: "tls.ca-file",
        flag: "ca-file",
        kind: Kind::Paths,
        help: "Additional certificate authorities to trust (PEM)",
        example: r#"["company-ca.pem"]"#,
        ..BLANK
    },
    Row {
        key: Entry::SystemRoots,
        name: "tls.system-roots",
        flag: "system-roots",
        value_name: "WHETHER",
        kind: Kind::Choice(&["on", "off"]),
        default: "on",
        help: "Whether to trust the system's certificate authorities (or those of SSL_CERT_FILE and SSL_CERT_DIR) in addition to the public ones",
        example: r#""off""#,
        ..BLANK
    },
    Row {
        key: Entry::ClientCertificate,
        name: "tls.client-certificate",
        flag: "client-certificate",
        kind: Kind::Path,
        help: "Client certificate for servers that request one (PEM, with its chain)",
        example: r#""client.pem""#,
        ..BLANK
    },
    Row {
        key: Entry::ClientKey,
        name: "tls.client-key",
        flag: "client-key",
        kind: Kind::Path,
        help: "Key of the client certificate (PEM, not encrypted)",
        example: r#""client-key.pem""#,
        ..BLANK
    },
    Row {
        key: Entry::Proxy,
        name: "network.proxy",
        flag: "proxy",
        value_name: "URL",
        also: &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        help: "HTTP proxy; `none`: no proxy, even if HTTPS_PROXY or ALL_PROXY is set",
        example: r#""http://proxy.example.com:3128""#,
        ..BLANK
    },
    Row {
        key: Entry::NoProxy,
        name: "network.no-proxy",
        flag: "no-proxy",
        value_name: "NAMES",
        also: &["NO_PROXY", "no_proxy"],
        help: "Hosts to reach without the proxy, separated by commas: example.com (with its subdomains), 10.0.0.0/8; `*`: every host",
        example: r#""internal.example.com, 10.0.0.0/8""#,
        ..BLANK
    },
    Row {
        key: Entry::ConnectTo,
        name: "network.connect-to",
        flag: "connect-to",
        value_name: "HOST:PORT:ADDRESS:PORT",
        kind: Kind::List,
        help: "Connect to this address instead of the one that DNS returns, as curl does; the address is not checked, and no proxy is used",
        example: r#"["acme.service-now.com:443:127.0.0.1:8443"]"#,
        ..BLANK
    },
    Row {
        key: Entry::IdleTimeout,
        name: "network.idle-timeout",
        flag: "idle-timeout",
        value_name: "TIME",
        kind: Kind::Time,
        default: "5s",
        help: "How long an idle connection is kept for the next call; 0: not at all",
        example: r#""5s""#,
        ..BLANK
    },
];

static OUTPUT_ROWS: [Row; 4] = [
    Row {
        key: Entry::LogLevel,
        name: "log.level",
        flag: "log-level",
        value_name: "LEVEL",
        kind: Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
        default: "warn",
        help: "Log level; for the worker `info` unless set",
        example: r#""info""#,
        ..BLANK
    },
    Row {
        key: Entry::LogFormat,
        name: "log.format",
        flag: "log-format",
        value_name: "FORMAT",
        kind: Kind::Choice(&["text", "json"]),
        default: "text",
        help: "Log format",
        example: r#""json""#,
        ..BLANK
    },
    Row {
        key: Entry::Output,
        name: "output.format",
        flag: "output",
        value_name: "FORMAT",
        kind: Kind::Choice(&["text", "json"]),
        default: "text",
        help: "Output format",
        example: r#""json""#,
        ..BLANK
    },
    Row {
        key: Entry::Color,
        name: "output.color",
        flag: "color",
        value_name: "WHEN",
        kind: Kind::Choice(&["auto", "always", "never"]),
        default: "auto",
        also: &["NO_COLOR"],
        help: "Colours; `auto`: on a terminal, unless NO_COLOR is set",
        example: r#""never""#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::value::RawValue;

    #[test]
    fn every_row_is_whole_and_its_own_example_and_default_are_right() {
        for row in rows() {
            let (section, _) = row.name.split_once('.').unwrap();
            assert!(SECTIONS.iter().any(|(name, _)| *name == section), "{}", row.name);
            let parsed: toml::Table = format!("x = {}", row.example).parse().unwrap();
            row.kind
                .read(RawValue::Line(&parsed["x"]), row.example)
                .unwrap_or_else(|error| panic!("{}: {error}", row.name));
            let default = row.kind.read(RawValue::Word(row.default), row.example);
            assert!(default.is_ok() || row.default.is_empty(), "{}", row.name);
            assert!(!row.help.is_empty() && !row.help.ends_with('.'), "{}", row.name);
            let same = |other: &&Row| other.key == row.key || other.name == row.name || other.flag == row.flag;
            assert_eq!(rows().filter(same).count(), 1, "{}", row.name);
        }
    }
}
