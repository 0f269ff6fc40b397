//! The named ways in which an exchange goes wrong, each as the steps it takes on the wire.

use std::time::Duration;

use serde::Deserialize;

use crate::alert::ABOUT_CERTIFICATES;
use crate::answer::{Answer, Sent};
use crate::gzip::gzip;
use crate::step::{Step, milliseconds};

/// One way for an exchange to go wrong. In a file: `{ fault = "reset-within-body" }`, `{ fault = { early = 413 } }`.
///
/// Unless it says otherwise, the whole request is read and done first, so a flow has started, and then the instance's own
/// answer is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Resets the connection when the request's head has arrived. Nothing starts.
    ResetOnHead,
    /// Closes the connection when the request's head has arrived, without an answer. Nothing starts.
    CloseOnHead,
    /// Answers with this status as soon as the head has arrived, and reads the body only afterwards. Nothing starts.
    Early(u16),
    /// Says nothing, and stops reading after 1 MiB, so that a large body backs up in its client. Nothing starts.
    Deaf,
    /// Never answers.
    Silence,
    /// Closes without an answer.
    Close,
    /// Ends the connection without an answer; over TLS the `close_notify` is missing.
    Cut,
    /// Resets the connection instead of answering.
    Reset,
    /// Closes after half of the status line and headers.
    CloseWithinHead,
    /// Resets after half of the status line and headers.
    ResetWithinHead,
    /// Says no more after half of the status line and headers.
    StallWithinHead,
    /// Resets after the headers.
    ResetAfterHead,
    /// Says no more after the headers.
    StallAfterHead,
    /// Closes after half of the body.
    CloseWithinBody,
    /// As [`Self::CloseWithinBody`]; over TLS the `close_notify` is missing.
    CutWithinBody,
    /// Resets after half of the body.
    ResetWithinBody,
    /// Says no more after half of the body.
    StallWithinBody,
    /// Resets after the whole answer.
    ResetAfterAnswer,
    /// Sends the answer one byte at a time, so many milliseconds apart. In a file: `{ drip = 50 }`.
    #[serde(deserialize_with = "milliseconds")]
    Drip(Duration),
    /// `Content-Length` says half of what is sent.
    LengthTooShort,
    /// `Content-Length` says more than what is sent, then the connection closes.
    LengthTooLong,
    /// `Content-Length` is no number.
    LengthNoNumber,
    /// Neither `Content-Length` nor chunks: the body should end with the connection, which is cut after half of it.
    CutUnframed,
    /// Chunked; after the first chunk comes what is no chunk.
    BrokenChunk,
    /// Chunked; the connection closes before the last chunk.
    UnfinishedChunks,
    /// A body without end, chunked.
    EndlessBody,
    /// Headers without end.
    EndlessHead,
    /// The body is compressed, though nobody asked for that.
    Gzip,
    /// The transaction is cancelled when the status is decided: the error envelope in place of the body, with the status of a success.
    Cancelled,
    /// The transaction is cancelled when half of the body is out: the error envelope follows it.
    CancelledWithinBody,
    /// The body is JSON, and its type says HTML, as a ServiceNow processor's does. Not wrong for whoever reads the body.
    HtmlType,
    /// The status without a body.
    EmptyBody,
    /// A sign-in page whose type says JSON, with status 200. Nothing starts.
    SignIn,
    /// Bytes that are not HTTP.
    Garbage,
    /// The whole answer as HTTP/1.0, which ends with the connection. Not wrong, only old.
    Http10,
    /// `100 Continue` before the answer, asked for or not. Not wrong.
    Continue,
    /// `103 Early Hints` before the answer (RFC 8297). Not wrong.
    EarlyHints,
    /// Sends this fatal TLS alert instead of an answer; without TLS as [`Self::Cut`]. Nothing starts if the alert is about
    /// a certificate (42 to 46, 48, 49, 116): with TLS 1.3 a server refuses a client's certificate when the request
    /// is on its way already.
    Alert(u8),
}

impl Fault {
    /// Each of them, the ones with a number with one that is typical.
    pub const ALL: [Self; 38] = [
        Self::ResetOnHead,
        Self::CloseOnHead,
        Self::Early(413),
        Self::Deaf,
        Self::Silence,
        Self::Close,
        Self::Cut,
        Self::Reset,
        Self::CloseWithinHead,
        Self::ResetWithinHead,
        Self::StallWithinHead,
        Self::ResetAfterHead,
        Self::StallAfterHead,
        Self::CloseWithinBody,
        Self::CutWithinBody,
        Self::ResetWithinBody,
        Self::StallWithinBody,
        Self::ResetAfterAnswer,
        Self::Drip(Duration::from_millis(20)),
        Self::LengthTooShort,
        Self::LengthTooLong,
        Self::LengthNoNumber,
        Self::CutUnframed,
        Self::BrokenChunk,
        Self::UnfinishedChunks,
        Self::EndlessBody,
        Self::EndlessHead,
        Self::Gzip,
        Self::Cancelled,
        Self::CancelledWithinBody,
        Self::HtmlType,
        Self::EmptyBody,
        Self::SignIn,
        Self::Garbage,
        Self::Http10,
        Self::Continue,
        Self::EarlyHints,
        Self::Alert(116),
    ];

    /// For a fault that does not wait for the whole request: what happens when the head has arrived.
    pub(crate) fn on_head(self) -> Option<Vec<Step>> {
        match self {
            Self::ResetOnHead => Some(vec![Step::Reset]),
            Self::CloseOnHead => Some(vec![Step::Close]),
            Self::Deaf => Some(vec![Step::Silence]),
            Self::Early(status) => {
                let sent = Sent {
                    closing: true,
                    ..Sent::default()
                };
                Some(vec![Step::Bytes(Answer::of_status(status).encode(sent))])
            }
            _ => None,
        }
    }

