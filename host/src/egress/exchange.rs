//! One request and its response on a connection, and what an error there proves.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Sleep;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::connect::{Connected, alert_received};
use super::pool::{Http1, Http2, Kept, Key, Pool};
use super::record::{Attempt, Purpose, Step, Stop, StopCause};
use super::tls_error::{self, rustls_error};
use super::wire::{Flushing, Handover, Noted};

/// TLS alerts by which a server refuses a client's certificate (RFC 8446, section 6.2). With TLS 1.3 they come after the first request
/// was written, and prove that it was not processed. (HTTP/2's library does not hand them on: there such an end is unknown.)
const CERTIFICATE_ALERTS: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];

/// While a stream waits for its answer.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Makes a connection speak HTTP.
pub(super) async fn handshake(connected: Connected, pool: &Arc<Pool>, key: &Key) -> Result<Kept, Error> {
    if !connected.http2 {
        let handover = Arc::<Handover>::default();
        let io = Flushing {
            io: connected.io,
            handover: Arc::clone(&handover),
        };
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(Error::Hyper)?;
        return Ok(Kept::Http1(Http1 {
            sender,
            connection: Some(Box::pin(connection)),
            handover,
            records: connected.records,
        }));
    }
    let io = TokioIo::new(connected.io);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder
        .timer(TokioTimer::new())
        // A path that has gone dead in silence fails those who wait on it, instead of all who come after them for minutes.
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .handshake(io)
        .await
        .map_err(Error::Hyper)?;
    let mut connection = Box::pin(connection);
    let most_streams = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
    let limit = Arc::clone(&most_streams);
    // It ends when the last sender is dropped, or with its runtime.
    tokio::spawn(std::future::poll_fn(move |cx| {
        let ended = connection.as_mut().poll(cx).map(|_the_streams_are_told| ());
        limit.store(connection.current_max_send_streams(), Ordering::Relaxed);
        ended
    }));
    let http2 = Http2 {
        sender,
        users: Arc::default(),
        most_streams,
    };
    pool.share(key.clone(), http2.clone());
    Ok(Kept::Http2(http2))
}

/// Why no answer came.
pub(super) struct Failed {
    pub(super) error: Error,
    /// The request as it was, where the connection did not so much as begin with it.
    pub(super) unsent: Option<Request<WasiBody>>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, unsent: None }
    }
}

/// Where a connection comes from and where it goes when its answer was read, and how long the answer's pieces may be waited for.
pub(super) struct Return {
    pub(super) pool: Arc<Pool>,
    pub(super) key: Key,
    /// Nothing was sent on it before.
    pub(super) fresh: bool,
    pub(super) between_bytes: Option<Duration>,
}

/// Sends `request` once.
pub(super) async fn send(
    kept: Kept,
    request: Request<WasiBody>,
    attempt: &Attempt,
    back: Return,
) -> Result<Response<WasiBody>, Failed> {
    // The last moment at which the call can still say that nothing was sent.
    if !attempt.hand_over() {
        return Err(Error::ConnectionTerminated.into());
    }
    let (answer, whole, link) = match kept {
        Kept::Http1(mut http1) => {
            http1.handover.begins();
            let request = noted(request, &http1.handover);
            let answer = send_http1(&mut http1, request).await;
            (answer, http1.handover.is_written(), Link::Http1(Some(http1)))
        }
        Kept::Http2(http2) => {
            let handover = Arc::<Handover>::default();
            let request = noted(request, &handover);
            let users = Arc::clone(&http2.users);
            let mut waiting = Waiting {
                back: &back,
                http2,
                answered: false,
            };
            let answer = waiting.http2.sender.try_send_request(for_http2(request)).await;
            waiting.answered = answer.is_ok();
            (answer, handover.is_taken(), Link::Http2(users))
        }
    };
    let response = answer.map_err(|failed| judge(failed, attempt, back.fresh))?;
    // Nobody can have done yet what was not asked yet. (An early no is a server's right: RFC 9112, section 9.5.)
    if response.status().is_success() && !whole {
        return Err(Error::HttpProtocolError.into());
    }
    attempt.answered(response.status().as_u16());
    let pause = back.between_bytes.map(|limit| Pause {
        limit,
        sleep: Box::pin(tokio::time::sleep(limit)),
    });
    Ok(response.map(|incoming| {
        AnswerBody {
            incoming,
            link,
            back,
            pause,
            kept: attempt.purpose() == Purpose::Flow,
        }
        .boxed_unsync()
    }))
}

