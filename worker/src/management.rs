//! `/metrics`, `/ready` and `/health` over plain HTTP, for whoever runs the worker.
//!
//! On a loopback address it answers only to the names of this machine itself. A web page in a browser on this machine can let its own name
//! resolve to 127.0.0.1 (DNS rebinding) and read what is served there; its requests then carry that name. On any other address the operator
//! has opened the port, and the names under which it is reached are not known here.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HOST, HeaderValue};
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
        // In doubt, the stricter rule.
        let is_loopback = self.address().map_or(true, |address| address.ip().is_loopback());
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
                    let response = match is_loopback && !names_this_machine(&request) {
                        true => text(StatusCode::MISDIRECTED_REQUEST, "use localhost or the IP address\n"),
                        false => answer(&request, &metrics, &status),
                    };
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

/// Whether the request's host is `localhost` or an IP address. A request of HTTP/1.0 need not have one, and comes from no browser.
fn names_this_machine<B>(request: &Request<B>) -> bool {
    let named = match request.uri().host() {
        Some(host) => Some(host.to_owned()),
        None => match request.headers().get(HOST) {
            None => return true,
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|value| value.parse::<Authority>().ok())
                .map(|authority| authority.host().to_owned()),
        },
    };
    named.is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
    })
}

fn answer<B>(request: &Request<B>, metrics: &Metrics, status: &Status) -> Response<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Request<()> {
        Request::get(path).body(()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn health_is_503_once_a_poll_loop_stands_still() {
        let metrics = Metrics::new();
        let status = Status::new(1, Duration::from_secs(10));
        let health = || answer(&get("/health"), &metrics, &status).status().as_u16();
        tokio::time::advance(Duration::from_secs(299)).await;
        assert_eq!(health(), 200);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(health(), 503);
        status.turned(0, false);
        assert_eq!(health(), 200);
    }

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let own = |host: Option<&str>| {
            let mut request = get("/metrics");
            if let Some(host) = host {
                request.headers_mut().insert(HOST, HeaderValue::from_str(host).unwrap());
            }
            names_this_machine(&request)
        };
        for host in [
            "localhost",
            "LocalHost:9600",
            "127.0.0.1:9600",
            "127.0.0.1",
            "[::1]:9600",
            "10.0.0.7",
        ] {
            assert!(own(Some(host)), "{host}");
        }
        assert!(own(None));
        for host in [
            "attacker.example",
            "attacker.example:9600",
            "localhost.attacker.example",
            "127.0.0.1.nip.io",
            "",
            "a b",
        ] {
            assert!(!own(Some(host)), "{host}");
        }
        assert!(!names_this_machine(&get("http://attacker.example/metrics")));
        assert!(names_this_machine(&get("http://127.0.0.1:9600/metrics")));
    }
}
