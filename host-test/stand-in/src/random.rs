//! Ids and tokens; no two runs share one.

use std::hash::{BuildHasher, RandomState};

const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 32 letters, as an execution id of Flow Designer.
pub(crate) fn execution_id() -> String {
    // 256 is no multiple of 52; the slight bias does no harm in an id.
    bytes::<32>()
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect()
}

/// 32 hexadecimal digits, as a `sys_id`.
pub(crate) fn hexadecimal() -> String {
    bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An OAuth access token.
pub(crate) fn token() -> String {
    format!("{}{}", execution_id(), execution_id())
}

/// The standard library's hasher is keyed by the operating system's entropy: unique and unguessable enough for
/// a server that listens on this machine only and keeps no one's secrets, and it cannot fail.
fn bytes<const N: usize>() -> [u8; N] {
    let hasher = RandomState::new();
    let mut bytes = [0; N];
    for (at, eight) in bytes.chunks_mut(8).enumerate() {
        for (byte, random) in eight.iter_mut().zip(hasher.hash_one(at).to_le_bytes()) {
            *byte = random;
        }
    }
    bytes
}
