//! The answer of the contract's `execute`: what a process's expressions read.

use crate::json;

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

/// `{"status":…,"headers":{…},"body":…,"executionId":…,"sysId":…}`, as the official connector has it and with the ids beside it: a header
/// that came more than once is a list, `body` is parsed where it is a JSON object or array that every reader takes, null where it is blank, and
/// else a text.
pub fn json(response: Response) -> String {
    let mut out = String::with_capacity(response.body.len() + 1024);
    out.push_str("{\"status\":");
    out.push_str(&response.status.to_string());
    out.push_str(",\"headers\":{");
    for (at, (name, value)) in response.headers.iter().enumerate() {
        if response.headers.iter().take(at).any(|(known, _)| known == name) {
            continue;
        }
        if at > 0 {
            out.push(',');
        }
        out.push_str(&json::quote(name));
        out.push(':');
        let mut repeats = response
            .headers
            .iter()
            .skip(at + 1)
            .filter(|(known, _)| known == name)
            .peekable();
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
    } else if text.starts_with(['{', '[']) && json::is_readable(text) {
        out.push_str(text);
    } else {
        out.push_str(&json::quote(response.body));
    }
    for (name, id) in [
        (",\"executionId\":", response.execution_id),
        (",\"sysId\":", response.sys_id),
    ] {
        out.push_str(name);
        match id {
            Some(id) => out.push_str(&json::quote(id)),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests;
