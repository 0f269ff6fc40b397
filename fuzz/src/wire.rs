//! An answer written as text.
//!
//! ```text
//! 503 whole
//! Retry-After: 30
//!
//! {"error":{"message":"…"}}
//! ```

use servicenow_flow_starter::transport::{Answer, End};

/// Reads an answer of any bytes: what is no status is 200, and an end is known by its first letter (`whole`, `cut`, `silent`, `large`).
pub fn answer(bytes: &[u8]) -> Answer {
    let (first, rest) = line(bytes);
    let first = String::from_utf8_lossy(first);
    let mut words = first.split(' ');
    let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
    let end = match words.next().and_then(|word| word.chars().next()) {
        Some('c') => End::Cut,
        Some('s') => End::Silent,
        Some('l') => End::TooLarge,
        _ => End::Whole,
    };
    let (headers, body) = headers(rest);
    Answer {
        status,
        headers,
        body: body.to_vec(),
        end,
    }
}

/// Names and values up to an empty line, and what follows it. A host passes on only names that are tokens, and values without line breaks.
pub fn headers(mut bytes: &[u8]) -> (Vec<(String, Vec<u8>)>, &[u8]) {
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        let (header, rest) = line(bytes);
        bytes = rest;
        if header.is_empty() {
            break;
        }
        let mut parts = header.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default().trim_ascii();
        if let Ok(name) = std::str::from_utf8(name)
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            headers.push((name.to_owned(), value.to_vec()));
        }
    }
    (headers, bytes)
}

fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}
