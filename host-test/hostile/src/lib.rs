//! A component that exports the contract and imports no more than it may, and then does what a host must contain. The path says what. With
//! the feature `asks` it imports more than it may.
#![cfg(target_arch = "wasm32")]

macro_rules! generate {
    ($path:tt, $world:tt) => {
        wit_bindgen::generate!({
            path: $path,
            world: $world,
            generate_all,
            with: {
                "wasi:clocks/monotonic-clock@0.2.2": waki::bindings::wasi::clocks::monotonic_clock,
                "wasi:http/outgoing-handler@0.2.2": waki::bindings::wasi::http::outgoing_handler,
                "wasi:http/types@0.2.2": waki::bindings::wasi::http::types,
                "wasi:io/error@0.2.2": waki::bindings::wasi::io::error,
                "wasi:io/poll@0.2.2": waki::bindings::wasi::io::poll,
                "wasi:io/streams@0.2.2": waki::bindings::wasi::io::streams,
            },
        });
    };
}

#[cfg(not(feature = "asks"))]
mod bindings {
    generate!("../../wit", "servicenow-flow-starter");
}

#[cfg(feature = "asks")]
mod bindings {
    generate!(["../../wit", "wit"], "hostile:guest/asks");
}

use bindings::connectors::servicenow_flow_starter::types::{
    AccessToken, Authentication, ErrorKind, FlowConfig, FlowResponse, FlowState, TokenRequest, TriggerError,
};
use bindings::exports::connectors::servicenow_flow_starter::{connector, flow_starter};
use std::hint::black_box;
use std::mem::forget;
use std::sync::atomic::{AtomicU32, Ordering};
use waki::bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use waki::bindings::wasi::io::poll::poll;

struct Hostile;

bindings::export!(Hostile with_types_in bindings);

