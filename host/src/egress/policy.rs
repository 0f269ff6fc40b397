//! The destinations that an operator allows, parsed once: names, and the kinds of addresses that they may resolve to.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use super::address::AddressKind;
use super::origin::{Host, Origin, OriginError, Scheme, is_loopback};
use super::record::{Step, Stop, StopCause};

/// The destinations that an operator allows. A call may reach what its input names and the policy allows, and nothing else.
///
/// The default is the two clouds of ServiceNow: `*.service-now.com` and `*.servicenowservices.com`. An empty policy allows none.
///
/// A name is resolved only if it is allowed, and then **each of its addresses** must be public. An address in a pattern allows that
/// address, `localhost` in a pattern allows loopback for that name, and [`Policy::open`] allows a kind of address for all names. The
/// metadata addresses of clouds are never allowed.
///
/// ```
/// use flow_starter_host::egress::AddressKind;
/// use flow_starter_host::Policy;
///
/// let policy = Policy::new(["acme.service-now.com".parse()?, "https://gateway.example.com:8443".parse()?]).open(AddressKind::Private);
/// assert!(policy.allows(&"https://acme.service-now.com:443".parse()?));
/// assert!(!policy.allows(&"https://acme.service-now.com:8443".parse()?));
/// assert!(Policy::default().allows(&"https://any.service-now.com".parse()?));
/// assert!(!Policy::deny_all().allows(&"https://acme.service-now.com".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    allowed: Arc<[Pattern]>,
    open: BTreeSet<AddressKind>,
}

impl Default for Policy {
    fn default() -> Self {
        let cloud = |domain: &str| Pattern {
            scheme: Scheme::Https,
            host: HostPattern::Below(domain.into()),
            port: Scheme::Https.default_port(),
        };
        Self::new([cloud("service-now.com"), cloud("servicenowservices.com")])
    }
}

impl Policy {
    /// Allows destinations that match one of these patterns.
    pub fn new(allowed: impl IntoIterator<Item = Pattern>) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
            open: BTreeSet::new(),
        }
    }

    /// Allows nothing.
    pub fn deny_all() -> Self {
        Self::new([])
    }

    /// Allows names that resolve to this kind of address, too: [`AddressKind::Private`] for a gateway in your own network. An address that
    /// embeds another one (ISATAP, 6to4, NAT64) needs both kinds. [`AddressKind::Metadata`] is never allowed.
    #[must_use]
    pub fn open(mut self, kind: AddressKind) -> Self {
        self.open.insert(kind);
        self
    }

    /// Whether a request may go to this origin, by name.
    pub fn allows(&self, origin: &Origin) -> bool {
        self.allowed.iter().any(|pattern| pattern.fits(origin))
    }

    /// Where a request to this origin stops, if the policy does not allow it by name. A pattern that has its host, and another scheme or port,
    /// is named: that is easily overlooked.
    pub(super) fn refusal(&self, origin: &Origin) -> Option<Stop> {
        if self.allows(origin) {
            return None;
        }
        let near = self.allowed.iter().find(|pattern| pattern.fits_host(origin.host()));
        let why = match near {
            Some(near) => format!("it allows {near}, but not {origin}"),
            None => format!("it does not allow {origin}"),
        };
        Some(Stop {
            step: Step::Policy,
            why,
            cause: Some(StopCause::NotAllowed),
        })
    }

    /// Whether an allowed origin may be reached at this address.
    pub fn allows_address(&self, origin: &Origin, address: IpAddr) -> bool {
        // Plain text never leaves this machine, whatever the name leads to.
        if origin.scheme() == Scheme::Http && !is_loopback(&address) {
            return false;
        }
        self.first_closed(origin, address).is_none()
    }

    /// What speaks against this address and is not opened for this origin; metadata first, which nothing opens.
    pub(super) fn first_closed(&self, origin: &Origin, address: IpAddr) -> Option<AddressKind> {
        let is_open = |kind: &AddressKind| {
            self.open.contains(kind)
                || match origin.host() {
                    // Only a pattern that names it can have allowed it.
                    Host::Address(named) => *named == address,
                    Host::Name(_) => *kind == AddressKind::Loopback && origin.host().is_loopback(),
                }
        };
        let closed = AddressKind::all_of(address);
        let first = AddressKind::of(address).filter(|first| !is_open(first));
        if closed.contains(&AddressKind::Metadata) {
            return Some(AddressKind::Metadata);
        }
        first.or_else(|| closed.into_iter().find(|kind| !is_open(kind)))
    }
}

