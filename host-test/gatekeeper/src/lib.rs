//! Another component's way out, held by whoever composes the two: it forwards requests to one host name, on any port, and denies every
//! other, so that hosts without an allow-list have one.
//!
//! The name is compiled in (`GATEKEEPER_HOST`), because a component that imports only HTTP has nowhere to read it from.

wit_bindgen::generate!({ path: "../../wit", inline: "
    package gate:keeper;

    world gatekeeper {
        import wasi:http/outgoing-handler@0.2.2;
        export wasi:http/outgoing-handler@0.2.2;
    }
", world: "gate:keeper/gatekeeper", generate_all });

use exports::wasi::http::outgoing_handler::Guest;
use wasi::http::outgoing_handler::handle;
use wasi::http::types::{ErrorCode, FutureIncomingResponse, OutgoingRequest, RequestOptions};

const HOST: &str = match option_env!("GATEKEEPER_HOST") {
    Some(host) => host,
    None => "127.0.0.1",
};

struct Gatekeeper;

impl Guest for Gatekeeper {
    fn handle(request: OutgoingRequest, options: Option<RequestOptions>) -> Result<FutureIncomingResponse, ErrorCode> {
        if request
            .authority()
            .is_some_and(|authority| host_of(&authority).eq_ignore_ascii_case(HOST))
        {
            handle(request, options)
        } else {
            Err(ErrorCode::HttpRequestDenied)
        }
    }
}

/// An authority without its port. One with user information stays as it is, and so is no host that could be allowed.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

export!(Gatekeeper);