/// Waits for an answer on an HTTP/2 connection. Without one, whether it failed or was waited for in vain, the connection is not to be
/// trusted with another call.
struct Waiting<'a> {
    back: &'a Return,
    http2: Http2,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.back.pool.forget(&self.back.key, &self.http2);
        }
    }
}

/// Notes when all of it was taken.
fn noted(request: Request<WasiBody>, handover: &Arc<Handover>) -> Request<WasiBody> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    request.map(|body| Noted::new(body, length, Arc::clone(handover)).boxed_unsync())
}

type Answered = Result<Response<Incoming>, TrySendError<Request<WasiBody>>>;

async fn send_http1(http1: &mut Http1, mut request: Request<WasiBody>) -> Answered {
    *request.uri_mut() = origin_form(request.uri());
    let answer = http1.sender.try_send_request(request);
    tokio::pin!(answer);
    if let Some(connection) = &mut http1.connection {
        tokio::select! {
            answer = &mut answer => return answer,
            // Its error, if any, comes with the answer too.
            _ = connection => {}
        }
    }
    // Dropped, or a request that it never took would wait in its queue; so it is handed back.
    http1.connection = None;
    answer.await
}

/// Path and query alone, as a server takes them (RFC 9112, section 3.2.1).
fn origin_form(uri: &Uri) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}

/// HTTP/2 has the authority in place of the `host` header (RFC 9113, section 8.3.1).
fn for_http2(mut request: Request<WasiBody>) -> Request<WasiBody> {
    request.headers_mut().remove(header::HOST);
    request
}

fn judge(mut failed: TrySendError<Request<WasiBody>>, attempt: &Attempt, fresh: bool) -> Failed {
    let unsent = failed.take_message();
    let error = failed.into_error();
    let io = find::<io::Error>(&error);
    let alert = match io.and_then(rustls_error) {
        Some(rustls::Error::AlertReceived(alert)) if fresh && CERTIFICATE_ALERTS.contains(&u8::from(*alert)) => {
            Some(*alert)
        }
        _ => None,
    };
    let refused_stream = find::<h2::Error>(&error).is_some_and(is_refusal);
    if unsent.is_some() || alert.is_some() || refused_stream {
        attempt.handed_back();
    }
    let error = if let Some(alert) = alert {
        attempt.stops_at(Some(Stop {
            step: Step::Tls,
            why: format!(
                "the server refused the client's certificate with the TLS alert {}",
                tls_error::name(alert)
            ),
            cause: Some(StopCause::ClientCertificate),
        }));
        alert_received(alert)
    } else if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        Error::HttpProtocolError
    } else {
        Error::ConnectionTerminated
    };
    Failed { error, unsent }
}

/// RFC 9113, section 8.7: with REFUSED_STREAM the server says that it processed nothing. A GOAWAY is not taken for such a proof: the
/// client library can hand the connection's GOAWAY to a stream without telling whether it lies above the last one that was processed.
fn is_refusal(error: &h2::Error) -> bool {
    error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
}

/// Looks for a cause along the sources.
fn find<E: std::error::Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

/// What carries an answer's body.
enum Link {
    /// Polled together with the body; gone when it was given back or broke.
    Http1(Option<Http1>),
    /// Counts as used while this is held.
    Http2(#[allow(dead_code, reason = "it is held, not looked at")] Arc<()>),
}

struct Pause {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
}

/// An answer's body. Read to its end, it gives its connection back; dropped before, it closes it.
struct AnswerBody {
    incoming: Incoming,
    link: Link,
    back: Return,
    pause: Option<Pause>,
    /// Not an HTTP/1.1 connection that gave a token: the flow's request follows within microseconds, and a second answer on its way would
    /// be taken for the flow's.
    kept: bool,
}

impl AnswerBody {
    fn ended(&mut self) {
        if let Link::Http1(http1) = &mut self.link
            && let Some(http1) = http1.take()
            && self.kept
        {
            self.back.pool.give_back(self.back.key.clone(), http1);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Link::Http1(Some(http1)) = &mut this.link
            && http1
                .connection
                .as_mut()
                .is_none_or(|connection| connection.as_mut().poll(cx).is_ready())
        {
            // What it has read is in the body's hands already.
            this.link = Link::Http1(None);
        }
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(pause) = &mut this.pause {
                    pause.sleep.as_mut().reset(tokio::time::Instant::now() + pause.limit);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.link = Link::Http1(None);
                Poll::Ready(Some(Err(Error::Hyper(error))))
            }
            Poll::Ready(None) => {
                this.ended();
                Poll::Ready(None)
            }
            Poll::Pending => match this.pause.as_mut().map(|pause| pause.sleep.as_mut().poll(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(Some(Err(Error::ConnectionReadTimeout))),
                _ => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests;
