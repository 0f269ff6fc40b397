//! One request and its answer on a connection: what is read, what is sent, and what the client does meanwhile.

use std::io;
use std::time::Duration;

use crate::answer::{Answer, Sent};
use crate::body::{Body, BodyEnd, Framing};
use crate::http1::Head;
use crate::request::Request;
use crate::routes::State;
use crate::wire::{LINGER_QUIET, Wire};

/// What a client may send ahead while it is kept waiting.
const AHEAD: u64 = 1024 * 1024;

/// How a connection goes on after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Request,
    Close,
    Cut,
    Reset,
    Alert(u8),
    /// This side's output has ended; there may be more to come from the other.
    Linger,
    /// This side's output has ended, and all that came was read.
    Over,
}

/// What the client did while it was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Waits,
    Left,
}

/// How the reading of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived {
    Whole,
    /// The body is larger than the instance takes; the rest is unread.
    TooLarge,
    BrokenOff,
    Bad,
}

/// A request on its way through.
pub(crate) struct Exchange<'a> {
    pub state: &'a State,
    pub wire: &'a mut Wire,
    pub number: usize,
    pub head: &'a Head,
    framing: Framing,
    incoming: Body,
    /// How much of the body has come, kept or not.
    received: u64,
    body: Vec<u8>,
}

impl<'a> Exchange<'a> {
    /// Takes what has come of the body already.
    pub fn new(state: &'a State, wire: &'a mut Wire, number: usize, head: &'a Head, framing: Framing) -> Self {
        let mut exchange = Self {
            state,
            wire,
            number,
            head,
            framing,
            incoming: Body::new(framing),
            received: 0,
            body: Vec::new(),
        };
        exchange.take();
        exchange
    }

    /// Ends this side's output as `next` says, and finds out whether the whole request arrives.
    pub async fn finish(&mut self, next: Next) -> Next {
        match next {
            Next::Close => self.wire.end_of_output().await,
            Next::Cut => self.wire.cut().await,
            _ => {
                self.state.log.over(self.number);
                return next;
            }
        }
        while self.take().is_none() {
            match tokio::time::timeout(LINGER_QUIET, self.wire.fill()).await {
                Ok(Ok(1..)) => {}
                _ => break,
            }
        }
        self.state.log.over(self.number);
        if self.is_whole() { Next::Over } else { Next::Linger }
    }

    pub fn request(&self) -> Request<'_> {
        Request {
            number: self.number,
            head: self.head,
            body: &self.body,
        }
    }

    /// The whole request has arrived.
    pub fn is_whole(&self) -> bool {
        self.incoming.end() == Some(BodyEnd::Whole)
    }

    /// Takes from the wire what belongs to the body, and records it. None: there is more to come.
    fn take(&mut self) -> Option<BodyEnd> {
        if let Some(end) = self.incoming.end() {
            return Some(end);
        }
        let (log, number) = (&self.state.log, self.number);
        let limit = self.state.instance.max_request_bytes;
        let (body, received) = (&mut self.body, &mut self.received);
        let end = self.incoming.take(self.wire, |piece| {
            *received += piece.len() as u64;
            let kept = piece.get(..limit.saturating_sub(body.len())).unwrap_or(piece);
            body.extend_from_slice(kept);
            log.update(number, |record| record.body.extend_from_slice(kept));
        });
        if end == Some(BodyEnd::Whole) {
            log.update(number, |record| record.complete = true);
        }
        end
    }

    pub async fn read_request(&mut self) -> io::Result<Arrived> {
        let limit = self.state.instance.max_request_bytes as u64;
        if matches!(self.framing, Framing::Length(length) if length > limit) {
            return Ok(Arrived::TooLarge);
        }
        if self.take().is_none() && self.received == 0 && self.head.expects_continue() {
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        loop {
            let end = self.take();
            if self.received > limit {
                return Ok(Arrived::TooLarge);
            }
            match end {
                Some(BodyEnd::Whole) => return Ok(Arrived::Whole),
                Some(BodyEnd::BrokenOff) => return Ok(Arrived::BrokenOff),
                Some(BodyEnd::Bad) => return Ok(Arrived::Bad),
                None => {}
            }
            if !matches!(self.wire.fill().await, Ok(1..)) {
                self.incoming.break_off();
            }
        }
    }

    /// Waits, but no longer than the client does. What it sends meanwhile is taken, up to a limit.
    pub async fn wait(&mut self, time: Duration) -> Client {
        if time.is_zero() {
            return Client::Waits;
        }
        tokio::select! {
            () = tokio::time::sleep(time) => Client::Waits,
            () = self.until_left() => Client::Left,
        }
    }

    /// Until the client leaves. One that sends more than there is room for is heard no further: when it leaves, that is
    /// noticed at the next write.
    pub async fn until_left(&mut self) {
        let room = self.received + AHEAD;
        while self.received + (self.wire.unread().len() as u64) < room {
            if !matches!(self.wire.fill().await, Ok(1..)) {
                self.take();
                return self.incoming.break_off();
            }
            self.take();
        }
        std::future::pending().await
    }

    pub fn sent(&self) -> Sent {
        Sent {
            closing: !self.head.keeps_alive(),
            head_only: self.head.method == "HEAD",
            length: true,
        }
    }

    pub async fn send(&mut self, answer: &Answer, closing: bool) -> io::Result<()> {
        let bytes = answer.encode(Sent { closing, ..self.sent() });
        self.send_bytes(&bytes).await
    }

    /// The status is recorded before its first byte goes out, so that whoever has the answer finds it in the record.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.note_status(bytes);
        self.wire.send(bytes).await
    }

    pub fn note_status(&self, bytes: &[u8]) {
        if let Some(status) = status_of(bytes) {
            self.state
                .log
                .update(self.number, |record| record.answered = Some(status));
        }
    }
}

/// The status of bytes that begin an answer; interim ones (1xx) are none.
fn status_of(bytes: &[u8]) -> Option<u16> {
    let line = bytes
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?;
    let status = std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()?;
    if !(100..200).contains(&status) {
        return Some(status);
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    status_of(bytes.get(end + 4..)?)
}
