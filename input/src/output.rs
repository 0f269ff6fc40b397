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
    let mut out = String::with_capacity(response.body.len() + 2048);
    out.push_str("{\"status\":");
    out.push_str(&response.status.to_string());
    out.push_str(",\"reason\":");
    out.push_str(&json::quote(reason(response.status)));
    out.push_str(",\"headers\":{");
    for (at, (name, _)) in response.headers.iter().enumerate() {
        if response.headers.iter().take(at).any(|(known, _)| known == name) {
            continue;
        }
        if at > 0 {
            out.push(',');
        }
        let value = values(response.headers, name);
        push_member(&mut out, name, &value);
        let usual = spelling(name);
        if usual != *name {
            out.push(',');
            push_member(&mut out, &usual, &value);
        }
    }
    out.push_str("},\"body\":");
    let text = response.body.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        out.push_str("null");
    } else if text.starts_with(['{', '[']) && json::is_readable(text) {
        out.push_str(text);
    } else {
        out.push_str(&json::quote(response.body));
    }
    for (name, id) in [("executionId", response.execution_id), ("sysId", response.sys_id)] {
        out.push(',');
        push_member(&mut out, name, &id.map_or_else(|| "null".to_owned(), json::quote));
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
fn values(headers: &[(String, String)], name: &str) -> String {
    let mut values = headers
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| json::quote(value));
    let first = values.next().unwrap_or_default();
    let Some(second) = values.next() else { return first };
    let mut list = String::from("[");
    list.push_str(&first);
    for value in std::iter::once(second).chain(values) {
        list.push(',');
        list.push_str(&value);
    }
    list.push(']');
    list
}

fn push_member(out: &mut String, name: &str, value: &str) {
    out.push_str(&json::quote(name));
    out.push(':');
    out.push_str(value);
}

#[cfg(test)]
mod tests;
