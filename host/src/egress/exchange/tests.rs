use super::*;
use crate::FlowState;
use crate::egress::Progress;
use crate::egress::record;
use http::Method;
use http_body_util::{Full, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Reads until `end`.
async fn heard(server: &mut DuplexStream, end: &[u8]) {
    let mut heard = Vec::new();
    while !heard.ends_with(end) {
        heard.push(server.read_u8().await.unwrap());
    }
}

async fn exchange(request: Request<WasiBody>, heard_until: &[u8]) -> (Result<u16, Error>, record::RequestRecord) {
    let (client, mut server) = tokio::io::duplex(256);
    let connected = Connected {
        io: Box::new(client),
        http2: false,
        records: Arc::default(),
    };
    let pool = Arc::new(Pool::new(Duration::ZERO));
    let key = Key::here(&"https://acme.service-now.com".parse().unwrap());
    let kept = handshake(connected, &pool, &key).await.ok().unwrap();
    let attempt = Arc::new(Attempt::new(Method::POST, String::new(), Purpose::Flow, false));
    let back = Return {
        pool,
        key,
        fresh: true,
        between_bytes: None,
    };
    let answered = async {
        heard(&mut server, heard_until).await;
        server.write_all(ANSWER).await.unwrap();
        server
    };
    let (response, _server) = tokio::join!(send(kept, request, &attempt, back), answered);
    let status = response.map(|response| response.status().as_u16());
    (
        status.map_err(|failed| failed.error),
        record::close([&attempt]).remove(0),
    )
}

fn whole(body: &'static str) -> WasiBody {
    Full::new(Bytes::from_static(body.as_bytes()))
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Its body's end never comes.
fn endless(first: &'static str) -> WasiBody {
    let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(first.as_bytes())))]);
    StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending())).boxed_unsync()
}

#[tokio::test]
async fn a_yes_to_a_request_that_is_not_written_whole_is_no_answer() {
    let long: &str = Box::leak("x".repeat(100_000).into_boxed_str());
    for (request, until) in [
        // Taken by the HTTP library, and not written.
        (Request::post("/").body(whole(long)), &b"\r\n\r\n"[..]),
        // Neither.
        (Request::post("/").body(endless("half")), b"half"),
        (
            Request::post("/")
                .header(header::CONTENT_LENGTH, 5)
                .body(endless("half")),
            b"half",
        ),
    ] {
        let (answer, record) = exchange(request.unwrap(), until).await;
        assert!(matches!(answer, Err(Error::HttpProtocolError)), "{answer:?}");
        assert_eq!(record.progress, Progress::Sent);
        assert_eq!(record::flow_state(&[record]), FlowState::Unknown);
    }
}

/// Nobody asks for what follows the trailers.
fn with_trailers(first: &'static str) -> WasiBody {
    let trailers = http::HeaderMap::from_iter([(header::ETAG, http::HeaderValue::from_static("x"))]);
    let frames = [
        Ok(Frame::data(Bytes::from_static(first.as_bytes()))),
        Ok(Frame::trailers(trailers)),
    ];
    let frames = futures_util::stream::iter(frames);
    StreamBody::new(futures_util::StreamExt::chain(frames, futures_util::stream::pending())).boxed_unsync()
}

#[tokio::test]
async fn a_yes_to_a_request_that_is_written_whole_is_an_answer() {
    for (request, until) in [
        (Request::post("/").body(whole("body")), &b"body"[..]),
        (
            Request::post("/")
                .header(header::CONTENT_LENGTH, 4)
                .body(endless("body")),
            b"body",
        ),
        (
            Request::post("/")
                .header(header::TRAILER, "etag")
                .body(with_trailers("body")),
            b"etag: x\r\n\r\n",
        ),
        (Request::get("/").body(endless("")), b"\r\n\r\n"),
        (Request::get("/").body(whole("")), b"\r\n\r\n"),
    ] {
        let (answer, record) = exchange(request.unwrap(), until).await;
        assert_eq!(answer.unwrap(), 200);
        assert_eq!(record.progress, Progress::Answered(200));
    }
}
