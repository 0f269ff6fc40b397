//! One connection from its first request to its end: what is read, when it is answered, and how it ends.

use std::io;
use std::time::Duration;

use crate::answer::{Answer, Sent};
use crate::behaviour::Behaviour;
use crate::body::{Body, BodyEnd, Framing};
use crate::desk::{Request, State};
use crate::http1::{Head, NoHead};
use crate::record::TlsSeen;
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

pub(crate) struct Connection<'a> {
    pub state: &'a State,
    pub number: usize,
    pub tls: Option<TlsSeen>,
    pub wire: Wire,
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

impl Connection<'_> {
    /// Serves requests until one side ends it.
    pub async fn serve(mut self) {
        loop {
            match self.exchange().await {
                Next::Request => {}
                Next::Close => return self.wire.end_of_output().await,
                Next::Cut => return self.wire.cut().await,
                Next::Linger => return self.wire.linger().await,
                Next::Over => return,
                Next::Reset => return self.wire.reset(),
                Next::Alert(description) => return self.wire.alert(description).await,
            }
        }
    }

    async fn exchange(&mut self) -> Next {
        let log = &self.state.log;
        let head = match Head::read(&mut self.wire).await {
            Ok(head) => head,
            Err(NoHead::End) => return Next::Close,
            Err(NoHead::BrokenOff(fragment)) => {
                log.over(log.begin(self.number, self.tls.as_ref(), &fragment));
                return Next::Close;
            }
            Err(NoHead::Bad(fragment)) => {
                let number = log.begin(self.number, self.tls.as_ref(), &fragment);
                return refuse_unread(self.state, &mut self.wire, number, "Not an HTTP request").await;
            }
        };
        let number = log.begin(self.number, self.tls.as_ref(), &head);
        let Some(framing) = head.framing() else {
            let what = "The length of the body cannot be told";
            return refuse_unread(self.state, &mut self.wire, number, what).await;
        };
        let mut exchange = Exchange {
            state: self.state,
            wire: &mut self.wire,
            number,
            head: &head,
            framing,
            incoming: Body::new(framing),
            received: 0,
            body: Vec::new(),
        };
        exchange.take();
        // A connection that fails has ended: there is nothing more to do with it in good order.
        let next = exchange.run().await.unwrap_or(Next::Close);
        exchange.finish(next).await
    }
}

impl Exchange<'_> {
    async fn run(&mut self) -> io::Result<Next> {
        let (delay, behaviour) = self.state.plan(self.head).without_delay();
        let on_head = match &behaviour {
            Behaviour::Script(steps) => Some(steps.clone()),
            Behaviour::Fault(fault) => fault.on_head(),
            _ => None,
        };
        if let Some(steps) = on_head {
            return match self.wait(delay).await {
                Client::Waits => self.play(&steps, None).await,
                Client::Left => Ok(Next::Close),
            };
        }
        let refusal = match self.read_request().await? {
            Arrived::Whole => None,
            Arrived::BrokenOff => return Ok(Next::Close),
            Arrived::TooLarge => Some(too_large(self.state.instance.max_request_bytes)),
            Arrived::Bad => Some(bad_request("The chunks of the body are broken")),
        };
        if let Some(refusal) = refusal {
            self.send(&refusal, true).await?;
            return Ok(Next::Close);
        }
        if let Behaviour::Fault(fault) = &behaviour {
            let (own, steps) = match fault.refuses() {
                true => (None, fault.steps(&Answer::new(403), self.sent())),
                false => {
                    let own = self.state.answer(self.request());
                    let steps = fault.steps(&own, self.sent());
                    (Some(own), steps)
                }
            };
            return match self.wait(delay).await {
                Client::Waits => self.play(&steps, own).await,
                Client::Left => Ok(Next::Close),
            };
        }
        let answer = match behaviour.fixed_answer() {
            Some(answer) => answer,
            None => self.state.answer(self.request()),
        };
        if self.wait(delay).await == Client::Left {
            return Ok(Next::Close);
        }
        let closing = !self.head.keeps_alive();
        self.send(&answer, closing).await?;
        Ok(if closing { Next::Close } else { Next::Request })
    }

    /// Ends this side's output as `next` says, and finds out whether the whole request arrives.
    async fn finish(&mut self, next: Next) -> Next {
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

/// Answers 400 to what could not be read as a request, and takes nothing more from this connection.
async fn refuse_unread(state: &State, wire: &mut Wire, number: usize, what: &str) -> Next {
    let answer = bad_request(what);
    state.log.update(number, |record| record.answered = Some(answer.status));
    let sent = Sent {
        closing: true,
        ..Sent::default()
    };
    let _gone_already = wire.send(&answer.encode(sent)).await;
    state.log.over(number);
    wire.end_of_output().await;
    Next::Linger
}

fn bad_request(what: &str) -> Answer {
    Answer::failure(400, "Bad request", Some(what))
}

fn too_large(limit: usize) -> Answer {
    Answer::failure(
        400,
        "Request body too large",
        Some(&format!("The maximum size of a request is {limit} bytes")),
    )
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

/// Makes a [`Connection`]'s record of its handshake.
pub(crate) fn tls_seen(connection: &rustls::ServerConnection) -> TlsSeen {
    TlsSeen {
        server_name: connection.server_name().map(str::to_owned),
        version: connection
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("unknown")
            .to_owned(),
    }
}
