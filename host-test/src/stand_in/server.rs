//! The listeners, on a thread and a runtime of their own, so that any test can use the stand-in: blocking or
//! async, on whatever runtime. What a connection waits for ends with that runtime.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::behaviour::Behaviour;
use super::check::InstanceError;
use super::desk::State;
use super::exchange::{Connection, tls_seen};
use super::instance::Instance;
use super::record::{Event, Log, Observer, Recorded, Start};
use super::tls::Authority;
use super::wire::Wire;

/// Where the stand-in listens, and who is told. The default is a free port for each, and nobody.
#[derive(Default)]
pub struct Options {
    /// The port for HTTPS; 0 is any free one.
    pub https_port: u16,
    /// The port for HTTP; 0 is any free one.
    pub http_port: u16,
    /// Told of each exchange when it is over, on the stand-in's own thread: it must not wait for the stand-in.
    pub observer: Option<Observer>,
    /// Forgets the oldest requests and starts beyond so many; without it none is forgotten.
    pub keep: Option<usize>,
}

/// The stand-in could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The instance contradicts itself.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// A port is taken, or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make the certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused the certificate.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No thread or no runtime.
    #[error("cannot start the server's thread: {0}")]
    Thread(#[from] io::Error),
}

/// A running stand-in. It stops when it is dropped, and with it everything a client still waits for.
pub struct StandIn {
    state: Arc<State>,
    https: SocketAddr,
    http: SocketAddr,
    ca_pem: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Starts one on free ports of 127.0.0.1. It answers from the moment this returns.
    pub fn start(instance: Instance) -> Result<Self, StartError> {
        Self::start_with(instance, Options::default())
    }

    /// Starts one on given ports.
    pub fn start_with(instance: Instance, options: Options) -> Result<Self, StartError> {
        instance.check()?;
        let authority = Authority::new()?;
        let acceptor = TlsAcceptor::from(authority.server_config(&instance.full_hosts())?);
        let https = listen(options.https_port)?;
        let http = listen(options.http_port)?;
        let (https_addr, http_addr) = (https.local_addr()?, http.local_addr()?);
        let state = Arc::new(State::new(instance, Log::new(options.observer, options.keep)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Serving {
            state: Arc::clone(&state),
            connections: Arc::default(),
        };
        let thread = std::thread::Builder::new()
            .name("servicenow-stand-in".to_owned())
            .spawn(move || {
                // Dropping the runtime drops every connection, in whatever it was waiting for.
                runtime.block_on(async move {
                    tokio::select! {
                        _ = stopped => {}
                        _ = serving.listen(https, Some(acceptor)) => {}
                        _ = serving.listen(http, None) => {}
                    }
                });
            })?;
        Ok(Self {
            state,
            https: https_addr,
            http: http_addr,
            ca_pem: authority.pem().to_owned(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where HTTPS is served.
    #[must_use]
    pub fn https_addr(&self) -> SocketAddr {
        self.https
    }

    /// Where plain HTTP is served.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// The first of its host names, in full: `acme.service-now.com`.
    #[must_use]
    pub fn host(&self) -> String {
        self.hosts().into_iter().next().unwrap_or_default()
    }

    /// All its host names, in full.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        self.state.instance.full_hosts()
    }

    /// The instance that it serves.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.state.instance
    }

    /// The certificate authority to trust, made for this stand-in alone.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Every request received since the start or the last [`Self::clear`], in the order in which their heads arrived:
    /// those for tokens and tables too, and those that broke off.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.log.requests()
    }

    /// Every flow that really started.
    #[must_use]
    pub fn starts(&self) -> Vec<Start> {
        self.state.log.starts()
    }

    /// Waits until at least `count` requests are recorded; false when the time is over first. It blocks the thread:
    /// a client on the same single-threaded runtime cannot send meanwhile.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, timeout: Duration) -> bool {
        self.wait_until(timeout, |requests, _| requests.len() >= count)
    }

    /// Waits until something holds of the requests and the starts; false when the time is over first. It blocks, as
    /// [`Self::wait_for_requests`] does.
    #[must_use]
    pub fn wait_until(&self, timeout: Duration, holds: impl FnMut(&[Recorded], &[Start]) -> bool) -> bool {
        self.state.log.wait_until(timeout, holds)
    }

    /// Forgets the requests and the starts. Tokens, incidents and behaviours stay.
    pub fn clear(&self) {
        self.state.log.clear();
    }

    /// From now on this path does so: a path as it is in requests (without a query), or a flow's as it is declared.
    pub fn behave(&self, path: impl Into<String>, behaviour: Behaviour) {
        self.state.desk().behaviours.insert(path.into(), behaviour);
    }

    /// The next request for this path does so. Called again, it is for the one after.
    pub fn behave_once(&self, path: impl Into<String>, behaviour: Behaviour) {
        self.state
            .desk()
            .once
            .entry(path.into())
            .or_default()
            .push_back(behaviour);
    }

    /// Every path is normal again, and the instance awake.
    pub fn behave_well(&self) {
        let mut desk = self.state.desk();
        desk.behaviours.clear();
        desk.once.clear();
        desk.hibernating = false;
    }

    /// Puts the instance to sleep or wakes it: asleep, every route answers 200 with an HTML page.
    pub fn hibernate(&self, asleep: bool) {
        self.state.desk().hibernating = asleep;
    }

    /// Makes every token that `/oauth_token.do` has issued invalid.
    pub fn revoke_tokens(&self) {
        self.state.desk().revoke_tokens();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An observer that panicked has said so already.
            let _panicked = thread.join();
        }
    }
}

struct Serving {
    state: Arc<State>,
    connections: Arc<AtomicUsize>,
}

impl Serving {
    async fn listen(&self, listener: std::net::TcpListener, tls: Option<TlsAcceptor>) {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        loop {
            // Accepting fails when the client has left already, or for lack of descriptors, which passes.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let _without_it_only_slower = stream.set_nodelay(true);
            let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::spawn(connection(Arc::clone(&self.state), number, stream, tls.clone()));
        }
    }
}

async fn connection(state: Arc<State>, number: usize, stream: TcpStream, tls: Option<TlsAcceptor>) {
    let (wire, tls) = match tls {
        None => (Wire::plain(stream), None),
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => {
                let seen = tls_seen(stream.get_ref().1);
                (Wire::tls(stream), Some(seen))
            }
            Err(error) => {
                return state.log.tell(&Event::HandshakeFailed(error.to_string()));
            }
        },
    };
    Connection {
        state,
        number,
        tls,
        wire,
    }
    .serve()
    .await;
}

fn listen(port: u16) -> Result<std::net::TcpListener, StartError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    std::net::TcpListener::bind(address)
        .and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        })
        .map_err(|source| StartError::Listen { address, source })
}
