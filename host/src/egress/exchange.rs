//! One request and its answer on a fresh connection, and what an error there proves.

use std::error::Error as _;
use std::io;

use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::connect::{Stream, alert_received, rustls_error};
use super::record::Attempt;

/// TLS alerts by which a server refuses a client's certificate (RFC 8446, section 6.2). With TLS 1.3 they come after the request was
/// written, and prove that it was not processed.
const CERTIFICATE_ALERTS: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];

type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// Sends `request` once. The worker that comes with the answer drives the connection while the answer's body is read.
pub(super) async fn send(
    stream: Stream,
    mut request: Request<WasiBody>,
    attempt: &Attempt,
) -> Result<(Response<WasiBody>, Worker), Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Error::Hyper)?;
    let mut connection = Box::pin(connection);
    *request.uri_mut() = origin_form(request.uri())?;
    // The last moment at which the call can still say that nothing was sent.
    if !attempt.hand_over() {
        return Err(Error::ConnectionTerminated);
    }
    let answer = sender.try_send_request(request);
    tokio::pin!(answer);
    let mut open = true;
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer,
            // Its error, if any, comes with the answer too.
            _ = &mut connection, if open => open = false,
        }
    };
    let response = answer.map_err(|mut failed| {
        if failed.take_message().is_some() {
            attempt.handed_back();
        }
        error(&failed.into_error())
    })?;
    attempt.answered(response.status().as_u16());
    let worker: Worker = if open {
        Box::new(async move { connection.await.map_err(Error::Hyper) })
    } else {
        Box::new(std::future::ready(Ok(())))
    };
    Ok((response.map(|body| body.map_err(Error::Hyper).boxed_unsync()), worker))
}

/// Path and query alone, as a server takes them (RFC 9112, section 3.2.1).
fn origin_form(uri: &Uri) -> Result<Uri, Error> {
    let target = uri.path_and_query().cloned();
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = target.or_else(|| "/".parse().ok());
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}

/// Why no status came.
fn error(error: &hyper::Error) -> Error {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    if let Some(rustls::Error::AlertReceived(alert)) = io.and_then(rustls_error)
        && CERTIFICATE_ALERTS.contains(&u8::from(*alert))
    {
        return alert_received(*alert);
    }
    if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        Error::HttpProtocolError
    } else {
        Error::ConnectionTerminated
    }
}
