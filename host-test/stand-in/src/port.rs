//! Ports that go wrong: in TCP, or in TLS whatever name the client asks for.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::tls_fault::TlsFault;

/// A connection on this machine takes microseconds; one that takes so long will not be made.
const NOT_CONNECTED: Duration = Duration::from_millis(300);
/// Linux queues one more than asked for; no system that is known queues so many.
const MOST_QUEUED: usize = 16;

/// One way for a port to go wrong. In a file: `"silent"`, `{ tls = "expired" }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortFault {
    /// Refuses connections; the port is kept, so that nobody else answers there.
    Refused,
    /// Neither accepts nor refuses: its queue is full, and on Linux the client's SYN goes unanswered.
    Full,
    /// Accepts, hears, and says nothing.
    Silent,
    /// Accepts, and closes at once.
    Close,
    /// Accepts, and resets at once.
    Reset,
    /// The instance over HTTPS, but each handshake goes so.
    Tls(TlsFault),
}

/// A port of an instance's file that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultyPort {
    /// 0 is any free one.
    #[serde(default)]
    pub port: u16,
    /// What it does.
    pub fault: PortFault,
}

/// What has to stay for a port to go on as it does.
pub(crate) enum Kept {
    /// Bound, not listening.
    Bound { _socket: TcpSocket },
    /// Listening, never accepting, and those who fill its queue.
    Full {
        _listener: TcpListener,
        _queued: Vec<TcpStream>,
    },
}

pub(crate) fn refused(address: SocketAddr) -> io::Result<(SocketAddr, Kept)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(address)?;
    Ok((socket.local_addr()?, Kept::Bound { _socket: socket }))
}

pub(crate) async fn full(address: SocketAddr) -> io::Result<(SocketAddr, Kept)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(address)?;
    let listener = socket.listen(1)?;
    let address = listener.local_addr()?;
    let mut queued = Vec::new();
    while queued.len() < MOST_QUEUED {
        match tokio::time::timeout(NOT_CONNECTED, TcpStream::connect(address)).await {
            Ok(connected) => queued.push(connected?),
            Err(_) => break,
        }
    }
    let kept = Kept::Full {
        _listener: listener,
        _queued: queued,
    };
    Ok((address, kept))
}

/// A port of this machine, for this machine only.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
