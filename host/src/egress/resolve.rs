//! A name's addresses.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use tokio::runtime;

/// Looks names up. Dropping the future ends the look-up, so a time limit is enough to bound it.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All the addresses of a host name.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// A look-up that is under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, ResolveError>> + Send + 'a>>;

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name does not exist, or has no address.
    #[error("there is no such name")]
    NoSuchName,
    /// No name server answered in time.
    #[error("no name server answered in time")]
    TimedOut,
    /// The look-up failed otherwise.
    #[error("{0}")]
    Failed(String),
}

/// As this machine is set up: its name servers, search domains and hosts file (`hickory-resolver`, since a look-up of the operating
/// system's own cannot be cancelled).
///
/// A resolver is bound to the runtime on which it first looked something up, so there is one for each.
#[derive(Default)]
pub(super) struct SystemResolver(Mutex<HashMap<runtime::Id, TokioResolver>>);

/// More runtimes than a machine has cores are runtimes that come and go.
const RUNTIMES_KEPT: usize = 256;

impl SystemResolver {
    fn resolver(&self) -> Result<TokioResolver, ResolveError> {
        let failed =
            |error: NetError| ResolveError::Failed(format!("the system's DNS configuration cannot be used: {error}"));
        let mut resolvers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = runtime::Handle::current().id();
        if let Some(known) = resolvers.get(&id) {
            return Ok(known.clone());
        }
        if resolvers.len() >= RUNTIMES_KEPT {
            resolvers.clear();
        }
        let resolver = TokioResolver::builder_tokio()
            .map_err(failed)?
            .build()
            .map_err(failed)?;
        resolvers.insert(id, resolver.clone());
        Ok(resolver)
    }
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemResolver")
    }
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            // A name with a dot is whole: a search domain would make another name of it than the one that was checked.
            let whole = if name.contains('.') {
                format!("{name}.")
            } else {
                name.to_owned()
            };
            match self.resolver()?.lookup_ip(whole).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(error) if error.is_nx_domain() || error.is_no_records_found() => Err(ResolveError::NoSuchName),
                Err(NetError::Timeout) => Err(ResolveError::TimedOut),
                Err(error) => Err(ResolveError::Failed(error.to_string())),
            }
        })
    }
}
