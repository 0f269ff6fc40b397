//! Records a component's requests for people to look at, without sending them.

use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use http_body_util::{BodyExt, Limited};
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::Zeroizing;

use super::body::zeroize;
use super::record::Purpose;

/// A component makes at most two requests, the larger one about the size of its input.
const MOST: usize = 8;
const LARGEST: usize = 32 << 20;

/// Captures requests instead of sending them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct DryRunRecorder(Arc<Mutex<Vec<CapturedRequest>>>);

/// A captured request with everything in it.
pub(crate) struct CapturedRequest {
    pub(crate) purpose: Purpose,
    pub(crate) head: http::request::Parts,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for CapturedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CapturedRequest(***)")
    }
}

impl DryRunRecorder {
    /// Reads the complete request, then denies it.
    pub(super) async fn record(self, purpose: Purpose, request: Request<WasiBody>) -> Error {
        let (head, body) = request.into_parts();
        let Ok(whole) = Limited::new(body, LARGEST).collect().await else {
            return Error::HttpRequestBodySize(None);
        };
        let whole = whole.to_bytes();
        let body = Zeroizing::new(whole.to_vec());
        zeroize(whole);
        let mut captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if captured.len() < MOST {
            captured.push(CapturedRequest { purpose, head, body });
        }
        Error::HttpRequestDenied
    }

    /// The captured requests, in order.
    pub(crate) fn take(&self) -> Vec<CapturedRequest> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
