//! Which hosts a component may call, at which addresses, over which connections. There is no other egress.
//! | file | contents |
//! |---|---|
//! | `origin` | scheme, host and port, parsed once |
//! | `destinations` | the destinations that a call's input names |
//! | `policy` | the destinations that the operator allows |
//! | `address` | which addresses are not public |
//! | `allowance` | the requests that a call may still send: one for the flow, one for its token |
//! | `hooks` | the component's requests: checked, logged, then sent or denied |
//! | `body` | buffers a request's body before it is sent |
//! | `connect_to` | fixed addresses for names |
//! | `stream` | a TCP connection |
//! | `resolve` | DNS |
//! | `connect` | makes a connection: DNS, check of each address, TCP, TLS |
//! | `proxy` | the same through a proxy |
//! | `tls` | trusted authorities, client certificate |
//! | `tls_error` | messages for TLS failures |
//! | `pool` | idle connections for the next call |
//! | `exchange` | one request and its response on a connection, and what an error proves |
//! | `wire` | whether a request was written completely, and whether unsolicited bytes came |
//! | `record` | the log entry of each request |
//! | `dry_run` | records requests instead of sending them |
//! | `probe` | tests the connection to an origin without a request |
//! | `certificate` | a server's certificate in readable form, even if it was refused |

mod address;
mod allowance;
mod body;
mod certificate;
mod connect;
mod connect_to;
mod destinations;
mod dry_run;
mod exchange;
mod hooks;
mod origin;
mod policy;
mod pool;
mod probe;
mod proxy;
mod record;
mod resolve;
mod stream;
mod tls;
mod tls_error;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub use address::{AddressKind, AddressKindError};
pub use certificate::{CertificateFault, ServerCertificate};
pub use connect_to::{ConnectTo, ConnectToError};
pub use destinations::Destinations;
pub use origin::{Host, Origin, OriginError, Scheme};
pub use policy::{Pattern, PatternError, Policy};
pub use probe::{ClientCertificate, Probe, ProbedStep, StepOutcome};
pub use proxy::{NoProxyError, Proxy, ProxyError, ProxyUrl, ProxyUrlError, ProxyVariableError};
pub use record::{Progress, Purpose, RequestRecord, Step, Stop, StopCause};
pub use resolve::{Resolve, ResolveError, Resolving};

pub(crate) use dry_run::{CapturedRequest, DryRunRecorder};
pub use hooks::{EgressHooks, RequestLog};
pub(crate) use record::{flow_state, proves_unsent};

use connect::Dialer;
use hooks::Transport;
use pool::Pool;
use resolve::SystemResolver;
use tls::{Identity, Tls};

/// The hosts that calls may reach, and over which connections. Cheap to clone; one is enough for all calls, which share its connections.
///
/// ```
/// use flow_starter_host::{Egress, Policy};
///
/// let egress = Egress::builder()
///     .policy(Policy::new(["acme.service-now.com".parse()?]))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Egress {
    policy: Policy,
    transport: Arc<Transport>,
    recorder: Option<DryRunRecorder>,
}

impl Egress {
    /// Defaults: ServiceNow's clouds as the policy, the public certificate authorities, the system's hosts file and name servers, no proxy.
    pub fn builder() -> EgressBuilder {
        EgressBuilder::default()
    }

    /// Its policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The egress hooks of one call, and the log of its requests. [`Connector`](crate::Connector) creates them for each call; so does an
    /// embedder of wasmtime with its own store.
    ///
    /// ```
    /// use flow_starter_host::egress::{Destinations, EgressHooks};
    /// use flow_starter_host::Egress;
    /// use wasmtime::component::ResourceTable;
    /// use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
    ///
    /// struct State {
    ///     table: ResourceTable,
    ///     http: WasiHttpCtx,
    ///     hooks: EgressHooks,
    /// }
    ///
    /// impl WasiHttpView for State {
    ///     fn http(&mut self) -> WasiHttpCtxView<'_> {
    ///         WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    ///     }
    /// }
    ///
    /// let egress = Egress::builder().build()?;
    /// let (hooks, log) = egress.hooks(Destinations::of_json(r#"{"snInstance":"acme"}"#));
    /// let state = State { table: ResourceTable::new(), http: WasiHttpCtx::new(), hooks };
    /// // … a store with this state, and a call …
    /// drop(state);
    /// assert!(log.close().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hooks(&self, named: Destinations) -> (EgressHooks, RequestLog) {
        let log = RequestLog::default();
        let hooks = EgressHooks::new(
            named,
            self.policy.clone(),
            Arc::clone(&self.transport),
            log.clone(),
            self.recorder.clone(),
        );
        (hooks, log)
    }

    /// The same, but requests go to the recorder, and none is sent.
    pub(crate) fn with_recorder(&self, recorder: DryRunRecorder) -> Self {
        Self {
            recorder: Some(recorder),
            ..self.clone()
        }
    }
}

