//! `/metrics`, `/ready` and `/health` over plain HTTP, for whoever runs the worker.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::status::Status;

/// The server, bound and not serving yet.
#[derive(Debug)]
pub struct Management(TcpListener);

/// Who opens more connections waits.
const CONNECTIONS: usize = 64;

/// A client that sends no request for so long is cut off.
const SILENCE: Duration = Duration::from_secs(10);

/// One request and its answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// OpenMetrics, which Prometheus asks for.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Management {
    /// Binds the address; port 0: any that is free.
    ///
    /// # Errors
    /// The system's own.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's own.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves for ever.
    pub async fn serve(self, metrics: Arc<Metrics>, status: Arc<Status>) {
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
                return;
            };
            let stream = match self.0.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("cannot accept a connection on the management address: {error}");
                    // Out of file descriptors, for instance: not a hot loop.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (metrics, status) = (Arc::clone(&metrics), Arc::clone(&status));
            tokio::spawn(async move {
                let answer = service_fn(|request: Request<Incoming>| {
                    let response = answer(&request, &metrics, &status);
                    async { Ok::<_, Infallible>(response) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(SILENCE)
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), answer);
                // A client that breaks off, or does not read, is no event.
                let _ended = tokio::time::timeout(PATIENCE, connection).await;
                drop(permit);
            });
        }
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics, status: &Status) -> Response<String> {
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let yes_or_no = |yes, words: [&str; 2]| match yes {
        true => text(StatusCode::OK, words[0]),
        false => text(StatusCode::SERVICE_UNAVAILABLE, words[1]),
    };
    match request.uri().path() {
        "/metrics" | "/ready" | "/health" if !is_get => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        "/metrics" => {
            let mut response = text(StatusCode::OK, &metrics.encode());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
            response
        }
        "/ready" => yes_or_no(
            status.is_ready(),
            [
                "ready\n",
                "not ready: the last poll for jobs failed, or was too long ago\n",
            ],
        ),
        "/health" => yes_or_no(
            status.is_alive(),
            ["alive\n", "not alive: a poll loop has been stuck for minutes\n"],
        ),
        _ => text(StatusCode::NOT_FOUND, "not found: use /metrics, /ready or /health\n"),
    }
}

fn text(status: StatusCode, text: &str) -> Response<String> {
    let mut response = Response::new(text.to_owned());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
