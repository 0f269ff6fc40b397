//! Requests of HTTP/1.1 and 1.0 (RFC 9112), read so that nothing of them is lost.

use std::io;

use super::wire::Wire;

/// More headers than a test has a use for.
const MOST_HEADERS: usize = 1024;
const MOST_HEAD_BYTES: usize = 1024 * 1024;

/// A request's line and headers.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub raw: Vec<u8>,
    pub method: String,
    pub target: String,
    pub version: &'static str,
    pub headers: Vec<(String, String)>,
}

/// What came instead of a request's head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// The connection ended in good order between two requests.
    End,
    /// The connection ended within the head; what had arrived of it.
    BrokenOff(Head),
    /// Not HTTP, or too large.
    Bad(Head),
}

/// How the body is delimited (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// How the reading of a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyEnd {
    Whole,
    /// More than the limit; the rest is unread.
    TooLarge,
    /// The connection ended first.
    BrokenOff,
    /// The chunks are not chunks.
    Bad,
}

impl Head {
    pub async fn read(wire: &mut Wire) -> Result<Self, NoHead> {
        loop {
            match parse(wire.unread()) {
                Ok(Some((length, head))) => {
                    let raw = wire.consume(length);
                    return Ok(Self { raw, ..head });
                }
                Ok(None) if wire.unread().len() < MOST_HEAD_BYTES => {}
                Ok(None) | Err(_) => return Err(NoHead::Bad(fragment(wire))),
            }
            if !matches!(wire.fill().await, Ok(1..)) {
                return Err(match wire.unread() {
                    [] => NoHead::End,
                    _ => NoHead::BrokenOff(fragment(wire)),
                });
            }
        }
    }

    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// None when it cannot be told, and the connection cannot be used any further.
    pub fn framing(&self) -> Option<Framing> {
        let mut lengths = self.values("content-length");
        let mut encodings = self.values("transfer-encoding");
        match (lengths.next(), encodings.next()) {
            (None, None) => Some(Framing::Length(0)),
            (Some(length), None) => {
                let digits = length.bytes().all(|byte| byte.is_ascii_digit());
                let one = lengths.all(|other| other == length);
                match length.parse() {
                    Ok(length) if digits && one => Some(Framing::Length(length)),
                    _ => None,
                }
            }
            (None, Some(encoding)) => {
                (encoding.eq_ignore_ascii_case("chunked") && encodings.next().is_none()).then_some(Framing::Chunked)
            }
            // Both: what a request smuggler sends.
            (Some(_), Some(_)) => None,
        }
    }

    pub fn expects_continue(&self) -> bool {
        self.version == "HTTP/1.1"
            && self
                .values("expect")
                .any(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// The client keeps the connection for another request.
    pub fn keeps_alive(&self) -> bool {
        let says = |option: &str| {
            self.values("connection")
                .flat_map(|value| value.split(','))
                .any(|own| own.trim().eq_ignore_ascii_case(option))
        };
        match self.version {
            "HTTP/1.1" => !says("close"),
            _ => says("keep-alive"),
        }
    }
}

/// Reads a body and hands over its bytes as they come, without the chunks' framing.
pub(super) async fn read_body(wire: &mut Wire, framing: Framing, limit: usize, mut sink: impl FnMut(&[u8])) -> BodyEnd {
    let end = match framing {
        Framing::Length(length) if length > limit as u64 => Ok(BodyEnd::TooLarge),
        Framing::Length(length) => read_exactly(wire, length, &mut sink).await.map(|()| BodyEnd::Whole),
        Framing::Chunked => read_chunks(wire, limit as u64, &mut sink).await,
    };
    end.unwrap_or(BodyEnd::BrokenOff)
}

async fn read_exactly(wire: &mut Wire, mut left: u64, sink: &mut impl FnMut(&[u8])) -> io::Result<()> {
    while left > 0 {
        if wire.unread().is_empty() {
            more(wire).await?;
        }
        let piece = wire.consume(usize::try_from(left).unwrap_or(usize::MAX));
        sink(&piece);
        left -= piece.len() as u64;
    }
    Ok(())
}

async fn read_chunks(wire: &mut Wire, limit: u64, sink: &mut impl FnMut(&[u8])) -> io::Result<BodyEnd> {
    let mut total: u64 = 0;
    loop {
        let size = match httparse::parse_chunk_size(wire.unread()) {
            Ok(httparse::Status::Complete((line, size))) => {
                wire.consume(line);
                size
            }
            Ok(httparse::Status::Partial) => {
                more(wire).await?;
                continue;
            }
            Err(_) => return Ok(BodyEnd::Bad),
        };
        if size == 0 {
            // Trailers, up to and with the empty line.
            while read_line(wire).await? != b"\r\n" {}
            return Ok(BodyEnd::Whole);
        }
        total = total.saturating_add(size);
        if total > limit {
            return Ok(BodyEnd::TooLarge);
        }
        read_exactly(wire, size, sink).await?;
        if read_line(wire).await? != b"\r\n" {
            return Ok(BodyEnd::Bad);
        }
    }
}

async fn read_line(wire: &mut Wire) -> io::Result<Vec<u8>> {
    loop {
        if let Some(at) = wire.unread().iter().position(|byte| *byte == b'\n') {
            return Ok(wire.consume(at + 1));
        }
        more(wire).await?;
    }
}

async fn more(wire: &mut Wire) -> io::Result<()> {
    match wire.fill().await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, httparse::Error> {
    let mut headers = vec![httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let head = Head {
        raw: Vec::new(),
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        version: match request.version {
            Some(0) => "HTTP/1.0",
            _ => "HTTP/1.1",
        },
        headers: request
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                (header.name.to_owned(), value)
            })
            .collect(),
    };
    Ok(Some((length, head)))
}

fn fragment(wire: &mut Wire) -> Head {
    Head {
        raw: wire.consume(usize::MAX),
        ..Head::default()
    }
}
