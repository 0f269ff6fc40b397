//! How long a server asks to be left alone, said in any way: never a panic, never more than a `u32` holds, and what is past is now.
//!
//! A value of `@` and a unix time stands for the HTTP date of that second, `@@` for its spelling of RFC 850 and `@@@` for asctime's (RFC 9110,
//! section 5.6.7). What then must come is known to the millisecond. Of other texts it is known where they are digits, or hold none.

#![no_main]

use flow_starter_input::Mask;
use libfuzzer_sys::fuzz_target;
use servicenow_flow_starter::error::Step;
use servicenow_flow_starter::response;
use servicenow_flow_starter::transport::{Answer, End};
use servicenow_flow_starter::types::{ErrorKind, FlowState, TriggerError};
use servicenow_flow_starter_fuzz::wire;

fuzz_target!(|bytes: &[u8]| {
    let (headers, _) = wire::headers(bytes);
    let mut read = Vec::with_capacity(headers.len());
    let mut meanings = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let (value, meaning) = meaning(value);
        read.push((name.clone(), value));
        meanings.push((name, meaning));
    }
    // The first of a name counts.
    let of = |wanted: &str| {
        let found = meanings.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or(Meaning::None, |(_, meaning)| *meaning)
    };
    let (asked, now, reset) = (of("retry-after"), of("date"), of("x-ratelimit-reset"));

    let limited = error_for(429, &read);
    assert!(limited.kind == ErrorKind::RateLimited && limited.flow == FlowState::NotStarted && limited.retryable);
    let unavailable = error_for(503, &read);
    assert!(unavailable.kind == ErrorKind::Unavailable);
    assert_eq!(unavailable.retry_after_ms, limited.retry_after_ms);
    assert_eq!(error_for(500, &read).retry_after_ms, None);
    match asked {
        Meaning::Unknown => {}
        Meaning::Number(_) | Meaning::Time(_) => assert!(unavailable.retryable, "ServiceNow said when"),
        Meaning::None => assert!(!unavailable.retryable, "nobody said when"),
    }

    let expected = match (asked, now, reset) {
        (Meaning::Number(seconds), _, _) => Some(seconds),
        (Meaning::Time(then), Meaning::Time(now), _) => Some(then.saturating_sub(now)),
        (Meaning::Time(_), Meaning::None | Meaning::Number(_), _) => None,
        (Meaning::None, Meaning::Time(now), Meaning::Number(then)) => Some(then.saturating_sub(now)),
        (Meaning::None, Meaning::None | Meaning::Number(_), Meaning::Number(_)) => None,
        (Meaning::None, _, Meaning::None | Meaning::Time(_)) => None,
        _ => return,
    };
    let expected = expected.map(|seconds| u32::try_from(u128::from(seconds) * 1000).unwrap_or(u32::MAX));
    assert_eq!(
        limited.retry_after_ms, expected,
        "{asked:?}, at {now:?}, limit reset at {reset:?}"
    );
});

fn error_for(status: u16, headers: &[(String, Vec<u8>)]) -> TriggerError {
    let answer = Answer {
        status,
        headers: headers.to_vec(),
        body: Vec::new(),
        end: End::Whole,
    };
    let mask = Mask::default();
    let failure = response::flow(answer, &mask).expect_err("no success");
    failure.at(Step::Flow, "acme.service-now.com").into_error(&mask)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    /// Not there, or neither a number nor a date.
    None,
    /// Saturating.
    Number(u64),
    Time(u64),
    /// Perhaps a date.
    Unknown,
}

/// A header's value as it is sent, and what it means.
fn meaning(value: Vec<u8>) -> (Vec<u8>, Meaning) {
    let Ok(text) = std::str::from_utf8(&value) else {
        return (value, Meaning::None);
    };
    let text = text.trim();
    let unix = text.trim_start_matches('@');
    if text != unix
        && let Ok(seconds) = unix.parse::<u64>()
        && let Some(date) = date(seconds, text.len() - unix.len())
    {
        return (date.into_bytes(), Meaning::Time(seconds));
    }
    let meaning = if !text.contains(|c: char| c.is_ascii_digit()) {
        Meaning::None
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Meaning::Number(text.parse().unwrap_or(u64::MAX))
    } else {
        Meaning::Unknown
    };
    (value, meaning)
}

/// The HTTP date of a unix time, in the first, second or third of the standard's spellings. None beyond the year 9999, and where two digits
/// would not say which century.
fn date(seconds: u64, spelling: usize) -> Option<String> {
    const DAYS: [&str; 7] = [
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
    ];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let weekday = DAYS[usize::try_from(days % 7).ok()?];
    let leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    // 400 years have 146,097 days.
    let mut year = 1970 + days / 146_097 * 400;
    days %= 146_097;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (day, month, short) = (days + 1, MONTHS[month], &weekday[..3]);
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    match spelling {
        1 if year <= 9999 => Some(format!("{short}, {day:02} {month} {year} {time} GMT")),
        2 if year < 2070 => Some(format!("{weekday}, {day:02}-{month}-{:02} {time} GMT", year % 100)),
        3 if year <= 9999 => Some(format!("{short} {month} {day:2} {time} {year}")),
        _ => None,
    }
}
