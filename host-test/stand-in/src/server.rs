//! The listeners, on a thread and a runtime of their own, so that any test can use the stand-in: blocking or
//! async, on whatever runtime. What a connection waits for ends with that runtime.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::behaviour::Behaviour;
use crate::control;
use crate::error::StartError;
use crate::instance::Instance;
use crate::port::PortFault;
use crate::record::{FailedHandshake, Log, Observer, Recorded, Start};
use crate::routes::State;
use crate::serving::{Addresses, PortMode, Serving, bind};
use crate::tls::Tls;
use crate::tls_fault::TlsFault;

/// Where the stand-in listens, and who is told. The default is a free port for each, and nobody.
#[derive(Default)]
pub struct Options {
    /// HTTPS port; 0: any free port.
    pub https_port: u16,
    /// The port for HTTP; 0 is any free one.
    pub http_port: u16,
    /// The port for the control address ([`StandIn::control_addr`]); 0 is any free one.
    pub control_port: u16,
    /// Told of each exchange when it is over, on the stand-in's own thread: it must not wait for the stand-in.
    pub observer: Option<Observer>,
    /// Forgets the oldest requests and starts beyond so many; without it none is forgotten.
    pub keep: Option<usize>,
}

/// A running stand-in. It stops when it is dropped, and with it everything a client still waits for.
pub struct StandIn {
    serving: Arc<Serving>,
    runtime: Handle,
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
        let tls = Tls::new(&instance.full_hosts(), &instance.tls_faults)?;
        let https = bind(options.https_port)?;
        let http = bind(options.http_port)?;
        let control = bind(options.control_port)?;
        let addresses = Addresses {
            https: https.local_addr()?,
            http: http.local_addr()?,
            control: control.local_addr()?,
        };
        let faulty_ports = instance.faulty_ports.clone();
        let state = State::new(instance, Log::new(options.observer, options.keep));
        let serving = Arc::new(Serving::new(state, tls, addresses));

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        serving.spawn(TcpListener::from_std(https)?, PortMode::Https);
        serving.spawn(TcpListener::from_std(http)?, PortMode::Http);
        control::spawn(Arc::clone(&serving), TcpListener::from_std(control)?);
        drop(inside);
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("servicenow-stand-in".to_owned())
            .spawn(move || {
                let _either_way_it_ends = runtime.block_on(stopped);
                // Dropping the runtime drops every connection, in whatever it was waiting for.
            })?;
        let stand_in = Self {
            serving,
            runtime: handle,
            stop: Some(stop),
            thread: Some(thread),
        };
        for faulty in faulty_ports {
            stand_in.open_port_at(faulty.port, faulty.fault)?;
        }
        Ok(stand_in)
    }

    /// Where HTTPS is served.
    #[must_use]
    pub fn https_addr(&self) -> SocketAddr {
        self.serving.addresses.https
    }

    /// Where plain HTTP is served.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.serving.addresses.http
    }

    /// Where a test suite in any language makes it go wrong and reads what it received, as JSON over HTTP; `GET /` there
    /// says how.
    #[must_use]
    pub fn control_addr(&self) -> SocketAddr {
        self.serving.addresses.control
    }

    /// The first of its host names, in full: `acme.service-now.com`.
    #[must_use]
    pub fn host(&self) -> String {
        self.hosts().into_iter().next().unwrap_or_default()
    }

    /// All its host names, in full.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        self.serving.state.instance.full_hosts()
    }

    /// The instance that it serves.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.serving.state.instance
    }

    /// The certificate authority to trust, made for this stand-in alone.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.serving.tls.ca_pem()
    }

    /// Every request received since the start or the last [`Self::clear`], in the order in which their heads arrived:
    /// those for tokens and tables too, and those that broke off.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.serving.state.log.requests()
    }

    /// Every flow that really started.
    #[must_use]
    pub fn starts(&self) -> Vec<Start> {
        self.serving.state.log.starts()
    }

    /// The connections on which TLS failed, on either side, so that no request came.
    #[must_use]
    pub fn failed_handshakes(&self) -> Vec<FailedHandshake> {
        self.serving.state.log.failed_handshakes()
    }

    /// How many connections it accepted, the control address left out.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.serving.connections()
    }

    /// The ports that go wrong, and how.
    #[must_use]
    pub fn faulty_ports(&self) -> Vec<(SocketAddr, PortFault)> {
        self.serving.faulty_ports()
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
        self.serving.state.log.wait_until(timeout, holds)
    }

    /// Waits until at least `count` handshakes have failed; false when the time is over first. It blocks, as
    /// [`Self::wait_for_requests`] does.
    #[must_use]
    pub fn wait_for_failed_handshakes(&self, count: usize, timeout: Duration) -> bool {
        self.serving.state.log.wait_for_failed_handshakes(count, timeout)
    }

    /// Forgets the requests, the starts and the failed handshakes. Tokens, incidents and behaviours stay.
    pub fn clear(&self) {
        self.serving.state.log.clear();
    }

    /// From now on this path does so: a path as it is in requests (without a query), or a flow's as it is declared.
    pub fn behave(&self, path: impl Into<String>, behaviour: Behaviour) {
        self.serving.state.current().behave(path.into(), behaviour);
    }

    /// The next request for this path does so. Called again, it is for the one after.
    pub fn behave_once(&self, path: impl Into<String>, behaviour: Behaviour) {
        self.serving.state.current().behave_once(path.into(), behaviour);
    }

    /// Every path and every handshake is normal again, and the instance awake. Faulty ports stay.
    pub fn behave_well(&self) {
        self.serving.behave_well();
    }

    /// From now on the handshakes for this host name go so. It is written as in [`Instance::hosts`], and need not be one of
    /// those: the certificate names it.
    pub fn tls_fault(&self, host: &str, fault: TlsFault) -> Result<(), StartError> {
        self.serving.tls.set(host, Some(fault))
    }

    /// Opens a port of 127.0.0.1 that goes wrong.
    pub fn open_port(&self, fault: PortFault) -> Result<SocketAddr, StartError> {
        self.open_port_at(0, fault)
    }

    fn open_port_at(&self, port: u16, fault: PortFault) -> Result<SocketAddr, StartError> {
        let serving = Arc::clone(&self.serving);
        let (opened, wait) = mpsc::channel();
        // Not `block_on`, which panics in a caller that is asynchronous itself.
        self.runtime.spawn(async move {
            let _gone_already = opened.send(serving.open(port, fault).await);
        });
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        wait.recv().map_err(gone)?
    }

    /// Puts the instance to sleep or wakes it: asleep, every route answers 200 with an HTML page.
    pub fn hibernate(&self, asleep: bool) {
        self.serving.state.current().hibernating = asleep;
    }

    /// Makes every token that `/oauth_token.do` has issued invalid.
    pub fn revoke_tokens(&self) {
        self.serving.state.current().revoke_tokens();
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