/// What a policy allows: `acme.service-now.com`, `*.service-now.com`, `https://gateway.example.com:8443`, `http://127.0.0.1:8080`.
///
/// Without a scheme it is https, without a port the scheme's own. `*.` stands for any name below the domain, at any depth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    scheme: Scheme,
    host: HostPattern,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum HostPattern {
    Exactly(Host),
    /// The domain, in lower case, without the `*.` before it.
    Below(Box<str>),
}

impl Pattern {
    fn fits(&self, origin: &Origin) -> bool {
        self.fits_host(origin.host()) && self.scheme == origin.scheme() && self.port == origin.port()
    }

    fn fits_host(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (HostPattern::Exactly(own), host) => own == host,
            (HostPattern::Below(domain), Host::Name(name)) => name
                .strip_suffix(&**domain)
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            (HostPattern::Below(_), Host::Address(_)) => false,
        }
    }
}

impl From<Origin> for Pattern {
    fn from(origin: Origin) -> Self {
        Self {
            scheme: origin.scheme(),
            host: HostPattern::Exactly(origin.host().clone()),
            port: origin.port(),
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.parse::<Scheme>()?, rest),
            None => (Scheme::Https, text),
        };
        let Some(domain) = rest.strip_prefix("*.") else {
            if rest.contains('*') {
                return Err(PatternError::Wildcard);
            }
            return Ok(format!("{}://{rest}", scheme.as_str()).parse::<Origin>()?.into());
        };
        if domain.contains('*') || !domain.split(':').next().is_some_and(|domain| domain.contains('.')) {
            return Err(PatternError::Wildcard);
        }
        let origin: Origin = format!("{}://{domain}", scheme.as_str()).parse()?;
        match origin.host() {
            Host::Name(name) => Ok(Self {
                scheme,
                host: HostPattern::Below(name.clone()),
                port: origin.port(),
            }),
            Host::Address(_) => Err(PatternError::Wildcard),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        match &self.host {
            HostPattern::Exactly(host) => write!(f, "{host}")?,
            HostPattern::Below(domain) => write!(f, "*.{domain}")?,
        }
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

/// Why text is not a pattern. It never quotes the text, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A wildcard anywhere but in front of a domain of two labels or more.
    #[error(
        "a wildcard stands for the names below a domain, for example *.service-now.com; a wider one would allow other people's hosts"
    )]
    Wildcard,
    /// Not a valid destination.
    #[error(
        "{0}; a pattern is a host (acme.service-now.com or *.service-now.com) or an origin (https://gateway.example.com:8443)"
    )]
    Origin(#[from] OriginError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, origin: &str) -> bool {
        Policy::new([pattern.parse().unwrap()]).allows(&origin.parse().unwrap())
    }

    #[test]
    fn a_pattern_fits_what_it_says_and_nothing_near_it() {
        for (pattern, origin, fits) in [
            ("acme.service-now.com", "https://acme.service-now.com", true),
            ("ACME.service-now.com", "https://acme.SERVICE-now.com:443", true),
            ("acme.service-now.com", "https://acme.service-now.com:8443", false),
            ("acme.service-now.com", "https://x.acme.service-now.com", false),
            ("acme.service-now.com:8443", "https://acme.service-now.com:8443", true),
            ("acme.service-now.com:8443", "https://acme.service-now.com", false),
            ("*.service-now.com", "https://acme.service-now.com", true),
            ("*.service-now.com", "https://a.b.service-now.com", true),
            ("*.service-now.com", "https://service-now.com", false),
            ("*.service-now.com", "https://evilservice-now.com", false),
            ("*.service-now.com", "https://acme.service-now.com.evil.example", false),
            ("*.service-now.com", "https://acme.service-now.com:444", false),
            ("https://*.example.com:8443", "https://a.example.com:8443", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("http://127.0.0.1:8080", "https://127.0.0.1:8080", false),
            ("http://127.0.0.1:8080", "http://127.0.0.2:8080", false),
            ("http://127.0.0.1:8080", "http://localhost:8080", false),
            ("[2001:db8::1]", "https://[2001:db8::1]", true),
        ] {
            assert_eq!(allows(pattern, origin), fits, "{pattern} {origin}");
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
    }

    #[test]
    fn a_pattern_of_another_scheme_or_port_is_named_in_the_refusal() {
        let refusal = |pattern: &str, origin: &str| {
            let policy = Policy::new([pattern.parse().unwrap()]);
            policy.refusal(&origin.parse().unwrap()).unwrap().why
        };
        for (pattern, origin, why) in [
            (
                "127.0.0.1",
                "http://127.0.0.1:8080",
                "it allows https://127.0.0.1, but not http://127.0.0.1:8080",
            ),
            (
                "*.service-now.com",
                "https://acme.service-now.com:8443",
                "it allows https://*.service-now.com, but not https://acme.service-now.com:8443",
            ),
            (
                "*.service-now.com",
                "https://acme.example",
                "it does not allow https://acme.example",
            ),
        ] {
            assert_eq!(refusal(pattern, origin), why);
        }
    }

    #[test]
    fn an_invalid_pattern_is_refused_with_an_example() {
        for text in [
            "*",
            "*.com",
            "*.*.example.com",
            "a.*.example.com",
            "acme*.service-now.com",
            "*.1.2.3",
            "https://*",
        ] {
            assert!(
                text.parse::<Pattern>()
                    .unwrap_err()
                    .to_string()
                    .contains("service-now.com"),
                "{text}"
            );
        }
        for text in [
            "",
            "ftp://acme.example",
            "acme.example/path",
            "user@acme.example",
            "acme.example:0",
            "http://acme.example",
            "http://*.acme.example",
        ] {
            assert!(
                matches!(text.parse::<Pattern>(), Err(PatternError::Origin(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_is_opened_by_name_alone() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let acme: Origin = "https://acme.service-now.com".parse().unwrap();
        let policy = Policy::default();
        assert!(policy.allows_address(&acme, ip("149.96.1.1")));
        assert!(!policy.allows_address(&acme, ip("10.0.0.1")));
        assert!(!policy.allows_address(&acme, ip("127.0.0.1")));
        let open = policy.open(AddressKind::Private).open(AddressKind::LinkLocal);
        assert!(open.allows_address(&acme, ip("10.0.0.1")));
        assert!(!open.allows_address(&acme, ip("127.0.0.1")));
        assert!(
            !open.allows_address(&acme, ip("169.254.169.254")),
            "link-local does not open metadata"
        );
        for kind in AddressKind::ALL {
            let all = AddressKind::ALL
                .into_iter()
                .filter(|it| *it != kind)
                .fold(Policy::default(), Policy::open);
            assert!(
                all.allows_address(&acme, ip("fd00::5efe:a00:1"))
                    != matches!(kind, AddressKind::UniqueLocal | AddressKind::Private)
            );
        }
        let all = AddressKind::ALL.into_iter().fold(Policy::default(), Policy::open);
        for metadata in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "2002:a9fe:a9fe::",
        ] {
            assert!(!all.allows_address(&acme, ip(metadata)), "{metadata}");
            let literal = Origin::new(Scheme::Https, &Host::Address(ip(metadata)).to_string()).unwrap();
            assert!(
                !all.allows_address(&literal, ip(metadata)),
                "{metadata} by its own name"
            );
        }
        let localhost: Origin = "http://localhost:8080".parse().unwrap();
        assert!(open.allows_address(&localhost, ip("127.0.0.1")) && open.allows_address(&localhost, ip("::1")));
        for elsewhere in ["192.0.2.1", "10.0.0.1", "149.96.1.1"] {
            assert!(
                !open.allows_address(&localhost, ip(elsewhere)),
                "{elsewhere} in plain text"
            );
        }
        let literal: Origin = "http://127.0.0.1:8080".parse().unwrap();
        assert!(open.allows_address(&literal, ip("127.0.0.1")));
        assert!(!open.allows_address(&literal, ip("127.0.0.2")));
    }
}
