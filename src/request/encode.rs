//! The two encodings a request needs.

use base64ct::{Base64, Encoding};

/// Base64 with padding (RFC 4648, section 4), as basic authentication takes it.
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// `application/x-www-form-urlencoded`, as the URL standard and RFC 6749, appendix B define it: a space is `+`.
pub fn form(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
