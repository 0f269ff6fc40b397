//! A component's requests as they come: each is checked and recorded, then sent or denied.

use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::connect::Dialer;
use super::destinations::Destinations;
use super::exchange;
use super::origin::{Origin, OriginError, Scheme};
use super::policy::{Allowance, Policy};
use super::record::{self, Attempt, Purpose, RequestRecord};

/// A call's attempts, for the gate that makes them and the call that judges them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<Arc<Attempt>>>>);

impl Ledger {
    fn open(&self, attempt: Attempt) -> Arc<Attempt> {
        let attempt = Arc::new(attempt);
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.push(Arc::clone(&attempt));
        attempt
    }

    /// The call has ended: what is not handed to a connection by now never will be.
    pub(crate) fn close(&self) -> Vec<RequestRecord> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record::close(attempts.iter())
    }
}

/// The one way out of an instance.
pub(crate) struct Gate {
    allowance: Allowance,
    dialer: Option<Arc<Dialer>>,
    ledger: Ledger,
}

impl Gate {
    pub(super) fn new(named: Destinations, policy: Option<Policy>, dialer: Arc<Dialer>, ledger: Ledger) -> Self {
        Self {
            allowance: Allowance::new(named, policy),
            dialer: Some(dialer),
            ledger,
        }
    }

    /// Lets nothing out.
    pub(crate) fn closed() -> Self {
        Self {
            allowance: Allowance::new(Destinations::default(), Some(Policy::deny_all())),
            dialer: None,
            ledger: Ledger::default(),
        }
    }

    /// Takes the allowance for a request, and opens its record. None: denied.
    fn admit(&mut self, request: &Request<WasiBody>) -> Option<(Origin, Arc<Dialer>, Arc<Attempt>)> {
        let method = request.method().clone();
        let uri = request.uri();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let origin = origin(uri);
        let (purpose, allowed) = match &origin {
            Ok(origin) => {
                let purpose = self.allowance.purpose(&method, origin, target);
                (purpose, self.allowance.take(purpose, origin))
            }
            Err(_) => (Purpose::Flow, false),
        };
        let dialer = self.dialer.clone().filter(|_| allowed);
        let url = match &origin {
            Ok(origin) => format!("{origin}{}", uri.path()),
            // What cannot be read may hold a password.
            Err(_) => "an address that cannot be read".to_owned(),
        };
        let attempt = self.ledger.open(Attempt::new(method, url, purpose, dialer.is_none()));
        Some((origin.ok()?, dialer?, attempt))
    }
}

fn origin(uri: &http::Uri) -> Result<Origin, OriginError> {
    let scheme: Scheme = uri.scheme_str().unwrap_or_default().parse()?;
    Origin::new(scheme, uri.authority().map_or("", |authority| authority.as_str()))
}

type Sending = dyn Future<Output = Result<(http::Response<WasiBody>, Worker), Error>> + Send;
type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<Sending> {
        let Some((origin, dialer, attempt)) = self.admit(&request) else {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        };
        let connect_timeout = options.and_then(|options| options.connect_timeout);
        Box::new(async move {
            let connecting = dialer.connect(&origin);
            let stream = match connect_timeout {
                None => connecting.await?,
                Some(limit) => tokio::time::timeout(limit, connecting)
                    .await
                    .map_err(|_| Error::ConnectionTimeout)??,
            };
            exchange::send(stream, request, &attempt).await
        })
    }
}
