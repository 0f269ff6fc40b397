//! A name's addresses.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_resolver::config::ResolveHosts;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, ResolverBuilder, TokioResolver};
use tokio::runtime;

/// Resolves names. Dropping the future cancels the look-up, so a timeout is enough to bound it.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All the addresses of a host name.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// A running look-up.
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

/// The system's configuration: its hosts file first, then its name servers and search domains (`hickory-resolver`, since a look-up of the
/// operating system's own cannot be cancelled). A name in the hosts file needs no name server, as with the `files dns` of
/// nsswitch.conf(5).
///
/// A resolver is bound to the runtime on which it first looked something up, so there is one for each.
pub(super) struct SystemResolver {
    read: fn() -> Setup,
    lookups: Mutex<HashMap<runtime::Id, Lookups>>,
}

/// What a machine says about names.
struct Setup {
    hosts: Hosts,
    name_servers: Result<ResolverBuilder<TokioRuntimeProvider>, NetError>,
}

impl Setup {
    fn of_this_machine() -> Self {
        Self {
            // No such file: no such names.
            hosts: Hosts::from_system().unwrap_or_default(),
            name_servers: TokioResolver::builder_tokio(),
        }
    }
}

/// Both places, in the order in which they are asked.
#[derive(Clone)]
struct Lookups {
    hosts: Arc<Hosts>,
    dns: Result<TokioResolver, ResolveError>,
}

/// More runtimes than a machine has cores are runtimes that come and go.
const RUNTIMES_KEPT: usize = 256;

impl Default for SystemResolver {
    fn default() -> Self {
        Self::reading(Setup::of_this_machine)
    }
}

impl SystemResolver {
    fn reading(read: fn() -> Setup) -> Self {
        Self {
            read,
            lookups: Mutex::default(),
        }
    }

    fn lookups(&self) -> Lookups {
        let mut all = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        let id = runtime::Handle::current().id();
        if let Some(known) = all.get(&id) {
            return known.clone();
        }
        let Setup { hosts, name_servers } = (self.read)();
        let dns = name_servers.and_then(|mut builder| {
            builder.options_mut().use_hosts_file = ResolveHosts::Never;
            builder.build()
        });
        let lookups = Lookups {
            hosts: Arc::new(hosts),
            dns: dns.map_err(|error| {
                let why = words(&error);
                ResolveError::Failed(format!(
                    "the name is not in the hosts file, and the system's DNS configuration cannot be used: {why}"
                ))
            }),
        };
        // Name servers may be configured later: a machine that is still starting.
        if lookups.dns.is_ok() {
            if all.len() >= RUNTIMES_KEPT {
                all.clear();
            }
            all.insert(id, lookups.clone());
        }
        lookups
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
            let Lookups { hosts, dns } = self.lookups();
            let known = in_hosts_file(&hosts, name);
            if !known.is_empty() {
                return Ok(known);
            }
            // A name with a dot is whole: a search domain would make another name of it than the one that was checked.
            let whole = if name.contains('.') {
                format!("{name}.")
            } else {
                name.to_owned()
            };
            match dns?.lookup_ip(whole).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(error) if error.is_nx_domain() || error.is_no_records_found() => Err(ResolveError::NoSuchName),
                Err(NetError::Timeout) => Err(ResolveError::TimedOut),
                Err(error) => Err(ResolveError::Failed(words(&error))),
            }
        })
    }
}

fn words(error: &NetError) -> String {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => format!("the name server answered: {code}"),
        NetError::NoConnections => "no name server can be reached".to_owned(),
        NetError::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

fn in_hosts_file(hosts: &Hosts, name: &str) -> Vec<IpAddr> {
    let Ok(name) = Name::from_ascii(name) else {
        return Vec::new();
    };
    let found = [RecordType::A, RecordType::AAAA]
        .into_iter()
        .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)));
    found
        .flat_map(|lookup| {
            lookup
                .answers()
                .iter()
                .filter_map(|it| it.data.ip_addr())
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{AddressKind, Egress, Policy, Step, StepOutcome};
    use super::*;
    use std::time::Duration;

    use hickory_resolver::config::ResolverConfig;
    use tokio::net::TcpListener;

    const HOSTS: &str = "127.0.0.1 localhost\n127.0.0.1 acme.service-now.com gateway # both\n::1 six.service-now.com\n";

    fn hosts() -> Hosts {
        let mut hosts = Hosts::default();
        hosts.read_hosts_conf(HOSTS.as_bytes()).unwrap();
        hosts
    }

    /// A container without a network of its own, or with `--add-host` alone.
    fn no_name_server() -> Setup {
        let none = std::io::Error::other("no nameservers found in config");
        Setup {
            hosts: hosts(),
            name_servers: Err(none.into()),
        }
    }

    /// Asking it would end in an error.
    fn a_dead_name_server() -> Setup {
        let config = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        Setup {
            hosts: hosts(),
            name_servers: Ok(TokioResolver::builder_with_config(
                config,
                TokioRuntimeProvider::default(),
            )),
        }
    }

    #[tokio::test]
    async fn a_name_in_the_hosts_file_needs_no_name_server() {
        for read in [no_name_server as fn() -> Setup, a_dead_name_server] {
            let resolver = SystemResolver::reading(read);
            for (name, address) in [
                ("acme.service-now.com", "127.0.0.1"),
                ("ACME.service-now.com", "127.0.0.1"),
                ("gateway", "127.0.0.1"),
                ("six.service-now.com", "::1"),
            ] {
                let expected: IpAddr = address.parse().unwrap();
                assert_eq!(resolver.resolve(name).await, Ok(vec![expected]), "{name}");
            }
            assert!(matches!(
                resolver.resolve("other.service-now.com").await,
                Err(ResolveError::Failed(_))
            ));
        }
    }

    #[tokio::test]
    async fn a_call_connects_where_the_hosts_file_says_and_the_policy_still_decides() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let origin = format!("https://acme.service-now.com:{port}");
        let policy = Policy::new([origin.parse().unwrap()]);
        let probe = async |policy: Policy| {
            let egress = Egress::builder()
                .policy(policy)
                .resolver(Arc::new(SystemResolver::reading(no_name_server)))
                .build()
                .unwrap();
            egress.probe(&origin.parse().unwrap(), Duration::from_millis(200)).await
        };
        let outcome = |probe: &crate::egress::Probe, step| {
            let mut steps = probe.steps.iter();
            steps.find(|it| it.step == step).unwrap().outcome.clone()
        };
        let open = probe(policy.clone().open(AddressKind::Loopback)).await;
        assert!(matches!(outcome(&open, Step::Tcp), StepOutcome::Passed(_)), "{open:?}");
        let closed = probe(policy).await;
        assert!(
            matches!(outcome(&closed, Step::Dns), StepOutcome::Passed(_)),
            "{closed:?}"
        );
        assert!(
            matches!(outcome(&closed, Step::Address), StepOutcome::Failed(_)),
            "{closed:?}"
        );
    }

    #[tokio::test]
    async fn without_a_name_server_an_unknown_name_has_a_reason() {
        let resolver = SystemResolver::reading(no_name_server);
        let error = resolver.resolve("other.service-now.com").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name is not in the hosts file, and the system's DNS configuration cannot be used: no nameservers found in config"
        );
    }
}
