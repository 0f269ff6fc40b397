//! A server that answers each request as ServiceNow's REST trigger does, as fast as can be.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

const BODY: &str = r#"{"result":{"executionId":"0123456789abcdef0123456789abcdef","flow":"my_flow"}}"#;

/// The process that answers. It ends with this.
pub struct Server {
    process: Child,
    origin: String,
}

impl Server {
    pub fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut origin = String::new();
        let output = process.stdout.take().context("the server's output")?;
        BufReader::new(output).read_line(&mut origin)?;
        let origin = origin.trim().to_owned();
        Ok(Self { process, origin })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Prints its origin.
pub fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || answer(connection));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn answer(mut connection: TcpStream) -> Result<()> {
    connection.set_nodelay(true)?;
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=UTF-8\r\nx-is-logged-in: true\r\nx-transaction-id: 9f2d3b1c4e5f\r\n\
         date: Sun, 29 Nov 2026 10:00:00 GMT\r\nserver: ServiceNow\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut received = Vec::new();
    loop {
        while let Some(end) = end_of_request(&received) {
            received.drain(..end);
            connection.write_all(response.as_bytes())?;
        }
        let mut piece = [0; 4096];
        let size = connection.read(&mut piece)?;
        if size == 0 {
            return Ok(());
        }
        received.extend_from_slice(piece.get(..size).unwrap_or_default());
    }
}

/// Where the first whole request ends, whose names are in lower case.
fn end_of_request(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(received.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let end = head + length.trim().parse::<usize>().ok()?;
    (received.len() >= end).then_some(end)
}
