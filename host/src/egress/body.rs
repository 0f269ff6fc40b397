//! Buffers a request's body before it is sent, if it is small, and zeroizes it.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::{Zeroize, Zeroizing};

/// A body up to this size is buffered and sent in one piece with the head.
const WHOLE: u64 = 64 << 10;

/// Overwrites a piece of a body before it is freed, if nobody else holds it.
pub(super) fn zeroize(piece: Bytes) {
    if let Ok(mut own) = piece.try_into_mut() {
        own.as_mut().zeroize();
    }
}

/// Buffers a small body before connecting, so that the request is one write and the guest's time does not count as the server's. A larger
/// body is streamed.
pub(super) async fn in_hand(request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let Some(length) = length.filter(|length| *length <= WHOLE) else {
        return Ok(request);
    };
    let (head, mut body) = request.into_parts();
    // Allocated at full size and zeroized after sending: it can contain a credential, and a growing buffer leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize));
    // Up to its length, not its end, which a guest may signal only after the response.
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
