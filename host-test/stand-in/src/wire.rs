//! A connection as bytes: read into a buffer, written as they are, ended in each of the ways a connection can end.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::alert;

/// Beyond this an early answer's client is no longer listened to.
const LINGER_BYTES: usize = 256 * 1024 * 1024;
/// A client that neither sends nor leaves for so long has had its answer.
pub(crate) const LINGER_QUIET: Duration = Duration::from_secs(5);

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One connection, and what was read from it but not yet used.
pub(crate) struct Wire {
    io: Io,
    buffer: Vec<u8>,
}

impl Wire {
    pub fn plain(stream: TcpStream) -> Self {
        Self {
            io: Io::Plain(stream),
            buffer: Vec::new(),
        }
    }

    pub fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self {
            io: Io::Tls(Box::new(stream)),
            buffer: Vec::new(),
        }
    }

    /// What was read and not yet consumed.
    pub fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes bytes off the front of [`Self::unread`].
    pub fn consume(&mut self, count: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(count.min(self.buffer.len()));
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Reads some more; 0 is the connection's end. Nothing is lost when this is dropped before it is done.
    pub async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(16 * 1024);
        match &mut self.io {
            Io::Plain(stream) => stream.read_buf(&mut self.buffer).await,
            Io::Tls(stream) => stream.read_buf(&mut self.buffer).await,
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.io {
            Io::Plain(stream) => stream.write_all(bytes).await,
            Io::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Nothing more comes from here, in good order: over TLS with a `close_notify`.
    pub async fn end_of_output(&mut self) {
        let _gone_already = match &mut self.io {
            Io::Plain(stream) => stream.shutdown().await,
            Io::Tls(stream) => stream.shutdown().await,
        };
    }

    /// Nothing more comes from here, as TCP only: over TLS without a `close_notify`.
    pub async fn cut(&mut self) {
        let _gone_already = match &mut self.io {
            Io::Plain(stream) => stream.shutdown().await,
            Io::Tls(stream) => stream.get_mut().0.shutdown().await,
        };
    }

    /// Reads on and throws away, until the client leaves or is quiet. An answer that is sent before its request
    /// was read is lost if the connection is closed at once: the unread bytes turn the close into a reset, and that
    /// overtakes the answer (RFC 9112, section 9.6).
    pub async fn linger(mut self) {
        self.buffer.clear();
        match &mut self.io {
            Io::Plain(stream) => linger(stream).await,
            Io::Tls(stream) => linger(stream).await,
        }
    }

    /// By a TCP reset.
    pub fn reset(self) {
        let tcp = match &self.io {
            Io::Plain(stream) => stream,
            Io::Tls(stream) => stream.get_ref().0,
        };
        let _gone_already = tcp.set_zero_linger();
    }

    /// By a fatal TLS alert; without TLS as [`Self::cut`] does.
    pub async fn alert(mut self, description: u8) {
        match self.io {
            Io::Plain(_) => {
                self.cut().await;
                self.linger().await;
            }
            Io::Tls(stream) => {
                let (mut tcp, connection) = stream.into_inner();
                if let Some(record) = alert::encrypted(connection, description) {
                    let _gone_already = tcp.write_all(&record).await;
                }
                let _gone_already = tcp.shutdown().await;
                linger(&mut tcp).await;
            }
        }
    }
}

/// Until the other side ends it, is quiet for long, or sends without end.
pub(crate) async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut heard = 0;
    let mut buffer = vec![0; 16 * 1024];
    while heard < LINGER_BYTES {
        match tokio::time::timeout(LINGER_QUIET, stream.read(&mut buffer)).await {
            Ok(Ok(count @ 1..)) => heard += count,
            _ => return,
        }
    }
}
