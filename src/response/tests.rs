//! Answers and what they mean.

use super::*;
use crate::error::Step;
use crate::types::{ErrorKind as K, FlowState, TriggerError};

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>, end: End) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    Answer {
        status,
        headers,
        body: body.into(),
        end,
    }
}

fn mask() -> Mask {
    let mut mask = Mask::default();
    mask.add("hunter22");
    mask
}

fn outcome(answer: Answer) -> Result<FlowResponse, Box<TriggerError>> {
    let mask = mask();
    flow(answer, &mask).map_err(|failure| failure.at(Step::Flow, "acme.service-now.com").into_error(&mask).into())
}

fn failed(answer: Answer) -> Box<TriggerError> {
    outcome(answer).expect_err("a failure")
}

const JSON: (&str, &str) = ("content-type", "application/json");
const HTML: (&str, &str) = ("Content-Type", "text/HTML; charset=utf-8");
const GZIP: (&str, &str) = ("content-encoding", "gzip");
const PAGE: &str = "<html><body>Your instance is hibernating</body></html>";
const ENVELOPE: &str = r#"{"error":{"message":"Too busy","detail":"Come back"},"status":"failure"}"#;
const UNKNOWN_RESOURCE: &str =
    r#"{"error":{"message":"Requested URI does not represent any resource","detail":null},"status":"failure"}"#;

const CANCELLED: &str = r#"{"error":{"message":"Transaction cancelled: maximum execution time exceeded","detail":"took too long"},"status":"failure"}"#;

struct Failed {
    answer: (u16, &'static [(&'static str, &'static str)], &'static str, End),
    kind: K,
    flow: FlowState,
    retryable: bool,
    retry_after_ms: Option<u32>,
    says: &'static str,
}

const fn row(
    answer: (u16, &'static [(&'static str, &'static str)], &'static str, End),
    (kind, flow, retryable): (K, FlowState, bool),
    retry_after_ms: Option<u32>,
    says: &'static str,
) -> Failed {
    Failed {
        answer,
        kind,
        flow,
        retryable,
        retry_after_ms,
        says,
    }
}

const NO: fn(K) -> (K, FlowState, bool) = |kind| (kind, FlowState::NotStarted, false);

