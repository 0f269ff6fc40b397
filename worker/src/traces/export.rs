//! Finished spans to the collector, over the worker's own HTTP client and on its runtime.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::redirect;
use tokio::runtime::Handle;

use super::environment::Destination;
use crate::engine::camunda8::tls;

/// A failure is logged at most so often.
const REPEAT: Duration = Duration::from_mins(1);

const CONNECT: Duration = Duration::from_secs(5);

/// An answer is a few bytes.
const MOST_BYTES: usize = 64 * 1024;

/// The exporter for this destination.
///
/// # Errors
/// One sentence.
pub(super) fn exporter(
    runtime: Handle,
    destination: Destination,
    endpoint: String,
) -> Result<impl SpanExporter + 'static, String> {
    let Destination {
        shown,
        timeout,
        authorities,
        identity,
        ..
    } = destination;
    let identity = identity.as_ref().map(|(chain, key)| (chain.as_slice(), key.as_slice()));
    let tls = tls::config(&authorities, identity, true)
        .map_err(|error| format!("a file that OTEL_EXPORTER_OTLP_… names cannot be used: {error}"))?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .build()
        .map_err(|error| format!("the HTTP client cannot be made: {}", error.without_url()))?;
    let reason = Arc::new(Mutex::new(String::new()));
    let client = Client {
        client,
        runtime,
        reason: Arc::clone(&reason),
    };
    let inner = Otlp::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint)
        .with_timeout(timeout)
        .build()
        // Its text may quote a variable.
        .map_err(|_| "a variable OTEL_EXPORTER_OTLP_… cannot be used".to_owned())?;
    Ok(Reporting {
        inner,
        shown,
        reason,
        log: Mutex::default(),
    })
}

/// Says in the log that spans are not delivered.
#[derive(Debug)]
struct Reporting<E> {
    inner: E,
    /// Where they go, for the log.
    shown: String,
    /// Why the last request failed.
    reason: Arc<Mutex<String>>,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    said: Option<Instant>,
    /// Spans lost since then.
    lost: usize,
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.inner.export(batch).await;
        if result.is_err() {
            self.warn(spans);
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E> Reporting<E> {
    fn warn(&self, spans: usize) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.lost += spans;
        if log.said.is_some_and(|said| said.elapsed() < REPEAT) {
            return;
        }
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tracing::warn!(
            "traces are not delivered to {}: {reason}; {} spans were dropped",
            self.shown,
            log.lost
        );
        *log = Log {
            said: Some(Instant::now()),
            lost: 0,
        };
    }
}

/// The exporter's thread waits; the runtime sends.
struct Client {
    client: reqwest::Client,
    runtime: Handle,
    reason: Arc<Mutex<String>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> BoxFuture<'b, Result<Response<Bytes>, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        let sending = self.runtime.spawn(send(self.client.clone(), request));
        Box::pin(async move {
            let sent = sending.await.unwrap_or_else(|_| Err("the worker has ended".to_owned()));
            let reason = match &sent {
                Ok(response) => format!("it answered with status {}", response.status().as_u16()),
                Err(why) => why.clone(),
            };
            *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
            sent.map_err(HttpError::from)
        })
    }
}

/// Or why not, without the URL.
async fn send(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let request = reqwest::Request::try_from(request).map_err(|_| "its address cannot be used".to_owned())?;
    let mut response = client.execute(request).await.map_err(|error| why(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| why(&error))? {
        if body.len() + piece.len() > MOST_BYTES {
            return Err("its answer is too large".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

fn why(error: &reqwest::Error) -> String {
    match () {
        () if error.is_timeout() => "it did not answer in time",
        () if error.is_connect() => "there is no connection to it",
        () => "the connection was lost",
    }
    .to_owned()
}
