//! Fixed addresses: a name that is not resolved by DNS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;

use super::origin::{Host, Origin, port};

/// A fixed address for a host, like curl's `--connect-to`.
///
/// ```
/// use flow_starter_host::egress::ConnectTo;
///
/// let mapping: ConnectTo = "acme.service-now.com:443:127.0.0.1:8443".parse()?;
/// # Ok::<(), flow_starter_host::egress::ConnectToError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    host: Host,
    port: u16,
    address: SocketAddr,
}

impl ConnectTo {
    /// Maps an origin to an address.
    pub fn new(origin: &Origin, address: SocketAddr) -> Self {
        Self {
            host: origin.host().clone(),
            port: origin.port(),
            address,
        }
    }
}

/// An invalid mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write HOST:PORT:ADDRESS:PORT, for example acme.service-now.com:443:127.0.0.1:8443")]
pub struct ConnectToError;

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The host may be an IPv6 address in brackets, with colons of its own.
        let host_end = if text.starts_with('[') {
            text.find(']').map_or(0, |at| at + 1)
        } else {
            0
        };
        let (_, rest) = text.split_at_checked(host_end).ok_or(ConnectToError)?;
        let colon = rest.find(':').ok_or(ConnectToError)?;
        let (host, rest) = text.split_at_checked(host_end + colon).ok_or(ConnectToError)?;
        let (digits, address) = rest
            .strip_prefix(':')
            .and_then(|rest| rest.split_once(':'))
            .ok_or(ConnectToError)?;
        Ok(Self {
            host: host.parse().map_err(|_| ConnectToError)?,
            port: port(digits).ok_or(ConnectToError)?,
            address: address
                .parse()
                .ok()
                .filter(|address: &SocketAddr| address.port() != 0)
                .ok_or(ConnectToError)?,
        })
    }
}

/// Mappings by what they map.
pub(super) fn by_origin(mappings: Vec<ConnectTo>) -> HashMap<(Host, u16), SocketAddr> {
    mappings
        .into_iter()
        .map(|mapping| ((mapping.host, mapping.port), mapping.address))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_written_as_curl_takes_it() {
        for (text, host, port, address) in [
            (
                "acme.service-now.com:443:127.0.0.1:8443",
                "acme.service-now.com",
                443,
                "127.0.0.1:8443",
            ),
            (
                "ACME.service-now.com:443:[::1]:8443",
                "acme.service-now.com",
                443,
                "[::1]:8443",
            ),
            ("[::1]:80:127.0.0.1:8080", "[::1]", 80, "127.0.0.1:8080"),
        ] {
            let mapping: ConnectTo = text.parse().unwrap();
            assert_eq!(mapping.host, host.parse().unwrap());
            assert_eq!((mapping.port, mapping.address), (port, address.parse().unwrap()));
        }
        for text in [
            "",
            "acme",
            "acme:443",
            "acme:443:127.0.0.1",
            "acme:0:127.0.0.1:1",
            "acme:+443:127.0.0.1:1",
            "acme:0443:127.0.0.1:1",
            "acme:443:127.0.0.1:0",
            "acme:443:127.0.0.1:99999",
            "acme:99999:127.0.0.1:1",
            "acme:443:127.0.0.1:1/",
            "user@acme:443:127.0.0.1:1",
            " acme:443:127.0.0.1:1",
            "acme:443:name:8443",
            "]",
            "[::1",
        ] {
            assert_eq!(text.parse::<ConnectTo>(), Err(ConnectToError), "{text}");
        }
    }
}
