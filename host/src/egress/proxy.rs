//! The way out through an HTTP proxy, by CONNECT (RFC 9110, section 9.3.6). The proxy looks the target up, so no address of it is known
//! here; the policy is kept by name.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

use super::connect::{Io, tcp};
use super::origin::Origin;
use super::record::{Step, Stop, StopCause, Witness};
use super::resolve::{Resolve, ResolveError};

/// Which destinations are reached through which proxy.
///
/// ```
/// use flow_starter_host::Proxy;
///
/// let proxy = Proxy::new("http://proxy.example.com:3128", "*.internal.example.com, 10.0.0.0/8")?;
/// # Ok::<(), flow_starter_host::ProxyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxy(Option<Arc<Matcher>>);

/// A proxy that cannot be used. It never quotes the URL, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proxy must be an http:// or https:// URL: for example http://proxy.example.com:3128, or http://user:password@proxy.example.com:3128"
)]
pub struct ProxyError;

impl Proxy {
    /// No proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything goes through this proxy, but for the comma-separated names, domains and networks of `no_proxy` (curl's rules; `*` for
    /// all).
    ///
    /// # Errors
    /// Where the URL is not a proxy's: silently going without one would be worse.
    pub fn new(url: &str, no_proxy: &str) -> Result<Self, ProxyError> {
        let somewhere = Uri::from_static("https://proxied.invalid");
        let to_all = Matcher::builder().https(url.to_owned()).build();
        let scheme = to_all
            .intercept(&somewhere)
            .and_then(|proxy| proxy.uri().scheme_str().map(str::to_owned));
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(ProxyError);
        }
        Ok(Self(Some(Arc::new(
            Matcher::builder().https(url.to_owned()).no(no_proxy.to_owned()).build(),
        ))))
    }

    /// As `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY` say, in capitals or small letters.
    ///
    /// # Errors
    /// As [`Proxy::new`].
    pub fn from_env() -> Result<Self, ProxyError> {
        Self::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let first = |names: [&str; 4]| names.into_iter().filter_map(&variable).find(|value| !value.is_empty());
        match first(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) {
            None => Ok(Self::none()),
            Some(url) => Self::new(&url, &first(["NO_PROXY", "no_proxy", "", ""]).unwrap_or_default()),
        }
    }

    /// The proxy for an https origin, if there is one.
    pub(super) fn of(&self, origin: &Origin) -> Option<Intercept> {
        let target: Uri = origin.to_string().parse().ok()?;
        self.0.as_ref()?.intercept(&target)
    }
}

/// A tunnel through the proxy to an origin.
pub(super) async fn tunnel(
    proxy: &Intercept,
    origin: &Origin,
    resolver: &Arc<dyn Resolve>,
    tls: &Arc<ClientConfig>,
    witness: &dyn Witness,
) -> Result<TokioIo<Upgraded>, Error> {
    witness.begins(Step::Proxy, "no tunnel in time");
    let opened = open(proxy, origin, resolver, tls).await;
    let tunnel = opened.map_err(|Refused { status, why }| {
        witness.stops(Stop {
            step: Step::Proxy,
            why,
            cause: status.map(StopCause::ProxyStatus),
        });
        // The proxy does not allow it, or not to us.
        if matches!(status, Some(403 | 407)) {
            Error::HttpRequestDenied
        } else {
            Error::ConnectionRefused
        }
    })?;
    witness.passed(Step::Proxy, format_args!("it opened a tunnel"));
    Ok(tunnel)
}

/// Why there is no tunnel.
struct Refused {
    /// The proxy's own answer, if it gave one.
    status: Option<u16>,
    why: String,
}

impl<E: std::fmt::Display> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            status: None,
            why: error.to_string(),
        }
    }
}

async fn open(
    proxy: &Intercept,
    origin: &Origin,
    resolver: &Arc<dyn Resolve>,
    tls: &Arc<ClientConfig>,
) -> Result<TokioIo<Upgraded>, Refused> {
    let stream = tcp(addresses(proxy.uri(), resolver).await?).await?;
    let request = connect(proxy, origin)?;
    if proxy.uri().scheme_str() == Some("https") {
        let name = proxy
            .uri()
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let stream = TlsConnector::from(Arc::clone(tls))
            .connect(ServerName::try_from(name)?, stream)
            .await?;
        ask(stream, request).await
    } else {
        ask(stream, request).await
    }
}

async fn ask(stream: impl Io + 'static, request: Request<Empty<Bytes>>) -> Result<TokioIo<Upgraded>, Refused> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = Box::pin(connection.with_upgrades());
    let answer = sender.send_request(request);
    tokio::pin!(answer);
    let mut open = true;
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer?,
            // It ends at the answer that makes it a tunnel, and its error, if any, comes with the answer too.
            _ = &mut connection, if open => open = false,
        }
    };
    let status = answer.status();
    if !status.is_success() {
        return Err(Refused {
            status: Some(status.as_u16()),
            why: format!("it answered {status} to CONNECT"),
        });
    }
    let upgrade = hyper::upgrade::on(answer);
    let upgraded = if open {
        tokio::join!(upgrade, connection).0?
    } else {
        upgrade.await?
    };
    Ok(TokioIo::new(upgraded))
}

/// `CONNECT acme.service-now.com:443`
fn connect(proxy: &Intercept, origin: &Origin) -> Result<Request<Empty<Bytes>>, http::Error> {
    let target = format!("{}:{}", origin.host(), origin.port());
    let mut request = Request::connect(target.as_str()).header(header::HOST, &target);
    if let Some(credentials) = proxy.basic_auth() {
        request = request.header(header::PROXY_AUTHORIZATION, credentials);
    }
    request.body(Empty::new())
}

/// The operator named the proxy, so its addresses are not checked.
async fn addresses(proxy: &Uri, resolver: &Arc<dyn Resolve>) -> Result<Vec<SocketAddr>, ResolveError> {
    let host = proxy.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = proxy
        .port_u16()
        .unwrap_or(if proxy.scheme_str() == Some("https") { 443 } else { 80 });
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => resolver.resolve(host).await?,
    };
    Ok(addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(proxy: &Proxy, origin: &str) -> Option<String> {
        proxy.of(&origin.parse().unwrap()).map(|proxy| proxy.uri().to_string())
    }

    #[test]
    fn the_environment_says_which_proxy() {
        let env = |variables: &[(&str, &str)]| {
            let of = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            Proxy::from_variables(of)
        };
        let acme = "https://acme.service-now.com";
        assert_eq!(proxied(&env(&[]).unwrap(), acme), None);
        let proxy = env(&[
            ("HTTPS_PROXY", "http://u:secret@proxy.example:3128"),
            ("NO_PROXY", "internal.example,10.0.0.0/8"),
        ])
        .unwrap();
        assert_eq!(proxied(&proxy, acme).as_deref(), Some("http://proxy.example:3128/"));
        assert_eq!(proxied(&proxy, "https://a.internal.example"), None);
        assert_eq!(proxied(&proxy, "https://10.1.2.3"), None);
        assert!(!format!("{proxy:?}").contains("secret"));
        let lower = env(&[("all_proxy", "proxy.example:3128")]).unwrap();
        assert!(proxied(&lower, acme).is_some());
        assert_eq!(
            proxied(
                &env(&[("HTTPS_PROXY", "http://p.example"), ("NO_PROXY", "*")]).unwrap(),
                acme
            ),
            None
        );
        for wrong in ["socks5://p.example:1080", "ftp://p.example", "http://"] {
            assert_eq!(env(&[("HTTPS_PROXY", wrong)]).unwrap_err(), ProxyError, "{wrong}");
        }
    }
}
