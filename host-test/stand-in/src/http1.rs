//! Requests of HTTP/1.1 and 1.0 (RFC 9112), read so that nothing of them is lost.

use crate::body::Framing;
use crate::wire::Wire;

/// More headers than a test has a use for.
const MOST_HEADERS: usize = 1024;
const MOST_HEAD_BYTES: usize = 1024 * 1024;

/// A request's line and headers.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub raw: Vec<u8>,
    pub method: String,
    pub target: String,
    pub version: &'static str,
    pub headers: Vec<(String, String)>,
}

/// What came instead of a request's head.
#[derive(Debug)]
pub(crate) enum NoHead {
    /// The connection ended in good order between two requests.
    End,
    /// The connection ended within the head; what had arrived of it.
    BrokenOff(Head),
    /// Not HTTP, or too large.
    Bad(Head),
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

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
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
                // ISO-8859-1, as servlet containers read it: each byte is a character.
                let value = header.value.iter().copied().map(char::from).collect();
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
