//! The answer of the contract's `execute`: what a process's expressions read.

use crate::json;

mod spelling;

pub use spelling::spelling;

/// A response of the flow's request, borrowed from whoever has it.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case; a name may come more than once.
    pub headers: &'a [(String, String)],
    /// The body as text.
    pub body: &'a str,
    /// `result.executionId` of the body.
    pub execution_id: Option<&'a str>,
    /// `result.sys_id` of the body.
    pub sys_id: Option<&'a str>,
}

/// `{"status":…,"reason":…,"headers":{…},"body":…,"executionId":…,"sysId":…}`, as the official connector has it and with the ids beside it.
///
/// - `reason` is the status's [standard phrase](reason).
/// - Each header stands under its lower-case name and under its [usual spelling](spelling), once where the two are equal; one that came more than
///   once is a list.
/// - `body` is parsed where it is a JSON object or array that every reader takes, null where it is blank, and else a text.
pub fn json(response: Response) -> String {
    // Each header comes twice, and escapes are few.
    let headers = response
        .headers
        .iter()
        .map(|(name, value)| 2 * (name.len() + value.len() + 6));
    let mut out = String::with_capacity(response.body.len() + headers.sum::<usize>() + 200);
    out.push_str("{\"status\":");
    out.push_str(&response.status.to_string());
    out.push_str(",\"reason\":");
    json::push_quoted(&mut out, reason(response.status));
    out.push_str(",\"headers\":{");
    for (at, (name, _)) in response.headers.iter().enumerate() {
        if response.headers.iter().take(at).any(|(known, _)| known == name) {
            continue;
        }
        if at > 0 {
            out.push(',');
        }
        push_name(&mut out, name);
        let begin = out.len();
        push_values(&mut out, response.headers, name);
        let value = begin..out.len();
        let usual = spelling(name);
        if usual != *name {
            out.push(',');
            push_name(&mut out, &usual);
            out.extend_from_within(value);
        }
    }
    out.push_str("},\"body\":");
    let text = response.body.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        out.push_str("null");
    } else if text.starts_with(['{', '[']) && json::is_readable(text) {
        out.push_str(text);
    } else {
        json::push_quoted(&mut out, response.body);
    }
    for (name, id) in [("executionId", response.execution_id), ("sysId", response.sys_id)] {
        out.push(',');
        push_name(&mut out, name);
        match id {
            Some(id) => json::push_quoted(&mut out, id),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    out
}

/// The phrase that the standard has for a status, or nothing.
pub fn reason(status: u16) -> &'static str {
    let status = http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// All values of a header, as JSON.
fn push_values(out: &mut String, headers: &[(String, String)], name: &str) {
    let mut values = headers
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value);
    let (first, second) = (values.next(), values.next());
    let is_list = second.is_some();
    out.push_str(if is_list { "[" } else { "" });
    for (at, value) in first.into_iter().chain(second).chain(values).enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        json::push_quoted(out, value);
    }
    out.push_str(if is_list { "]" } else { "" });
}

fn push_name(out: &mut String, name: &str) {
    json::push_quoted(out, name);
    out.push(':');
}

#[cfg(test)]
mod tests;
