//! A kept-alive HTTP connection to a server of this machine, which answers many requests that were sent at once.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// More than any answer of a server that works: a poll for jobs may take 10 s.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request with a JSON body, or with none.
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: String,
}

impl Request {
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.to_owned(),
            body: String::new(),
        }
    }

    pub fn post(path: String, body: String) -> Self {
        Self {
            method: "POST",
            path,
            body,
        }
    }
}

pub struct Connection {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            address,
        })
    }

    /// Sends the requests at once, and returns the bodies of the answers, all of which must have a status of success.
    pub fn exchange(&mut self, requests: &[Request]) -> Result<Vec<Vec<u8>>> {
        let mut text = String::new();
        for Request { method, path, body } in requests {
            text.push_str(&format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address));
            if !body.is_empty() {
                text.push_str(&format!(
                    "content-type: application/json\r\ncontent-length: {}\r\n",
                    body.len()
                ));
            }
            text.push_str("\r\n");
            text.push_str(body);
        }
        self.stream.get_mut().write_all(text.as_bytes())?;
        requests.iter().map(|request| self.answer(request)).collect()
    }

    fn answer(&mut self, request: &Request) -> Result<Vec<u8>> {
        let head = self.line()?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if !matches!(status, Some(200..300)) {
            bail!(
                "{} {} of {}: {head}: {}",
                request.method,
                request.path,
                self.address,
                String::from_utf8_lossy(&body)
            );
        }
        Ok(body)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).context("no answer")?;
        ensure!(read > 0, "{} has closed the connection", self.address);
        Ok(line.trim_end().to_owned())
    }
}
