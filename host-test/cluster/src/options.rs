//! What a cluster is like: its version, its authentication, its connection.

use std::time::Duration;

use crate::journal::Observer;

/// The tenant of everybody who names none.
pub const DEFAULT_TENANT: &str = "<default>";

/// The version whose API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 8.8: no expression evaluation; refuses `tenantFilter` and `withLease`.
    V8_8,
    /// 8.9: with expression evaluation and `tenantFilter`; refuses `withLease`.
    V8_9,
    /// 8.10: with leases and suspension.
    V8_10,
}

impl Version {
    /// The `gatewayVersion` of the topology.
    #[must_use]
    pub fn gateway(self) -> &'static str {
        match self {
            Self::V8_8 => "8.8.7",
            Self::V8_9 => "8.9.13",
            Self::V8_10 => "8.10.1",
        }
    }

    /// Reads `8.8`, `8.9` or `8.10`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "8.8" => Some(Self::V8_8),
            "8.9" => Some(Self::V8_9),
            "8.10" => Some(Self::V8_10),
            _ => None,
        }
    }
}

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    None,
    /// Whoever sends this name and password.
    Basic {
        /// The user's name.
        username: String,
        /// The user's password.
        password: String,
    },
    /// Whoever sends a token of `POST /oauth/token`, which gives one for this client id and secret.
    Bearer {
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: String,
    },
}

/// How the connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP.
    Http,
    /// HTTPS with a certificate by a certificate authority of the cluster's own.
    Https,
    /// The same; and the client has to show a certificate by that authority.
    MutualTls,
}

/// How a cluster is started. Every field has a builder method.
pub struct Options {
    pub(crate) version: Version,
    pub(crate) auth: Auth,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
    pub(crate) prefix: String,
    pub(crate) tenants: Vec<String>,
    pub(crate) clock_skew_ms: i64,
    pub(crate) dead_polls_take_jobs: bool,
    pub(crate) max_body_bytes: usize,
    pub(crate) patience: Duration,
    pub(crate) keep: Option<usize>,
    pub(crate) observer: Option<Observer>,
}

impl Options {
    /// Plain HTTP on a free port of 127.0.0.1, no authentication, the tenant `<default>`.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            auth: Auth::None,
            transport: Transport::Http,
            port: 0,
            prefix: String::new(),
            tenants: vec![DEFAULT_TENANT.to_owned()],
            clock_skew_ms: 0,
            dead_polls_take_jobs: false,
            max_body_bytes: 4 * 1024 * 1024,
            patience: Duration::from_secs(60),
            keep: None,
            observer: None,
        }
    }

    /// Asks for credentials. The token endpoint answers in any case.
    #[must_use]
    pub fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// Plain HTTP, HTTPS, or HTTPS with a client certificate.
    #[must_use]
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// A given port of 127.0.0.1; 0 is any free one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// What stands before `/v2`, such as a SaaS cluster's id: `/5c34c0a7`.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        let prefix = match prefix.trim_matches('/') {
            "" => String::new(),
            trimmed => format!("/{trimmed}"),
        };
        Self { prefix, ..self }
    }

    /// The tenants that the client is assigned to, in place of `<default>`.
    #[must_use]
    pub fn tenants(self, tenants: &[&str]) -> Self {
        let tenants = tenants.iter().map(|&tenant| tenant.to_owned()).collect();
        Self { tenants, ..self }
    }

    /// How far the cluster's wall clock is ahead of this machine's, in milliseconds. It shows in a job's `deadline`.
    #[must_use]
    pub fn clock_skew_ms(self, clock_skew_ms: i64) -> Self {
        Self { clock_skew_ms, ..self }
    }

    /// A pending poll whose client has left still takes a job, which is then handed out to nobody. Otherwise such a poll
    /// ends with its connection.
    #[must_use]
    pub fn dead_polls_take_jobs(self) -> Self {
        Self {
            dead_polls_take_jobs: true,
            ..self
        }
    }

    /// A larger request body is refused with 413 (4 MiB unless set).
    #[must_use]
    pub fn max_body_bytes(self, max_body_bytes: usize) -> Self {
        Self { max_body_bytes, ..self }
    }

    /// How long the waiting methods wait at most before they report a failure (60 s unless set).
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Forgets the oldest requests beyond so many. Without it none is forgotten.
    #[must_use]
    pub fn keep_requests(self, keep: usize) -> Self {
        Self {
            keep: Some(keep),
            ..self
        }
    }

    /// Called for each change of a job, on the thread that makes it; it must not call the cluster.
    #[must_use]
    pub fn observer(self, observer: Observer) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }
}
