//! The settings of the connection to a cluster.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::Camunda8;

/// The calls to a cluster, as a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `GET /topology`
    Topology,
    /// `POST /jobs/activation`
    Activation,
    /// `POST /jobs/{key}/completion`
    Completion,
    /// `POST /jobs/{key}/failure`
    Failure,
    /// `POST /jobs/{key}/error`
    Error,
    /// `PATCH /jobs/{key}`
    Update,
    /// `PUT /element-instances/{key}/variables`
    Variables,
    /// `POST /expression/evaluation`
    Evaluation,
}

impl Call {
    /// All of them, so that a metric can begin with zeros.
    pub const ALL: [Self; 8] = [
        Self::Topology,
        Self::Activation,
        Self::Completion,
        Self::Failure,
        Self::Error,
        Self::Update,
        Self::Variables,
        Self::Evaluation,
    ];

    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topology => "topology",
            Self::Activation => "activation",
            Self::Completion => "completion",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Update => "update",
            Self::Variables => "variables",
            Self::Evaluation => "evaluation",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Sees each request to the cluster once it has ended: the call, and the status of the answer, if one came.
pub type Observer = Arc<dyn Fn(Call, Option<u16>) + Send + Sync>;

/// Sees each request to the token endpoint once it has ended: the status of the answer, if one came.
pub type TokenObserver = Arc<dyn Fn(Option<u16>) + Send + Sync>;

/// Client credentials (RFC 6749, section 4.4). They are sent in the form, as Camunda's SDKs send them.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// `CAMUNDA_CLIENT_ID`
    pub client_id: String,
    /// `CAMUNDA_CLIENT_SECRET`
    pub client_secret: SecretString,
    /// The token endpoint, http or https: `CAMUNDA_OAUTH_URL`.
    pub url: String,
    /// Sent where it is set: `CAMUNDA_TOKEN_AUDIENCE`.
    pub audience: Option<String>,
    /// Sent where it is set: `CAMUNDA_OAUTH_SCOPE`.
    pub scope: Option<String>,
}

/// How the worker shows the cluster who it is.
#[derive(Clone, Debug, Default)]
pub(super) enum Authentication {
    #[default]
    None,
    Basic {
        user: String,
        password: SecretString,
    },
    OAuth(OAuth),
}

/// The proxies of the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. A proxy's URL may hold a password.
///
/// The proxy for http serves an http address of the cluster or the token endpoint, the other one an https address. A loopback address
/// and `localhost` are never asked for through a proxy.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// For http addresses.
    pub http: Option<SecretString>,
    /// For https addresses.
    pub https: Option<SecretString>,
    /// Names, domains, addresses and networks that are reached without a proxy, with commas between them.
    pub no_proxy: Option<String>,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The cluster's address.
    #[error(
        "the cluster's address {0}; for example http://localhost:8080 or https://bru-2.zeebe.camunda.io/CLUSTER-ID"
    )]
    Address(String),
    /// [`OAuth::url`].
    #[error("the token endpoint's URL {0}; for example https://login.cloud.camunda.io/oauth/token")]
    TokenUrl(String),
    /// Basic authentication.
    #[error("the user name for the cluster {0}; for example demo")]
    UserName(&'static str),
    /// [`OAuth::client_id`] or [`OAuth::client_secret`].
    #[error("the OAuth {0} is empty; it comes from the cluster's console or identity provider")]
    EmptyCredential(&'static str),
    /// The name of the variable, and what is wrong with its value.
    #[error("{0} {1}; for example http://proxy.example.com:3128")]
    Proxy(&'static str, String),
    /// [`Builder::tenants`].
    #[error("a tenant's identifier is empty; for example <default>")]
    EmptyTenant,
    /// [`Builder::worker_name`].
    #[error("the worker's name is empty; for example flow-starter-1")]
    EmptyWorkerName,
    /// [`Builder::ca_pem`].
    #[error(
        "the certificate authority for the cluster cannot be used: {0}; a PEM file with -----BEGIN CERTIFICATE----- is needed"
    )]
    Authority(String),
    /// [`Builder::client_identity_pem`], its certificate.
    #[error(
        "the client certificate for the cluster cannot be used: {0}; a PEM file with -----BEGIN CERTIFICATE----- is needed"
    )]
    ClientCertificate(String),
    /// [`Builder::client_identity_pem`], its key. Nothing of the key is repeated.
    #[error(
        "the client key for the cluster cannot be used: {0}; a PEM file with -----BEGIN PRIVATE KEY-----, not encrypted, is needed"
    )]
    ClientKey(String),
    /// The HTTP client could not be made.
    #[error("the connection to the cluster cannot be set up: {0}")]
    Client(String),
}

