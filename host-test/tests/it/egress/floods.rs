//! An HTTP/2 server that floods instead of answering, frame by frame by hand (RFC 9113): each call ends within its limits, and says what is
//! true.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use flow_starter_host::egress::ConnectTo;
use flow_starter_host::{Egress, FlowState};
use futures_util::future::join_all;
use host_test::rig::connector;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::input;

type Tls = StreamOwned<ServerConnection, TcpStream>;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, of HPACK's static table.
const STATUS_200: u8 = 0x88;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A literal header that nobody indexes.
fn header(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// What a flood begins with, and what it repeats by the hundred until the client leaves.
struct Flood {
    name: &'static str,
    first: Vec<u8>,
    again: Vec<u8>,
    /// What is true of the flow; where the server said 200, it started.
    flow: &'static [FlowState],
}

fn floods() -> Vec<Flood> {
    const UNKNOWN: &[FlowState] = &[FlowState::Unknown];
    const STARTED: &[FlowState] = &[FlowState::Started];
    // The frames can break the connection before the status is seen, or after.
    const EITHER: &[FlowState] = &[FlowState::Unknown, FlowState::Started];
    let flood = |name, first: Vec<u8>, again: Vec<u8>, flow| Flood {
        name,
        first,
        again,
        flow,
    };
    let ok = || frame(HEADERS, END_HEADERS, 1, &[STATUS_200]);
    // 4,000 bytes that enter HPACK's table once, and ten thousand references to it.
    let mut bomb = vec![STATUS_200, 0x40, 1, b'x', 0x7f, 0xa1, 0x1e];
    bomb.extend([b'v'; 4000]);
    bomb.extend([0xbe; 10_000]);
    let whole_window = 0x7fff_ffff_u32.to_be_bytes();
    vec![
        flood("SETTINGS", vec![], frame(SETTINGS, 0, 0, &[]), UNKNOWN),
        flood(
            "SETTINGS that change",
            vec![],
            [
                frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]),
                frame(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]),
            ]
            .concat(),
            UNKNOWN,
        ),
        flood("PING", vec![], frame(PING, 0, 0, &[7; 8]), UNKNOWN),
        flood(
            "RST_STREAM of the request",
            vec![],
            frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
            UNKNOWN,
        ),
        flood(
            "RST_STREAM of streams that are not open",
            vec![],
            frame(RST_STREAM, 0, 101, &[0, 0, 0, 8]),
            UNKNOWN,
        ),
        flood(
            "streams of the server's own",
            vec![],
            [
                frame(HEADERS, END_HEADERS, 2, &[STATUS_200]),
                frame(RST_STREAM, 0, 2, &[0, 0, 0, 8]),
            ]
            .concat(),
            UNKNOWN,
        ),
        flood(
            "PUSH_PROMISE",
            vec![],
            frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82, 0x87, 0x84]),
            UNKNOWN,
        ),
        flood(
            "an answer on a stream that is not open",
            vec![],
            frame(HEADERS, END_HEADERS | END_STREAM, 3, &[STATUS_200]),
            UNKNOWN,
        ),
        flood(
            "CONTINUATION",
            frame(HEADERS, 0, 1, &[STATUS_200]),
            frame(CONTINUATION, 0, 1, &header("x", "v")),
            EITHER,
        ),
        flood(
            "empty CONTINUATION",
            frame(HEADERS, 0, 1, &[STATUS_200]),
            frame(CONTINUATION, 0, 1, &[]),
            EITHER,
        ),
        flood(
            "a header list beyond all measure",
            frame(HEADERS, END_HEADERS, 1, &bomb),
            vec![],
            EITHER,
        ),
        flood("empty DATA", ok(), frame(DATA, 0, 1, &[]), STARTED),
        flood(
            "padding alone",
            ok(),
            frame(DATA, 8, 1, &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            STARTED,
        ),
        flood(
            "103 without end",
            vec![],
            frame(HEADERS, END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'3']),
            UNKNOWN,
        ),
        flood(
            "a window beyond its end",
            vec![],
            frame(WINDOW_UPDATE, 0, 0, &whole_window),
            UNKNOWN,
        ),
        flood(
            "a window that grows by nothing",
            vec![],
            frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
            UNKNOWN,
        ),
        flood(
            "a window that grows by one",
            vec![],
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
            UNKNOWN,
        ),
        flood(
            "frames of no known kind",
            vec![],
            frame(0xee, 0xff, 1, &[0; 64]),
            UNKNOWN,
        ),
        flood(
            "a frame longer than allowed",
            frame(DATA, 0, 1, &[0; 17_000]),
            vec![],
            UNKNOWN,
        ),
    ]
}

fn config(own: &rcgen::CertifiedKey<rcgen::KeyPair>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.cert.der().clone()],
            PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into()),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// Reads the client's preface and its frames, up to its request's head.
fn request(tls: &mut Tls) -> std::io::Result<()> {
    tls.read_exact(&mut [0; 24])?;
    tls.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    tls.flush()?;
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        tls.read_exact(&mut vec![0; length])?;
        if head[3] == HEADERS {
            return Ok(());
        }
    }
}

/// Nothing more is read: whoever answers each frame is not heard.
fn floods_with(mut tls: Tls, first: &[u8], again: &[u8]) -> std::io::Result<()> {
    request(&mut tls)?;
    tls.write_all(first)?;
    let many = again.repeat(100);
    while !many.is_empty() {
        tls.write_all(&many)?;
    }
    tls.flush()?;
    // Until the client leaves.
    while tls.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

fn serve(first: Vec<u8>, again: Vec<u8>) -> (SocketAddr, String) {
    let own = rcgen::generate_simple_self_signed(["acme.service-now.com".to_owned()]).unwrap();
    let config = Arc::new(config(&own));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let (config, first, again) = (Arc::clone(&config), first.clone(), again.clone());
            std::thread::spawn(move || {
                let tls = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp.unwrap());
                floods_with(tls, &first, &again)
            });
        }
    });
    (address, own.cert.pem())
}

/// All at once, so that none holds up the others either.
#[tokio::test]
async fn an_http2_flood_ends_within_the_limits_and_is_reported() {
    let calls = floods().into_iter().map(async |flood| {
        let (address, ca_pem) = serve(flood.first, flood.again);
        let acme = "https://acme.service-now.com".parse().unwrap();
        let egress = Egress::builder()
            .extra_ca_pem(ca_pem)
            .connect_to(ConnectTo::new(&acme, address))
            .build()
            .unwrap();
        // The component waits for the two together.
        let text = input(json!({ "connectionTimeoutInSeconds": 2, "readTimeoutInSeconds": 2 }));
        let call = connector().await.unwrap().execute(&egress, &text).await;
        (flood.name, flood.flow, call.result.expect_err(flood.name))
    });
    let ended = tokio::time::timeout(Duration::from_secs(20), join_all(calls)).await;
    for (name, flow, error) in ended.expect("one of them lasts") {
        assert!(flow.contains(&error.flow), "{name}: {} {error}", error.flow);
        assert!(!error.retryable, "{name}: {error}");
    }
}
