//! A component's requests: each is checked and logged, then sent or denied.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, header};
use tracing::Instrument as _;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::allowance::Allowance;
use super::body::in_hand;
use super::connect::Dialer;
use super::destinations::Destinations;
use super::dry_run::DryRunRecorder;
use super::exchange::{self, Failed, Return};
use super::origin::{Origin, OriginError, Scheme};
use super::policy::Policy;
use super::pool::{Kept, Key, Pool};
use super::record::{self, Attempt, Purpose, RequestRecord};

/// The requests of one call's [`EgressHooks`], by which the call's result is checked.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Mutex<Vec<Arc<Attempt>>>>);

impl RequestLog {
    fn open(&self, attempt: Attempt) -> Arc<Attempt> {
        let attempt = Arc::new(attempt);
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.push(Arc::clone(&attempt));
        attempt
    }

    /// Ends the call, so that no further request can be handed to a connection. Returns each request's record, in order.
    pub fn close(&self) -> Vec<RequestRecord> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record::close(attempts.iter())
    }
}

/// How allowed requests are sent.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) dialer: Dialer,
    pub(super) pool: Arc<Pool>,
}

/// An instance's only egress: the hooks of `wasmtime-wasi-http` for one call ([`Egress::hooks`](crate::Egress::hooks)).
pub struct EgressHooks {
    allowance: Allowance,
    transport: Option<Arc<Transport>>,
    log: RequestLog,
    recorder: Option<DryRunRecorder>,
}

impl EgressHooks {
    pub(super) fn new(
        named: Destinations,
        policy: Policy,
        transport: Arc<Transport>,
        log: RequestLog,
        recorder: Option<DryRunRecorder>,
    ) -> Self {
        Self {
            allowance: Allowance::new(named, policy),
            transport: Some(transport),
            log,
            recorder,
        }
    }

    /// Denies every request.
    pub(crate) fn closed() -> Self {
        Self {
            allowance: Allowance::new(Destinations::default(), Policy::deny_all()),
            transport: None,
            log: RequestLog::default(),
            recorder: None,
        }
    }

    fn purpose(&self, request: &Request<WasiBody>) -> Purpose {
        let uri = request.uri();
        origin(uri).map_or(Purpose::Flow, |origin| {
            self.allowance.purpose(request.method(), &origin, target(uri))
        })
    }

    /// Takes the allowance for a request and opens its log entry. `None` means denied.
    fn admit(&mut self, request: &Request<WasiBody>) -> Option<Admitted> {
        let method = request.method().clone();
        let uri = request.uri();
        let origin = origin(uri);
        let (purpose, allowed, refusal) = match &origin {
            Ok(origin) => {
                let purpose = self.allowance.purpose(&method, origin, target(uri));
                let refusal = self.allowance.refusal(purpose, origin);
                (purpose, self.allowance.take(purpose, origin), refusal)
            }
            Err(_) => (Purpose::Flow, false, None),
        };
        let transport = self.transport.clone().filter(|_| allowed);
        let url = match &origin {
            Ok(origin) => format!("{origin}{}", uri.path()),
            // An unreadable URL may contain a password.
            Err(_) => "an address that cannot be read".to_owned(),
        };
        let attempt = self.log.open(Attempt::new(method, url, purpose, transport.is_none()));
        attempt.stops_at(refusal);
        Some(Admitted {
            uri: uri.clone(),
            host: request.headers().get(header::HOST).cloned(),
            origin: origin.ok()?,
            policy: self.allowance.policy().clone(),
            transport: transport?,
            attempt,
        })
    }
}

/// The part of a URL after the authority.
fn target(uri: &http::Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

fn origin(uri: &http::Uri) -> Result<Origin, OriginError> {
    let scheme: Scheme = uri.scheme_str().unwrap_or_default().parse()?;
    Origin::new(scheme, uri.authority().map_or("", |authority| authority.as_str()))
}

type Sending = dyn Future<Output = Result<(http::Response<WasiBody>, Worker), Error>> + Send;
type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for EgressHooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<Sending> {
        if let Some(recorder) = self.recorder.clone() {
            let purpose = self.purpose(&request);
            return Box::new(async move { Err(recorder.record(purpose, request).await) });
        }
        let Some(admitted) = self.admit(&request) else {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        };
        let limits = options.map_or(TimeLimits::default(), |options| TimeLimits {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        });
        let sending = async move {
            let response = admitted.send(request, limits).await?;
            // Whoever reads the body polls the connection.
            Ok((response, Box::new(std::future::ready(Ok(()))) as Worker))
        };
        // It runs in its own task, but its log events belong to the call.
        Box::new(sending.in_current_span())
    }
}

/// The guest's timeouts, if it set any.
#[derive(Clone, Copy, Default)]
struct TimeLimits {
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    between_bytes: Option<Duration>,
}

/// A request that may be sent.
struct Admitted {
    /// As the guest set them; each HTTP version writes them differently.
    uri: http::Uri,
    host: Option<http::HeaderValue>,
    origin: Origin,
    policy: Policy,
    transport: Arc<Transport>,
    attempt: Arc<Attempt>,
}

impl Admitted {
    async fn send(&self, request: Request<WasiBody>, limits: TimeLimits) -> Result<http::Response<WasiBody>, Error> {
        let mut request = in_hand(request).await?;
        let key = Key::here(&self.origin);
        let mut kept = self.transport.pool.take(&key).await;
        loop {
            let fresh = kept.is_none();
            let connection = match kept.take() {
                Some(kept) => kept,
                None => self.connect(&key, limits).await?,
            };
            match self.exchange(connection, request, &key, limits, fresh).await {
                // The kept connection was closed before it took any of the request, so the request is intact: use a new connection.
                Err(Failed {
                    unsent: Some(unsent), ..
                }) if !fresh => request = unsent,
                answer => return answer.map_err(|failed| failed.error),
            }
        }
    }

    async fn connect(&self, key: &Key, limits: TimeLimits) -> Result<Kept, Error> {
        // On the heap: it takes kilobytes, which a call with a kept connection would only move around.
        let connecting = Box::pin(async {
            let connected = self
                .transport
                .dialer
                .connect(&self.origin, &self.policy, &self.attempt)
                .await?;
            self.attempt.connected();
            exchange::handshake(connected, &self.transport.pool, key).await
        });
        within(limits.connect, Error::ConnectionTimeout, connecting).await
    }

    async fn exchange(
        &self,
        kept: Kept,
        mut request: Request<WasiBody>,
        key: &Key,
        limits: TimeLimits,
        fresh: bool,
    ) -> Result<http::Response<WasiBody>, Failed> {
        *request.uri_mut() = self.uri.clone();
        if let Some(host) = &self.host {
            request.headers_mut().insert(header::HOST, host.clone());
        }
        let back = Return {
            pool: Arc::clone(&self.transport.pool),
            key: key.clone(),
            fresh,
            between_bytes: limits.between_bytes,
        };
        let answer = exchange::send(kept, request, &self.attempt, back);
        within(limits.first_byte, Failed::from(Error::ConnectionReadTimeout), answer).await
    }
}

async fn within<T, E>(limit: Option<Duration>, late: E, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or(Err(late)),
    }
}
