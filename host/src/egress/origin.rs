//! A request's destination: scheme, host and port (RFC 6454), parsed once into types.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// `https`, or `http`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP over TLS; the default port is 443.
    Https,
    /// HTTP in plain text; the default port is 80. Only to loopback.
    Http,
}

impl Scheme {
    /// The port where none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

impl FromStr for Scheme {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("https") {
            Ok(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Ok(Self::Http)
        } else {
            Err(OriginError::Scheme)
        }
    }
}

/// A host in canonical form: a DNS name in lower case, or an address.
///
/// What a resolver might read as an address in another spelling (`127.1`, `0x7f000001`, `2130706433`)
/// is neither, and is refused; so are user information, percent-encoding, an IPv6 zone, a trailing dot
/// and anything beyond letters, digits, hyphens and dots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name (RFC 1123, section 2.1), without a trailing dot.
    Name(Box<str>),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// Whether this is loopback by its spelling: an address of it, or `localhost`.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => &**name == "localhost",
            Self::Address(address) => is_loopback(address),
        }
    }
}

/// Loopback, an IPv4 address mapped into IPv6 included.
pub(crate) fn is_loopback(address: &IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

impl FromStr for Host {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return inner
                .parse::<Ipv6Addr>()
                .map(|address| Self::Address(address.into()))
                .map_err(|_| OriginError::Host);
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        if reads_as_number(last) {
            return text
                .parse::<Ipv4Addr>()
                .map(|address| Self::Address(address.into()))
                .map_err(|_| OriginError::Host);
        }
        if text.len() > 253 || !text.split('.').all(is_label) {
            return Err(OriginError::Host);
        }
        Ok(Self::Name(text.to_ascii_lowercase().into()))
    }
}

/// Resolvers take a name whose last label is a number for an IPv4 address (WHATWG URL, "ends in a number").
pub(super) fn reads_as_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"))
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || (!label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()))
}

