//! Who may be called, at which address, and over which connection: the only way out for a component.
//!
//! | file | what it holds |
//! |---|---|
//! | `origin` | scheme, host and port, parsed once |
//! | `destinations` | whom a call's input names |
//! | `policy` | whom the operator allows |
//! | `address` | which addresses are not public |
//! | `allowance` | what one call may still send: one request for the flow, one for its token |
//! | `hooks` | the component's requests as they come: checked, recorded, sent or denied |
//! | `body` | a request's body before it is sent |
//! | `connect_to` | names that are not looked up |
//! | `stream` | a TCP connection |
//! | `resolve` | a name's addresses |
//! | `connect` | a name made a connection: look-up, check of each address, TCP, TLS |
//! | `proxy` | the same through a proxy |
//! | `tls` | whom to trust, and who one is |
//! | `tls_error` | why TLS failed, in words |
//! | `pool` | connections kept for the next call |
//! | `exchange` | one request and its answer on a connection, and what an error there proves |
//! | `wire` | whether a request is written whole, and whether something came unasked |
//! | `record` | what became of each request |
//! | `dry_run` | requests that are shown instead of sent |
//! | `probe` | the way to an origin tried without a request |
//! | `certificate` | a server's certificate as a person reads it, also where it was refused |

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

/// Whom calls may reach, and over which connections. Cheap to clone; one is enough for all calls, and its connections are shared by
/// them.
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
    /// Begins with ServiceNow's clouds as the policy, the public certificate authorities, the system's hosts file and name servers, and no
    /// proxy.
    pub fn builder() -> EgressBuilder {
        EgressBuilder::default()
    }

    /// The policy that it keeps.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A call's way out, and the record of what leaves by it. [`Connector`](crate::Connector) makes one for each call; an embedder of
    /// wasmtime with a store of its own does the same.
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

    /// The same, but that requests are captured on the recorder, and none leaves.
    pub(crate) fn with_recorder(&self, recorder: DryRunRecorder) -> Self {
        Self {
            recorder: Some(recorder),
            ..self.clone()
        }
    }
}

/// A server closes a kept connection when it likes; the sooner we do, the less often both do so at once.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes an [`Egress`].
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
    /// Whom calls may reach.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Trusts these certificate authorities (PEM) beside the public ones.
    pub fn extra_ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.extra_ca_pem.extend_from_slice(pem.as_ref());
        self.extra_ca_pem.push(b'\n');
        self
    }

    /// Trusts the system's certificate authorities as well, which is where a company that inspects TLS puts its own; off by default, so that a
    /// program trusts the same on every machine.
    ///
    /// They are those of the files and directories in the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR`, where one of them is set,
    /// and else those of the operating system (`rustls-native-certs`). They are read once, on a thread of their own, when the first TLS
    /// connection is made. What cannot be read is not trusted and is no failure: the log says so, as a warning where a variable names it.
    pub fn system_roots(mut self, trusted: bool) -> Self {
        self.system_roots = trusted;
        self
    }

    /// Shows this certificate (its chain in PEM, its key in PEM) to servers that ask for one: ServiceNow's mutual authentication.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn client_certificate_pem(
        mut self,
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, EgressError> {
        self.identity = Some(Identity::from_pem(chain.as_ref(), key.as_ref())?);
        Ok(self)
    }

    /// Connects to another address than the name's own, in the manner of curl's `--connect-to`: URL, `host` header and certificate stay
    /// those of the name. The operator names the address, so it is not checked.
    pub fn connect_to(mut self, mapping: ConnectTo) -> Self {
        self.connect_to.push(mapping);
        self
    }

    /// Looks names up elsewhere than in the system's hosts file and at its name servers.
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Goes out through a proxy: [`Proxy::from_env`] for the environment's.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// How long a connection is kept for the next call; 5 s by default, zero for not at all.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// # Errors
    /// Where the extra certificates cannot be read, or the client's certificate and key do not go together.
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
    /// The extra certificate authorities are not PEM, or hold none.
    #[error("the extra certificate authorities cannot be read: {0}")]
    Certificate(String),
    /// The client's certificate.
    #[error("the client's certificate cannot be used: {0}")]
    ClientCertificate(String),
    /// The key of the client's certificate. Nothing of it is repeated.
    #[error("the client's key cannot be used: {0}")]
    ClientKey(String),
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
