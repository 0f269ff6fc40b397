//! The two encodings that a request needs. Each result is allocated at its full size: a buffer that grows leaves copies of credentials behind.

use base64ct::{Base64, Encoding};

/// Base64 with padding (RFC 4648, section 4), as basic authentication takes it.
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// `application/x-www-form-urlencoded`, as the URL standard and RFC 6749, appendix B define it: a space is `+`.
pub fn form(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    push_form(&mut out, text);
    out
}

/// The same, appended.
pub fn push_form(out: &mut String, text: &str) {
    form_urlencoded::byte_serialize(text.as_bytes()).for_each(|piece| out.push_str(piece));
}
