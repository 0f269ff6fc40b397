//! One request out, one response in: the only file that uses `wasi:http` and knows its hosts' error codes.
//!
//! Hosts differ in how they keep time, so the component keeps it itself: it waits for the answer together with the monotonic clock, and
//! leaves to the host only the connect timeout, which nobody else can tell from the wait that follows it.

use crate::error::{Cause, Failure};
use flow_starter_input::Method;
use flow_starter_input::request::Request;
use waki::bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method as HttpMethod, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use waki::bindings::wasi::io::poll::{Pollable, poll};
use waki::bindings::wasi::io::streams::StreamError;

/// An answer whose status line came. Its body is as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names and values in the host's order.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub end: End,
}

/// How an answer's body ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Whole,
    Cut,
    Silent,
    /// It went on beyond the limit; what came up to there was kept.
    TooLarge,
}

/// The most that is asked of a stream at a time, so that memory follows what arrives.
const CHUNK: usize = 64 * 1024;

/// Sends `request` once, whatever happens.
pub fn send(request: &Request) -> Result<Answer, Failure> {
    let limits = &request.limits;
    let (body, future) = hand_over(request)?;
    let answered = future.subscribe();
    let patience = match (limits.connect_timeout_ms, limits.first_byte_timeout_ms) {
        (0, _) | (_, 0) => None,
        (connect, first_byte) => Some(u64::from(connect) + u64::from(first_byte)),
    };
    let mut timer = Timer::new(patience);
    // An unfinished body is kept until the answer is there: to drop it earlier would abort the request.
    let unfinished = upload(body, request.body(), &answered, &mut timer)?;
    timer.wait(&[&answered])?;
    let response = match future.get() {
        Some(Ok(Ok(response))) => response,
        Some(Ok(Err(code))) => return Err(failure(&code)),
        // Polled ready and yet not: the host breaks its word.
        Some(Err(())) | None => return Err(Failure::of(Cause::Host)),
    };
    drop(unfinished);
    download(response, limits.between_bytes_timeout_ms, limits.max_response_bytes)
}

fn hand_over(request: &Request) -> Result<(OutgoingBody, FutureIncomingResponse), Failure> {
    let refused = |what: &str| {
        Failure::of(Cause::InvalidInput).with_detail(format!("The connector host refuses {what}. Nothing was sent."))
    };
    let headers = Fields::from_list(request.headers()).map_err(|_| {
        let culprit = request
            .headers()
            .iter()
            .find(|header| Fields::from_list(std::slice::from_ref(header)).is_err());
        refused(&format!("the header `{}`", culprit.map_or("", |(name, _)| name)))
    })?;
    let outgoing = OutgoingRequest::new(headers);
    let method = match request.method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Patch => HttpMethod::Patch,
        Method::Delete => HttpMethod::Delete,
    };
    outgoing.set_method(&method).map_err(|()| refused("the method"))?;
    let scheme = if request.tls() { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("the scheme"))?;
    outgoing
        .set_authority(Some(request.authority()))
        .map_err(|()| refused("the instance's host name"))?;
    outgoing
        .set_path_with_query(Some(request.path_with_query()))
        .map_err(|()| refused("the path with its query"))?;
    // Taken and finished even when empty, or Node never ends the request.
    let body = outgoing.body().map_err(|()| Failure::of(Cause::Host))?;
    let options = (request.limits.connect_timeout_ms > 0).then(|| {
        let options = RequestOptions::new();
        // A host without this timeout says so here; the component's own clock covers the connecting as well.
        let _ = options.set_connect_timeout(Some(nanoseconds(request.limits.connect_timeout_ms.into())));
        options
    });
    let future = handle(outgoing, options).map_err(|code| match code {
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => refused("the path with its query"),
        ErrorCode::HttpRequestHeaderSize(_) | ErrorCode::HttpRequestHeaderSectionSize(_) => refused("the headers"),
        code => failure(&code),
    })?;
    Ok((body, future))
}

/// Writes the body while it is wanted. An answer that is there before the body has gone out (a 413) ends the writing, and so does a
/// failure: the future then holds the true reason. Gives the body back where it was not written whole.
fn upload(
    body: OutgoingBody,
    mut rest: &[u8],
    answered: &Pollable,
    timer: &mut Timer,
) -> Result<Option<OutgoingBody>, Failure> {
    if !rest.is_empty() {
        let Ok(stream) = body.write() else {
            return Err(Failure::of(Cause::Host));
        };
        // Most bodies are taken at once, and nobody has to wait.
        let mut writable = None;
        while !rest.is_empty() {
            match stream.check_write() {
                Ok(0) => {
                    let writable = writable.get_or_insert_with(|| stream.subscribe());
                    if timer.wait(&[answered, writable])?.contains(&0) {
                        // The answer is there: what follows waits for nothing more.
                        timer.restart();
                        break;
                    }
                }
                Ok(room) => {
                    let room = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
                    let (chunk, after) = rest.split_at_checked(room).unwrap_or((rest, &[]));
                    if stream.write(chunk).is_err() {
                        break;
                    }
                    rest = after;
                    timer.restart();
                }
                Err(_) => break,
            }
        }
    }
    if !rest.is_empty() {
        return Ok(Some(body));
    }
    // A failure here is the request's failure, which the future tells better.
    let _ = OutgoingBody::finish(body, None);
    Ok(None)
}

