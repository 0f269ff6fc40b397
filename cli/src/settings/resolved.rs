//! The settings as library types: read once, before any work. An error names the setting and its source.

use std::cmp::Ordering;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use flow_starter_host::component::{Import, LoadError};
use flow_starter_host::egress::{AddressKind, ConnectTo, EgressError, Pattern, Proxy, ProxyError};
use flow_starter_host::secrets::{DirectorySecrets, EnvironmentSecrets, FileSecrets};
use flow_starter_host::{Egress, Limits, Policy, Secrets};

use super::value::Value;
use super::{Entry, Settings, Source};
use crate::exit::unreadable;
use crate::terminal::Colour;

/// The resolved settings.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) code: Code<'a>,
    pub(crate) limits: Limits,
    /// Further interfaces that a component may import.
    pub(crate) imports: Vec<Import>,
    pub(crate) secrets: Secrets,
    /// The result as JSON.
    pub(crate) json: bool,
    pub(crate) colour: Colour,
    policy: Policy,
    proxy: Proxy,
    connect_to: Vec<ConnectTo>,
    idle_timeout: Option<Duration>,
    identity: Option<Identity<'a>>,
    /// For the sources in later errors.
    settings: &'a Settings,
}

/// Which component runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code<'a> {
    Embedded,
    File(&'a Path),
    Precompiled(&'a Path),
}

/// The client's certificate, by the names of its files.
#[derive(Clone, Copy, Debug)]
struct Identity<'a> {
    chain: &'a Path,
    key: &'a Path,
}

/// The value that switches a setting off.
pub(super) const OFF: &str = "none";

impl Settings {
    /// # Errors
    /// The first invalid setting. Files are read later.
    pub(crate) fn resolve(&self) -> Result<Resolved<'_>> {
        Ok(Resolved {
            policy: self.policy()?,
            limits: self.limits()?,
            proxy: self.proxy()?,
            connect_to: self.each(Entry::ConnectTo, str::parse)?,
            secrets: self.secrets()?,
            imports: self.each(Entry::AllowImport, str::parse)?,
            code: self.code()?,
            identity: self.identity()?,
            idle_timeout: match self.value(Entry::IdleTimeout) {
                Some(Value::Time(time)) => Some(*time),
                _ => None,
            },
            json: self.json(),
            colour: self.colour(),
            settings: self,
        })
    }

    fn policy(&self) -> Result<Policy> {
        let patterns: Vec<Pattern> = self.each(Entry::Allow, str::parse)?;
        let kinds: Vec<AddressKind> = self.each(Entry::OpenAddress, str::parse)?;
        Ok(kinds.into_iter().fold(Policy::new(patterns), Policy::open))
    }

    fn limits(&self) -> Result<Limits> {
        let mut limits = Limits::default();
        for key in [Entry::Memory, Entry::CpuTime, Entry::WallClock, Entry::ConcurrentCalls] {
            match (key, self.value(key)) {
                (_, Some(Value::Size(0) | Value::Time(Duration::ZERO) | Value::Count(0))) => {
                    return Err(self.wrong(key, "must be greater than 0"));
                }
                (Entry::Memory, Some(Value::Size(bytes))) => limits.memory_bytes = *bytes,
                (Entry::CpuTime, Some(Value::Time(time))) => limits.cpu_time = *time,
                (Entry::WallClock, Some(Value::Time(time))) => limits.wall_clock = *time,
                (Entry::ConcurrentCalls, Some(Value::Count(calls))) => limits.concurrent_calls = *calls,
                _ => {}
            }
        }
        Ok(limits)
    }

    fn proxy(&self) -> Result<Proxy> {
        match self.text(Entry::Proxy) {
            None | Some(OFF) => Ok(Proxy::none()),
            Some(url) => Proxy::new(url, self.text(Entry::NoProxy).unwrap_or_default()).map_err(|error| match &error {
                ProxyError::NoProxy(_) => self.wrong(Entry::NoProxy, error),
                _ => self.wrong(Entry::Proxy, format!("{error}; to use no proxy: --proxy none")),
            }),
        }
    }

    fn secrets(&self) -> Result<Secrets> {
        let mut secrets = Secrets::none();
        match self.text(Entry::SecretsEnvironment) {
            Some(OFF) => {}
            Some(prefix) => secrets = secrets.with(EnvironmentSecrets::new(prefix)),
            None => {
                let why = "must not be empty, or every environment variable could be read as a secret: for example SECRET_, or `none`";
                return Err(self.wrong(Entry::SecretsEnvironment, why));
            }
        }
        for file in self.list(Entry::SecretsFile) {
            secrets = secrets.with(FileSecrets::new(file));
        }
        for directory in self.list(Entry::SecretsDirectory) {
            secrets = secrets.with(DirectorySecrets::new(directory));
        }
        Ok(secrets.bare_references(self.text(Entry::BareReferences) != Some("off")))
    }

    fn code(&self) -> Result<Code<'_>> {
        let rank = |key: Entry| self.setting(key).map(|setting| setting.source.rank());
        match (self.path(Entry::Component), self.path(Entry::Precompiled)) {
            (None, None) => Ok(Code::Embedded),
            (Some(wasm), None) => Ok(Code::File(wasm)),
            (None, Some(native)) => Ok(Code::Precompiled(native)),
            // The source with the higher precedence wins, for example a flag over the file.
            (Some(wasm), Some(native)) => match rank(Entry::Component).cmp(&rank(Entry::Precompiled)) {
                Ordering::Greater => Ok(Code::File(wasm)),
                Ordering::Less => Ok(Code::Precompiled(native)),
                Ordering::Equal => Err(self.wrong(
                    Entry::Precompiled,
                    "component.file is set in the same place: remove one of the two",
                )),
            },
        }
    }

    /// The client's certificate and its key: both or neither.
    fn identity(&self) -> Result<Option<Identity<'_>>> {
        let missing = |key, other| Err(self.wrong(key, format!("{other} is missing: set both or neither")));
        match (self.path(Entry::ClientCertificate), self.path(Entry::ClientKey)) {
            (None, None) => Ok(None),
            (Some(chain), Some(key)) => Ok(Some(Identity { chain, key })),
            (Some(_), None) => missing(Entry::ClientCertificate, "tls.client-key"),
            (None, Some(_)) => missing(Entry::ClientKey, "tls.client-certificate"),
        }
    }

    fn path(&self, key: Entry) -> Option<&Path> {
        self.text(key).map(Path::new)
    }

    fn each<T, E: Display>(&self, key: Entry, read: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>> {
        let items = self.list(key).iter();
        items
            .map(|text| read(text).map_err(|error| self.wrong(key, error)))
            .collect()
    }
}

