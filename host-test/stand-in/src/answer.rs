//! An answer, its bytes on the wire, and ServiceNow's error envelope.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use crate::random;

/// What a hibernating developer instance shows on every route, with status 200.
const HIBERNATING_PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n\
    <meta charset=\"utf-8\">\n<title>Instance Hibernating page</title>\n</head>\n<body>\n\
    <h1>Your instance is hibernating</h1>\n\
    <p>Sign in to the developer site to wake your instance.</p>\n</body>\n</html>\n";

/// A status, headers and a body. Sent with the headers that a ServiceNow instance adds to every answer
/// (`Server`, `Date`, `Set-Cookie`, …), each of which gives way to one of the same name in here, as does
/// `Content-Length`; `Content-Type` is `application/json;charset=UTF-8` unless it is here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answer {
    /// The status code, sent as it is even when it is none that exists.
    pub status: u16,
    /// Names as they will be written, in order; a name may be repeated.
    #[serde(default, deserialize_with = "header_table")]
    pub headers: Vec<(String, String)>,
    /// The body's bytes; text in an instance's file.
    #[serde(default, deserialize_with = "text_as_bytes")]
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without a body and without headers of its own.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header; one of the same name is kept.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// ServiceNow's error envelope: `{"error":{"message":…,"detail":…},"status":"failure"}`.
    #[must_use]
    pub fn failure(status: u16, message: &str, detail: Option<&str>) -> Self {
        let envelope = Envelope {
            error: Failure { message, detail },
            status: "failure",
        };
        Self::new(status).body(serde_json::to_vec(&envelope).unwrap_or_default())
    }

    /// The page of a hibernating developer instance: HTML, with status 200.
    #[must_use]
    pub fn hibernating() -> Self {
        Self::new(200)
            .header("Content-Type", "text/html;charset=UTF-8")
            .body(HIBERNATING_PAGE)
    }

    /// A bare status, with the error envelope when it is an error.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        if status >= 400 {
            Self::failure(status, "The stand-in was configured to respond this way", None)
        } else {
            Self::new(status)
        }
    }

    /// 405; `allowed` is the list for `Allow`.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        Self::failure(
            405,
            "Method not supported",
            Some(&format!("This resource supports {allowed}")),
        )
        .header("Allow", allowed)
    }

    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status).body(value.to_string())
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// The answer as HTTP/1.1 bytes.
    pub(crate) fn encode(&self, sent: Sent) -> Vec<u8> {
        let (mut bytes, body) = self.encode_apart(sent);
        bytes.extend(body);
        bytes
    }

    /// The answer as HTTP/1.1 bytes: up to and with the empty line, and then.
    pub(crate) fn encode_apart(&self, sent: Sent) -> (Vec<u8>, Vec<u8>) {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        };
        for (name, value) in instance_headers() {
            if !self.has(name) {
                line(name, &value);
            }
        }
        let bodiless = matches!(self.status, 100..=199 | 204 | 304);
        if !bodiless && !self.body.is_empty() && !self.has("content-type") {
            line("Content-Type", "application/json;charset=UTF-8");
        }
        if sent.length && !bodiless && !self.has("content-length") && !self.has("transfer-encoding") {
            line("Content-Length", &self.body.len().to_string());
        }
        if sent.closing && !self.has("connection") {
            line("Connection", "close");
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        head.push_str("\r\n");
        let body = match bodiless || sent.head_only {
            true => Vec::new(),
            false => self.body.clone(),
        };
        (head.into_bytes(), body)
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Failure<'a>,
    status: &'a str,
}

#[derive(Serialize)]
struct Failure<'a> {
    message: &'a str,
    detail: Option<&'a str>,
}

/// How an answer goes out on its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// The connection ends after it, and it says so.
    pub closing: bool,
    /// It answers a HEAD request.
    pub head_only: bool,
    /// It says its `Content-Length`; without, it ends with the connection.
    pub length: bool,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            closing: false,
            head_only: false,
            length: true,
        }
    }
}

/// The headers that an instance puts on every answer, as captures of real ones show them. The cookies are a
/// session's: a client that hands them on leaks a session.
fn instance_headers() -> [(&'static str, String); 7] {
    let cookie = |name: &str, value: String| format!("{name}={value}; Path=/; HttpOnly; SameSite=None; Secure");
    [
        ("Server", "ServiceNow".to_owned()),
        ("Date", httpdate::fmt_http_date(SystemTime::now())),
        ("Set-Cookie", cookie("JSESSIONID", random::hexadecimal().to_uppercase())),
        (
            "Set-Cookie",
            cookie("glide_user_route", format!("glide.{}", random::hexadecimal())),
        ),
        (
            "Cache-Control",
            "no-cache,no-store,must-revalidate,max-age=-1".to_owned(),
        ),
        ("Pragma", "no-store,no-cache".to_owned()),
        ("Strict-Transport-Security", "max-age=63072000".to_owned()),
    ]
}

pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        425 => "Too Early",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unnamed",
    }
}

/// `headers = { Retry-After = "30", X-Twice = ["1", "2"] }`
fn header_table<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Many(Vec<String>),
    }
    let table = std::collections::BTreeMap::<String, Values>::deserialize(from)?;
    Ok(table
        .into_iter()
        .flat_map(|(name, values)| {
            let values = match values {
                Values::One(value) => vec![value],
                Values::Many(values) => values,
            };
            values.into_iter().map(move |value| (name.clone(), value))
        })
        .collect())
}

/// In an instance's file bytes are written as text, or as `{ base64 = "…" }`.
pub(crate) fn text_as_bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "text in quotes, or { base64 = \"…\" }")]
    enum Written {
        Text(String),
        Encoded { base64: String },
    }
    match Written::deserialize(from)? {
        Written::Text(text) => Ok(text.into_bytes()),
        Written::Encoded { base64 } => STANDARD.decode(base64).map_err(serde::de::Error::custom),
    }
}
