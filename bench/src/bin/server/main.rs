//! `bench-server`: a ServiceNow that answers at once, or after the delay that the path asks for. It prints its addresses as one line of
//! JSON, and ends at the end of its standard input.
//! | file | contents |
//! |---|---|
//! | `main` | the sockets |
//! | `answer` | a request → its response |
//! | `tls` | a certificate authority and the server's certificate |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod answer;
mod tls;

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use answer::Expected;
use flow_starter_bench::{call, os};

/// Answers like ServiceNow's REST trigger, over HTTP and HTTPS
#[derive(Debug, Parser)]
#[command(name = "bench-server")]
struct Arguments {
    /// Where to write the certificate authority (PEM)
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
}

fn main() -> ExitCode {
    match serve(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<()> {
    os::raise_open_files().context("cannot raise the limit of open files")?;
    let tls = tls::Tls::new()?;
    std::fs::write(&arguments.ca, &tls.ca_pem).with_context(|| format!("cannot write {}", arguments.ca.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let expected = Arc::new(Expected::new(call::USERNAME, call::PASSWORD));
        let (http, https) = (listen().await?, listen().await?);
        let addresses = serde_json::json!({
            "http": http.local_addr()?.to_string(),
            "https": https.local_addr()?.to_string(),
        });
        println!("{addresses}");
        std::io::stdout().flush()?;
        tokio::select! {
            ended = accept(http, None, &expected) => ended,
            ended = accept(https, Some(TlsAcceptor::from(tls.config)), &expected) => ended,
            _ = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])) => Ok(()),
        }
    })
}

/// Thousands of clients may connect at once.
const BACKLOG: u32 = 16_384;

async fn listen() -> Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    Ok(socket.listen(BACKLOG)?)
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, expected: &Arc<Expected>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let (tls, expected) = (tls.clone(), Arc::clone(expected));
        // A client that goes away is its own affair: it counts its failures.
        tokio::spawn(async move {
            let _ = connection(stream, tls, expected).await;
        });
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, expected: Arc<Expected>) -> Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => exchange(stream, expected).await,
        Some(tls) => exchange(tls.accept(stream).await?, expected).await,
    }
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, expected: Arc<Expected>) -> Result<()> {
    let service = service_fn(|request| answer::answer(request, &expected));
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}
