//! The JSON door's answer: what a process's expressions read.

use crate::json;
use crate::types::FlowResponse;

/// `{"status":…,"headers":{…},"body":…,"executionId":…,"sysId":…}`, as the official connector has it and with the ids beside it: a header
/// that came more than once is a list, `body` is parsed where it is a JSON object or array, null where it is blank, and else a text.
pub fn json(response: &FlowResponse) -> String {
    let mut out = String::with_capacity(response.body.len() + 1024);
    out.push_str("{\"status\":");
    out.push_str(&response.status.to_string());
    out.push_str(",\"headers\":{");
    for (at, (name, value)) in response.headers.iter().enumerate() {
        let before = response.headers.iter().take(at);
        if before.into_iter().any(|(known, _)| known == name) {
            continue;
        }
        if at > 0 {
            out.push(',');
        }
        out.push_str(&json::quote(name));
        out.push(':');
        let mut repeats = response.headers.iter().skip(at + 1).filter(|(known, _)| known == name).peekable();
        if repeats.peek().is_none() {
            out.push_str(&json::quote(value));
            continue;
        }
        out.push('[');
        out.push_str(&json::quote(value));
        for (_, value) in repeats {
            out.push(',');
            out.push_str(&json::quote(value));
        }
        out.push(']');
    }
    out.push_str("},\"body\":");
    let text = response.body.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        out.push_str("null");
    } else if text.starts_with(['{', '[']) && is_readable_json(text) {
        out.push_str(text);
    } else {
        out.push_str(&json::quote(&response.body));
    }
    for (name, id) in [(",\"executionId\":", &response.execution_id), (",\"sysId\":", &response.sys_id)] {
        out.push_str(name);
        match id {
            Some(id) => out.push_str(&json::quote(id)),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    out
}

/// Deeper nesting stops common readers: serde_json's at 127, and the answer stands inside an object of ours.
const DEPTH_MAX: usize = 100;

/// JSON that every reader of the answer will take as well: not nested too deeply, no half of a surrogate pair, no number beyond a double.
fn is_readable_json(text: &str) -> bool {
    if json::parse(text).is_err() {
        return false;
    }
    let mut bytes = text.bytes().enumerate();
    let mut depth = 0usize;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let string = text.get(at + 1..).unwrap_or_default();
                let Some(length) = string_length(string) else { return false };
                if !surrogates_pair(string.get(..length).unwrap_or_default()) {
                    return false;
                }
                // To the closing quote.
                bytes.nth(length);
            }
            b'-' | b'0'..=b'9' => {
                let number = text.get(at..).unwrap_or_default();
                let end = number.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(number.len());
                if !fits_a_double(number.get(..end).unwrap_or_default()) {
                    return false;
                }
                if end > 1 {
                    bytes.nth(end - 2);
                }
            }
            _ => {}
        }
    }
    true
}

/// The length of a JSON string up to its closing quote.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

/// Whether each `\ud800`–`\udbff` is followed by a `\udc00`–`\udfff`, and no such one stands alone.
fn surrogates_pair(string: &str) -> bool {
    let mut high = false;
    let mut rest = string;
    while let Some((before, after)) = rest.split_once('\\') {
        let unit = after.strip_prefix('u').and_then(|hex| u16::from_str_radix(hex.get(..4)?, 16).ok());
        let low = matches!(unit, Some(0xdc00..=0xdfff));
        if (high && !before.is_empty()) || high != low {
            return false;
        }
        high = matches!(unit, Some(0xd800..=0xdbff));
        rest = after.get(if unit.is_some() { 5 } else { 1 }..).unwrap_or_default();
    }
    !high
}

/// Whether the number is below 1.7976931348623158 × 10^308, where a double ends. Its digits are compared: floats would cost the component a
/// tenth of its size.
fn fits_a_double(number: &str) -> bool {
    let number = number.trim_start_matches('-');
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let Some(zeros) = digits().position(|digit| digit != b'0') else { return true };
    // An exponent too long for an i64 outweighs any number of digits, in its own direction.
    let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
    let point = whole.len() as i64 - zeros as i64;
    // The number is 0.d₁d₂… × 10^size.
    match exponent.saturating_add(point) {
        size if size < 309 => true,
        309 => digits().skip(zeros).lt("17976931348623158".bytes()),
        _ => false,
    }
}