impl Resolved<'_> {
    /// The egress; reads the certificate files.
    pub(crate) fn egress(&self) -> Result<Egress> {
        // An error without a setting is not the operator's.
        let wrong = |error: EgressError| match &error {
            EgressError::Certificate(_) => self.settings.wrong(Entry::CaFile, &error),
            EgressError::ClientCertificate(_) => self.settings.wrong(Entry::ClientCertificate, &error),
            EgressError::ClientKey(_) => self.settings.wrong(Entry::ClientKey, &error),
            _ => error.into(),
        };
        let mut egress = Egress::builder()
            .policy(self.policy.clone())
            .proxy(self.proxy.clone())
            .system_roots(self.settings.text(Entry::SystemRoots) != Some("off"));
        for mapping in &self.connect_to {
            egress = egress.connect_to(mapping.clone());
        }
        for file in self.settings.list(Entry::CaFile) {
            egress =
                egress.extra_ca_pem(self.read(Entry::CaFile, "the certificate authorities in", Path::new(file))?);
        }
        if let Some(Identity { chain, key }) = self.identity {
            let chain = self.read(Entry::ClientCertificate, "the client's certificate", chain)?;
            let key = self.read(Entry::ClientKey, "the client's key", key)?;
            egress = egress
                .client_certificate_pem(chain, zeroize::Zeroizing::new(key))
                .map_err(wrong)?;
        }
        if let Some(time) = self.idle_timeout {
            egress = egress.idle_timeout(time);
        }
        egress.build().map_err(wrong)
    }

    /// A worker that runs for months may get a secrets file later; for a single call, a missing one is a mistake.
    pub(crate) async fn check_secrets_are_there(&self) -> Result<()> {
        for key in [Entry::SecretsFile, Entry::SecretsDirectory] {
            for path in self.settings.list(key).iter().map(PathBuf::from) {
                self.is_there(key, path).await?;
            }
        }
        Ok(())
    }

    /// A mount may hang.
    async fn is_there(&self, key: Entry, path: PathBuf) -> Result<()> {
        let limit = self.limits.wall_clock;
        let looking = tokio::task::spawn_blocking(move || {
            let there = path.metadata().map(drop);
            there.map_err(|error| unreadable("the secrets", &path, &error))
        });
        match tokio::time::timeout(limit, looking).await {
            Ok(there) => there?.map_err(|error| self.settings.wrong(key, error)),
            Err(_) => {
                let limit = limit.as_secs_f64();
                Err(self
                    .settings
                    .wrong(key, format!("no response within limits.wall-clock ({limit} s)")))
            }
        }
    }

    /// The embedded component runs under the default limits, so a configured limit is the cause.
    pub(crate) fn too_small(&self, error: LoadError) -> anyhow::Error {
        let set = |key: &Entry| {
            let setting = self.settings.setting(*key);
            setting.is_some_and(|setting| setting.source != Source::Default)
        };
        match [Entry::Memory, Entry::WallClock, Entry::CpuTime].into_iter().find(set) {
            Some(key) => {
                let why = format!("too low for the component: {error}");
                self.settings.wrong(key, why)
            }
            None => error.into(),
        }
    }

    fn read(&self, key: Entry, what: &str, file: &Path) -> Result<Vec<u8>> {
        std::fs::read(file).map_err(|error| self.settings.wrong(key, unreadable(what, file, &error)))
    }
}
