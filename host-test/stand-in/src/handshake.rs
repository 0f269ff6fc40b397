//! The way into a TLS connection, by the name that the client asks for, and the ways in which it does not lead in.

use std::io;

use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use crate::alert;
use crate::record::{FailedHandshake, Log};
use crate::tls::{Tls, TlsSetup};
use crate::tls_fault::TlsFault;
use crate::wire::linger;

/// `handshake_failure` (RFC 5246, section 7.2.2)
const HANDSHAKE_FAILURE: u8 = 40;

/// The connection, if the handshake comes to its end; `always` is the port's way, whatever the name.
pub(crate) async fn accept(
    tls: &Tls,
    always: Option<&TlsSetup>,
    log: &Log,
    connection: usize,
    stream: TcpStream,
) -> Option<TlsStream<TcpStream>> {
    let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), stream);
    let mut failed = FailedHandshake {
        connection,
        ..FailedHandshake::default()
    };
    let start = match (&mut acceptor).await {
        Ok(start) => start,
        Err(error) => {
            failed.why = error.to_string();
            log.handshake_failed(failed);
            if let Some(stream) = acceptor.take_io() {
                finish(stream).await;
            }
            return None;
        }
    };
    failed.server_name = start.client_hello().server_name().map(str::to_owned);
    let setup = always
        .cloned()
        .unwrap_or_else(|| tls.setup(failed.server_name.as_deref()));
    if let Some(fault) = setup.fault.filter(|fault| spoils_the_handshake(*fault)) {
        failed.why = format!("configured fault: {fault:?}");
        log.handshake_failed(failed);
        let _gone_already = spoil(fault, start, setup).await;
        return None;
    }
    match start.into_stream(setup.config).into_fallible().await {
        Ok(stream) => Some(stream),
        Err((error, stream)) => {
            failed.why = error.to_string();
            log.handshake_failed(failed);
            // An alert that says why may be under way still.
            finish(stream).await;
            None
        }
    }
}

/// The others are a matter of the certificate or of the versions.
fn spoils_the_handshake(fault: TlsFault) -> bool {
    use TlsFault::{Alert, ClientCertificate12, Close, CloseWithin, NotTls, Reset, Silence, Stall};
    matches!(
        fault,
        Alert(_) | ClientCertificate12 | Close | CloseWithin | NotTls | Reset | Silence | Stall
    )
}

async fn spoil(fault: TlsFault, start: StartHandshake<TcpStream>, setup: TlsSetup) -> io::Result<()> {
    let mut flight = Vec::new();
    let mut accept = start.into_stream_with(setup.config, |connection| {
        let _a_vector_takes_all = connection.write_tls(&mut flight);
    });
    if flight.is_empty() {
        // It has nothing to say but why it cannot go on: no version in common, for one.
        if let Err((_, stream)) = accept.into_fallible().await {
            finish(stream).await;
        }
        return Ok(());
    }
    let Some(tcp) = accept.get_mut() else {
        return Ok(());
    };
    let half = flight.get(..flight.len() / 2).unwrap_or_default();
    match fault {
        TlsFault::Stall | TlsFault::CloseWithin | TlsFault::Reset => tcp.write_all(half).await?,
        TlsFault::Alert(description) => tcp.write_all(&alert::plain(description)).await?,
        TlsFault::NotTls => {
            tcp.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await?;
        }
        TlsFault::ClientCertificate12 => {
            // In the clear still: Certificate, which is empty, comes before the keys are in use.
            tcp.write_all(&flight).await?;
            tcp.read_u8().await?;
            tcp.write_all(&alert::plain(HANDSHAKE_FAILURE)).await?;
        }
        _ => {}
    }
    match fault {
        TlsFault::Silence | TlsFault::Stall => until_left(tcp).await,
        TlsFault::Reset => tcp.set_zero_linger()?,
        _ => {
            tcp.shutdown().await?;
            linger(tcp).await;
        }
    }
    Ok(())
}

async fn finish(mut stream: TcpStream) {
    let _gone_already = stream.shutdown().await;
    linger(&mut stream).await;
}

/// Hears, and says nothing.
pub(crate) async fn until_left(stream: &mut TcpStream) {
    let mut heard = vec![0; 16 * 1024];
    while matches!(stream.read(&mut heard).await, Ok(1..)) {}
}
