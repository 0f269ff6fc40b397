//! Makes a connection: DNS, check of each address, TCP or proxy, TLS. If this fails, nothing of the request was sent.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

use super::origin::{Host, Origin, Scheme, is_loopback};
use super::policy::Policy;
use super::proxy::{self, Proxy, ProxyUrl};
use super::record::{ConnectObserver, Step, Stop, StopCause};
use super::resolve::{Resolve, ResolveError};
use super::stream::{Io, server_name, tcp};
use super::tls::Tls;
use super::tls_error::{self, rustls_error};
use super::wire::{Recording, Records};

/// A connection on which nothing was sent yet.
pub(super) struct Connected {
    pub(super) io: Box<dyn Io>,
    /// TLS agreed on HTTP/2.
    pub(super) http2: bool,
    /// The incoming TLS records.
    pub(super) records: Arc<Records>,
}

/// The peer's name in messages, with or without a proxy.
const SERVER: &str = "server";

/// Makes connections.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    pub(super) tls: Arc<Tls>,
    pub(super) connect_to: HashMap<(Host, u16), SocketAddr>,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) proxy: Proxy,
}

impl Dialer {
    /// Connects to an origin that the policy allows by name, TLS included. The observer is notified of each step and of a failure.
    pub(super) async fn connect(
        &self,
        origin: &Origin,
        policy: &Policy,
        observer: &dyn ConnectObserver,
    ) -> Result<Connected, Error> {
        let io: Box<dyn Io> = match self.proxy_of(origin) {
            Some(proxy) => {
                for step in [Step::Dns, Step::Address, Step::Tcp] {
                    observer.skipped(step, "left to the proxy");
                }
                proxy::tunnel(proxy, origin, &self.resolver, &self.tls, observer).await?
            }
            None => {
                observer.skipped(Step::Proxy, "none for this host");
                Box::new(self.direct(origin, policy, observer).await?)
            }
        };
        if origin.scheme() == Scheme::Http {
            observer.skipped(Step::Tls, "plain http on this machine");
            let records = Arc::default();
            return Ok(Connected {
                io,
                http2: false,
                records,
            });
        }
        self.secure(origin, io, observer).await
    }

    /// The proxy for an origin. Plain http never leaves this machine, and an address set by the operator is used directly.
    pub(super) fn proxy_of(&self, origin: &Origin) -> Option<&ProxyUrl> {
        if origin.scheme() == Scheme::Http || self.mapped(origin).is_some() {
            return None;
        }
        self.proxy.of(origin)
    }

    fn mapped(&self, origin: &Origin) -> Option<SocketAddr> {
        self.connect_to.get(&(origin.host().clone(), origin.port())).copied()
    }

    async fn direct(
        &self,
        origin: &Origin,
        policy: &Policy,
        observer: &dyn ConnectObserver,
    ) -> Result<TcpStream, Error> {
        let addresses = self.addresses(origin, policy, observer).await?;
        observer.begins(Step::Tcp, "no connection in time");
        let stream = tcp(addresses).await.map_err(|error| {
            // Reset before anybody saw it open: the same as a reset during the handshake, a matter of microseconds.
            if error.kind() == io::ErrorKind::ConnectionReset && origin.scheme() == Scheme::Https {
                observer.passed(Step::Tcp, format_args!("connected, and reset at once"));
                observer.stops(tls_error::stop(Step::Tls, SERVER, &error));
                Error::TlsProtocolError
            } else {
                observer.failed(Step::Tcp, &error.to_string());
                tcp_error(&error)
            }
        })?;
        match stream.peer_addr() {
            Ok(peer) => observer.passed(Step::Tcp, format_args!("connected to {peer}")),
            Err(_) => observer.passed(Step::Tcp, format_args!("connected, and closed at once")),
        }
        Ok(stream)
    }

    /// The addresses of an origin. Plain http goes to loopback only, whether the address comes from the operator, DNS or the hosts file.
    async fn addresses(
        &self,
        origin: &Origin,
        policy: &Policy,
        observer: &dyn ConnectObserver,
    ) -> Result<Vec<SocketAddr>, Error> {
        let addresses = match self.mapped(origin) {
            Some(address) => {
                for step in [Step::Dns, Step::Address] {
                    observer.skipped(step, "set by connect-to");
                }
                vec![address]
            }
            None => self.allowed_addresses(origin, policy, observer).await?,
        };
        let elsewhere = addresses.iter().find(|address| !is_loopback(&address.ip()));
        match elsewhere.filter(|_| origin.scheme() == Scheme::Http) {
            Some(elsewhere) => Err(denied(
                observer,
                format!(
                    "{} is not a loopback address, and plain http is allowed only to loopback",
                    elsewhere.ip()
                ),
                StopCause::PlainHttp,
            )),
            None => Ok(addresses),
        }
    }

