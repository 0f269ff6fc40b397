//! A connection as bytes: read into a buffer, written as they are, ended in each of the ways a connection can end.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Beyond this an early answer's client is no longer listened to.
const LINGER_BYTES: usize = 256 * 1024 * 1024;
/// A client that neither sends nor leaves for so long has had its answer.
const LINGER_QUIET: Duration = Duration::from_secs(5);

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One connection, and what was read from it but not yet used.
pub(super) struct Wire {
    io: Io,
    buffer: Vec<u8>,
}

/// What the client did while it was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Waits,
    Left,
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

    /// Waits, but no longer than the client does. What the client sends meanwhile is kept, up to `room` bytes.
    pub async fn wait(&mut self, time: Duration, room: usize) -> Client {
        tokio::select! {
            () = tokio::time::sleep(time) => Client::Waits,
            () = self.left(room) => Client::Left,
        }
    }

    /// Until the client leaves.
    pub async fn left(&mut self, room: usize) {
        while self.buffer.len() < room {
            if !matches!(self.fill().await, Ok(1..)) {
                return;
            }
        }
        // A client that sends more than there is room for is heard no further: one that leaves now is noticed at the
        // next write.
        std::future::pending().await
    }

    /// Reads on and throws away, until the client leaves or is quiet. An answer that is sent before its request
    /// was read is lost if the connection is closed at once: the unread bytes turn the close into a reset, and that
    /// overtakes the answer (RFC 9112, section 9.6). The client is told first that nothing more comes.
    pub async fn linger(&mut self) {
        self.end_of_output().await;
        let mut heard = 0;
        while heard < LINGER_BYTES {
            match tokio::time::timeout(LINGER_QUIET, self.fill()).await {
                Ok(Ok(count @ 1..)) => heard += count,
                _ => return,
            }
            self.buffer.clear();
        }
    }

    /// In good order: over TLS with a `close_notify`.
    pub async fn close(mut self) {
        self.end_of_output().await;
    }

    async fn end_of_output(&mut self) {
        let _gone_already = match &mut self.io {
            Io::Plain(stream) => stream.shutdown().await,
            Io::Tls(stream) => stream.shutdown().await,
        };
    }

    /// As TCP only: over TLS without a `close_notify`.
    pub async fn cut(mut self) {
        let _gone_already = match &mut self.io {
            Io::Plain(stream) => stream.shutdown().await,
            Io::Tls(stream) => stream.get_mut().0.shutdown().await,
        };
    }

    /// By a TCP reset.
    pub fn reset(self) {
        let tcp = match &self.io {
            Io::Plain(stream) => stream,
            Io::Tls(stream) => stream.get_ref().0,
        };
        let _gone_already = tcp.set_zero_linger();
    }
}
