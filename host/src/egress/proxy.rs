//! Connections through an HTTP proxy with CONNECT (RFC 9110, section 9.3.6). The proxy resolves the target, so its address is not known
//! here; the policy applies by name.

mod exceptions;
mod url;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use flow_starter_input::request::USER_AGENT;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

pub use exceptions::NoProxyError;
pub use url::{ProxyUrl, ProxyUrlError};

use super::origin::{Host, Origin, Scheme};
use super::record::{ConnectObserver, Step, Stop, StopCause};
use super::resolve::{Resolve, ResolveError};
use super::stream::{Begun, Io, server_name, tcp};
use super::tls::Tls;
use super::tls_error;
use exceptions::Exceptions;

/// A proxy, and the destinations that bypass it.
///
/// ```
/// use flow_starter_host::egress::Proxy;
///
/// let proxy = Proxy::new("http://proxy.example.com:3128", "internal.example.com, 10.0.0.0/8")?;
/// # Ok::<(), flow_starter_host::egress::ProxyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxy(Option<Arc<Through>>);

#[derive(Debug)]
struct Through {
    url: ProxyUrl,
    exceptions: Exceptions,
}

/// An unusable proxy: silently bypassing it would be worse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its URL.
    #[error(transparent)]
    Url(#[from] ProxyUrlError),
    /// The hosts that bypass it.
    #[error(transparent)]
    NoProxy(#[from] NoProxyError),
}

/// An environment variable that names an unusable proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {source}")]
pub struct ProxyVariableError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong with it.
    pub source: ProxyError,
}

const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const NO_PROXY_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];

impl Proxy {
    /// No proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// All connections go through this proxy, except to the hosts in `no_proxy`: in curl's syntax, separated by commas or spaces.
    /// `example.com` or `.example.com` is the name and all names below it; `10.1.2.3`, `::1` and `10.0.0.0/8` are addresses; `*` is every
    /// host.
    ///
    /// # Errors
    /// If the URL is not a proxy's, or an entry of `no_proxy` can never match a host.
    pub fn new(url: &str, no_proxy: &str) -> Result<Self, ProxyError> {
        Ok(Self(Some(Arc::new(Through {
            url: url.parse()?,
            exceptions: no_proxy.parse()?,
        }))))
    }

    /// Reads `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`, in upper or lower case.
    ///
    /// # Errors
    /// As [`Proxy::new`].
    pub fn from_env() -> Result<Self, ProxyVariableError> {
        Self::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyVariableError> {
        let first = |names: &[&'static str]| {
            let mut set = names.iter().filter_map(|name| Some((*name, variable(name)?)));
            set.find(|(_, value)| !value.is_empty())
        };
        let Some((url_from, url)) = first(&PROXY_VARIABLES) else {
            return Ok(Self::none());
        };
        let (no_proxy_from, no_proxy) = first(&NO_PROXY_VARIABLES).unwrap_or_default();
        Self::new(&url, &no_proxy).map_err(|source| ProxyVariableError {
            variable: match source {
                ProxyError::Url(_) => url_from,
                ProxyError::NoProxy(_) => no_proxy_from,
            },
            source,
        })
    }

    /// The proxy for an https origin, if there is one.
    pub(super) fn of(&self, origin: &Origin) -> Option<&ProxyUrl> {
        let through = self.0.as_deref()?;
        (!through.exceptions.contain(origin.host())).then_some(&through.url)
    }
}

/// A tunnel through the proxy to an origin.
pub(super) async fn tunnel(
    proxy: &ProxyUrl,
    origin: &Origin,
    resolver: &Arc<dyn Resolve>,
    tls: &Tls,
    observer: &dyn ConnectObserver,
) -> Result<Box<dyn Io>, Error> {
    observer.begins(Step::Proxy, &format!("{proxy} did not open a tunnel in time"));
    let tunnel = open(proxy, origin, resolver, tls).await.map_err(|refused| {
        let cause = refused.cause;
        observer.stops(Stop {
            step: Step::Proxy,
            why: format!("{proxy} {}", refused.did),
            cause,
        });
        // The proxy does not allow it, or not to us.
        if matches!(cause, Some(StopCause::ProxyStatus(403 | 407))) {
            Error::HttpRequestDenied
        } else {
            Error::ConnectionRefused
        }
    })?;
    observer.passed(Step::Proxy, format_args!("{proxy} opened a tunnel"));
    Ok(tunnel)
}

/// Why there is no tunnel.
struct Refused {
    /// The end of a sentence that begins with the proxy.
    did: String,
    cause: Option<StopCause>,
}

impl Refused {
    fn that(did: impl Into<String>) -> Self {
        Self {
            did: did.into(),
            cause: None,
        }
    }
}

async fn open(
    proxy: &ProxyUrl,
    origin: &Origin,
    resolver: &Arc<dyn Resolve>,
    tls: &Tls,
) -> Result<Box<dyn Io>, Refused> {
    let addresses = addresses(proxy, resolver)
        .await
        .map_err(|error| Refused::that(format!("cannot be resolved: {error}")))?;
    let stream = tcp(addresses)
        .await
        .map_err(|error| Refused::that(format!("cannot be connected to: {error}")))?;
    let request = connect(proxy, origin).map_err(|error| Refused::that(format!("cannot be used: {error}")))?;
    if proxy.scheme() == Scheme::Http {
        return ask(stream, request).await;
    }
    let name = server_name(proxy.host()).map_err(|_| Refused::that("has a name that is not valid for TLS"))?;
    let tls = Arc::clone(&tls.configs().await.proxy);
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| {
        let Stop { why, cause, .. } = tls_error::stop(Step::Proxy, "proxy", &error);
        Refused {
            did: format!("cannot be used over TLS: {why}"),
            cause,
        }
    })?;
    ask(stream, request).await
}

