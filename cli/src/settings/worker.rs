//! The settings of the job worker, as the worker's library takes them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use flow_starter_host::Limits;
use flow_starter_worker::engine::camunda8::{Camunda8, OAuth, Proxies, SettingsError};
use flow_starter_worker::metrics::Metrics;
use secrecy::SecretString;

use super::resolved::OFF;
use super::value::{Hidden, Value};
use super::{Entry, Settings};
use crate::exit::{bad, unreadable};

/// As many calls as a process can run at once.
const MOST_JOBS: usize = 8_000;

/// From here on, proxies and load balancers with a limit of a minute cut a request for jobs.
const LONG_POLL: Duration = Duration::from_secs(50);

impl Settings {
    /// A worker runs unwatched: which hosts it may call is for its operator to say.
    pub(crate) fn check_policy_is_set(&self) -> Result<()> {
        match self.is_default(Entry::Allow) {
            false => Ok(()),
            true => Err(bad(
                "policy.allow is not set: list the hosts that the worker may call, for example --allow acme.service-now.com",
            )),
        }
    }

    /// The worker's own settings.
    pub(crate) fn worker(&self, limits: &Limits, once: bool) -> Result<flow_starter_worker::Settings> {
        let request_timeout = self.time(Entry::RequestTimeout)?;
        if request_timeout > LONG_POLL {
            tracing::warn!(
                "worker.request-timeout is {} s: a proxy or load balancer with a timeout of one minute would cut off every request for jobs",
                request_timeout.as_secs()
            );
        }
        let job_types = self.list(Entry::JobTypes).to_vec();
        if job_types.is_empty() || job_types.iter().any(|name| name.trim().is_empty()) {
            return Err(self.wrong(
                Entry::JobTypes,
                "a job type is empty: for example servicenow-flow-starter:1",
            ));
        }
        let max_jobs = self.count(Entry::MaxJobs)?;
        if max_jobs < job_types.len() {
            let why = format!("must be at least {}, one for each job type", job_types.len());
            return Err(self.wrong(Entry::MaxJobs, why));
        }
        if max_jobs > MOST_JOBS {
            return Err(self.wrong(Entry::MaxJobs, format!("must be at most {MOST_JOBS}")));
        }
        let shutdown = match self.value(Entry::ShutdownTimeout) {
            Some(Value::Time(time)) => *time,
            _ => limits.wall_clock.saturating_add(Duration::from_secs(30)),
        };
        Ok(flow_starter_worker::Settings {
            name: self.text(Entry::WorkerName).unwrap_or("flow-starter").to_owned(),
            job_types,
            max_jobs,
            max_jobs_per_instance: self.count(Entry::MaxJobsPerInstance)?,
            request_timeout,
            job_timeout: self.time(Entry::JobTimeout)?,
            shutdown_timeout: shutdown,
            once,
        })
    }

    /// Where to serve `/metrics`; none: nowhere.
    pub(crate) fn management_address(&self) -> Result<Option<SocketAddr>> {
        match self.text(Entry::ManagementAddress) {
            None | Some(OFF) => Ok(None),
            Some(address) => address.parse().map(Some).map_err(|_| {
                let must = "must be an IP address and a port, as in 127.0.0.1:9600 or 0.0.0.0:9600, or `none`";
                self.wrong(Entry::ManagementAddress, must)
            }),
        }
    }

