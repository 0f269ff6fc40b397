//! From the answer to what it means: a started flow, or the cause why not. The status line decides; the body explains.

mod body;
mod envelope;
mod retry_after;

use crate::error::{Cause, Failure};
use crate::json::{self, Json};
use crate::mask::Mask;
use crate::request::is_token;
use crate::transport::{Answer, End};
use crate::types::{AccessToken, FlowResponse};
use envelope::Envelope;

/// What the flow's request was answered.
pub fn flow(answer: Answer, mask: &Mask) -> Result<FlowResponse, Failure> {
    let text = readable(&answer);
    let Err(failure) = judge(&answer, &text) else {
        let (execution_id, sys_id) = ids(&text);
        return Ok(FlowResponse { status: answer.status, headers: headers(&answer, mask), body: text, execution_id, sys_id });
    };
    // What an error carries is masked: it goes to incidents and logs, where a success's body goes to the process that asked for it.
    let body = if answer.end == End::Whole { mask.text(&text) } else { mask.cut_text(&text) };
    let headers = headers(&answer, mask);
    Err(failure.with_response(FlowResponse { status: answer.status, headers, body, execution_id: None, sys_id: None }))
}

/// What the token request was answered: RFC 6749, section 5.1.
pub fn token(answer: Answer) -> Result<AccessToken, Failure> {
    let text = readable(&answer);
    judge(&answer, &text)?;
    let unusable = || Failure::of(Cause::NoToken).answered(answer.status, None, None);
    let object = json::parse(&text).ok().and_then(|raw| Json::of(raw).ok()).ok_or_else(unusable)?;
    let Some(Json::Text(token)) = object.member("access_token").filter(|value| matches!(value, Json::Text(text) if is_token(text))) else {
        return Err(unusable());
    };
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
    Ok(AccessToken { token, expires_in_s })
}

/// The body as text; a compressed one is none.
fn readable(answer: &Answer) -> String {
    if is_compressed(answer) { String::new() } else { body::decode(answer.header("content-type"), &answer.body) }
}

/// `Ok` for a whole 2xx that can be read. `text` is the body.
fn judge(answer: &Answer, text: &str) -> Result<(), Failure> {
    let said = Envelope::read(text);
    let retry_after = retry_after::read(answer);
    let retry_after_ms = if matches!(answer.status, 429 | 503) { retry_after.ms } else { None };
    let failure = |cause| Failure::of(cause).answered(answer.status, said.as_ref().map(Envelope::sentence), retry_after_ms);
    let unknown_resource = said.as_ref().is_some_and(Envelope::is_unknown_resource);
    Err(match answer.status {
        200..=299 => return success(answer, text),
        300..=399 => return Err(failure(Cause::Redirected).with_detail(redirect(answer))),
        401 => failure(Cause::Unauthorized),
        403 => failure(Cause::Forbidden),
        404 => failure(Cause::NotFound),
        400 if unknown_resource => failure(Cause::NotFound),
        429 => failure(Cause::RateLimited),
        400..=499 => failure(Cause::Rejected),
        503 if retry_after.said || said.as_ref().is_some_and(Envelope::is_servicenows) => failure(Cause::UnavailableSaid),
        503 => failure(Cause::Unavailable),
        500..=599 => failure(Cause::ServerError),
        // No status that HTTP knows as an answer (RFC 9110, section 15).
        _ => failure(Cause::Garbled),
    })
}

fn success(answer: &Answer, text: &str) -> Result<(), Failure> {
    let empty = answer.body.is_empty() && answer.end == End::Whole;
    let whole = answer.end == End::Whole && !is_compressed(answer);
    let html = body::is_html_type(answer.header("content-type")) || (whole && body::begins_as_html(text));
    let cause = match answer.end {
        _ if html && !empty => Cause::Html,
        End::Cut => Cause::AnswerLost,
        End::Silent => Cause::AnswerSilent,
        End::TooLarge => Cause::AnswerTooLarge,
        End::Whole if is_compressed(answer) && !empty => Cause::AnswerCompressed,
        End::Whole => return Ok(()),
    };
    Err(Failure::of(cause).answered(answer.status, None, None))
}

fn is_compressed(answer: &Answer) -> bool {
    let codings = answer.header("content-encoding").map(String::from_utf8_lossy).unwrap_or_default();
    codings.split(',').map(str::trim).any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

/// `result.executionId` and `result.sys_id`, each where it is a text.
fn ids(text: &str) -> (Option<String>, Option<String>) {
    let Some(result) = json::parse(text).ok().and_then(|raw| Json::of(raw).ok()?.member("result")) else {
        return (None, None);
    };
    let id = |name| match result.member(name) {
        Some(Json::Text(id)) => Some(id).filter(|id| !id.is_empty()),
        _ => None,
    };
    (id("executionId"), id("sys_id"))
}

/// The headers as text, names in lower case, credentials masked, cookies (which are credentials themselves) left out.
fn headers(answer: &Answer, mask: &Mask) -> Vec<(String, String)> {
    let kept = answer.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    kept.filter(|(name, _)| name != "set-cookie" && name != "set-cookie2")
        .map(|(name, value)| (name, mask.text(&body::utf8_or_latin1(value))))
        .collect()
}

/// `to login.example.com`: a redirect's host alone, since its path and query can hold a session.
fn redirect(answer: &Answer) -> String {
    let location = answer.header("location").map(String::from_utf8_lossy).unwrap_or_default();
    let after_scheme = match location.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => rest,
        _ if location.is_empty() => return "it names no target".to_owned(),
        _ => return "to another path of the same host".to_owned(),
    };
    let authority = after_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return "its target cannot be read".to_owned();
    }
    let mut text = String::from("to ");
    text.push_str(&crate::error::cut(host, 253));
    text
}