/// A server may close an idle connection at any time; the sooner we close it, the rarer the race.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Builds an [`Egress`].
#[derive(Debug)]
#[must_use]
pub struct EgressBuilder {
    policy: Policy,
    extra_ca_pem: Vec<u8>,
    system_roots: bool,
    identity: Option<Identity>,
    connect_to: Vec<ConnectTo>,
    resolver: Arc<dyn Resolve>,
    proxy: Proxy,
    idle_timeout: Duration,
}

impl Default for EgressBuilder {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            extra_ca_pem: Vec::new(),
            system_roots: false,
            identity: None,
            connect_to: Vec::new(),
            resolver: Arc::new(SystemResolver::default()),
            proxy: Proxy::none(),
            idle_timeout: IDLE_TIMEOUT,
        }
    }
}

impl EgressBuilder {
    /// The hosts that calls may reach.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Trusts these certificate authorities (PEM) in addition to the public ones.
    pub fn extra_ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.extra_ca_pem.extend_from_slice(pem.as_ref());
        self.extra_ca_pem.push(b'\n');
        self
    }

    /// Also trusts the system's certificate authorities, where a company that inspects TLS puts its own. Off by default, so that a program
    /// trusts the same authorities on every machine.
    ///
    /// They come from the files and directories in the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` if one is set, otherwise
    /// from the operating system (`rustls-native-certs`). They are read once, on their own thread, when the first TLS connection is made.
    /// An unreadable file is not a failure: its authorities are not trusted, and the log says so (a warning if a variable names it).
    pub fn system_roots(mut self, trusted: bool) -> Self {
        self.system_roots = trusted;
        self
    }

    /// The client certificate (chain and key in PEM) for servers that request one: ServiceNow's mutual authentication.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn client_certificate_pem(
        mut self,
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, EgressError> {
        self.identity = Some(Identity::from_pem(chain.as_ref(), key.as_ref())?);
        Ok(self)
    }

    /// Connects to this address instead of the one that DNS returns, like curl's `--connect-to`; the URL, the `host` header and the
    /// certificate stay those of the name. The operator names the address, so it is not checked.
    pub fn connect_to(mut self, mapping: ConnectTo) -> Self {
        self.connect_to.push(mapping);
        self
    }

    /// Replaces the system's hosts file and name servers.
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Uses a proxy; [`Proxy::from_env`] reads the environment's.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// How long an idle connection is kept for the next call; 5 s by default, zero for not at all.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// # Errors
    /// If the extra certificates cannot be read, or the client's certificate and key do not match.
    pub fn build(self) -> Result<Egress, EgressError> {
        let dialer = Dialer {
            tls: Arc::new(Tls::new(&self.extra_ca_pem, self.identity, self.system_roots)?),
            connect_to: connect_to::by_origin(self.connect_to),
            resolver: self.resolver,
            proxy: self.proxy,
        };
        Ok(Egress {
            policy: self.policy,
            transport: Arc::new(Transport {
                dialer,
                pool: Arc::new(Pool::new(self.idle_timeout)),
            }),
            recorder: None,
        })
    }
}

/// The egress could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The extra certificate authorities are not PEM, or contain no certificate.
    #[error("the extra certificate authorities cannot be read: {0}")]
    Certificate(String),
    /// The client's certificate.
    #[error("the client's certificate cannot be used: {0}")]
    ClientCertificate(String),
    /// The client certificate's key. It is never quoted.
    #[error("the client's key cannot be used: {0}")]
    ClientKey(String),
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
