//! The default sender of wasmtime-wasi-http 48.0.8 (`default_send_request`, Apache-2.0 WITH LLVM-exception), step by step: a new connection
//! for each request, and for https a new configuration, too. It differs in the authorities that it trusts: the original has no setting for
//! them. The crate's own copy is left out of the build, so that no test or program of this workspace is built with a second way out.

use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// The authorities of a PEM file.
pub(crate) fn roots(file: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).with_context(|| format!("cannot read {}", file.display()))? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

const TIMEOUT: Duration = Duration::from_secs(600);

/// Sends a request; the second value is the rest of the connection's work.
pub(crate) async fn send(
    mut request: Request<WasiBody>,
    options: Option<RequestOptions>,
    roots: Arc<RootCertStore>,
) -> Result<(Response<WasiBody>, Io), Error> {
    let tls = request.uri().scheme() == Some(&Scheme::HTTPS);
    let authority = address(request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?, tls);
    let options = options.unwrap_or_default();
    let connect_timeout = options.connect_timeout.unwrap_or(TIMEOUT);
    let first_byte_timeout = options.first_byte_timeout.unwrap_or(TIMEOUT);
    let between_bytes_timeout = options.between_bytes_timeout.unwrap_or(TIMEOUT);

    let stream = tokio::time::timeout(connect_timeout, TcpStream::connect(&authority))
        .await
        .map_err(|_| Error::ConnectionTimeout)?
        .map_err(Error::Connect)?;
    let stream: Box<dyn Stream> = match tls {
        true => Box::new(handshake(&authority, stream, &roots).await?),
        false => Box::new(stream),
    };
    let (mut sender, connection) =
        tokio::time::timeout(connect_timeout, http1::Builder::new().handshake(TokioIo::new(stream)))
            .await
            .map_err(|_| Error::ConnectionTimeout)??;
    *request.uri_mut() = relative(request.uri())?;

    let response = async move {
        let response = tokio::time::timeout(first_byte_timeout, sender.send_request(request))
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(Error::from)?;
        let mut timeout = tokio::time::interval(between_bytes_timeout.max(Duration::from_nanos(1)));
        timeout.reset();
        Ok::<_, Error>(response.map(|incoming| TimedBody { incoming, timeout }))
    };
    let mut response = pin!(response);
    let mut connection = Some(connection);
    let response = std::future::poll_fn(|cx| match response.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => {
            let Some(io) = connection.as_mut() else {
                return Poll::Pending;
            };
            let ended = ready!(Pin::new(io).poll(cx));
            connection = None;
            match ended {
                Ok(()) => response.as_mut().poll(cx),
                Err(error) => Poll::Ready(Err(error.into())),
            }
        }
    })
    .await?;
    let io = async move {
        match connection {
            Some(connection) => Ok(connection.await?),
            None => Ok(()),
        }
    };
    Ok((response.map(|body| body.boxed_unsync()), Box::new(io)))
}

fn address(authority: &Authority, tls: bool) -> String {
    match authority.port() {
        Some(_) => authority.to_string(),
        None => format!("{authority}:{}", if tls { 443 } else { 80 }),
    }
}

fn relative(uri: &Uri) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let uri = Uri::builder().path_and_query(path).build();
    uri.map_err(|_| Error::HttpRequestUriInvalid)
}

async fn handshake(
    authority: &str,
    stream: TcpStream,
    roots: &RootCertStore,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(std::io::Error::other(error)))?
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| Error::Tls(std::io::Error::other(error)))?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(Error::Tls)
}

/// A response body with a timeout between its frames.
struct TimedBody {
    incoming: Incoming,
    timeout: tokio::time::Interval,
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(frame))) => {
                self.timeout.reset();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Pending => {
                ready!(self.timeout.poll_tick(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
