//! One connection from its first request to its end: what is read, when it is answered, and how it goes wrong.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, Sent};
use super::behaviour::{Behaviour, Step};
use super::desk::{Request, State};
use super::http1::{BodyEnd, Framing, Head, NoHead, read_body};
use super::record::TlsSeen;
use super::wire::{Client, Wire};

/// What a client may send ahead while it is kept waiting.
const AHEAD: usize = 1024 * 1024;

/// How a connection goes on after an exchange.
enum Next {
    Request,
    Close,
    /// The request is not read to its end: read on, or the answer is lost.
    LingerAndClose,
    Cut,
    Reset,
}

pub(super) struct Connection {
    pub state: Arc<State>,
    pub number: usize,
    pub tls: Option<TlsSeen>,
    pub wire: Wire,
}

/// A request on its way through.
struct Exchange<'a> {
    state: &'a State,
    wire: &'a mut Wire,
    number: usize,
    head: &'a Head,
    framing: Framing,
    body: Vec<u8>,
    /// Has the body been read, and how did that end?
    read: Option<BodyEnd>,
}

impl Connection {
    /// Serves requests until one side ends it.
    pub async fn serve(mut self) {
        loop {
            match self.exchange().await {
                Ok(Next::Request) => {}
                Ok(Next::LingerAndClose) => {
                    self.wire.linger().await;
                    return self.wire.close().await;
                }
                Ok(Next::Cut) => return self.wire.cut().await,
                Ok(Next::Reset) => return self.wire.reset(),
                Ok(Next::Close) | Err(_) => return self.wire.close().await,
            }
        }
    }

    async fn exchange(&mut self) -> io::Result<Next> {
        let log = &self.state.log;
        let head = match Head::read(&mut self.wire).await {
            Ok(head) => head,
            Err(NoHead::End) => return Ok(Next::Close),
            Err(NoHead::BrokenOff(fragment)) => {
                log.over(log.begin(self.number, self.tls.as_ref(), &fragment));
                return Ok(Next::Close);
            }
            Err(NoHead::Bad(fragment)) => {
                let number = log.begin(self.number, self.tls.as_ref(), &fragment);
                return refuse_unread(&self.state, &mut self.wire, number, "Not an HTTP request").await;
            }
        };
        let number = log.begin(self.number, self.tls.as_ref(), &head);
        let Some(framing) = head.framing() else {
            let what = "The length of the body cannot be told";
            return refuse_unread(&self.state, &mut self.wire, number, what).await;
        };
        let mut exchange = Exchange {
            state: &self.state,
            wire: &mut self.wire,
            number,
            head: &head,
            framing,
            body: Vec::new(),
            read: None,
        };
        let next = exchange.run().await;
        log.over(number);
        next
    }
}

