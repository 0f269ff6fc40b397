//! Where values end in a text that is known to be JSON: strings and brackets are all that counts.

/// In bytes: the value that `text` begins with.
pub(super) fn value(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string(text),
        Some(b'{' | b'[') => nested(text),
        _ => scalar(text),
    }
}

/// The string that `text` begins with, its quotation marks included.
pub(super) fn string(text: &[u8]) -> usize {
    let mut at = 1;
    loop {
        let mut rest = text.iter().skip(at);
        match rest.position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(found) if text.get(at + found) == Some(&b'"') => return at + found + 1,
            Some(found) => at += found + 2,
            None => return text.len(),
        }
    }
}

/// A number, `true`, `false` or `null`.
fn scalar(text: &[u8]) -> usize {
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | b']');
    text.iter().position(ends).unwrap_or(text.len())
}

fn nested(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string(text.get(at..).unwrap_or_default());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Longer ones may be beyond a double's range without an exponent.
const DIGITS_MAX: usize = 300;

/// Whether every reader takes the text, which is JSON, as a look without reading can tell: not nested deeper than that, no `\u`, no exponent and
/// no very long number.
pub(super) fn is_plain(text: &[u8], depth_max: usize) -> bool {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        match byte {
            b'"' => {
                let length = string(rest);
                let string = rest.get(..length).unwrap_or_default();
                if string.contains(&b'\\') && string.windows(2).any(|two| two == b"\\u") {
                    return false;
                }
                at += length;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let length = scalar(rest);
                let number = rest.get(..length).unwrap_or_default();
                if length > DIGITS_MAX || number.iter().any(|byte| matches!(byte, b'e' | b'E')) {
                    return false;
                }
                at += length;
                continue;
            }
            _ => {}
        }
        if depth > depth_max {
            return false;
        }
        at += 1;
    }
    true
}
