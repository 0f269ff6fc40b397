//! What the library takes, made of the settings: an error says which setting, and where it came from.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use flow_starter_host::{
    AddressKind, ConnectTo, DirectorySecrets, Egress, EgressError, EnvironmentSecrets, FileSecrets, Import, Limits,
    LoadError, Pattern, Policy, Proxy, ProxyError, Secrets,
};

use super::value::Value;
use super::{Entry, Settings, Source};
use crate::exit::unreadable;
use crate::terminal::Colour;

/// Which component runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Code<'a> {
    Inside,
    File(&'a Path),
    Precompiled(&'a Path),
}

/// The word that switches a setting off.
pub(super) const OFF: &str = "none";

impl Settings {
    /// Each setting that can be checked by itself.
    pub(crate) fn check(&self) -> Result<()> {
        self.policy()?;
        self.limits()?;
        self.proxy()?;
        self.connect_to()?;
        self.secrets()?;
        self.imports()?;
        self.code()?;
        self.identity()?;
        Ok(())
    }

    pub(crate) fn limits(&self) -> Result<Limits> {
        let of_nothing = |key: Entry| Err(self.wrong(key, "a limit of 0 would let no call run"));
        let mut limits = Limits::default();
        for key in [
            Entry::Memory,
            Entry::Computing,
            Entry::WallClock,
            Entry::ConcurrentCalls,
        ] {
            match (key, self.setting(key).map(|setting| &setting.value)) {
                (_, Some(Value::Size(0) | Value::Time(Duration::ZERO) | Value::Count(0))) => return of_nothing(key),
                (Entry::Memory, Some(Value::Size(bytes))) => limits.memory_bytes = *bytes,
                (Entry::Computing, Some(Value::Time(time))) => limits.computing = *time,
                (Entry::WallClock, Some(Value::Time(time))) => limits.wall_clock = *time,
                (Entry::ConcurrentCalls, Some(Value::Count(calls))) => limits.concurrent_calls = *calls,
                _ => {}
            }
        }
        Ok(limits)
    }

    pub(crate) fn policy(&self) -> Result<Policy> {
        let patterns = self.each(Entry::Allow, |text| text.parse::<Pattern>())?;
        let kinds = self.each(Entry::OpenAddress, |text| text.parse::<AddressKind>())?;
        Ok(kinds.into_iter().fold(Policy::new(patterns), Policy::open))
    }

    pub(crate) fn code(&self) -> Result<Code<'_>> {
        let file = |key: Entry| self.text(key).map(Path::new);
        let (wasm, native) = (file(Entry::Component), file(Entry::Precompiled));
        let source = |key: Entry| self.setting(key).map(|setting| setting.source.rank());
        match (wasm, native) {
            (None, None) => Ok(Code::Inside),
            (Some(wasm), None) => Ok(Code::File(wasm)),
            (None, Some(native)) => Ok(Code::Precompiled(native)),
            // The stronger source decides: a flag, where the file says the other.
            (Some(wasm), Some(native)) => match source(Entry::Component).cmp(&source(Entry::Precompiled)) {
                std::cmp::Ordering::Greater => Ok(Code::File(wasm)),
                std::cmp::Ordering::Less => Ok(Code::Precompiled(native)),
                std::cmp::Ordering::Equal => {
                    Err(self.wrong(Entry::Precompiled, "component.file is set there as well: leave one out"))
                }
            },
        }
    }

    /// A component that runs elsewhere does not run here: the limits that somebody set are the cause, if they did.
    pub(crate) fn too_small(&self, error: LoadError) -> anyhow::Error {
        let set = |key: &Entry| {
            self.setting(*key)
                .is_some_and(|setting| setting.source != Source::Default)
        };
        match [Entry::Memory, Entry::WallClock, Entry::Computing]
            .iter()
            .find(|key| set(key))
        {
            Some(key) => self.wrong(*key, format!("the component does not run within it: {error}")),
            None => error.into(),
        }
    }

    /// Further interfaces that a component may import.
    pub(crate) fn imports(&self) -> Result<Vec<Import>> {
        self.each(Entry::AllowImport, |text| text.parse::<Import>())
    }

    pub(crate) fn egress(&self) -> Result<Egress> {
        let mut egress = Egress::builder().policy(self.policy()?).proxy(self.proxy()?);
        for mapping in self.connect_to()? {
            egress = egress.connect_to(mapping);
        }
        for file in self.list(Entry::CaFile) {
            egress =
                egress.extra_ca_pem(self.read(Entry::CaFile, "the certificate authorities in", Path::new(file))?);
        }
        if let Some((chain, key)) = self.identity()? {
            let chain = self.read(Entry::ClientCertificate, "the client's certificate", chain)?;
            let key = self.read(Entry::ClientKey, "the client's key", key)?;
            egress = egress
                .client_certificate_pem(chain, zeroize::Zeroizing::new(key))
                .map_err(|error| self.wrong(Entry::ClientCertificate, error))?;
        }
        if let Some(Value::Time(time)) = self.setting(Entry::IdleTimeout).map(|setting| &setting.value) {
            egress = egress.idle_timeout(*time);
        }
        egress.build().map_err(|error| match &error {
            EgressError::Certificate(_) => self.wrong(Entry::CaFile, error),
            EgressError::ClientCertificate(_) => self.wrong(Entry::ClientCertificate, error),
            _ => error.into(),
        })
    }

    pub(crate) fn secrets(&self) -> Result<Secrets> {
        let mut secrets = Secrets::none();
        match self.text(Entry::SecretsEnvironment) {
            Some(OFF) => {}
            Some(prefix) => secrets = secrets.with(EnvironmentSecrets::new(prefix)),
            None => {
                let why = "without a prefix, any variable could be put into an input: for example SECRET_, or `none`";
                return Err(self.wrong(Entry::SecretsEnvironment, why));
            }
        }
        for file in self.list(Entry::SecretsFile) {
            secrets = secrets.with(FileSecrets::new(file));
        }
        for directory in self.list(Entry::SecretsDirectory) {
            secrets = secrets.with(DirectorySecrets::new(directory));
        }
        Ok(secrets)
    }

    /// A secret's file may come later, for a worker that runs for months; for one call, one that is not there is a slip.
    pub(crate) fn check_secrets_are_there(&self) -> Result<()> {
        for key in [Entry::SecretsFile, Entry::SecretsDirectory] {
            for path in self.list(key).iter().map(Path::new) {
                let there = path.metadata();
                there.map_err(|error| self.wrong(key, unreadable("the secrets in", path, &error)))?;
            }
        }
        Ok(())
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

    fn proxy(&self) -> Result<Proxy> {
        match self.text(Entry::Proxy) {
            None | Some(OFF) => Ok(Proxy::none()),
            Some(url) => Proxy::new(url, self.text(Entry::NoProxy).unwrap_or_default()).map_err(|error| match &error {
                ProxyError::NoProxy(_) => self.wrong(Entry::NoProxy, error),
                _ => self.wrong(Entry::Proxy, format!("{error}; --proxy none goes without one")),
            }),
        }
    }

    fn connect_to(&self) -> Result<Vec<ConnectTo>> {
        self.each(Entry::ConnectTo, |text| text.parse::<ConnectTo>())
    }

    /// The client's certificate and its key: both or neither.
    fn identity(&self) -> Result<Option<(&Path, &Path)>> {
        let file = |key: Entry| self.text(key).map(Path::new);
        match (file(Entry::ClientCertificate), file(Entry::ClientKey)) {
            (None, None) => Ok(None),
            (Some(chain), Some(key)) => Ok(Some((chain, key))),
            (Some(_), None) => Err(self.wrong(
                Entry::ClientCertificate,
                "tls.client-key is missing: the two go together",
            )),
            (None, Some(_)) => Err(self.wrong(
                Entry::ClientKey,
                "tls.client-certificate is missing: the two go together",
            )),
        }
    }

    fn each<T, E: std::fmt::Display>(&self, key: Entry, read: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>> {
        let items = self.list(key).iter();
        items
            .map(|text| read(text).map_err(|error| self.wrong(key, error)))
            .collect()
    }

    fn read(&self, key: Entry, what: &str, file: &Path) -> Result<Vec<u8>> {
        std::fs::read(file).map_err(|error| self.wrong(key, unreadable(what, file, &error)))
    }
}
