//! A name made a connection: look-up, TCP, TLS. Whatever fails here, nothing of the request has left.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::Error;

use super::origin::{Host, Origin, Scheme};

/// "This host is at that address", in the manner of curl's `--connect-to`.
///
/// ```
/// use flow_starter_host::ConnectTo;
///
/// let mapping: ConnectTo = "acme.service-now.com:443:127.0.0.1:8443".parse()?;
/// # Ok::<(), flow_starter_host::ConnectToError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    host: Host,
    port: u16,
    address: SocketAddr,
}

impl ConnectTo {
    /// Connections to this origin go to this address.
    pub fn new(origin: &Origin, address: SocketAddr) -> Self {
        Self {
            host: origin.host().clone(),
            port: origin.port(),
            address,
        }
    }
}

/// A mapping that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write HOST:PORT:ADDRESS:PORT, for example acme.service-now.com:443:127.0.0.1:8443")]
pub struct ConnectToError;

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The host may be an IPv6 address in brackets, with colons of its own.
        let host_end = if text.starts_with('[') { text.find(']').map_or(0, |at| at + 1) } else { 0 };
        let (_, rest) = text.split_at_checked(host_end).ok_or(ConnectToError)?;
        let colon = rest.find(':').ok_or(ConnectToError)?;
        let (host, rest) = text.split_at_checked(host_end + colon).ok_or(ConnectToError)?;
        let (port, address) = rest.strip_prefix(':').and_then(|rest| rest.split_once(':')).ok_or(ConnectToError)?;
        Ok(Self {
            host: host.parse().map_err(|_| ConnectToError)?,
            port: port.parse().ok().filter(|port| *port != 0).ok_or(ConnectToError)?,
            address: address.parse().map_err(|_| ConnectToError)?,
        })
    }
}

/// Makes connections.
#[derive(Debug)]
pub(super) struct Dialer {
    tls: Arc<ClientConfig>,
    connect_to: HashMap<(Host, u16), SocketAddr>,
}

impl Dialer {
    pub(super) fn new(tls: Arc<ClientConfig>, connect_to: Vec<ConnectTo>) -> Self {
        Self {
            tls,
            connect_to: connect_to
                .into_iter()
                .map(|mapping| ((mapping.host, mapping.port), mapping.address))
                .collect(),
        }
    }

    /// Connects to an origin, TLS included.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Stream, Error> {
        let stream = tcp(&self.addresses(origin).await?).await?;
        // A request is one small write, which must not wait for the acknowledgement of the last.
        let _ = stream.set_nodelay(true);
        match origin.scheme() {
            Scheme::Http => Ok(Stream::Plain(stream)),
            Scheme::Https => {
                let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(server_name(origin)?, stream);
                let stream = handshake.await.map_err(|error| tls_error(&error))?;
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }

    async fn addresses(&self, origin: &Origin) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = (origin.host(), origin.port());
        if let Some(address) = self.connect_to.get(&(host.clone(), port)) {
            return Ok(vec![*address]);
        }
        match host {
            Host::Address(address) => Ok(vec![SocketAddr::new(*address, port)]),
            Host::Name(name) => {
                let found = tokio::net::lookup_host((&**name, port)).await.map_err(|_| no_such_name())?;
                let found: Vec<_> = found.collect();
                if found.is_empty() { Err(no_such_name()) } else { Ok(found) }
            }
        }
    }
}

fn no_such_name() -> Error {
    Error::DnsError {
        rcode: None,
        info_code: None,
    }
}

/// The first address that accepts; else what the last one said.
async fn tcp(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut last = Error::DestinationNotFound;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = tcp_error(&error),
        }
    }
    Err(last)
}

fn tcp_error(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        _ => Error::DestinationUnavailable,
    }
}

fn server_name(origin: &Origin) -> Result<ServerName<'static>, Error> {
    match origin.host() {
        Host::Address(address) => Ok(ServerName::from(*address)),
        Host::Name(name) => ServerName::try_from(name.to_string()).map_err(|_| Error::HttpRequestUriInvalid),
    }
}

/// What a failed handshake says. A connection that ends within it is a failure of TLS as well: nothing was sent.
fn tls_error(error: &io::Error) -> Error {
    match rustls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) => alert_received(*alert),
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => Error::TlsCertificateError,
        _ => Error::TlsProtocolError,
    }
}

pub(super) fn alert_received(alert: rustls::AlertDescription) -> Error {
    Error::TlsAlertReceived {
        alert_id: Some(alert.into()),
        alert_message: Some(format!("{alert:?}")),
    }
}

/// What rustls said, if it was rustls.
pub(super) fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// A connection over which nothing was sent yet.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_written_as_curl_takes_it() {
        for (text, host, port, address) in [
            ("acme.service-now.com:443:127.0.0.1:8443", "acme.service-now.com", 443, "127.0.0.1:8443"),
            ("ACME.service-now.com:443:[::1]:8443", "acme.service-now.com", 443, "[::1]:8443"),
            ("[::1]:80:127.0.0.1:8080", "[::1]", 80, "127.0.0.1:8080"),
        ] {
            let mapping: ConnectTo = text.parse().unwrap();
            assert_eq!(mapping.host, host.parse().unwrap());
            assert_eq!((mapping.port, mapping.address), (port, address.parse().unwrap()));
        }
        for text in ["", "acme", "acme:443", "acme:443:127.0.0.1", "acme:0:127.0.0.1:1", "acme:443:name:8443", "]", "[::1"] {
            assert_eq!(text.parse::<ConnectTo>(), Err(ConnectToError), "{text}");
        }
    }
}
