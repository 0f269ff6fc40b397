//! The listeners and what each does with a connection.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::connection::{Connection, tls_seen};
use crate::error::StartError;
use crate::handshake;
use crate::port::{self, Kept, PortFault};
use crate::record::TlsSeen;
use crate::routes::State;
use crate::tls::{Tls, TlsSetup};
use crate::wire::Wire;

/// Everything that runs.
pub(crate) struct Serving {
    pub state: State,
    pub tls: Tls,
    pub addresses: Addresses,
    connections: AtomicUsize,
    ports: Mutex<Ports>,
}

/// Where the listeners are that are there from the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub https: SocketAddr,
    pub http: SocketAddr,
    pub control: SocketAddr,
}

#[derive(Default)]
struct Ports {
    open: Vec<(SocketAddr, PortFault)>,
    kept: Vec<Kept>,
}

/// What is done on a port.
pub(crate) enum PortMode {
    Http,
    Https,
    /// HTTPS whose handshake goes this way.
    Tls(TlsSetup),
    Silent,
    Close,
    Reset,
}

impl Serving {
    pub fn new(state: State, tls: Tls, addresses: Addresses) -> Self {
        Self {
            state,
            tls,
            addresses,
            connections: AtomicUsize::new(0),
            ports: Mutex::default(),
        }
    }

    /// How many connections were accepted, those of the control address left out.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn behave_well(&self) {
        self.state.current().behave_well();
        self.tls.clear();
    }

    /// The ports that go wrong.
    pub fn faulty_ports(&self) -> Vec<(SocketAddr, PortFault)> {
        self.ports().open.clone()
    }

    /// Opens a port that goes wrong. It has to be called on the runtime.
    pub async fn open(self: &Arc<Self>, port: u16, fault: PortFault) -> Result<SocketAddr, StartError> {
        let address = port::local(port);
        let cannot = |source: io::Error| StartError::Listen { address, source };
        let mode = match fault {
            PortFault::Refused | PortFault::Full => {
                let (address, kept) = match fault {
                    PortFault::Full => port::full(address).await.map_err(cannot)?,
                    _ => port::refused(address).map_err(cannot)?,
                };
                let mut ports = self.ports();
                ports.kept.push(kept);
                ports.open.push((address, fault));
                return Ok(address);
            }
            PortFault::Silent => PortMode::Silent,
            PortFault::Close => PortMode::Close,
            PortFault::Reset => PortMode::Reset,
            PortFault::Tls(fault) => PortMode::Tls(self.tls.prepare(&self.state.instance.full_hosts(), fault)?),
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr()?;
        self.ports().open.push((address, fault));
        self.spawn(listener, mode);
        Ok(address)
    }

    /// Listens from now on. It has to be called on the runtime.
    pub fn spawn(self: &Arc<Self>, listener: TcpListener, mode: PortMode) {
        tokio::spawn(Arc::clone(self).listen(listener, mode));
    }

    async fn listen(self: Arc<Self>, listener: TcpListener, mode: PortMode) {
        let mode = Arc::new(mode);
        loop {
            let stream = accept(&listener).await;
            tokio::spawn(Arc::clone(&self).enter(stream, Arc::clone(&mode)));
        }
    }

    async fn enter(self: Arc<Self>, mut stream: TcpStream, mode: Arc<PortMode>) {
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let setup = match &*mode {
            PortMode::Http => return self.serve(number, Wire::plain(stream), None).await,
            PortMode::Silent => return handshake::until_left(&mut stream).await,
            PortMode::Close => return,
            PortMode::Reset => {
                let _gone_already = stream.set_zero_linger();
                return;
            }
            PortMode::Https => None,
            PortMode::Tls(setup) => Some(setup),
        };
        if let Some(stream) = handshake::accept(&self.tls, setup, &self.state.log, number, stream).await {
            let seen = tls_seen(stream.get_ref().1);
            self.serve(number, Wire::tls(stream), Some(seen)).await;
        }
    }

    async fn serve(&self, number: usize, wire: Wire, tls: Option<TlsSeen>) {
        Connection {
            state: &self.state,
            number,
            tls,
            wire,
        }
        .serve()
        .await;
    }
}

/// The next connection.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        // Accepting fails when the client has left already, or for lack of descriptors, which passes.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _without_it_only_slower = stream.set_nodelay(true);
        return stream;
    }
}

/// Bound at once, so that whoever is told the address is answered there.
pub(crate) fn bind(port: u16) -> Result<std::net::TcpListener, StartError> {
    let address = port::local(port);
    std::net::TcpListener::bind(address)
        .and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        })
        .map_err(|source| StartError::Listen { address, source })
}
