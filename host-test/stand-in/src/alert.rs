//! Fatal TLS alerts of any number, before and after the handshake. rustls sends those that it means; a stand-in has to send
//! others, so the record is sealed here with the connection's own keys.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use rustls::{ConnectionTrafficSecrets, ProtocolVersion, ServerConnection};

const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
const FATAL: u8 = 2;
const TAG: usize = 16;

/// Alerts by which a server says that it does not take the client's certificate, or misses one (RFC 8446, section 6.2).
pub(crate) const ABOUT_CERTIFICATES: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];

/// An alert in the clear, as it goes out until the keys are agreed on.
pub(crate) fn plain(description: u8) -> [u8; 7] {
    [ALERT, 3, 3, 0, 2, FATAL, description]
}

/// An alert as the next record of a connection whose handshake is over.
pub(crate) fn encrypted(connection: ServerConnection, description: u8) -> Option<Vec<u8>> {
    let version = connection.protocol_version()?;
    let (sequence, secrets) = connection.dangerous_extract_secrets().ok()?.tx;
    match version {
        ProtocolVersion::TLSv1_3 => tls13(sequence, &secrets, description),
        ProtocolVersion::TLSv1_2 => tls12(sequence, &secrets, description),
        _ => None,
    }
}

/// RFC 8446, section 5.2: the true content type is inside, the header says application data.
fn tls13(sequence: u64, secrets: &ConnectionTrafficSecrets, description: u8) -> Option<Vec<u8>> {
    let (key, nonce) = key_and_nonce(sequence, secrets)?;
    let inner = [FATAL, description, ALERT];
    let header = header(APPLICATION_DATA, inner.len() + TAG)?;
    seal(&key, nonce, &header, &inner).map(|sealed| [header.as_slice(), &sealed].concat())
}

/// RFC 5246, section 6.2.3.3; AES-GCM writes a part of its nonce before the record (RFC 5288), ChaCha20 does not (RFC 7905).
fn tls12(sequence: u64, secrets: &ConnectionTrafficSecrets, description: u8) -> Option<Vec<u8>> {
    let (key, nonce) = key_and_nonce(sequence, secrets)?;
    let explicit = match secrets {
        ConnectionTrafficSecrets::Chacha20Poly1305 { .. } => &[],
        _ => nonce.get(4..)?,
    };
    let inner = [FATAL, description];
    let mut additional = sequence.to_be_bytes().to_vec();
    additional.extend(header(ALERT, inner.len())?);
    let sealed = seal(&key, nonce, &additional, &inner)?;
    let header = header(ALERT, explicit.len() + sealed.len())?;
    Some([header.as_slice(), explicit, &sealed].concat())
}

fn header(kind: u8, length: usize) -> Option<[u8; 5]> {
    let [high, low] = u16::try_from(length).ok()?.to_be_bytes();
    Some([kind, 3, 3, high, low])
}

fn key_and_nonce(sequence: u64, secrets: &ConnectionTrafficSecrets) -> Option<(LessSafeKey, [u8; 12])> {
    let (algorithm, key, iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
        _ => return None,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key.as_ref()).ok()?);
    let mut nonce: [u8; 12] = iv.as_ref().try_into().ok()?;
    for (byte, own) in nonce.iter_mut().rev().zip(sequence.to_le_bytes()) {
        *byte ^= own;
    }
    Some((key, nonce))
}

fn seal(key: &LessSafeKey, nonce: [u8; 12], additional: &[u8], inner: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = inner.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(additional), &mut sealed)
        .ok()?;
    Some(sealed)
}
