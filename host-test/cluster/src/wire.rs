//! A connection's bytes, with a valve: they can be swallowed, cut off in the middle, or replaced.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::core::lock;

/// How a connection ends before its answer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Close,
    Reset,
    /// It stays open, and nothing more is sent.
    Stall,
}

/// Decides what comes of the bytes; shared by the connection and whoever makes it fail.
#[derive(Debug, Default)]
pub(crate) struct Valve(Mutex<Setting>);

#[derive(Debug, Default)]
struct Setting {
    silent: bool,
    reset: bool,
    output: Output,
}

#[derive(Debug, Default)]
enum Output {
    #[default]
    Whole,
    /// Of the next answer half is sent.
    Half(End),
    /// So many bytes are still sent.
    Rest(usize, End),
    /// These bytes are sent in place of the next answer.
    Instead(Vec<u8>),
}

impl Valve {
    /// Swallows everything from now on, in both directions.
    pub fn silence(&self) {
        lock(&self.0).silent = true;
    }

    /// When the connection is dropped, it is by a reset.
    pub fn reset(&self) {
        lock(&self.0).reset = true;
    }

    pub fn halve(&self, end: End) {
        lock(&self.0).output = Output::Half(end);
    }

    pub fn replace(&self, bytes: Vec<u8>) {
        lock(&self.0).output = Output::Instead(bytes);
    }
}

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One connection.
pub(crate) struct Wire {
    io: Io,
    valve: Arc<Valve>,
}

impl Wire {
    pub fn plain(stream: TcpStream, valve: Arc<Valve>) -> Self {
        Self {
            io: Io::Plain(stream),
            valve,
        }
    }

    pub fn tls(stream: TlsStream<TcpStream>, valve: Arc<Valve>) -> Self {
        Self {
            io: Io::Tls(Box::new(stream)),
            valve,
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    /// Sends what may still be sent of an answer, then ends the connection.
    fn write_rest(&mut self, cx: &mut Context<'_>, bytes: &[u8], rest: usize, end: End) -> Poll<io::Result<usize>> {
        let part = bytes.get(..rest.min(bytes.len())).unwrap_or_default();
        if !part.is_empty() {
            let written = self.write(cx, part);
            if let Poll::Ready(Ok(count)) = written {
                lock(&self.valve.0).output = Output::Rest(rest - count, end);
            }
            return written;
        }
        std::task::ready!(self.flush(cx))?;
        if end == End::Stall {
            return Poll::Pending;
        }
        if end == End::Reset {
            self.valve.reset();
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }
}

/// Half of an answer: half of its body, or of its head if it has none.
fn half(answer: &[u8]) -> usize {
    let head = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map_or(answer.len(), |at| at + 4);
    match answer.len() - head {
        0 => head / 2,
        body => head + body / 2,
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            let before = buffer.filled().len();
            let read = match &mut this.io {
                Io::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
                Io::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
            };
            if !lock(&this.valve.0).silent {
                return read;
            }
            std::task::ready!(read)?;
            if buffer.filled().len() == before {
                // The client has left; a black hole does not know.
                return Poll::Pending;
            }
            buffer.set_filled(before);
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let mut setting = lock(&this.valve.0);
        if setting.silent {
            return Poll::Ready(Ok(bytes.len()));
        }
        match std::mem::take(&mut setting.output) {
            Output::Whole => {
                drop(setting);
                this.write(cx, bytes)
            }
            Output::Half(end) => {
                let rest = half(bytes);
                setting.output = Output::Rest(rest, end);
                drop(setting);
                this.write_rest(cx, bytes, rest, end)
            }
            Output::Rest(rest, end) => {
                setting.output = Output::Rest(rest, end);
                drop(setting);
                this.write_rest(cx, bytes, rest, end)
            }
            Output::Instead(instead) => {
                setting.output = Output::Instead(instead.clone());
                drop(setting);
                let written = std::task::ready!(this.write(cx, &instead))?;
                let left = instead.get(written..).unwrap_or_default();
                lock(&this.valve.0).output = match left {
                    [] => Output::Rest(0, End::Close),
                    left => Output::Instead(left.to_vec()),
                };
                // Called again for the rest, or for the end.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if lock(&self.valve.0).silent {
            return Poll::Ready(Ok(()));
        }
        self.flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if lock(&self.valve.0).silent {
            return Poll::Ready(Ok(()));
        }
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if lock(&self.valve.0).reset {
            let tcp = match &self.io {
                Io::Plain(stream) => stream,
                Io::Tls(stream) => stream.get_ref().0,
            };
            let _gone_already = tcp.set_zero_linger();
        }
    }
}