impl Exchange<'_> {
    async fn run(&mut self) -> io::Result<Next> {
        let (delay, behaviour) = self.state.plan(self.head).without_delay();
        if let Behaviour::Script(steps) = &behaviour {
            return match self.wire.wait(delay, AHEAD).await {
                Client::Waits => self.play(steps).await,
                Client::Left => Ok(Next::Close),
            };
        }
        match self.read_request().await? {
            BodyEnd::Whole => {}
            BodyEnd::BrokenOff => return Ok(Next::Close),
            BodyEnd::TooLarge => {
                self.send(&too_large(self.state.instance.max_request_bytes), true)
                    .await?;
                return Ok(Next::LingerAndClose);
            }
            BodyEnd::Bad => {
                self.send(&bad_request("The chunks of the body are broken"), true)
                    .await?;
                return Ok(Next::LingerAndClose);
            }
        }
        let answer = match behaviour.fixed_answer() {
            Some(answer) => answer,
            None => self.state.answer(self.request()),
        };
        if !delay.is_zero() && self.wire.wait(delay, AHEAD).await == Client::Left {
            return Ok(Next::Close);
        }
        let closing = !self.head.keeps_alive();
        self.send(&answer, closing).await?;
        Ok(if closing { Next::Close } else { Next::Request })
    }

    fn request(&self) -> Request<'_> {
        Request {
            number: self.number,
            head: self.head,
            body: &self.body,
        }
    }

    async fn read_request(&mut self) -> io::Result<BodyEnd> {
        if let Some(end) = self.read {
            return Ok(end);
        }
        let limit = self.state.instance.max_request_bytes;
        let fits = !matches!(self.framing, Framing::Length(length) if length > limit as u64);
        if self.head.expects_continue() && self.wire.unread().is_empty() && fits {
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let body = &mut self.body;
        let (log, number) = (&self.state.log, self.number);
        let end = read_body(self.wire, self.framing, limit, |piece| {
            body.extend_from_slice(piece);
            log.update(number, |record| record.body.extend_from_slice(piece));
        })
        .await;
        self.read = Some(end);
        log.update(number, |record| record.complete = end == BodyEnd::Whole);
        Ok(end)
    }

    async fn send(&mut self, answer: &Answer, closing: bool) -> io::Result<()> {
        let bytes = self.encode(answer, closing);
        self.send_bytes(&bytes).await
    }

    fn encode(&self, answer: &Answer, closing: bool) -> Vec<u8> {
        answer.encode(Sent {
            closing,
            head_only: self.head.method == "HEAD",
        })
    }

    /// The status is recorded before its first byte goes out, so that whoever has the answer finds it in the record.
    async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(status) = status_of(bytes) {
            self.state
                .log
                .update(self.number, |record| record.answered = Some(status));
        }
        self.wire.send(bytes).await
    }

    async fn play(&mut self, steps: &[Step]) -> io::Result<Next> {
        let mut own_answer: Option<Answer> = None;
        let mut answered_last = false;
        for step in steps {
            answered_last = false;
            match step {
                Step::ReadRequest => {
                    if self.read_request().await? == BodyEnd::BrokenOff {
                        return Ok(Next::Close);
                    }
                }
                Step::Start => own_answer = Some(self.state.answer(self.request())),
                Step::Answer | Step::AnswerUpTo(_) => {
                    let answer = own_answer.get_or_insert_with(|| self.state.answer(self.request()));
                    let mut bytes = self.encode(answer, !self.head.keeps_alive());
                    if let Step::AnswerUpTo(count) = step {
                        bytes.truncate(*count);
                    }
                    self.send_bytes(&bytes).await?;
                    answered_last = *step == Step::Answer;
                }
                Step::Bytes(bytes) => self.send_bytes(bytes).await?,
                Step::Drip { bytes, every } => {
                    if self.drip(bytes, *every).await? == Client::Left {
                        return Ok(Next::Close);
                    }
                }
                Step::Endless(bytes) => self.pour(bytes).await?,
                Step::Pause(time) => {
                    if self.wire.wait(*time, AHEAD).await == Client::Left {
                        return Ok(Next::Close);
                    }
                }
                Step::Silence => {
                    self.wire.left(AHEAD).await;
                    return Ok(Next::Close);
                }
                Step::Close => return Ok(Next::Close),
                Step::Cut => return Ok(Next::Cut),
                Step::Reset => return Ok(Next::Reset),
            }
        }
        let whole = self.read == Some(BodyEnd::Whole);
        Ok(match (whole, answered_last && self.head.keeps_alive()) {
            (true, true) => Next::Request,
            (true, false) => Next::Close,
            (false, _) => Next::LingerAndClose,
        })
    }

    async fn drip(&mut self, bytes: &[u8], every: Duration) -> io::Result<Client> {
        if let Some(status) = status_of(bytes) {
            self.state
                .log
                .update(self.number, |record| record.answered = Some(status));
        }
        for byte in bytes {
            if self.wire.wait(every, AHEAD).await == Client::Left {
                return Ok(Client::Left);
            }
            self.wire.send(&[*byte]).await?;
        }
        Ok(Client::Waits)
    }

    /// Ends only by the error of a client that left.
    async fn pour(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat((64 * 1024usize).div_ceil(bytes.len().max(1)));
        if many.is_empty() {
            return Ok(());
        }
        loop {
            self.wire.send(&many).await?;
        }
    }
}

/// Answers 400 to what could not be read as a request, and takes nothing more from this connection.
async fn refuse_unread(state: &State, wire: &mut Wire, number: usize, what: &str) -> io::Result<Next> {
    let answer = bad_request(what);
    state.log.update(number, |record| record.answered = Some(answer.status));
    let sent = Sent {
        closing: true,
        head_only: false,
    };
    let done = wire.send(&answer.encode(sent)).await;
    state.log.over(number);
    done.map(|()| Next::LingerAndClose)
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

/// The status of bytes that begin an answer.
fn status_of(bytes: &[u8]) -> Option<u16> {
    let line = bytes
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?;
    std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()
}

/// Makes a [`Connection`]'s record of its handshake.
pub(super) fn tls_seen(connection: &rustls::ServerConnection) -> TlsSeen {
    TlsSeen {
        server_name: connection.server_name().map(str::to_owned),
        version: connection
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("unknown")
            .to_owned(),
    }
}
