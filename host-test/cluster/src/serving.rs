//! The listener and the connections: opened, counted, dropped, and opened again at the same port.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::core::{Core, lock};
use crate::exchange::exchange;
use crate::wire::{Valve, Wire};

const BACKLOG: u32 = 1024;

pub(crate) struct Serving {
    pub core: Arc<Core>,
    pub address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    /// Keeps the port while nothing listens there.
    _port: TcpSocket,
    listening: Mutex<Option<JoinHandle<()>>>,
    connections: Mutex<BTreeMap<u64, Connection>>,
    accepted: AtomicU64,
    /// New connections are accepted and then left alone.
    deaf: AtomicBool,
}

struct Connection {
    valve: Arc<Valve>,
    task: JoinHandle<()>,
}

impl Serving {
    pub fn new(core: Arc<Core>, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, core.options.port));
        if core.options.port != 0 {
            // Another program of this kind would share the port (SO_REUSEPORT), and the requests with it.
            drop(std::net::TcpListener::bind(address)?);
        }
        let port = socket(address)?;
        let address = port.local_addr()?;
        Ok(Self {
            core,
            address,
            tls,
            _port: port,
            listening: Mutex::default(),
            connections: Mutex::default(),
            accepted: AtomicU64::new(0),
            deaf: AtomicBool::new(false),
        })
    }

    /// Listens, unless it does already. It has to be called on the runtime.
    pub fn listen(self: &Arc<Self>) -> io::Result<()> {
        let mut listening = lock(&self.listening);
        if listening.is_none() {
            let listener = socket(self.address)?.listen(BACKLOG)?;
            *listening = Some(tokio::spawn(Arc::clone(self).accept(listener)));
        }
        Ok(())
    }

    /// Connections are refused from now on; those that are open stay.
    pub async fn stop_listening(&self) {
        let task = lock(&self.listening).take();
        if let Some(task) = task {
            end(task).await;
        }
    }

    /// Drops every connection but one.
    pub async fn drop_connections(&self, but: Option<u64>) {
        let mut dropped = Vec::new();
        lock(&self.connections).retain(|id, connection| {
            if Some(*id) == but {
                return true;
            }
            let done = tokio::spawn(async {});
            dropped.push(std::mem::replace(&mut connection.task, done));
            false
        });
        for task in dropped {
            end(task).await;
        }
    }

    /// Every connection that is open swallows everything from now on.
    pub fn black_hole(&self) {
        for connection in lock(&self.connections).values() {
            connection.valve.silence();
        }
    }

    pub fn set_deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::SeqCst);
    }

    /// How many connections were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        let mut connections = lock(&self.connections);
        connections.retain(|_, connection| !connection.task.is_finished());
        connections.len()
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors: the next may go well.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let _whole_anyway = stream.set_nodelay(true);
            let id = self.accepted.fetch_add(1, Ordering::SeqCst) + 1;
            let valve = Arc::new(Valve::default());
            if self.deaf.load(Ordering::SeqCst) {
                valve.silence();
            }
            let task = tokio::spawn(Arc::clone(&self).serve(id, stream, Arc::clone(&valve)));
            let mut connections = lock(&self.connections);
            connections.retain(|_, connection| !connection.task.is_finished());
            connections.insert(id, Connection { valve, task });
            drop(connections);
            self.core.wake();
        }
    }

    async fn serve(self: Arc<Self>, id: u64, stream: TcpStream, valve: Arc<Valve>) {
        let wire = match &self.tls {
            None => Wire::plain(stream, Arc::clone(&valve)),
            Some(config) => match TlsAcceptor::from(Arc::clone(config)).accept(stream).await {
                Ok(stream) => Wire::tls(stream, Arc::clone(&valve)),
                Err(_) => return,
            },
        };
        let service = service_fn(|request| exchange(Arc::clone(&self), id, Arc::clone(&valve), request));
        // However it ends, it has ended.
        let _either_way = http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(wire), service)
            .await;
    }
}

async fn end(task: JoinHandle<()>) {
    task.abort();
    let _aborted = task.await;
}

/// Bound, not listening. Two sockets of one cluster share the port, so that it is never free for another program.
fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
