//! How long a server asks to be left alone.
//!
//! There is no wall clock in here: a date is measured against the answer's own `Date`, and without one it says nothing.

use crate::transport::Answer;
use std::time::UNIX_EPOCH;

pub struct RetryAfter {
    /// `Retry-After` is there and can be read, whether or not it can be measured.
    pub said: bool,
    pub ms: Option<u32>,
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3: seconds or a date), else ServiceNow's `X-RateLimit-Reset` (unix time in seconds).
pub fn read(answer: &Answer) -> RetryAfter {
    let text = |name| std::str::from_utf8(answer.header(name)?).ok().map(str::trim);
    let now = text("date").and_then(date);
    // A time that is past is now.
    let until = |then: u64| Some(milliseconds(then.saturating_sub(now?)));
    let asked = text("retry-after");
    let seconds = asked.and_then(digits);
    let then = asked.and_then(date);
    let ms = match seconds {
        Some(seconds) => Some(milliseconds(seconds)),
        None => then
            .or_else(|| text("x-ratelimit-reset").and_then(digits))
            .and_then(until),
    };
    RetryAfter {
        said: seconds.is_some() || then.is_some(),
        ms,
    }
}

/// A number of any length; what is beyond a `u64` is that number's end.
fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

fn milliseconds(seconds: u64) -> u32 {
    u32::try_from(seconds.saturating_mul(1000)).unwrap_or(u32::MAX)
}

/// An HTTP date (RFC 9110, section 5.6.7) in seconds since 1970.
fn date(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