    /// The request is refused, not done.
    pub(crate) fn refuses(self) -> bool {
        match self {
            Self::Alert(description) => ABOUT_CERTIFICATES.contains(&description),
            _ => self == Self::SignIn,
        }
    }

    /// What happens when the request was read, and this is the instance's own answer to it.
    pub(crate) fn steps(self, own: &Answer, sent: Sent) -> Vec<Step> {
        let (head, body) = own.encode_apart(sent);
        let half_head = || Step::Bytes(half(&head));
        let half_body = || Step::Bytes([head.as_slice(), &half(&body)].concat());
        let whole = || [head.as_slice(), &body].concat();
        let closing = Sent { closing: true, ..sent };
        let with = |name: &str, value: &str| own.clone().header(name, value).encode(closing);
        match self {
            Self::ResetOnHead | Self::CloseOnHead | Self::Early(_) | Self::Deaf => self.on_head().unwrap_or_default(),
            Self::Silence => vec![Step::Silence],
            Self::Close => vec![Step::Close],
            Self::Cut => vec![Step::Cut],
            Self::Reset => vec![Step::Reset],
            Self::CloseWithinHead => vec![half_head(), Step::Close],
            Self::ResetWithinHead => vec![half_head(), Step::Reset],
            Self::StallWithinHead => vec![half_head(), Step::Silence],
            Self::ResetAfterHead => vec![Step::Bytes(head), Step::Reset],
            Self::StallAfterHead => vec![Step::Bytes(head), Step::Silence],
            Self::CloseWithinBody => vec![half_body(), Step::Close],
            Self::CutWithinBody => vec![half_body(), Step::Cut],
            Self::ResetWithinBody => vec![half_body(), Step::Reset],
            Self::StallWithinBody => vec![half_body(), Step::Silence],
            Self::ResetAfterAnswer => vec![Step::Bytes(whole()), Step::Reset],
            Self::Drip(every) => vec![Step::Drip {
                bytes: own.encode(closing),
                every,
            }],
            Self::LengthTooShort => vec![Step::Bytes(with("Content-Length", &(body.len() / 2).to_string()))],
            Self::LengthTooLong => vec![Step::Bytes(with("Content-Length", &(body.len() + 100).to_string()))],
            Self::LengthNoNumber => vec![Step::Bytes(with("Content-Length", "many"))],
            Self::CutUnframed => {
                let (head, body) = own.encode_apart(Sent {
                    length: false,
                    ..closing
                });
                vec![Step::Bytes([head, half(&body)].concat()), Step::Cut]
            }
            Self::BrokenChunk => chunked(own, sent, &body, b"these are no chunks\r\n"),
            Self::UnfinishedChunks => chunked(own, sent, &body, b""),
            Self::EndlessBody => {
                let mut steps = chunked(own, sent, &body, b"");
                steps.push(Step::Endless(chunk(&[b' '; 1024])));
                steps
            }
            Self::EndlessHead => vec![
                Step::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec()),
                Step::Endless(b"X-Endless: headers without end\r\n".to_vec()),
            ],
            Self::Gzip => vec![Step::Bytes(
                own.clone()
                    .header("Content-Encoding", "gzip")
                    .body(gzip(&body))
                    .encode(closing),
            )],
            Self::Cancelled => vec![Step::Bytes(own.clone().body(cancelled()).encode(closing))],
            Self::CancelledWithinBody => {
                let body = [half(&body), cancelled()].concat();
                vec![Step::Bytes(own.clone().body(body).encode(closing))]
            }
            Self::HtmlType => vec![Step::Bytes(with("Content-Type", "text/html;charset=UTF-8"))],
            Self::EmptyBody => vec![Step::Bytes(own.clone().body("").encode(closing))],
            Self::SignIn => vec![Step::Bytes(Answer::new(200).body("<h1>Sign in</h1>").encode(closing))],
            Self::Garbage => vec![Step::Bytes(b"\x00\x01\xfe\xffthis is not HTTP\r\n\r\n".to_vec())],
            Self::Http10 => {
                let bytes = own.encode(Sent {
                    length: false,
                    ..closing
                });
                let rest = bytes.strip_prefix(b"HTTP/1.1").unwrap_or(&bytes);
                vec![Step::Bytes([b"HTTP/1.0", rest].concat()), Step::Close]
            }
            Self::Continue => vec![Step::Bytes(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), Step::Answer],
            Self::EarlyHints => vec![
                Step::Bytes(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n".to_vec()),
                Step::Answer,
            ],
            Self::Alert(description) => vec![Step::Alert(description)],
        }
    }
}

/// What ServiceNow sends when it gives up what it has begun to answer.
fn cancelled() -> Vec<u8> {
    let message = "Transaction cancelled: maximum execution time exceeded";
    let detail = "maximum execution time exceeded Check logs for error trace or enable glide.rest.debug property to verify REST request processing";
    Answer::failure(200, message, Some(detail)).body
}

fn half(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The head, half of the body as one chunk, and then this.
fn chunked(own: &Answer, sent: Sent, body: &[u8], then: &[u8]) -> Vec<Step> {
    let closing = Sent { closing: true, ..sent };
    let (head, _) = own.clone().header("Transfer-Encoding", "chunked").encode_apart(closing);
    vec![Step::Bytes([head.as_slice(), &chunk(&half(body)), then].concat())]
}
