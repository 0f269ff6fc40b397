//! A request's body before it is sent: whole in hand where it is small, and wiped.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::{Zeroize, Zeroizing};

/// A body up to this size is waited for and then sent in one piece, head and all.
const WHOLE: u64 = 64 << 10;

/// A piece of a body that nobody else holds is overwritten before it is given back.
pub(super) fn zeroize(piece: Bytes) {
    if let Ok(mut own) = piece.try_into_mut() {
        own.as_mut().zeroize();
    }
}

/// A small body is taken whole before a connection is looked for, so that the request is one write, and the time that the guest takes
/// over it is not the server's. A larger one is sent as it comes.
pub(super) async fn in_hand(request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let Some(length) = length.filter(|length| *length <= WHOLE) else {
        return Ok(request);
    };
    let (head, mut body) = request.into_parts();
    // Room for all of it at once, and wiped when it was sent: it can hold a credential, and a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize));
    // Up to its length, not up to its end, which a guest may tell only after it has the answer.
    while (bytes.len() as u64) < length {
        match body.frame().await {
            Some(frame) => {
                let data = frame?.into_data().unwrap_or_default();
                let size = (bytes.len() + data.len()) as u64;
                if size > length {
                    return Err(Error::HttpRequestBodySize(Some(size)));
                }
                bytes.extend_from_slice(&data);
                zeroize(data);
            }
            None => return Err(Error::HttpRequestBodySize(Some(bytes.len() as u64))),
        }
    }
    let whole = Full::new(Bytes::from_owner(bytes)).map_err(|never| match never {});
    Ok(Request::from_parts(head, whole.boxed_unsync()))
}
