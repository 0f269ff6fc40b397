//! The encodings that a request needs. Each result is allocated at its full size: a buffer that grows leaves copies of credentials behind.

use base64ct::{Base64, Encoding};

use crate::Sensitive;

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

/// A query parameter's name or value, appended: as a form has it, but with `%20` for a space, which every server reads as one.
pub fn push_query(out: &mut String, text: &str) {
    for piece in form_urlencoded::byte_serialize(text.as_bytes()) {
        // A `+` of the text's own is encoded.
        out.push_str(if piece == "+" { "%20" } else { piece });
    }
}

/// Pairs as `application/x-www-form-urlencoded`.
pub fn form_of(pairs: &[(String, Sensitive)]) -> String {
    let room = pairs.iter().map(|(name, value)| (name.len() + value.len()) * 3 + 2);
    let mut out = String::with_capacity(room.sum());
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        push_form(&mut out, name);
        out.push('=');
        push_form(&mut out, value);
    }
    out
}

/// ISO-8859-1, one byte for each character. None where a character is not in it.
pub fn latin1(text: &str) -> Option<Vec<u8>> {
    if text.chars().any(|c| u32::from(c) > 0xFF) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    // Each of them is one byte by the check above.
    out.extend(text.chars().map(|c| u32::from(c) as u8));
    Some(out)
}
