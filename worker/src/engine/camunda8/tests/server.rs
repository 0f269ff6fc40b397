//! A server that answers as a test says, byte for byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The number of its connection, from 0.
    pub(super) connection: usize,
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: String,
}

impl Seen {
    /// Method and path.
    pub(super) fn line(&self) -> &str {
        self.head.split(" HTTP/1.1").next().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(super) fn is_token(&self) -> bool {
        self.line().ends_with("/token")
    }
}

#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// These bytes. The connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the end.
    Last(Vec<u8>),
    /// Nothing, ever.
    Silence,
}

pub(super) fn answer(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes())
}

pub(super) fn json(status: u16, body: &str) -> Reply {
    answer(status, "content-type: application/json\r\n", body)
}

pub(super) fn problem(status: u16, title: &str, detail: &str) -> Reply {
    let body = serde_json::json!({"type": "about:blank", "title": title, "status": status, "detail": detail});
    answer(status, "content-type: application/problem+json\r\n", &body.to_string())
}

pub(super) fn html(status: u16) -> Reply {
    answer(
        status,
        "content-type: text/html\r\n",
        "<html><title>NOT_FOUND</title></html>",
    )
}

pub(super) fn no_content() -> Reply {
    Reply::Bytes(b"HTTP/1.1 204 X\r\n\r\n".to_vec())
}

pub(super) struct Server {
    pub(super) address: String,
    seen: watch::Receiver<Vec<Seen>>,
}

impl Server {
    /// `script` sees the request and how many came before it.
    pub(super) async fn start(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, script).await
    }

    pub(super) async fn run(
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (sender, seen) = watch::channel(Vec::new());
        let shared = Arc::new((Mutex::new(sender), script));
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                let respond = move |mut seen: Seen| {
                    seen.connection = connection;
                    let sender = shared.0.lock().unwrap();
                    let before = sender.borrow().len();
                    let reply = shared.1(&seen, before);
                    sender.send_modify(|all| all.push(seen));
                    reply
                };
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, respond).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, respond).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    pub(super) fn count(&self, which: impl Fn(&Seen) -> bool) -> usize {
        self.seen().iter().filter(|seen| which(seen)).count()
    }

    /// Until so many requests have arrived.
    pub(super) async fn arrived(&self, count: usize) {
        self.seen.clone().wait_for(|seen| seen.len() >= count).await.unwrap();
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, respond: impl Fn(Seen) -> Reply) {
    let mut read = Vec::new();
    loop {
        let Some(seen) = request(&mut stream, &mut read).await else {
            return;
        };
        match respond(seen) {
            Reply::Bytes(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reply::Last(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                stream.flush().await.unwrap();
                return;
            }
            Reply::Silence => {
                // Until the client goes away.
                while stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {}
                return;
            }
        }
        stream.flush().await.unwrap();
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Option<Seen> {
    loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8(read[..end].to_vec()).unwrap();
            let mut seen = Seen {
                connection: 0,
                head,
                body: String::new(),
            };
            let length = seen
                .header("content-length")
                .map_or(0, |length| length.parse().unwrap());
            if read.len() >= end + 4 + length {
                seen.body = String::from_utf8(read[end + 4..end + 4 + length].to_vec()).unwrap();
                read.drain(..end + 4 + length);
                return Some(seen);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => read.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
}
