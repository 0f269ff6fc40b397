//! The hosts that are reached without the proxy: `NO_PROXY` as curl reads it (`CURLOPT_NOPROXY`, since 7.86).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::egress::origin::{Host, reads_as_number};

/// The entries of a list, which commas or blanks separate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    /// `*`
    Every,
    /// A name and all names below it, in lower case, without dots around it.
    Domain(Box<str>),
    /// An address, or a network by its first bits.
    Network(IpAddr, u32),
}

/// An entry of a list of exceptions that matches no host, by its number in the list. It would send past the proxy nothing at all, in silence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoProxyError {
    /// `*.example.com`
    #[error(
        "entry {entry} matches no host: write .{domain} or {domain}; either matches {domain} and all names below it"
    )]
    Wildcard {
        /// Counted from 1.
        entry: usize,
        /// What the wildcard stands before.
        domain: String,
    },
    /// `example.com:443`
    #[error("entry {entry} matches no host: remove the port; write {host}")]
    Port {
        /// Counted from 1.
        entry: usize,
        /// The entry without the port.
        host: String,
    },
    /// `[::1]`
    #[error("entry {entry} matches no host: write the address without brackets, {address}")]
    Brackets {
        /// Counted from 1.
        entry: usize,
        /// What is in the brackets.
        address: Ipv6Addr,
    },
    /// `10.0.0.0/33`, or `192.168.`
    #[error("entry {entry} matches no host: write a network as address/prefix length, for example 192.168.0.0/16")]
    Network {
        /// Counted from 1.
        entry: usize,
    },
    /// Anything else.
    #[error(
        "entry {entry} matches no host: an entry is a name (example.com), an address (10.1.2.3, ::1), a network (10.0.0.0/8) or * for every host"
    )]
    Name {
        /// Counted from 1.
        entry: usize,
    },
}

impl Exceptions {
    pub(super) fn contain(&self, host: &Host) -> bool {
        self.0.iter().any(|exception| match (exception, host) {
            (Exception::Every, _) => true,
            (Exception::Domain(domain), Host::Name(name)) => name
                .strip_suffix(&**domain)
                .is_some_and(|below| below.is_empty() || below.ends_with('.')),
            (Exception::Network(network, bits), Host::Address(address)) => is_within(*address, *network, *bits),
            _ => false,
        })
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits,
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits,
        _ => false,
    }
}

impl FromStr for Exceptions {
    type Err = NoProxyError;

    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let entries = list
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|text| !text.is_empty());
        let read = entries
            .zip(1..)
            .map(|(text, entry)| exception(text).map_err(|slip| slip.at(entry, text)));
        read.collect::<Result<_, _>>().map(Self)
    }
}

/// What an entry is not.
enum Slip {
    Network,
    Name,
}

fn exception(text: &str) -> Result<Exception, Slip> {
    if text == "*" {
        return Ok(Exception::Every);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Exception::Network(address, width(address)));
    }
    if let Some((address, length)) = text.split_once('/') {
        let address: IpAddr = address.parse().map_err(|_| Slip::Network)?;
        let digits = length.bytes().all(|b| b.is_ascii_digit());
        let bits = length.parse().ok().filter(|bits| digits && *bits <= width(address));
        return bits.map(|bits| Exception::Network(address, bits)).ok_or(Slip::Network);
    }
    domain(text).map(|domain| Exception::Domain(domain.into()))
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    }
}

/// A name with one dot before it and one behind it, or none. Underscores are other programs' business.
fn domain(text: &str) -> Result<String, Slip> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let name = name.strip_prefix('.').unwrap_or(name);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(allowed);
    if !name.split('.').all(is_label) {
        return Err(Slip::Name);
    }
    if name.rsplit('.').next().is_some_and(reads_as_number) {
        return Err(Slip::Network);
    }
    Ok(name.to_ascii_lowercase())
}