/// The times that calls may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    /// Each call from its first byte to its last; an activation may take its `requestTimeout` longer.
    pub(super) call: Duration,
    /// Shorter than what load balancers and firewalls allow.
    pub(super) idle: Duration,
    pub(super) activation_bytes: usize,
    pub(super) bytes: usize,
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    call: Duration::from_secs(10),
    idle: Duration::from_secs(30),
    activation_bytes: 64 << 20,
    bytes: 1 << 20,
};

/// The settings of a [`Camunda8`]. The default has no authentication, tenants, lease or proxy.
#[must_use]
pub struct Builder {
    pub(super) address: String,
    pub(super) authentication: Authentication,
    pub(super) tenants: Vec<String>,
    pub(super) worker_name: String,
    pub(super) ca_pem: Vec<u8>,
    pub(super) identity_pem: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) lease: bool,
    pub(super) proxies: Proxies,
    pub(super) observer: Option<Observer>,
    pub(super) token_observer: Option<TokenObserver>,
    pub(super) limits: Limits,
}

impl Builder {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            authentication: Authentication::None,
            tenants: Vec::new(),
            worker_name: "flow-starter".to_owned(),
            ca_pem: Vec::new(),
            identity_pem: None,
            lease: false,
            proxies: Proxies::default(),
            observer: None,
            token_observer: None,
            limits: LIMITS,
        }
    }

    /// Sends no credentials. The default.
    pub fn no_authentication(mut self) -> Self {
        self.authentication = Authentication::None;
        self
    }

    /// Sends a user name and a password with each request (RFC 7617, UTF-8).
    pub fn basic(mut self, user: impl Into<String>, password: SecretString) -> Self {
        self.authentication = Authentication::Basic {
            user: user.into(),
            password,
        };
        self
    }

    /// Sends an access token with each request, fetched and renewed as needed.
    pub fn oauth(mut self, oauth: OAuth) -> Self {
        self.authentication = Authentication::OAuth(oauth);
        self
    }

    /// The tenants whose jobs are asked for. None: the cluster's default.
    pub fn tenants(mut self, tenants: Vec<String>) -> Self {
        self.tenants = tenants;
        self
    }

    /// The name that the cluster shows for this worker. The default is `flow-starter`.
    pub fn worker_name(mut self, name: impl Into<String>) -> Self {
        self.worker_name = name.into();
        self
    }

    /// PEM certificates of authorities to trust beside the public and the system's ones.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = pem.into();
        self
    }

    /// A PEM certificate chain and its PEM private key, shown to a server that asks for them.
    pub fn client_identity_pem(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity_pem = Some((certificate.into(), key.into()));
        self
    }

    /// Asks for leased jobs (Camunda 8.10 and later). A cluster that refuses is asked without, and again with a lease every 10 minutes.
    pub fn lease(mut self, lease: bool) -> Self {
        self.lease = lease;
        self
    }

    /// The proxies to use. The environment is not read here.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Calls `observer` once for each request that was sent to the cluster, a repeated one after a 401 included.
    pub fn observe(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Calls `observer` once for each request that was sent to the token endpoint.
    pub fn observe_tokens(mut self, observer: TokenObserver) -> Self {
        self.token_observer = Some(observer);
        self
    }

    #[cfg(test)]
    pub(super) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Makes the client. It connects to nothing yet. Call it inside a tokio runtime, or before one: only the calls need one. It reads the
    /// system's certificate authorities, which takes some milliseconds, where an address is https.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn build(self) -> Result<Camunda8, SettingsError> {
        Camunda8::new(self)
    }
}

/// Without the settings: they hold secrets.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}