#[rustfmt::skip]
fn failures() -> Vec<Failed> {
    use End::{Cut, Silent, TooLarge, Whole};
    let started = |kind| (kind, FlowState::Started, false);
    let unknown = |kind| (kind, FlowState::Unknown, false);
    let again = |kind| (kind, FlowState::NotStarted, true);
    vec![
        // A page is no started flow.
        row((200, &[HTML], PAGE, Whole), NO(K::NotServicenow), None, "the instance is hibernating or this is not its REST API"),
        row((200, &[JSON], PAGE, Whole), NO(K::NotServicenow), None, "hibernating"),
        row((201, &[], "\u{feff} \r\n<!DOCTYPE\n HTML PUBLIC \"x\">", Whole), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[], "<?xml version='1.0'?><!-- a > b --> <HTML>", Whole), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[], "<head>", Whole), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[("content-type", "application/xhtml+xml")], "<html xmlns='x'>", Whole), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[("content-type", "application/atom+xml")], "<?xml version='1.0'?><!DOCTYPE html>", Whole), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[HTML], r#"{"error":{"message":"m"}}"#, Whole), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[HTML], "<ht", Cut), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[HTML], "<ht", TooLarge), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[HTML], "<ht", Silent), NO(K::NotServicenow), None, "hibernating"),
        row((200, &[HTML, GZIP], "\u{1f}", Whole), NO(K::NotServicenow), None, "hibernating"),
        // ServiceNow cancels what it has accepted, and says so after the status.
        row((200, &[JSON], CANCELLED, Whole), unknown(K::Unconfirmed), None, "the response reports a failure (status 200 OK). The server says: Transaction cancelled: maximum execution time exceeded: took too long. It is unknown"),
        row((201, &[JSON], CANCELLED, Whole), unknown(K::Unconfirmed), None, "(status 201 Created)"),
        row((202, &[HTML], CANCELLED, Whole), unknown(K::Unconfirmed), None, "Transaction cancelled"),
        row((200, &[JSON], r#"{"result":[{"a":"1"},{"b"{"status":"failure","error":{"message":"M {\"error\"","detail":"}"}} "#, Whole), unknown(K::Unconfirmed), None, r#"M {"error": }."#),
        row((200, &[JSON], r#"{"result":{"error":{"message":"M","detail":null},"status":"failure"}}"#, Whole), unknown(K::Unconfirmed), None, "says: M."),
        row((200, &[JSON], r#"{"result":null,"error":{},"status":"failure"}"#, Whole), unknown(K::Unconfirmed), None, "reports a failure"),
        row((200, &[JSON], r#"{"result":{"executionId":""},"error":{"message":"M"},"status":"failure"}"#, Whole), unknown(K::Unconfirmed), None, "says: M."),
        row((200, &[JSON], r#"{"result":[{"a"{"error":{"message":"M"},"status":"failure"}"#, Cut), unknown(K::Unconfirmed), None, "says: M."),
        // Accepted, perhaps never done.
        row((202, &[], "", Whole), unknown(K::Unconfirmed), None, "the response does not confirm that anything was done (status 202 Accepted)"),
        row((202, &[], "ok", Whole), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[JSON], r#"{"result":null}"#, Whole), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[JSON], "[]", Whole), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[HTML], PAGE, Whole), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[("content-type", "application/xml")], "<result/>", Whole), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[JSON], r#"{"result":{"executionId":"abc"}"#, Cut), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[JSON], "{", TooLarge), unknown(K::Unconfirmed), None, "It is unknown"),
        row((202, &[JSON, GZIP], "x", Whole), unknown(K::Unconfirmed), None, "It is unknown"),
        // A sign-in page or an answer: who can tell.
        row((200, &[JSON], "<h1>Login</h1>", Whole), unknown(K::Unconfirmed), None, "markup in place of JSON, which may be a sign-in page (status 200 OK)"),
        row((200, &[], " <note>x</note>", Whole), unknown(K::Unconfirmed), None, "markup"),
        row((200, &[("content-type", "")], "<header>x</header>", Whole), unknown(K::Unconfirmed), None, "markup"),
        row((200, &[("content-type", "application/vnd.x+json; charset=utf-8")], "<!-- unended", Whole), unknown(K::Unconfirmed), None, "markup"),
        // A success that cannot be read has started the flow.
        row((200, &[JSON], "{", Cut), started(K::ConnectionLost), None, "the connection was lost within the response"),
        row((200, &[], PAGE, Cut), started(K::ConnectionLost), None, "the connection was lost within the response"),
        row((200, &[JSON], "<x", Cut), started(K::ConnectionLost), None, "the connection was lost within the response"),
        row((204, &[], "", Cut), started(K::ConnectionLost), None, "The flow has started."),
        row((200, &[JSON], "{", Silent), started(K::ReadTimeout), None, "the response stopped midway"),
        row((200, &[JSON], "{", TooLarge), started(K::ResponseTooLarge), None, "larger than the limit"),
        row((200, &[JSON, GZIP], "x", Whole), started(K::Protocol), None, "compressed, which was not requested"),
        row((200, &[("content-encoding", "identity, br")], "x", Whole), started(K::Protocol), None, "compressed"),
        row((200, &[("content-encoding", "identity"), GZIP], "x", Whole), started(K::Protocol), None, "compressed"),
        // Redirects are not followed.
        row((302, &[("location", "https://login.example.com/sso?token=hunter22")], "", Whole), NO(K::Redirected), None, "never followed (status 302 Found): to login.example.com."),
        row((301, &[("location", "//user:hunter22@other.example:8443/x")], "", Whole), NO(K::Redirected), None, "to other.example:8443."),
        row((308, &[("location", "/login.do?to=https://x")], "", Whole), NO(K::Redirected), None, "to another path of the same host."),
        row((302, &[("location", "login.do?to=https://x")], "", Whole), NO(K::Redirected), None, "to another path of the same host."),
        // This one has processed the request.
        row((303, &[("location", "https://acme.example/status/1")], "", Whole), unknown(K::Redirected), None, "never followed (status 303 See Other): to acme.example. It is unknown"),
        row((307, &[("location", "https://ex ample/")], "", Whole), NO(K::Redirected), None, "its target is not readable."),
        row((304, &[], "", Whole), NO(K::Redirected), None, "without a target."),
        row((300, &[HTML], PAGE, Cut), NO(K::Redirected), None, "never followed"),
        // What the server refuses.
        row((401, &[JSON], r#"{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}"#, Whole), NO(K::Unauthorized), None, "The server says: User Not Authenticated: Required to provide Auth information. Check the credentials"),
        row((401, &[HTML], PAGE, Cut), NO(K::Unauthorized), None, "(status 401 Unauthorized)"),
        row((403, &[JSON], ENVELOPE, Whole), NO(K::Forbidden), None, "these credentials do not have permission"),
        row((403, &[], "", Whole), NO(K::Forbidden), None, "was refused (status 403 Forbidden). Check ServiceNow's IP address access control"),
        row((403, &[JSON], r#"{"error":{"message":"Not from here"}}"#, Whole), NO(K::Forbidden), None, "was refused (status 403 Forbidden). The server says: Not from here. Check ServiceNow's IP address access control"),
        row((403, &[HTML], PAGE, Whole), NO(K::Forbidden), None, "any gateway or firewall in between"),
        row((404, &[JSON], UNKNOWN_RESOURCE, Whole), NO(K::NotFound), None, "Requested URI does not represent any resource. Check the path, that the plugin Flow Trigger - REST is installed, that the flow is active"),
        row((404, &[], "", Silent), NO(K::NotFound), None, "Check the path"),
        row((400, &[JSON], UNKNOWN_RESOURCE, Whole), NO(K::NotFound), None, "(status 400 Bad Request)"),
        row((400, &[JSON], r#"{"error":{"message":"m","detail":"URI does not represent any resource: x"}}"#, Whole), NO(K::NotFound), None, "says: m: URI does"),
        row((400, &[JSON], r#"{"error":{"message":"same","detail":"same"},"status":"failure"}"#, Whole), NO(K::Rejected), None, "says: same. The flow"),
        row((400, &[], "does not represent any resource", Whole), NO(K::Rejected), None, "was rejected (status 400 Bad Request). The flow"),
        row((400, &[GZIP], UNKNOWN_RESOURCE, Whole), NO(K::Rejected), None, "was rejected (status 400 Bad Request). The flow"),
        row((405, &[], "", Whole), NO(K::Rejected), None, "(status 405 Method Not Allowed)"),
        row((413, &[], "", Cut), NO(K::Rejected), None, "(status 413 Payload Too Large)"),
        row((499, &[], "", Whole), NO(K::Rejected), None, "(status 499)"),
        row((408, &[JSON], ENVELOPE, Whole), unknown(K::Unconfirmed), None, "may still be running (status 408 Request Timeout). The server says: Too busy: Come back. It is unknown"),
        row((408, &[("retry-after", "5")], "", Cut), unknown(K::Unconfirmed), None, "It is unknown"),
        row((425, &[], "", Whole), again(K::Rejected), None, "considers it too early (status 425 Too Early). Try again later. The flow has not started."),
        // When to come back.
        row((429, &[], "", Whole), again(K::RateLimited), None, "too many requests (status 429 Too Many Requests). Try again later. The flow has not started."),
        row((429, &[("Retry-After", " 30 ")], "", Whole), again(K::RateLimited), Some(30_000), "later"),
        row((429, &[("retry-after", "0")], "", Whole), again(K::RateLimited), Some(0), "later"),
        row((429, &[("retry-after", "4294968")], "", Whole), again(K::RateLimited), Some(u32::MAX), "later"),
        row((429, &[("retry-after", "99999999999999999999999")], "", Whole), again(K::RateLimited), Some(u32::MAX), "later"),
        row((429, &[("retry-after", "-1")], "", Whole), again(K::RateLimited), None, "later"),
        row((429, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), ("date", "Sun, 06 Nov 1994 08:49:07 GMT")], "", Whole), again(K::RateLimited), Some(30_000), "later"),
        row((429, &[("retry-after", "Sunday, 06-Nov-94 08:49:37 GMT"), ("date", "Sun Nov  6 08:49:07 1994")], "", Whole), again(K::RateLimited), Some(30_000), "later"),
        row((429, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), ("date", "Mon, 07 Nov 1994 08:49:07 GMT")], "", Whole), again(K::RateLimited), Some(0), "later"),
        row((429, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], "", Whole), again(K::RateLimited), None, "later"),
        row((429, &[("x-ratelimit-reset", "784111807"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "", Whole), again(K::RateLimited), Some(30_000), "later"),
        row((429, &[("X-RateLimit-Reset", "784111807"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "1")], "", Whole), again(K::RateLimited), Some(1_000), "later"),
        row((429, &[("x-ratelimit-reset", "1"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "", Whole), again(K::RateLimited), Some(0), "later"),
        row((429, &[("x-ratelimit-reset", "784111807")], "", Whole), again(K::RateLimited), None, "later"),
        row((400, &[("retry-after", "30")], "", Whole), NO(K::Rejected), None, "rejected"),
        // Who said 503?
        row((503, &[("retry-after", "5")], "", Whole), again(K::Unavailable), Some(5_000), "The flow has not started."),
        row((503, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], "", Whole), again(K::Unavailable), None, "The flow has not started."),
        row((503, &[JSON], ENVELOPE, Whole), again(K::Unavailable), None, "says: Too busy: Come back. Try again later."),
        row((503, &[("retry-after", "soon")], "", Whole), unknown(K::Unavailable), None, "It is unknown whether the flow started"),
        row((503, &[JSON], r#"{"error":{"message":"upstream"}}"#, Whole), unknown(K::Unavailable), None, "It is unknown"),
        row((503, &[JSON], r#"{"error":"x","status":"ok"}"#, Whole), unknown(K::Unavailable), None, "It is unknown"),
        row((503, &[HTML], PAGE, Whole), unknown(K::Unavailable), None, "It is unknown"),
        row((503, &[], "", Cut), unknown(K::Unavailable), None, "It is unknown"),
        row((500, &[JSON], ENVELOPE, Whole), unknown(K::ServerError), None, "says: Too busy"),
        row((502, &[("retry-after", "5")], "", Whole), unknown(K::ServerError), None, "(status 502 Bad Gateway)"),
        row((599, &[], "", TooLarge), unknown(K::ServerError), None, "(status 599)"),
        row((600, &[], "", Whole), unknown(K::Protocol), None, "(status 600)"),
        row((101, &[], "", Whole), unknown(K::Protocol), None, "(status 101 Switching Protocols)"),
    ]
}

#[test]
fn an_answer_that_is_no_success_says_what_it_means() {
    for Failed {
        answer: (status, headers, body, end),
        kind,
        flow,
        retryable,
        retry_after_ms,
        says,
    } in failures()
    {
        let error = failed(answer(status, headers, body, end));
        let row = format!("{status} {headers:?} {body:?} {end:?}: {}", error.message);
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (kind, flow, retryable),
            "{row}"
        );
        assert_eq!(error.retry_after_ms, retry_after_ms, "{row}");
        assert!(error.message.contains(says), "{row}");
        assert!(!error.message.contains("hunter22"), "{row}");
        assert_eq!(error.response.map(|response| response.status), Some(status), "{row}");
    }
}

#[rustfmt::skip]
#[test]
fn a_whole_2xx_is_a_success_with_the_ids_it_holds() {
    let (execution, sys) = (Some("ndoxeRhshDSezldeGfbYlviFSeFnBjCO"), Some("9d385017c611228701d22104cc95c371"));
    for (status, headers, body, ids) in [
        (200, &[JSON][..], r#"{"result":{"executionId":"ndoxeRhshDSezldeGfbYlviFSeFnBjCO"}}"#, (execution, None)),
        (201, &[JSON], r#"{"result":{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC1"}}"#, (None, sys)),
        (202, &[], "\u{feff}{\"result\":{\"sys_id\":\"9d385017c611228701d22104cc95c371\",\"executionId\":\"ndoxeRhshDSezldeGfbYlviFSeFnBjCO\"}}", (execution, sys)),
        (299, &[("content-type", "text/plain")], r#"{"result":{"executionId":"x","executionId":"ndoxeRhshDSezldeGfbYlviFSeFnBjCO","half":"\ud800"}}"#, (execution, None)),
        (204, &[], "", (None, None)),
        (200, &[HTML], "", (None, None)),
        (200, &[GZIP], "", (None, None)),
        (200, &[("content-encoding", "identity, ,IDENTITY")], "{}", (None, None)),
        (200, &[], "hello", (None, None)),
        (200, &[("content-type", "text/plain")], "<h1>x</h1>", (None, None)),
        (200, &[("content-type", "application/xml")], "<head>x</head>", (None, None)),
        (200, &[("content-type", "application/xhtml+xml")], "x", (None, None)),
        // ServiceNow's processors answer JSON as HTML.
        (200, &[HTML], r#"{"result":{"executionId":"ndoxeRhshDSezldeGfbYlviFSeFnBjCO"}}"#, (execution, None)),
        (200, &[HTML], r#"{"result":null}"#, (None, None)),
        // An id is proof, whatever stands beside it.
        (202, &[HTML], r#"{"result":{"sys_id":"9d385017c611228701d22104cc95c371","error":{"message":"m"},"status":"failure"},"error":{"message":"m"},"status":"failure"}"#, (None, sys)),
        (202, &[JSON], r#"{"result":{}}"#, (None, None)),
        (202, &[JSON], r#"{"result":"queued"}"#, (None, None)),
        // A failure's words without its shape.
        (200, &[JSON], r#"{"error":"no","status":"failure"}"#, (None, None)),
        (200, &[JSON], r#"{"error":{"message":"m"},"status":"success"}"#, (None, None)),
        (200, &[JSON], r#"{"log":"{\"error\":{},\"status\":\"failure\"}"}"#, (None, None)),
        (200, &[JSON], r#"[{"error":{"message":"m"},"status":"failure"}]"#, (None, None)),
        (200, &[], "a <html>", (None, None)),
        (200, &[JSON], r#"[{"executionId":"x"}]"#, (None, None)),
        (200, &[JSON], r#"{"result":["executionId"]}"#, (None, None)),
        (200, &[JSON], r#"{"result":[{"executionId":"x"}]}"#, (None, None)),
        (200, &[JSON], r#"{"result":{"executionId":1,"sys_id":null}}"#, (None, None)),
        (200, &[JSON], r#"{"result":{"executionId":""}}"#, (None, None)),
        (200, &[JSON], r#"{"executionId":"x"}"#, (None, None)),
        (200, &[JSON], r#"{"result":{"executionId":"x"}"#, (None, None)),
    ] {
        let response = outcome(answer(status, headers, body, End::Whole)).unwrap_or_else(|error| panic!("{body}: {}", error.message));
        assert_eq!(response.status, status, "{body}");
        assert_eq!((response.execution_id.as_deref(), response.sys_id.as_deref()), ids, "{body}");
        assert_eq!(response.body, body.trim_start_matches('\u{feff}'), "{body}");
    }
}

#[test]
fn headers_are_lower_case_without_cookies_or_credentials() {
    let headers = [
        ("X-B", "1"),
        ("Set-Cookie", "a=b"),
        ("x-a", "hunter22!"),
        ("X-b", "2"),
        ("SET-COOKIE2", "c"),
    ];
    let expected = [("x-b", "1"), ("x-a", "***!"), ("x-b", "2")];
    let ok = outcome(answer(200, &headers, "", End::Whole)).unwrap().headers;
    let error = failed(answer(400, &headers, "", End::Whole)).response.unwrap().headers;
    for found in [ok, error] {
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_header_that_is_no_utf_8_is_read_as_latin_1() {
    let mut answer = answer(200, &[], "", End::Whole);
    answer.headers.push(("x".to_owned(), b"gr\xfc\xdf".to_vec()));
    assert_eq!(outcome(answer).unwrap().headers, [("x".to_owned(), "grüß".to_owned())]);
}

#[test]
fn a_body_is_decoded_by_its_charset_and_never_stops_anything() {
    for (content_type, bytes, text) in [
        ("application/json", &b"gr\xc3\xbc\xc3\x9f"[..], "grüß"),
        ("application/json", b"gr\xfc\xdf!", "gr\u{fffd}\u{fffd}!"),
        ("application/json; charset=ISO-8859-1", b"gr\xfc\xdf", "grüß"),
        ("text/plain;x=y; charset=\"windows-1252\"", b"gr\xfc\xdf", "grüß"),
        ("text/plain; charset=latin1", b"\xef\xbb\xbfgr\xc3\xbc", "grü"),
        ("text/plain; charset=utf-16", b"\xff\xfea\0", "\u{fffd}\u{fffd}a\0"),
        ("text/plain; charset=", b"\xc3\xbc", "ü"),
        (";;;", b"\xc3", "\u{fffd}"),
    ] {
        let response = outcome(answer(200, &[("content-type", content_type)], bytes, End::Whole)).unwrap();
        assert_eq!(response.body, text, "{content_type}");
    }
}

#[test]
fn an_error_contains_no_credential_and_a_success_stays_unchanged() {
    let body = "you sent hunter22 (aHVudGVyMjI=)";
    assert_eq!(
        failed(answer(500, &[], body, End::Whole)).response.unwrap().body,
        "you sent *** (***)"
    );
    assert_eq!(outcome(answer(200, &[], body, End::Whole)).unwrap().body, body);
}

#[test]
fn a_body_that_ends_within_a_credential_is_masked_whole() {
    for end in [End::Cut, End::Silent, End::TooLarge] {
        assert_eq!(
            failed(answer(500, &[], "you sent hunter", end)).response.unwrap().body,
            "***"
        );
        assert_eq!(
            failed(answer(200, &[], "you sent hunt", end)).response.unwrap().body,
            "***"
        );
    }
}

#[test]
fn a_cut_through_a_character_hides_no_credential_from_the_mask() {
    let mut mask = Mask::default();
    mask.add("hunté€😀");
    let whole = "you sent hunté€😀".as_bytes();
    for length in "you sent hunt".len()..=whole.len() {
        let cut = answer(500, &[], &whole[..length], End::Cut);
        let error = flow(cut, &mask).unwrap_err().at(Step::Flow, "h").into_error(&mask);
        // What stands whole is masked in place.
        let masked = if length == whole.len() { "you sent ***" } else { "***" };
        assert_eq!(error.response.unwrap().body, masked, "{length}");
    }
}

#[test]
fn a_credential_across_the_truncation_keeps_the_message_readable() {
    for filler in 560..=600 {
        let words = format!("{} hunt hunt hunt hunt hunt hunt hunt hunt hunt", "x".repeat(filler));
        let body = format!(r#"{{"error":{{"message":"{words}"}}}}"#);
        let error = failed(answer(400, &[JSON], body, End::Whole));
        assert!(
            error
                .message
                .starts_with("The request to acme.service-now.com was rejected")
                && error.message.ends_with("The flow has not started.")
                && !error.message.contains("hunt…"),
            "{filler}: {}",
            error.message
        );
    }
}

#[test]
fn a_text_made_to_look_like_many_failures_is_read_in_linear_time() {
    let body = r#"{"error":["#.repeat(100_000);
    assert!(outcome(answer(200, &[], body, End::Whole)).is_ok());
}

#[test]
fn an_error_has_no_ids() {
    let response = failed(answer(
        500,
        &[JSON],
        r#"{"result":{"executionId":"x","sys_id":"y"}}"#,
        End::Whole,
    ))
    .response
    .unwrap();
    assert_eq!((response.execution_id, response.sys_id), (None, None));
}

fn token_of(body: &str) -> Result<AccessToken, Box<TriggerError>> {
    fetched(answer(200, &[JSON], body, End::Whole))
}

fn fetched(answer: Answer) -> Result<AccessToken, Box<TriggerError>> {
    token(answer).map_err(|failure| {
        failure
            .at(Step::Token, "acme.service-now.com")
            .into_error(&mask())
            .into()
    })
}

#[test]
fn a_token_is_read_with_its_time() {
    for (body, expires_in_s) in [
        (
            r#"{"access_token":"abc.D-1","token_type":"Bearer","expires_in":1799,"scope":"x"}"#,
            Some(1799),
        ),
        (
            r#"{"access_token":"abc.D-1","token_type":"bearer","expires_in":"1799"}"#,
            Some(1799),
        ),
        (r#"{"access_token":"abc.D-1"}"#, None),
        (r#"{"access_token":"abc.D-1","token_type":null,"expires_in":-1}"#, None),
        (r#"{"access_token":"abc.D-1","expires_in":99999999999}"#, None),
    ] {
        let token = token_of(body).unwrap();
        assert_eq!(
            (token.token.as_str(), token.expires_in_s),
            ("abc.D-1", expires_in_s),
            "{body}"
        );
    }
}

#[test]
fn an_answer_without_a_usable_token_is_a_protocol_error_before_the_flow() {
    let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(TOKEN_MAX + 1));
    for body in [
        "",
        "{}",
        "hello",
        "[]",
        "[\"abcd\"]",
        r#"{"access_token":""}"#,
        r#"{"access_token":1234}"#,
        r#"{"access_token":null}"#,
        r#"{"access_token":"hunt er22"}"#,
        r#"{"access_token":"abcd\r\nx: y"}"#,
        r#"{"access_token":"äbcd"}"#,
        r#"{"access_token":"\ud800"}"#,
        r#"{"access_token":"abcd","token_type":"mac"}"#,
        &long,
    ] {
        let error = token_of(body).expect_err(body);
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (K::Protocol, FlowState::NotStarted, false),
            "{body}"
        );
        assert!(
            error
                .message
                .contains("The token request to acme.service-now.com got a response without a usable access token"),
            "{}",
            error.message
        );
        assert!(
            error.message.len() < 300 && error.response.is_none(),
            "{}",
            error.message
        );
    }
}

#[test]
fn a_token_endpoint_that_reports_an_error_with_a_200_is_quoted() {
    let error = token_of(r#"{"error":"invalid_client","error_description":"no hunter22"}"#).expect_err("no token");
    assert_eq!(error.kind, K::Protocol);
    assert!(
        error
            .message
            .contains("(status 200 OK). The server says: invalid_client: no ***. The flow has not started."),
        "{}",
        error.message
    );
}

#[test]
fn a_token_may_come_with_202_and_as_html() {
    assert!(fetched(answer(202, &[], r#"{"access_token":"abcd"}"#, End::Whole)).is_ok());
}

#[test]
fn a_failed_token_request_starts_no_flow_and_shows_no_response() {
    for (status, headers, body, end, kind, retryable) in [
        (200, &[HTML][..], PAGE, End::Whole, K::NotServicenow, false),
        (
            200,
            &[JSON],
            r#"{"access_token":"abcd"#,
            End::Cut,
            K::ConnectionLost,
            true,
        ),
        (200, &[JSON], "", End::Silent, K::ReadTimeout, true),
        (200, &[JSON], "x", End::TooLarge, K::ResponseTooLarge, false),
        (200, &[JSON, GZIP], "x", End::Whole, K::Protocol, false),
        (302, &[], "", End::Whole, K::Redirected, false),
        (
            400,
            &[JSON],
            r#"{"error":"invalid_client","error_description":"no hunter22"}"#,
            End::Whole,
            K::Rejected,
            false,
        ),
        (401, &[], "", End::Whole, K::Unauthorized, false),
        (303, &[], "", End::Whole, K::Redirected, false),
        (403, &[], "", End::Whole, K::Forbidden, false),
        (404, &[], "", End::Whole, K::NotFound, false),
        (408, &[], "", End::Whole, K::Unconfirmed, true),
        (425, &[], "", End::Whole, K::Rejected, true),
        (429, &[], "", End::Whole, K::RateLimited, true),
        (503, &[], "", End::Whole, K::Unavailable, true),
        (500, &[], "", End::Whole, K::ServerError, true),
    ] {
        let error = fetched(answer(status, headers, body, end)).expect_err("a failure");
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (kind, FlowState::NotStarted, retryable),
            "{status} {body}"
        );
        assert!(
            error.message.ends_with("The flow has not started."),
            "{}",
            error.message
        );
        assert!(
            error.response.is_none() && !error.message.contains("hunter22"),
            "{}",
            error.message
        );
    }
    let error = fetched(answer(
        400,
        &[JSON],
        r#"{"error":"invalid_client","error_description":"no hunter22"}"#,
        End::Whole,
    ))
    .expect_err("");
    assert!(
        error.message.contains("The server says: invalid_client: no ***."),
        "{}",
        error.message
    );
}