    /// The addresses of a name. If the policy denies one of them, all are denied: such a name is not trustworthy.
    async fn allowed_addresses(
        &self,
        origin: &Origin,
        policy: &Policy,
        observer: &dyn ConnectObserver,
    ) -> Result<Vec<SocketAddr>, Error> {
        let found = match origin.host() {
            Host::Address(address) => {
                observer.skipped(Step::Dns, "no look-up needed for an address");
                vec![*address]
            }
            Host::Name(name) => self.look_up(name, observer).await?,
        };
        observer.begins(Step::Address, "not checked");
        let closed = |address: &IpAddr| Some((*address, policy.first_closed(origin, *address)?));
        if let Some((address, kind)) = found.iter().find_map(closed) {
            let why = format!("{address} is {kind}, which the policy does not allow");
            return Err(denied(observer, why, StopCause::Address(kind)));
        }
        observer.passed(Step::Address, format_args!("the policy allows it"));
        Ok(found
            .into_iter()
            .map(|address| SocketAddr::new(address, origin.port()))
            .collect())
    }

    async fn look_up(&self, name: &str, observer: &dyn ConnectObserver) -> Result<Vec<IpAddr>, Error> {
        observer.begins(Step::Dns, "no name server answered in time");
        let found = match self.resolver.resolve(name).await {
            Ok(found) if found.is_empty() => Err(ResolveError::NoSuchName),
            answer => answer,
        };
        let found = found.map_err(|error| {
            observer.failed(Step::Dns, &error.to_string());
            dns_error(&error)
        })?;
        observer.passed(Step::Dns, format_args!("{}", Listed(&found)));
        Ok(found)
    }

    async fn secure(
        &self,
        origin: &Origin,
        stream: Box<dyn Io>,
        observer: &dyn ConnectObserver,
    ) -> Result<Connected, Error> {
        observer.begins(Step::Tls, "the handshake did not end in time");
        let records = Arc::<Records>::default();
        let stream = Recording::new(stream, Arc::clone(&records));
        let tls = Arc::clone(&self.tls.configs().await.server);
        let handshake = TlsConnector::from(tls).connect(server_name(origin.host())?, stream);
        let stream = handshake.await.map_err(|error| {
            observer.stops(tls_error::stop(Step::Tls, SERVER, &error));
            tls_error(&error)
        })?;
        let (_, session) = stream.get_ref();
        let http2 = session.alpn_protocol() == Some(b"h2");
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS 1.3",
        };
        let http = if http2 { "HTTP/2" } else { "HTTP/1.1" };
        observer.passed(Step::Tls, format_args!("{version}, {http}"));
        Ok(Connected {
            http2,
            io: Box::new(stream),
            records,
        })
    }
}

fn denied(observer: &dyn ConnectObserver, why: String, cause: StopCause) -> Error {
    observer.stops(Stop {
        step: Step::Address,
        why,
        cause: Some(cause),
    });
    Error::DestinationIpProhibited
}

/// Addresses, separated by commas.
struct Listed<'a>(&'a [IpAddr]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, address) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{address}")?;
        }
        Ok(())
    }
}

fn dns_error(error: &ResolveError) -> Error {
    match error {
        ResolveError::TimedOut => Error::DnsTimeout,
        ResolveError::NoSuchName | ResolveError::Failed(_) => Error::DnsError {
            rcode: None,
            info_code: None,
        },
    }
}

fn tcp_error(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        _ => Error::DestinationUnavailable,
    }
}

/// The error for a failed handshake. A connection that ends during it is a TLS failure, too: nothing was sent.
fn tls_error(error: &io::Error) -> Error {
    match rustls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) => alert_received(*alert),
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        _ => Error::TlsProtocolError,
    }
}

pub(super) fn alert_received(alert: rustls::AlertDescription) -> Error {
    Error::TlsAlertReceived {
        alert_id: Some(alert.into()),
        alert_message: Some(tls_error::name(alert)),
    }
}