    /// The client of the cluster. Certificates are read from their files.
    pub(crate) fn cluster(&self, metrics: &Arc<Metrics>) -> Result<Camunda8> {
        let text = |key| self.text(key).unwrap_or_default();
        let (requests, tokens) = (Arc::clone(metrics), Arc::clone(metrics));
        let mut cluster = Camunda8::builder(text(Entry::EngineUrl))
            .worker_name(text(Entry::WorkerName))
            .tenants(self.list(Entry::EngineTenants).to_vec())
            .lease(self.value(Entry::Lease) == Some(&Value::Switch(true)))
            .proxies(proxies())
            .observe(Arc::new(move |call, status| requests.request(call.as_str(), status)))
            .observe_tokens(Arc::new(move |_| tokens.token_fetch()));
        cluster = match text(Entry::EngineAuthentication) {
            "BASIC" => cluster.basic(
                self.needed(Entry::EngineUsername, "BASIC")?,
                self.secret(Entry::EnginePassword, "BASIC")?,
            ),
            "OAUTH" => cluster.oauth(OAuth {
                client_id: self.needed(Entry::EngineClientId, "OAUTH")?.to_owned(),
                client_secret: self.secret(Entry::EngineClientSecret, "OAUTH")?,
                url: self.needed(Entry::EngineTokenUrl, "OAUTH")?.to_owned(),
                audience: self
                    .text(Entry::EngineTokenAudience)
                    .filter(|text| *text != OFF)
                    .map(str::to_owned),
                scope: self.text(Entry::EngineTokenScope).map(str::to_owned),
            }),
            _ => cluster.no_authentication(),
        };
        if let Some(file) = self.text(Entry::EngineCaFile) {
            cluster = cluster.ca_pem(self.file(Entry::EngineCaFile, "the certificate authorities in", file)?);
        }
        match (
            self.text(Entry::EngineClientCertificate),
            self.text(Entry::EngineClientKey),
        ) {
            (None, None) => {}
            (Some(chain), Some(key)) => {
                let chain = self.file(Entry::EngineClientCertificate, "the client's certificate", chain)?;
                let key = self.file(Entry::EngineClientKey, "the client's key", key)?;
                cluster = cluster.client_identity_pem(chain, key);
            }
            (Some(_), None) => return Err(self.missing(Entry::EngineClientCertificate, "engine.client-key")),
            (None, Some(_)) => return Err(self.missing(Entry::EngineClientKey, "engine.client-certificate")),
        }
        cluster.build().map_err(|error| {
            let key = match &error {
                SettingsError::Address(_) => Entry::EngineUrl,
                SettingsError::TokenUrl(_) => Entry::EngineTokenUrl,
                SettingsError::UserName(_) => Entry::EngineUsername,
                SettingsError::EmptyTenant => Entry::EngineTenants,
                SettingsError::EmptyWorkerName => Entry::WorkerName,
                SettingsError::Authority(_) => Entry::EngineCaFile,
                SettingsError::ClientCertificate(_) => Entry::EngineClientCertificate,
                SettingsError::ClientKey(_) => Entry::EngineClientKey,
                SettingsError::EmptyCredential(_) | SettingsError::Proxy(..) | SettingsError::Client(_) => {
                    return bad(error.to_string());
                }
            };
            self.wrong(key, error)
        })
    }

    fn missing(&self, key: Entry, other: &str) -> anyhow::Error {
        self.wrong(key, format!("{other} is missing: set both or neither"))
    }

    fn needed(&self, key: Entry, strategy: &str) -> Result<&str> {
        self.text(key).ok_or_else(|| self.not_set(key, strategy))
    }

    fn secret(&self, key: Entry, strategy: &str) -> Result<SecretString> {
        match self.value(key) {
            Some(Value::Secret(hidden)) => Ok(Hidden::secret(hidden).clone()),
            _ => Err(self.not_set(key, strategy)),
        }
    }

    /// By its own variable and the one that Camunda's SDKs read.
    fn not_set(&self, key: Entry, strategy: &str) -> anyhow::Error {
        let setting = self.setting(key).map(|setting| setting.row);
        let name = setting.map_or("a setting", |row| row.name);
        let variable = setting.map(|row| {
            row.also
                .first()
                .map_or_else(|| row.variable(), |name| (*name).to_owned())
        });
        let variable = variable.unwrap_or_default();
        bad(format!(
            "{name} is not set, and engine.auth-strategy {strategy} needs it: set {variable}"
        ))
    }

    fn time(&self, key: Entry) -> Result<Duration> {
        match self.value(key) {
            Some(Value::Time(time)) if !time.is_zero() => Ok(*time),
            _ => Err(self.wrong(key, "must be longer than 0")),
        }
    }

    fn count(&self, key: Entry) -> Result<usize> {
        match self.value(key) {
            Some(Value::Count(number)) if *number > 0 => Ok(usize::try_from(*number).unwrap_or(usize::MAX)),
            _ => Err(self.wrong(key, "must be at least 1")),
        }
    }

    fn file(&self, key: Entry, what: &str, file: &str) -> Result<Vec<u8>> {
        let file = Path::new(file);
        std::fs::read(file).map_err(|error| self.wrong(key, unreadable(what, file, &error)))
    }
}

/// The environment's proxies, for the cluster alone. HTTP_PROXY in capitals can be set by a request's header where a program runs as CGI,
/// which this one does not.
fn proxies() -> Proxies {
    let first = |names: &[&str]| {
        let mut set = names.iter().filter_map(|name| std::env::var(name).ok());
        set.find(|value| !value.is_empty())
    };
    Proxies {
        http: first(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]).map(Into::into),
        https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]).map(Into::into),
        no_proxy: first(&["NO_PROXY", "no_proxy"]),
    }
}
