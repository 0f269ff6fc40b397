//! What is on a connection beside the answer that is being read: whether the request is written whole, and whether something has come
//! unasked. HTTP/1.1 answers carry no number, so a connection with a stray byte on it must not be used again.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi_http::{Error, WasiBody};

/// What became of one request's bytes.
#[derive(Debug, Default)]
pub(super) struct Handover {
    /// The HTTP library has taken all of the request.
    taken: AtomicBool,
    /// And has written it.
    written: AtomicBool,
}

impl Handover {
    /// Before a request is handed to the connection.
    pub(super) fn begins(&self) {
        self.taken.store(false, Ordering::Relaxed);
        self.written.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn is_written(&self) -> bool {
        self.written.load(Ordering::Relaxed)
    }

    fn flushed(&self) {
        if self.is_taken() {
            self.written.store(true, Ordering::Relaxed);
        }
    }
}

/// A request's body that notes when all of it was taken: at its end, or at its length, since a guest may tell the end only after it has
/// the answer.
pub(super) struct Noted {
    body: WasiBody,
    left: Option<u64>,
    asked: bool,
    handover: Arc<Handover>,
}

impl Noted {
    pub(super) fn new(body: WasiBody, length: Option<u64>, handover: Arc<Handover>) -> Self {
        let noted = Self {
            body,
            left: length,
            asked: false,
            handover,
        };
        if length == Some(0) {
            noted.taken();
        }
        noted
    }

    fn taken(&self) {
        self.handover.taken.store(true, Ordering::Relaxed);
    }
}

/// A GET without a length has no body in HTTP/1.1, so nobody asks for its end.
impl Drop for Noted {
    fn drop(&mut self) {
        if !self.asked {
            self.taken();
        }
    }
}

impl Body for Noted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.asked = true;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => self.taken(),
            // Nothing follows them.
            Some(Ok(frame)) if frame.is_trailers() => self.taken(),
            Some(Ok(frame)) => {
                if let (Some(data), Some(left)) = (frame.data_ref(), self.left) {
                    let left = left.saturating_sub(data.len() as u64);
                    self.left = Some(left);
                    if left == 0 {
                        self.taken();
                    }
                }
            }
            Some(Err(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let ended = self.body.is_end_stream();
        if ended {
            self.taken();
        }
        ended
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that notes when what was written on it is flushed.
pub(super) struct Flushing<I> {
    pub(super) io: I,
    pub(super) handover: Arc<Handover>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Flushing<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Flushing<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// The HTTP library flushes only when it has written all that it had taken.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.handover.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Where in a TLS record the bytes that came so far end (RFC 8446, section 5.1): within one, something is on its way that the TLS
/// library does not show yet.
#[derive(Debug, Default)]
pub(super) struct Records(AtomicBool);

impl Records {
    pub(super) fn is_within_one(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is below TLS, its incoming records followed.
pub(super) struct Recording<I> {
    io: I,
    records: Arc<Records>,
    /// Of the record's header, which ends with its length.
    header: Vec<u8>,
    left: usize,
}

const RECORD_HEADER: usize = 5;

impl<I> Recording<I> {
    pub(super) fn new(io: I, records: Arc<Records>) -> Self {
        Self {
            io,
            records,
            header: Vec::with_capacity(RECORD_HEADER),
            left: 0,
        }
    }

    fn follow(&mut self, mut came: &[u8]) {
        while let Some((first, rest)) = came.split_first() {
            if self.left > 0 {
                let skipped = self.left.min(came.len());
                self.left -= skipped;
                came = came.get(skipped..).unwrap_or_default();
                continue;
            }
            self.header.push(*first);
            came = rest;
            if let [_, _, _, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
            }
        }
        let within = self.left > 0 || !self.header.is_empty();
        self.records.0.store(within, Ordering::Relaxed);
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Recording<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let came = buf.filled().get(before..).unwrap_or_default();
        self.follow(came);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Recording<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_record_is_noticed_wherever_it_is_cut() {
        let two = [23, 3, 3, 0, 3, 1, 2, 3, 21, 3, 3, 0, 0];
        for cut in 0..=two.len() {
            let records = Arc::<Records>::default();
            let mut recording = Recording::new(tokio::io::empty(), Arc::clone(&records));
            for byte in &two[..cut] {
                recording.follow(&[*byte]);
            }
            assert_eq!(records.is_within_one(), ![0, 8, 13].contains(&cut), "{cut}");
            recording.follow(&two[cut..]);
            assert!(!records.is_within_one(), "{cut}");
        }
    }
}