/// One label of a DNS name: letters, digits and hyphens, none of these at either end, at most 63.
pub(crate) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Scheme, host and port: `https://acme.service-now.com`, or `http://127.0.0.1:8080`.
///
/// ```
/// use flow_starter_host::egress::Origin;
///
/// let origin: Origin = "https://ACME.service-now.com:443".parse()?;
/// assert_eq!(origin.to_string(), "https://acme.service-now.com");
/// assert!("https://user@acme.service-now.com".parse::<Origin>().is_err());
/// # Ok::<(), flow_starter_host::egress::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Origin {
    /// From a URL's scheme and authority, as a request carries them.
    ///
    /// # Errors
    /// Where one of them is not what [`Host`] and [`Scheme`] take, or http would leave this machine.
    pub fn new(scheme: Scheme, authority: &str) -> Result<Self, OriginError> {
        if authority.contains('@') {
            return Err(OriginError::UserInformation);
        }
        let (host, port) = split_port(authority)?;
        let host: Host = host.parse()?;
        if scheme == Scheme::Http && !host.is_loopback() {
            return Err(OriginError::PlainHttp);
        }
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or(scheme.default_port()),
        })
    }

    /// A URL's origin, and what follows it (path, query and fragment as they stand).
    pub(crate) fn split(url: &str) -> Result<(Self, &str), OriginError> {
        let (scheme, rest) = url.split_once("://").ok_or(OriginError::Scheme)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        Ok((Self::new(scheme.parse()?, authority)?, tail))
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, written or not.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Splits a port off an authority; a colon without digits after it is odd, and refused.
pub(super) fn split_port(authority: &str) -> Result<(&str, Option<u16>), OriginError> {
    let colon = match authority.rfind(']') {
        Some(bracket) => authority
            .get(bracket..)
            .and_then(|rest| rest.find(':'))
            .map(|at| bracket + at),
        None if authority.starts_with('[') => return Err(OriginError::Host),
        None => authority.find(':'),
    };
    let Some(colon) = colon else {
        return Ok((authority, None));
    };
    let (host, written) = authority.split_at(colon);
    let digits = written.strip_prefix(':').unwrap_or_default();
    port(digits).map_or(Err(OriginError::Port), |port| Ok((host, Some(port))))
}

/// A port in its one spelling: 1 to 65535, without a sign or leading zeros.
pub(super) fn port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (origin, tail) = Self::split(text)?;
        match tail {
            "" | "/" => Ok(origin),
            _ => Err(OriginError::MoreThanOrigin),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

/// Why text is not an origin. It never quotes the text, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// No scheme, or another one.
    #[error("the scheme is missing: write https://acme.service-now.com")]
    Scheme,
    /// Not a host's name, and not an address.
    #[error(
        "the host must be a plain DNS name (acme.service-now.com), an IPv4 address in four decimal parts or an IPv6 address in brackets"
    )]
    Host,
    /// `user:password@` before the host.
    #[error("a URL must not contain a user name or password")]
    UserInformation,
    /// An invalid port.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// http to another machine.
    #[error("plain http is allowed only to loopback (127.0.0.1, [::1], localhost): use https")]
    PlainHttp,
    /// A path, a query or a fragment after the origin.
    #[error("an origin ends after the host and port: remove the path")]
    MoreThanOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for (written, canonical) in [
            ("https://acme.service-now.com", "https://acme.service-now.com"),
            ("HTTPS://ACME.Service-Now.COM/", "https://acme.service-now.com"),
            ("https://acme.service-now.com:443", "https://acme.service-now.com"),
            ("https://acme.service-now.com:8443", "https://acme.service-now.com:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]"),
            ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
            ("https://192.0.2.1", "https://192.0.2.1"),
            ("https://0xacme.example", "https://0xacme.example"),
        ] {
            let origin: Origin = written.parse().unwrap();
            assert_eq!(origin.to_string(), canonical);
        }
    }

    #[test]
    fn an_unusual_url_is_not_an_origin() {
        use OriginError::*;
        for (written, error) in [
            ("", Scheme),
            ("acme", Scheme),
            ("ftp://acme.example", Scheme),
            ("https:acme.example", Scheme),
            ("https://", Host),
            ("https:///path", Host),
            ("https://acme..example", Host),
            ("https://acme.example.", Host),
            ("https://.acme.example", Host),
            ("https://-acme.example", Host),
            ("https://acme-.example", Host),
            ("https://ac_me.example", Host),
            ("https://ac me.example", Host),
            ("https://acme%2eexample", Host),
            ("https://bücher.example", Host),
            ("https://acme.example\u{3002}com", Host),
            ("https://127.1", Host),
            ("https://2130706433", Host),
            ("https://0x7f000001", Host),
            ("https://0x7f.0.0.0x1", Host),
            ("https://0177.0.0.1", Host),
            ("https://127.0.0.1.", Host),
            ("https://acme.0x", Host),
            ("https://[::1", Host),
            ("https://::1", Port),
            ("https://[fe80::1%25eth0]", Host),
            ("https://[::1]x", Host),
            ("https://[::1]x:1", Host),
            ("https://acme.example:", Port),
            ("https://acme.example:0", Port),
            ("https://acme.example:0443", Port),
            ("https://acme.example:65536", Port),
            ("https://acme.example:+443", Port),
            ("https://acme.example:44 3", Port),
            ("https://acme.example:443:443", Port),
            ("https://user@acme.example", UserInformation),
            ("https://user:password@acme.example", UserInformation),
            ("https://acme.example@evil.example", UserInformation),
            ("http://acme.example", PlainHttp),
            ("http://192.0.2.1", PlainHttp),
            ("http://0.0.0.0", PlainHttp),
            ("http://localhost.example", PlainHttp),
            ("https://acme.example/path", MoreThanOrigin),
            ("https://acme.example?query", MoreThanOrigin),
            ("https://acme.example\\@evil.example", MoreThanOrigin),
        ] {
            assert_eq!(written.parse::<Origin>(), Err(error), "{written}");
        }
        let long = format!("https://{}.example", "a".repeat(64));
        assert_eq!(long.parse::<Origin>(), Err(Host));
        let longer = format!("https://{}example", "abcdefgh.".repeat(30));
        assert_eq!(longer.parse::<Origin>(), Err(Host));
    }
}
