//! A component's requests as it makes them, for a person to look at: none of them leaves.

use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use http_body_util::{BodyExt, Limited};
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::Zeroizing;

use super::body::wipe;
use super::record::Purpose;

/// A component that keeps the contract makes two requests, the larger one of the size of its input.
const MOST: usize = 8;
const LARGEST: usize = 32 << 20;

/// Where requests are played instead of sent. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage(Arc<Mutex<Vec<Played>>>);

/// A request that was made and not sent, with all that it holds.
pub(crate) struct Played {
    pub(crate) purpose: Purpose,
    pub(crate) head: http::request::Parts,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Played {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Played(***)")
    }
}

impl Stage {
    /// Takes the request to its end, and denies it then.
    pub(super) async fn perform(self, purpose: Purpose, request: Request<WasiBody>) -> Error {
        let (head, body) = request.into_parts();
        let Ok(whole) = Limited::new(body, LARGEST).collect().await else {
            return Error::HttpRequestBodySize(None);
        };
        let whole = whole.to_bytes();
        let body = Zeroizing::new(whole.to_vec());
        wipe(whole);
        let mut played = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if played.len() < MOST {
            played.push(Played { purpose, head, body });
        }
        Error::HttpRequestDenied
    }

    /// What was played, in order.
    pub(crate) fn take(&self) -> Vec<Played> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