impl Slip {
    fn at(self, entry: usize, text: &str) -> NoProxyError {
        if let Some(domain) = text.strip_prefix('*').and_then(|rest| domain(rest).ok()) {
            return NoProxyError::Wildcard { entry, domain };
        }
        let brackets = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some(address) = brackets.and_then(|(inner, _)| inner.parse().ok()) {
            return NoProxyError::Brackets { entry, address };
        }
        if let Some((host, port)) = text.split_once(':')
            && !port.is_empty()
            && port.bytes().all(|b| b.is_ascii_digit())
            && matches!(exception(host), Ok(Exception::Domain(_) | Exception::Network(..)))
        {
            let host = host.to_owned();
            return NoProxyError::Port { entry, host };
        }
        match self {
            Self::Network => NoProxyError::Network { entry },
            Self::Name => NoProxyError::Name { entry },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_matches_what_curl_says() {
        for (list, host, matches) in [
            ("", "acme.example", false),
            (" , ,", "acme.example", false),
            ("*", "acme.example", true),
            ("*", "10.0.0.1", true),
            ("acme.example", "acme.example", true),
            ("ACME.Example", "acme.example", true),
            ("acme.example", "www.acme.example", true),
            ("acme.example", "notacme.example", false),
            ("acme.example", "acme.example.org", false),
            (".acme.example", "www.acme.example", true),
            (".acme.example", "acme.example", true),
            (".acme.example", "notacme.example", false),
            ("acme.example.", "acme.example", true),
            (".acme.example.", "www.acme.example", true),
            ("www.acme.example", "acme.example", false),
            ("a.example,b.example", "b.example", true),
            ("a.example b.example", "b.example", true),
            ("a.example, b.example\tc.example", "c.example", true),
            ("example", "acme.example", true),
            ("localhost", "localhost", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.9.9.9/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("192.168.128.0/17", "192.168.127.255", false),
            ("192.168.128.0/17", "192.168.128.0", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "[::1]", false),
            ("::1", "[::1]", true),
            ("fd00::/8", "[fd12::1]", true),
            ("fd00::/8", "[fe80::1]", false),
            ("fd00::/9", "[fd80::1]", false),
            ("10.0.0.0/8", "host-10.example", false),
            ("my_host.example", "acme.example", false),
        ] {
            let exceptions: Exceptions = list.parse().unwrap();
            assert_eq!(exceptions.contain(&host.parse().unwrap()), matches, "{list} {host}");
        }
    }

    #[test]
    fn an_entry_that_matches_nothing_is_refused_with_a_correction() {
        for (list, right) in [
            ("*.service-now.com", "write .service-now.com or service-now.com"),
            ("a.example,*.service-now.com", "entry 2 "),
            ("*service-now.com", "write .service-now.com or service-now.com"),
            ("service-now.com:443", "write service-now.com"),
            ("10.1.2.3:443", "write 10.1.2.3"),
            ("[::1]", "without brackets, ::1"),
            ("[::1]:443", "without brackets, ::1"),
            ("10.0.0.0/33", "192.168.0.0/16"),
            ("10.0.0.0/", "192.168.0.0/16"),
            ("10.0.0.0/+8", "192.168.0.0/16"),
            ("10.0.0/8", "192.168.0.0/16"),
            ("192.168.", "192.168.0.0/16"),
            ("10.1", "192.168.0.0/16"),
            ("fd00::/129", "192.168.0.0/16"),
            ("https://acme.example", "entry 1 "),
            ("acme.*", "an entry is a name"),
            ("<local>", "an entry is a name"),
            ("a.example;b.example", "an entry is a name"),
            ("..acme.example", "an entry is a name"),
            (".", "an entry is a name"),
            ("user:S3cret@acme.example", "an entry is a name"),
        ] {
            let error = list.parse::<Exceptions>().unwrap_err().to_string();
            assert!(error.contains(right), "{list}: {error}");
            assert!(!error.contains("S3cret"), "{error}");
        }
    }
}
