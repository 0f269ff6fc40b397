//! The steps of a script, as data.

use std::time::Duration;

use serde::Deserialize;
use serde::de::Deserializer;

use crate::answer::text_as_bytes;

/// One step of [`Behaviour::Script`](crate::Behaviour::Script), written to the connection as it is.
///
/// In a file: `"read-request"`, `{ bytes = "HTTP/1.1 200 OK\r\n" }`, `{ pause = 100 }`, `"reset"`, …
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Reads the rest of the request. Without it the request's body stays unread.
    ReadRequest,
    /// Does what the instance would do with the request, and keeps its answer back: a flow starts here.
    Start,
    /// Sends the instance's own answer (doing [`Step::Start`] first if it was not done).
    Answer,
    /// Sends only the first bytes of the instance's own answer, head included.
    AnswerUpTo(usize),
    /// Sends these bytes.
    #[serde(deserialize_with = "text_as_bytes")]
    Bytes(Vec<u8>),
    /// Sends these bytes one by one, with a pause before each.
    Drip {
        /// What to send.
        #[serde(deserialize_with = "text_as_bytes")]
        bytes: Vec<u8>,
        /// In a file: whole milliseconds.
        #[serde(rename = "every-ms", deserialize_with = "milliseconds")]
        every: Duration,
    },
    /// Sends these bytes again and again until the client leaves.
    #[serde(deserialize_with = "text_as_bytes")]
    Endless(Vec<u8>),
    /// Waits; ends the script when the client leaves meanwhile. In a file: whole milliseconds.
    #[serde(deserialize_with = "milliseconds")]
    Pause(Duration),
    /// Says nothing until the client leaves.
    Silence,
    /// Ends the connection in good order (over TLS: with a `close_notify`).
    Close,
    /// Ends the connection as TCP only: over TLS the `close_notify` is missing.
    Cut,
    /// Resets the connection (TCP RST).
    Reset,
    /// Ends the connection by a fatal TLS alert with this number; without TLS as [`Self::Cut`].
    Alert(u8),
}

pub(crate) fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_millis)
}