impl flow_starter::Guest for Hostile {
    fn trigger_flow(config: FlowConfig) -> Result<FlowResponse, TriggerError> {
        let host = format!("{}.service-now.com", config.instance);
        if let Some((scheme, authority)) = config
            .path
            .strip_prefix("/calls ")
            .and_then(|url| url.split_once("://"))
        {
            let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
            let request = OutgoingRequest::new(Fields::new());
            let _ = request.set_scheme(Some(&scheme));
            let _ = request.set_path_with_query(Some("/"));
            let settable = request.set_authority(Some(authority)).is_ok();
            let called = settable && answered(&send(request, None));
            return Err(error(if called { "called" } else { "not called" }, FlowState::Unknown));
        }
        match config.path.as_str() {
            "/loops" => loop {
                black_box(());
            },
            "/allocates" => loop {
                forget(black_box(vec![1u8; 1 << 20]));
            },
            "/hoards" => loop {
                forget(Fields::new());
            },
            "/first-byte" => {
                let options = RequestOptions::new();
                let _ = options.set_first_byte_timeout(Some(200_000_000));
                Err(error(&code(&send(request(&host), Some(options))), FlowState::Unknown))
            }
            "/between-bytes" => {
                let options = RequestOptions::new();
                let _ = options.set_between_bytes_timeout(Some(200_000_000));
                let Some(future) = send(request(&host), Some(options)) else {
                    core::arch::wasm32::unreachable()
                };
                future.subscribe().block();
                let Some(Ok(Ok(response))) = future.get() else {
                    core::arch::wasm32::unreachable()
                };
                let body = response
                    .consume()
                    .unwrap_or_else(|()| core::arch::wasm32::unreachable());
                let stream = body.stream().unwrap_or_else(|()| core::arch::wasm32::unreachable());
                while stream.blocking_read(1024).is_ok() {}
                Err(error("the body broke off", FlowState::Started))
            }
            "/recurses" => Err(error(&recurse(0, black_box(u64::MAX)).to_string(), FlowState::Unknown)),
            "/traps" => core::arch::wasm32::unreachable(),
            "/opens-many" => {
                let futures: Vec<_> = (0..100).map(|_| start(&host)).collect();
                let answered = futures.iter().filter(|future| answered(future)).count();
                Err(error(&format!("{answered} answered"), FlowState::Unknown))
            }
            "/never-reads" => {
                answered(&start(&host));
                // The answer is left where it is.
                Ok(response(String::new()))
            }
            "/writes-for-ever" => {
                let request = request(&host);
                let body = request.body().unwrap_or_else(|()| core::arch::wasm32::unreachable());
                let _future = handle(request, None);
                let stream = body.write().unwrap_or_else(|()| core::arch::wasm32::unreachable());
                loop {
                    if stream.blocking_write_and_flush(&[b'x'; 4096]).is_err() {
                        subscribe_duration(u64::MAX).block();
                    }
                }
            }
            "/waits-for-ever" => {
                subscribe_duration(u64::MAX).block();
                Ok(response(String::new()))
            }
            "/polls-for-ever" => {
                poll(&[&subscribe_duration(u64::MAX)]);
                Ok(response(String::new()))
            }
            "/polls-nothing" => {
                poll(&[]);
                Ok(response(String::new()))
            }
            "/polls-a-crowd" => {
                poll(&vec![&subscribe_duration(u64::MAX); 1_000_000]);
                Ok(response(String::new()))
            }
            // Sixteen MiB of method, which the host would keep with each request, sent or not.
            "/names-a-method" => {
                let method = Method::Other("A".repeat(16 << 20));
                let requests: Vec<_> = (0..20).map(|_| request(&host)).collect();
                let kept = requests.iter().filter(|it| it.set_method(&method).is_ok()).count();
                Err(error(&format!("{kept} kept"), FlowState::NotStarted))
            }
            // Bodies that are written and never sent: whatever the host holds of them is not the guest's memory.
            "/fills-bodies" => loop {
                let request = request(&host);
                let body = request.body().unwrap_or_else(|()| core::arch::wasm32::unreachable());
                let stream = body.write().unwrap_or_else(|()| core::arch::wasm32::unreachable());
                while let Ok(room @ 1..) = stream.check_write() {
                    let piece = vec![b'x'; usize::try_from(room).unwrap_or(4096)];
                    if stream.write(&piece).is_err() {
                        break;
                    }
                }
                forget((request, body, stream));
            },
            // Two lengths, neither of which need be the body's.
            "/two-lengths" => {
                let fields = [("content-length", "3"), ("content-length", "5")];
                Err(error(&sent_with(&host, &fields, None), FlowState::Unknown))
            }
            "/te" => {
                let fields = [("te", "trailers, deflate"), ("te", "gzip"), ("trailer", "x-late")];
                Err(error(&sent_with(&host, &fields, None), FlowState::Unknown))
            }
            "/trailers" => {
                let trailers = [("x-late", "1"), ("content-length", "7"), ("authorization", "late")];
                Err(error(&sent_with(&host, &[], Some(&trailers)), FlowState::Unknown))
            }
            "/many-headers" => {
                let fields = vec![("x-one-of-many", "v"); 10_000];
                Err(error(&sent_with(&host, &fields, None), FlowState::Unknown))
            }
            // Each is denied but the first; what the host keeps of them is the matter.
            "/starts-for-ever" => {
                let path = format!("/{}", "x".repeat(60_000));
                loop {
                    let request = request(&host);
                    let _ = request.set_path_with_query(Some(&path));
                    drop(send(request, None));
                }
            }
            // Between the waits it computes next to nothing.
            "/wakes-for-ever" => loop {
                subscribe_duration(1).block();
            },
            "/leaves-at-once" => {
                drop(start(&host));
                Err(error("Nothing happened, believe me.", FlowState::NotStarted))
            }
            "/repeats-itself" => Ok(FlowResponse {
                headers: (0..1000).map(|_| ("x".to_owned(), the_same())).collect(),
                ..response(String::new())
            }),
            #[cfg(feature = "asks")]
            "/asks" => {
                use bindings::wasi::cli::environment::{get_arguments, get_environment, initial_cwd};
                let found = format!("{:?} {:?} {:?}", get_environment(), get_arguments(), initial_cwd());
                Err(error(&found, FlowState::NotStarted))
            }
            #[cfg(feature = "asks")]
            "/draws" => {
                let drawn = bindings::wasi::random::random::get_random_bytes(16);
                Err(error(&drawn.len().to_string(), FlowState::NotStarted))
            }
            #[cfg(feature = "asks")]
            "/draws-a-lot" => {
                let drawn = bindings::wasi::random::random::get_random_bytes(32 << 20);
                Err(error(&drawn.len().to_string(), FlowState::NotStarted))
            }
            "/returns-a-lot" => Ok(response("x".repeat(40 << 20))),
            "/says-started" => Err(error("It started, believe me.", FlowState::Started)),
            "/says-success" => Ok(response("{\"result\":{\"executionId\":\"made-up\"}}".to_owned())),
            "/says-not-started" => {
                answered(&start(&host));
                Err(error("Nothing happened, believe me.", FlowState::NotStarted))
            }
            "/says-unauthorized" => Err(TriggerError {
                kind: ErrorKind::Unauthorized,
                ..error("It was refused, believe me.", FlowState::NotStarted)
            }),
            "/tells-its-token" => Err(error(
                match &config.authentication {
                    Authentication::Bearer(token) => token,
                    _ => "it has none",
                },
                FlowState::NotStarted,
            )),
            "/leaves-marks" => {
                let times = TIMES.fetch_add(1, Ordering::Relaxed);
                let memory = grown();
                let found = marks(memory);
                memory.fill(MARK);
                let message = format!("{times} before, {found} marks found, {} left", marks(memory));
                Err(error(&message, FlowState::NotStarted))
            }
            "/calls-elsewhere" => {
                answered(&start("elsewhere.example.com"));
                Err(error("called", FlowState::Unknown))
            }
            _ => Err(error("no such attack", FlowState::NotStarted)),
        }
    }

