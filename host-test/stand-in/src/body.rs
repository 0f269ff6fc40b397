//! A request's body on its way in (RFC 9112, sections 6 and 7), taken piece by piece, so that reading can stop and go on
//! at any byte: a stand-in that misbehaves still knows whether it had the whole request.

use crate::wire::Wire;

/// How the body is delimited (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
}

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    Whole,
    /// The connection ended first.
    BrokenOff,
    /// The chunks are not chunks.
    Bad,
}

/// What is expected next.
#[derive(Debug)]
pub(crate) enum Body {
    Length(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Over(BodyEnd),
}

impl Body {
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::ChunkSize,
        }
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<BodyEnd> {
        match self {
            Self::Over(end) => Some(*end),
            _ => None,
        }
    }

    /// No more will come.
    pub fn break_off(&mut self) {
        if self.end().is_none() {
            *self = Self::Over(BodyEnd::BrokenOff);
        }
    }

    /// Takes the body's bytes, without the chunks' framing, from the front of what was read. None: it is not over.
    pub fn take(&mut self, wire: &mut Wire, mut sink: impl FnMut(&[u8])) -> Option<BodyEnd> {
        while let Some(next) = self.step(wire, &mut sink) {
            *self = next;
            if let Self::Over(end) = self {
                return Some(*end);
            }
        }
        self.end()
    }

    /// None: for this, more has to be read.
    fn step(&self, wire: &mut Wire, sink: &mut impl FnMut(&[u8])) -> Option<Self> {
        match self {
            Self::Over(_) => None,
            Self::Length(0) => Some(Self::Over(BodyEnd::Whole)),
            Self::ChunkData(0) => Some(Self::ChunkEnd),
            Self::Length(left) => take_some(wire, *left, sink).map(Self::Length),
            Self::ChunkData(left) => take_some(wire, *left, sink).map(Self::ChunkData),
            Self::ChunkSize => match httparse::parse_chunk_size(wire.unread()) {
                Ok(httparse::Status::Complete((line, size))) => {
                    wire.consume(line);
                    Some(if size == 0 {
                        Self::Trailers
                    } else {
                        Self::ChunkData(size)
                    })
                }
                Ok(httparse::Status::Partial) => None,
                Err(_) => Some(Self::Over(BodyEnd::Bad)),
            },
            Self::ChunkEnd => Some(match take_line(wire)?.as_slice() {
                b"\r\n" => Self::ChunkSize,
                _ => Self::Over(BodyEnd::Bad),
            }),
            // Up to and with the empty line.
            Self::Trailers => Some(match take_line(wire)?.as_slice() {
                b"\r\n" => Self::Over(BodyEnd::Whole),
                _ => Self::Trailers,
            }),
        }
    }
}

fn take_some(wire: &mut Wire, left: u64, sink: &mut impl FnMut(&[u8])) -> Option<u64> {
    if wire.unread().is_empty() {
        return None;
    }
    let piece = wire.consume(usize::try_from(left).unwrap_or(usize::MAX));
    sink(&piece);
    Some(left - piece.len() as u64)
}

fn take_line(wire: &mut Wire) -> Option<Vec<u8>> {
    let at = wire.unread().iter().position(|byte| *byte == b'\n')?;
    Some(wire.consume(at + 1))
}
