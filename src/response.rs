//! From the response to its meaning: a started flow, or the cause of failure. The status line decides; the body explains.

mod body;
mod envelope;
mod retry_after;

use crate::error::{Cause, Failure};
use crate::transport::{Answer, End};
use crate::types::{AccessToken, FlowResponse};
use envelope::Envelope;
use flow_starter_input::Mask;
use flow_starter_input::json::{self, Json};
use flow_starter_input::request::is_token;

/// What the flow's request was answered.
pub fn flow(mut answer: Answer, mask: &Mask) -> Result<FlowResponse, Failure> {
    let body = Body::take(&mut answer);
    let judged = match answer.status {
        200..=299 => success(&answer, &body),
        _ => Err(refusal(&answer, &body)),
    };
    let headers = headers(std::mem::take(&mut answer.headers), mask);
    let (status, text) = (answer.status, body.text);
    match judged {
        Ok(Ids { execution_id, sys_id }) => Ok(FlowResponse {
            status,
            headers,
            body: text,
            execution_id,
            sys_id,
        }),
        // What an error carries is masked: it goes to incidents and logs, where a success's body goes to the process that asked for it.
        Err(failure) => Err(failure.with_response(FlowResponse {
            status,
            headers,
            body: match answer.end {
                End::Whole => mask.text(text),
                _ => mask.cut_text(text),
            },
            execution_id: None,
            sys_id: None,
        })),
    }
}

/// Beyond this the flow's request could not carry the token: hosts take 128 KiB of headers, and half of it is the user's.
const TOKEN_MAX: usize = 32 * 1024;

/// What the token request was answered: RFC 6749, section 5.1.
pub fn token(mut answer: Answer) -> Result<AccessToken, Failure> {
    let body = Body::take(&mut answer);
    match answer.status {
        200..=299 => {
            no_page(&answer, &body, &body::media_type(answer.header("content-type")))?;
            readable(&answer, &body)?;
        }
        _ => return Err(refusal(&answer, &body)),
    }
    // Some servers report an error with status 200.
    let said = || Envelope::read(&body.text).map(|envelope| envelope.sentence());
    let unusable = || Failure::of(Cause::NoToken).answered(answer.status, said(), None);
    let object = json::parse(&body.text).ok().and_then(Json::of).ok_or_else(unusable)?;
    let Some(Json::Text(token)) = object.member("access_token") else {
        return Err(unusable());
    };
    if !is_token(&token) || token.len() > TOKEN_MAX {
        return Err(unusable());
    }
    if let Some(Json::Text(kind)) = object.member("token_type")
        && !kind.eq_ignore_ascii_case("bearer")
    {
        return Err(unusable().with_detail("its token type is not `bearer`"));
    }
    let expires_in_s = match object.member("expires_in") {
        Some(Json::Number(digits)) => digits.parse().ok(),
        Some(Json::Text(digits)) => digits.parse().ok(),
        _ => None,
    };
    Ok(AccessToken {
        token: token.into_owned(),
        expires_in_s,
    })
}

/// An answer's body, read.
struct Body {
    /// Empty where the body is compressed.
    text: String,
    compressed: bool,
    /// Nothing came, and nothing was missing.
    empty: bool,
}

impl Body {
    /// Takes the bytes out of the answer, so that only one copy of them lives.
    fn take(answer: &mut Answer) -> Self {
        let bytes = std::mem::take(&mut answer.body);
        let empty = bytes.is_empty() && answer.end == End::Whole;
        let compressed = is_compressed(answer) && !bytes.is_empty();
        let text = match compressed {
            true => String::new(),
            false => body::decode(answer.header("content-type"), bytes, answer.end != End::Whole),
        };
        Self {
            text,
            compressed,
            empty,
        }
    }
}

/// An answer that is no 2xx.
fn refusal(answer: &Answer, body: &Body) -> Failure {
    let said = Envelope::read(&body.text);
    let is_servicenows = said.as_ref().is_some_and(Envelope::is_servicenows);
    let unknown_resource = said.as_ref().is_some_and(Envelope::is_unknown_resource);
    let retry_after = retry_after::read(answer);
    let cause = match answer.status {
        303 => Cause::SeeOther,
        300..=399 => Cause::Redirected,
        401 => Cause::Unauthorized,
        403 if is_servicenows => Cause::Forbidden,
        403 => Cause::Blocked,
        404 => Cause::NotFound,
        400 if unknown_resource => Cause::NotFound,
        408 => Cause::RequestTimeout,
        425 => Cause::TooEarly,
        429 => Cause::RateLimited,
        400..=499 => Cause::Rejected,
        503 if retry_after.said || is_servicenows => Cause::UnavailableSaid,
        503 => Cause::Unavailable,
        500..=599 => Cause::ServerError,
        // No status that HTTP knows as an answer (RFC 9110, section 15).
        _ => Cause::Garbled,
    };
    let retry_after_ms = retry_after.ms.filter(|_| matches!(answer.status, 429 | 503));
    let failure = Failure::of(cause).answered(answer.status, said.as_ref().map(Envelope::sentence), retry_after_ms);
    match cause {
        Cause::Redirected | Cause::SeeOther => failure.with_detail(redirect(answer)),
        _ => failure,
    }
}