    /// The client's id says what: `asks` makes a request for its token first, all others make the token up.
    fn request_token(token: TokenRequest) -> Result<AccessToken, TriggerError> {
        match token.credentials.client_id.as_str() {
            "says-started" => return Err(error("It started, believe me.", FlowState::Started)),
            "asks" => {
                let request = request(&format!("{}.service-now.com", token.instance));
                let _ = request.set_path_with_query(Some("/oauth_token.do"));
                answered(&send(request, None));
            }
            _ => {}
        }
        Ok(AccessToken {
            token: "a-token-of-the-guests".to_owned(),
            expires_in_s: Some(3600),
        })
    }
}

impl connector::Guest for Hostile {
    fn execute(_: String) -> Result<String, TriggerError> {
        Err(error("none", FlowState::NotStarted))
    }
}

static TIMES: AtomicU32 = AtomicU32::new(0);
const MARK: u8 = 0xa5;

/// 16 MiB of memory as the host gives it.
fn grown() -> &'static mut [u8] {
    let pages = (16 << 20) / (64 << 10);
    let before = core::arch::wasm32::memory_grow(0, pages);
    if before == usize::MAX {
        core::arch::wasm32::unreachable()
    }
    // SAFETY: these pages are new, nobody else has them, and their size is what was asked for.
    unsafe { core::slice::from_raw_parts_mut((before * (64 << 10)) as *mut u8, pages * (64 << 10)) }
}

fn marks(memory: &[u8]) -> usize {
    memory.iter().filter(|byte| **byte == MARK).count()
}

/// On the engine's stack, not on the guest's own in its memory.
#[inline(never)]
fn recurse(depth: u64, end: u64) -> u64 {
    if depth == end {
        0
    } else {
        recurse(depth + 1, end).rotate_left(7) ^ depth
    }
}

fn request(host: &str) -> OutgoingRequest {
    requesting(host, Fields::new())
}

fn requesting(host: &str, headers: Fields) -> OutgoingRequest {
    let request = OutgoingRequest::new(headers);
    let _ = request.set_method(&Method::Post);
    let _ = request.set_scheme(Some(&Scheme::Https));
    let _ = request.set_authority(Some(host));
    let _ = request.set_path_with_query(Some("/api/sn_cico/flow_starter/public_flow"));
    request
}

fn start(host: &str) -> Option<FutureIncomingResponse> {
    send(request(host), None)
}

fn send(request: OutgoingRequest, options: Option<RequestOptions>) -> Option<FutureIncomingResponse> {
    let body = request.body().ok()?;
    let future = handle(request, options).ok()?;
    OutgoingBody::finish(body, None).ok()?;
    Some(future)
}

/// Sends `abc` with these headers and trailers, as far as the host takes them.
fn sent_with(host: &str, headers: &[(&str, &str)], trailers: Option<&[(&str, &str)]>) -> String {
    let fields = |list: &[(&str, &str)]| {
        let list: Vec<_> = list
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        Fields::from_list(&list)
    };
    let (Ok(headers), Ok(trailers)) = (fields(headers), trailers.map(fields).transpose()) else {
        return "not taken".to_owned();
    };
    let request = requesting(host, headers);
    let Ok(body) = request.body() else {
        return "no body".to_owned();
    };
    let Ok(future) = handle(request, None) else {
        return "not handled".to_owned();
    };
    if let Ok(stream) = body.write() {
        let _ = stream.blocking_write_and_flush(b"abc");
    }
    let finished = OutgoingBody::finish(body, trailers);
    let code = code(&Some(future));
    format!(
        "{code}, body {}",
        if finished.is_ok() { "finished" } else { "not finished" }
    )
}

/// The host's code for a request that failed.
fn code(future: &Option<FutureIncomingResponse>) -> String {
    let Some(future) = future else {
        return "no future".to_owned();
    };
    future.subscribe().block();
    match future.get() {
        Some(Ok(Err(code))) => format!("{code:?}"),
        _ => "answered".to_owned(),
    }
}

/// Waits for an answer.
fn answered(future: &Option<FutureIncomingResponse>) -> bool {
    let Some(future) = future else { return false };
    future.subscribe().block();
    matches!(future.get(), Some(Ok(Ok(_))))
}

/// A MiB, always at the same place.
fn the_same() -> String {
    static PLACE: [u8; 1 << 20] = [0; 1 << 20];
    let start = PLACE.as_ptr().cast_mut();
    // SAFETY: none; many strings in one place are what this attack is. It has no other end than the host's.
    unsafe { String::from_raw_parts(start, PLACE.len(), PLACE.len()) }
}

fn response(body: String) -> FlowResponse {
    FlowResponse {
        status: 200,
        headers: Vec::new(),
        body,
        execution_id: None,
        sys_id: None,
    }
}

fn error(message: &str, flow: FlowState) -> TriggerError {
    TriggerError {
        kind: ErrorKind::Rejected,
        message: message.to_owned(),
        flow,
        retryable: false,
        retry_after_ms: None,
        response: None,
    }
}
