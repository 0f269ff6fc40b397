//! An answer as it came, and the words in it that may be shown.

use std::time::{Duration, SystemTime};

use flow_starter_input::Mask;
use flow_starter_input::message::quoted;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use zeroize::Zeroizing;

/// How long a text from outside may be, in characters.
pub(super) const WORDS: usize = 300;

/// Nobody waits longer for a rate limit.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How a request ended.
#[derive(Debug)]
pub(super) enum Ended {
    Answered(Answer),
    /// Provably not sent: no access token, or no connection.
    NotSent {
        /// There is no access token.
        denied: bool,
        after: Option<Duration>,
        detail: String,
    },
    /// Sent, perhaps in part, and no answer came.
    Lost {
        timed_out: bool,
        took: Duration,
        detail: String,
    },
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The cluster's own word, where it is one.
    pub(super) problem: Option<Problem>,
    /// Whole, or why it is not.
    pub(super) body: Result<Zeroizing<Vec<u8>>, String>,
    /// From before the request to the last byte of the answer.
    pub(super) took: Duration,
    /// One line for a person, without credentials.
    pub(super) detail: String,
}

/// A problem document (RFC 9457).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) title: String,
    pub(super) detail: String,
}

impl Problem {
    fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            title: Option<String>,
            detail: Option<String>,
        }
        if media_type(headers)? != "application/problem+json" {
            return None;
        }
        let document = serde_json::from_slice::<Document>(body).ok()?;
        Some(Self {
            title: document.title.unwrap_or_default(),
            detail: document.detail.unwrap_or_default(),
        })
    }
}

impl Answer {
    /// `masked` are credentials that must not be shown, also where the answer repeats them. `echo` is a long text of the request: where the
    /// answer repeats it, it would leave no room for the reason.
    pub(super) fn new(
        status: u16,
        headers: &HeaderMap,
        body: Result<Zeroizing<Vec<u8>>, String>,
        took: Duration,
        masked: &[&str],
        echo: Option<&str>,
    ) -> Self {
        let mut problem = body.as_ref().ok().and_then(|body| Problem::read(headers, body));
        if let (Some(problem), Some(echo)) = (&mut problem, echo) {
            problem.detail = problem.detail.replace(echo, "…");
        }
        let detail = match (&problem, media_type(headers)) {
            (Some(Problem { title, detail }), _) => format!("{status} {title}: {detail}"),
            (None, Some(media_type)) => format!("{status} with {media_type}, which is no answer of the cluster's"),
            (None, None) => format!("{status} without a reason"),
        };
        Self {
            status,
            retry_after: retry_after(headers),
            problem,
            detail: shown(&detail, masked),
            body,
            took,
        }
    }
}

/// In lower case, without parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let value = value.split(';').next().unwrap_or_default().trim();
    (!value.is_empty()).then(|| value.to_ascii_lowercase())
}

/// Seconds or a date (RFC 9110, section 10.2.3), at most a day.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let duration = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(SystemTime::now()).unwrap_or_default()
    };
    Some(duration.min(LONGEST_RETRY_AFTER))
}

/// One line of a text from outside, without the credentials, and not too long.
pub(super) fn shown(text: &str, masked: &[&str]) -> String {
    let mut mask = Mask::default();
    masked.iter().for_each(|secret| mask.add(secret));
    let spaced = text.replace(char::is_control, " ");
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    quoted(&mask, line, WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let of = |value: &str| retry_after(&headers(&[("retry-after", value)]));
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("99999999999999999999999"), Some(LONGEST_RETRY_AFTER));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(of("Fri, 31 Dec 9999 23:59:59 GMT"), Some(LONGEST_RETRY_AFTER));
        for no in ["", "-1", "1.5", "soon"] {
            assert_eq!(of(no), None, "{no}");
        }
    }

    #[test]
    fn only_a_problem_document_is_the_clusters_word() {
        let body = br#"{"title":"NOT_FOUND","detail":"no such job","instance":"/v2/jobs/1"}"#;
        let of = |media_type: &str, body: &[u8]| Problem::read(&headers(&[("content-type", media_type)]), body);
        for media_type in ["application/problem+json", "Application/Problem+JSON; charset=utf-8"] {
            assert_eq!(of(media_type, body).unwrap().title, "NOT_FOUND", "{media_type}");
        }
        assert_eq!(of("application/json", body), None);
        assert_eq!(of("text/html", body), None);
        assert_eq!(of("application/problem+json", b"<html>"), None);
        assert_eq!(of("application/problem+json", br#"{"title":"NOT_FO"#), None);
        assert_eq!(of("application/problem+json", b"{}"), Some(Problem::default()));
    }

    #[test]
    fn what_is_shown_is_one_line_without_credentials() {
        let text = shown(
            &format!("a\r\n\tb\0c {} tok-1 {}", "x".repeat(100), "é".repeat(400)),
            &["tok-1", ""],
        );
        assert!(text.starts_with("a b c xx"), "{text}");
        assert!(text.contains("x *** é") && text.ends_with("é…"), "{text}");
        assert_eq!(text.chars().count(), WORDS + 1);
    }
}
