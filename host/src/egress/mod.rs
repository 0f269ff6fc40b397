//! Who may be called, and over which connection: the only way out for a component.
//!
//! | file | what it holds |
//! |---|---|
//! | `origin` | scheme, host and port, parsed once |
//! | `destinations` | whom a call's input names |
//! | `policy` | whom the operator allows; one request for the flow, one for its token |
//! | `gate` | the component's requests as they come: checked, recorded, sent or denied |
//! | `connect` | a name made a connection: look-up, TCP, TLS |
//! | `tls` | whom to trust |
//! | `exchange` | one request and its answer on a connection, and what an error there proves |
//! | `record` | what became of each request |

mod connect;
mod destinations;
mod exchange;
mod gate;
mod origin;
mod policy;
mod record;
mod tls;

use std::sync::Arc;

pub use connect::{ConnectTo, ConnectToError};
pub use destinations::Destinations;
pub use origin::{Host, Origin, OriginError, Scheme};
pub use policy::Policy;
pub use record::{Progress, Purpose, RequestRecord};

pub(crate) use gate::{Gate, Ledger};
pub(crate) use record::{flow_state, proves_unsent};

use connect::Dialer;

/// Whom calls may reach, and over which TLS. Cheap to clone; one is enough for all calls.
///
/// ```
/// use flow_starter_host::{Egress, Policy};
///
/// let egress = Egress::builder()
///     .policy(Policy::new(["https://acme.service-now.com".parse()?]))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Egress {
    policy: Option<Policy>,
    dialer: Arc<Dialer>,
}

impl Egress {
    /// Begins with no policy (each call reaches what its own input names, and nothing else) and the public certificate authorities.
    pub fn builder() -> EgressBuilder {
        EgressBuilder::default()
    }

    pub(crate) fn gate(&self, named: Destinations, ledger: Ledger) -> Gate {
        Gate::new(named, self.policy.clone(), Arc::clone(&self.dialer), ledger)
    }
}

/// Makes an [`Egress`].
#[derive(Clone, Debug, Default)]
pub struct EgressBuilder {
    policy: Option<Policy>,
    extra_ca_pem: Vec<u8>,
    connect_to: Vec<ConnectTo>,
}

impl EgressBuilder {
    /// Narrows what calls may reach.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Trusts these certificate authorities (PEM) beside the public ones.
    #[must_use]
    pub fn extra_ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.extra_ca_pem.extend_from_slice(pem.as_ref());
        self.extra_ca_pem.push(b'\n');
        self
    }

    /// Connects to another address than the name's own, in the manner of curl's `--connect-to`: URL, `host` header and certificate stay
    /// those of the name.
    #[must_use]
    pub fn connect_to(mut self, mapping: ConnectTo) -> Self {
        self.connect_to.push(mapping);
        self
    }

    /// # Errors
    /// Where the extra certificates cannot be read.
    pub fn build(self) -> Result<Egress, EgressError> {
        Ok(Egress {
            policy: self.policy,
            dialer: Arc::new(Dialer::new(tls::client_config(&self.extra_ca_pem)?, self.connect_to)),
        })
    }
}

/// The egress could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The extra certificate authorities are not PEM, or hold none.
    #[error("the extra certificate authorities cannot be read: {0}; a PEM file begins with -----BEGIN CERTIFICATE-----")]
    Certificate(String),
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