fn download(response: IncomingResponse, between_bytes_ms: u32, max: u32) -> Result<Answer, Failure> {
    let status = response.status();
    let headers = response.headers().entries();
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
        end: End::Cut,
    };
    let Ok(incoming) = response.consume() else {
        return Ok(answer);
    };
    let Ok(stream) = incoming.stream() else {
        return Ok(answer);
    };
    let mut readable = None;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut timer = Timer::new(Some(between_bytes_ms.into()).filter(|ms| *ms > 0));
    answer.end = loop {
        let room = (max - answer.body.len()).saturating_add(1).min(CHUNK);
        match stream.read(room as u64) {
            Ok(chunk) if chunk.is_empty() => {
                if timer
                    .wait(&[readable.get_or_insert_with(|| stream.subscribe())])
                    .is_err()
                {
                    break End::Silent;
                }
            }
            Ok(chunk) => {
                timer.restart();
                if answer.body.is_empty() {
                    answer.body = chunk;
                } else {
                    answer.body.extend_from_slice(&chunk);
                }
                if answer.body.len() > max {
                    answer.body.truncate(max);
                    break End::TooLarge;
                }
            }
            Err(StreamError::Closed) => break if answer.is_short() { End::Cut } else { End::Whole },
            // What broke it is not asked: after the status line hosts do not say it reliably, and it would change nothing.
            Err(StreamError::LastOperationFailed(_)) => break End::Cut,
        }
    };
    Ok(answer)
}

impl Answer {
    /// The first value of a header; names are case-insensitive.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// All values of a header.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Fewer bytes than `content-length` promised. Not every host checks it.
    fn is_short(&self) -> bool {
        if matches!(self.status, 204 | 304) {
            return false;
        }
        let promised = self
            .header("content-length")
            .and_then(|value| std::str::from_utf8(value).ok()?.parse::<u64>().ok());
        promised.is_some_and(|promised| (self.body.len() as u64) < promised)
    }
}

/// A limit on silence: it starts when somebody waits, and again after each byte that moved.
struct Timer {
    duration_ms: Option<u64>,
    running: Option<Pollable>,
    /// The time was up when something else was ready as well.
    up: bool,
}

impl Timer {
    fn new(duration_ms: Option<u64>) -> Self {
        Self {
            duration_ms,
            running: None,
            up: false,
        }
    }

    fn restart(&mut self) {
        self.running = None;
        self.up = false;
    }

    /// Waits for one of `events`, and says which are ready; fails when the time is up first. What is ready at the same moment still counts,
    /// but only once: a stream that is ever ready and gives nothing (empty frames) must end as well.
    fn wait(&mut self, events: &[&Pollable]) -> Result<Vec<u32>, Failure> {
        let Some(ms) = self.duration_ms else {
            return Ok(poll(events));
        };
        if self.up {
            return Err(Failure::of(Cause::Silent));
        }
        let running = self.running.get_or_insert_with(|| subscribe_duration(nanoseconds(ms)));
        let mut all = events.to_vec();
        all.push(running);
        let ready = poll(&all);
        let clock = events.len();
        self.up = ready.iter().any(|event| *event as usize == clock);
        if ready.iter().any(|event| (*event as usize) < clock) {
            Ok(ready)
        } else {
            Err(Failure::of(Cause::Silent))
        }
    }
}

/// At most what Node's timers count to, 24 days: it takes anything longer for one millisecond.
fn nanoseconds(ms: u64) -> u64 {
    ms.min(i32::MAX.unsigned_abs().into()).saturating_mul(1_000_000)
}

fn failure(code: &ErrorCode) -> Failure {
    let failure = Failure::of(cause(code));
    match code {
        ErrorCode::DnsError(payload) => match &payload.rcode {
            Some(rcode) => failure.with_detail(rcode),
            None => failure,
        },
        ErrorCode::TlsAlertReceived(payload) => match &payload.alert_message {
            Some(message) => failure.with_detail(message),
            None => failure,
        },
        ErrorCode::TlsCertificateError => failure.with_detail("the server's certificate is not trusted"),
        ErrorCode::InternalError(Some(message)) => failure.with_detail(message),
        _ => failure,
    }
}

/// What each of the host's codes (RFC 9209, section 2.3) says about the request.
fn cause(code: &ErrorCode) -> Cause {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Cause::Denied,
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => Cause::Dns,
        ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused => Cause::Refused,
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => Cause::Tls,
        ErrorCode::ConnectionTimeout => Cause::ConnectTimeout,
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => Cause::Lost,
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            Cause::Silent
        }
        ErrorCode::HttpProtocolError
        | ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_)
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpUpgradeFailed => Cause::Garbled,
        // preview2-shim has no code for what Node's HTTP parser refuses.
        ErrorCode::InternalError(Some(message)) if message.starts_with("Error: Parse Error") => Cause::Garbled,
        ErrorCode::ConnectionLimitReached
        | ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::LoopDetected
        | ErrorCode::ConfigurationError
        | ErrorCode::InternalError(_) => Cause::Host,
    }
}