async fn ask(stream: impl Io + 'static, request: Request<Empty<Bytes>>) -> Result<Box<dyn Io>, Refused> {
    let (mut sender, mut connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unanswered)?;
    let answer = sender.send_request(request);
    tokio::pin!(answer);
    let mut open = true;
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer.map_err(unanswered)?,
            // It ends with the answer, and its error, if any, comes with the answer too.
            _ = poll_fn(|cx| connection.poll_without_shutdown(cx)), if open => open = false,
        }
    };
    let status = answer.status();
    if !status.is_success() {
        return Err(Refused {
            did: format!("answered {status} to CONNECT"),
            cause: Some(StopCause::ProxyStatus(status.as_u16())),
        });
    }
    // Whichever 2xx it is, the connection is the tunnel right after its head, whatever length the head gives (RFC 9110, section 9.3.6). The
    // HTTP library knows that of 200, and waits for a next answer after a 204; so the connection is taken from it.
    let http1::Parts { io, read_buf, .. } = connection.into_parts();
    Ok(Box::new(Begun {
        first: read_buf,
        io: io.into_inner(),
    }))
}

fn unanswered(error: hyper::Error) -> Refused {
    if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        Refused::that("did not answer CONNECT with HTTP")
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Refused::that("closed the connection without an answer to CONNECT")
    } else {
        Refused::that(format!("did not answer CONNECT: {error}"))
    }
}

/// `CONNECT acme.service-now.com:443`
fn connect(proxy: &ProxyUrl, origin: &Origin) -> Result<Request<Empty<Bytes>>, http::Error> {
    let target = format!("{}:{}", origin.host(), origin.port());
    let mut request = Request::connect(target.as_str())
        .header(header::HOST, &target)
        .header(header::USER_AGENT, USER_AGENT);
    if let Some(credentials) = proxy.authorization() {
        request = request.header(header::PROXY_AUTHORIZATION, credentials);
    }
    request.body(Empty::new())
}

/// The operator named the proxy, so its addresses are not checked.
async fn addresses(proxy: &ProxyUrl, resolver: &Arc<dyn Resolve>) -> Result<Vec<SocketAddr>, ResolveError> {
    let addresses = match proxy.host() {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolver.resolve(name).await?,
    };
    Ok(addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, proxy.port()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(proxy: &Proxy, origin: &str) -> Option<String> {
        proxy.of(&origin.parse().unwrap()).map(ToString::to_string)
    }

    fn env(variables: &[(&str, &str)]) -> Result<Proxy, ProxyVariableError> {
        Proxy::from_variables(|name| {
            let set = variables.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_which_proxy() {
        let acme = "https://acme.service-now.com";
        assert_eq!(proxied(&env(&[]).unwrap(), acme), None);
        let proxy = env(&[
            ("HTTPS_PROXY", "http://u:secret@proxy.example:3128"),
            ("NO_PROXY", "internal.example,10.0.0.0/8"),
        ])
        .unwrap();
        assert_eq!(proxied(&proxy, acme).as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(proxied(&proxy, "https://a.internal.example"), None);
        assert_eq!(proxied(&proxy, "https://10.1.2.3"), None);
        assert!(!format!("{proxy:?}").contains("secret"));
        let lower = env(&[("HTTPS_PROXY", ""), ("all_proxy", "proxy.example:3128")]).unwrap();
        assert!(proxied(&lower, acme).is_some());
        let none = env(&[("HTTPS_PROXY", "http://p.example"), ("NO_PROXY", "*")]).unwrap();
        assert_eq!(proxied(&none, acme), None);
    }

    #[test]
    fn a_wrong_variable_is_named_and_not_quoted() {
        for (variables, named) in [
            (
                &[("HTTPS_PROXY", "socks5://p.example:1080")][..],
                "HTTPS_PROXY: the proxy must be",
            ),
            (
                &[("all_proxy", "http://user:S3cret#word@p.example")],
                "all_proxy: percent-encode",
            ),
            (
                &[("HTTPS_PROXY", "http://p.example"), ("no_proxy", "*.service-now.com")],
                "no_proxy: entry 1 matches no host: write .service-now.com",
            ),
        ] {
            let error = env(variables).unwrap_err();
            assert!(error.to_string().starts_with(named), "{error}");
            assert!(!format!("{error} {error:?}").contains("S3cret"), "{error:?}");
        }
    }
}