/// The ids of a started flow, each where the answer names one.
#[derive(Default)]
struct Ids {
    execution_id: Option<String>,
    sys_id: Option<String>,
}

/// A 2xx, by the order of the contract's table: an id is proof; then what speaks against a started flow; anything else is a success.
fn success(answer: &Answer, body: &Body) -> Result<Ids, Failure> {
    let result = match answer.end {
        End::Whole => json::parse(&body.text)
            .ok()
            .and_then(|raw| Json::of(raw)?.member("result")),
        _ => None,
    };
    let ids = result.as_ref().map(ids).unwrap_or_default();
    if ids.execution_id.is_some() || ids.sys_id.is_some() {
        return Ok(ids);
    }
    let unconfirmed = |cause, said| Err(Failure::of(cause).answered(answer.status, said, None));
    if let Some(failure) = Envelope::of_failure(&body.text) {
        return unconfirmed(Cause::Cancelled, Some(failure.sentence()));
    }
    match result {
        None | Some(Json::Null) if answer.status == 202 => return unconfirmed(Cause::Accepted, None),
        Some(_) => return Ok(ids),
        None => {}
    }
    let media_type = body::media_type(answer.header("content-type"));
    no_page(answer, body, &media_type)?;
    if answer.end == End::Whole && body::is_markup(&media_type, &body.text) {
        return unconfirmed(Cause::Markup, None);
    }
    readable(answer, body)?;
    Ok(ids)
}

/// `Ok` for a 2xx that is no web page. What did not come whole is judged by its type alone.
fn no_page(answer: &Answer, body: &Body, media_type: &str) -> Result<(), Failure> {
    let begins_as_page = || answer.end == End::Whole && body::begins_as_page(media_type, &body.text);
    if !body.empty && (media_type == "text/html" || begins_as_page()) {
        return Err(Failure::of(Cause::Html).answered(answer.status, None, None));
    }
    Ok(())
}

/// `Ok` for a 2xx whose body came whole and can be read.
fn readable(answer: &Answer, body: &Body) -> Result<(), Failure> {
    let cause = match answer.end {
        End::Cut => Cause::AnswerLost,
        End::Silent => Cause::AnswerSilent,
        End::TooLarge => Cause::AnswerTooLarge,
        End::Whole if body.compressed => Cause::AnswerCompressed,
        End::Whole => return Ok(()),
    };
    Err(Failure::of(cause).answered(answer.status, None, None))
}

fn is_compressed(answer: &Answer) -> bool {
    answer.values("content-encoding").any(|codings| {
        let codings = String::from_utf8_lossy(codings);
        codings
            .split(',')
            .map(str::trim)
            .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
    })
}

/// `executionId` and `sys_id`, each where it is a text that is not empty.
fn ids(result: &Json) -> Ids {
    let id = |name| match result.member(name) {
        Some(Json::Text(id)) => Some(id.into_owned()).filter(|id| !id.is_empty()),
        _ => None,
    };
    Ids {
        execution_id: id("executionId"),
        sys_id: id("sys_id"),
    }
}

/// The headers as text, names in lower case, credentials masked, cookies (which are credentials themselves) left out.
fn headers(headers: Vec<(String, Vec<u8>)>, mask: &Mask) -> Vec<(String, String)> {
    let mut kept = Vec::with_capacity(headers.len());
    for (mut name, value) in headers {
        name.make_ascii_lowercase();
        if name != "set-cookie" && name != "set-cookie2" {
            kept.push((name, mask.text(body::utf8_or_latin1(value))));
        }
    }
    kept
}

/// `to login.example.com`: a redirect's host alone, since its path and query can hold a session.
fn redirect(answer: &Answer) -> String {
    let location = answer
        .header("location")
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    let is_scheme = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let relative = match location.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => &location,
    };
    let Some(after_scheme) = relative.strip_prefix("//") else {
        let target = if location.is_empty() {
            "without a target"
        } else {
            "to another path of the same host"
        };
        return target.to_owned();
    };
    let authority = after_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b);
    if host.is_empty() || host.len() > HOST_MAX || !host.bytes().all(plain) {
        return "its target is not readable".to_owned();
    }
    format!("to {host}")
}

/// A DNS name has 253 characters at most, and a port five.
const HOST_MAX: usize = 259;

#[cfg(test)]
mod tests;
