//! How long a server asks to be left alone.
//!
//! There is no wall clock in here: a date is measured against the answer's own `Date`, and without one it says nothing.

use crate::transport::Answer;

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

/// An HTTP date (RFC 9110, section 5.6.7, in all three forms) in seconds since 1970.
///
/// The crate `httpdate` reads the same, as the test says, and is a twentieth of the component: 12 kB.
fn date(text: &str) -> Option<u64> {
    let comma = text.find(',');
    let weekday = text.get(..comma.unwrap_or(3))?;
    let rest = text.get(weekday.len()..)?;
    // `0` is a digit, `_` a digit or a space, `*` is looked at below; where the day, the month, the year and the time begin.
    let (form, day, month, year, time) = match (comma.is_some(), rest.len()) {
        (true, 26) => (", 00 *** 0000 00:00:00 GMT", 2, 5, 9..13, 14),
        (true, 24) => (", 00-***-00 00:00:00 GMT", 2, 5, 9..11, 12),
        (false, 21) => (" *** _0 00:00:00 0000", 5, 1, 17..21, 8),
        _ => return None,
    };
    let fits = |(form, byte): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'_' => byte == b' ' || byte.is_ascii_digit(),
        b'*' => true,
        _ => byte == form,
    };
    if !form.bytes().zip(rest.bytes()).all(fits) {
        return None;
    }
    let number =
        |begin: usize, end: usize| -> Option<u64> { rest.get(begin..end)?.trim_start_matches(' ').parse().ok() };
    let name = rest.get(month..month + 3)?;
    let month = MONTHS.iter().position(|(known, _)| *known == name)?;
    let (day, year_read) = (number(day, day + 2)?, number(year.start, year.end)?);
    let year = match (year.len(), year_read) {
        (2, 0..70) => year_read + 2000,
        (2, _) => year_read + 1900,
        _ => year_read,
    };
    let (hour, minute, second) = (
        number(time, time + 2)?,
        number(time + 3, time + 5)?,
        number(time + 6, time + 8)?,
    );
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = |at: usize| {
        MONTHS
            .get(at)
            .map_or(0, |(_, days)| days + u64::from(at == 1 && is_leap))
    };
    if year < 1970 || day == 0 || day > length(month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Leap days of all years before this one, less those before 1970.
    let leap_days = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477;
    let days = (year - 1970) * 365 + leap_days + (0..month).map(length).sum::<u64>() + day - 1;
    let known = WEEKDAYS.get((days % 7) as usize)?;
    let known = if form.len() == 24 { known } else { known.get(..3)? };
    (weekday == known).then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// From 1 January 1970 on.
const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

const MONTHS: [(&str, u64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

#[cfg(test)]
mod tests {
    use super::date;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn by_httpdate(text: &str) -> Option<u64> {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }

    /// The three forms of a time, with any weekday and day of month.
    fn forms(seconds: u64, weekday: usize, day: u64) -> [String; 3] {
        let fixed = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        let (month, year, time) = (&fixed[8..11], &fixed[12..16], &fixed[17..25]);
        let long = super::WEEKDAYS[weekday];
        let short = &long[..3];
        [
            format!("{short}, {day:02} {month} {year} {time} GMT"),
            format!("{long}, {day:02}-{month}-{} {time} GMT", &year[2..]),
            format!("{short} {month} {day:2} {time} {year}"),
        ]
    }

    #[test]
    fn every_day_of_four_centuries_is_read() {
        for day in 0..146_097 {
            let seconds = day * 86_400 + 12_345;
            let fixed = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(date(&fixed), Some(seconds), "{fixed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_date_is_read_as_httpdate_reads_it(
            seconds in 0u64..253_402_300_800,
            weekday in 0usize..7,
            day in 0u64..33,
            spoilt in prop::option::of((0usize..32, "[0-9A-Za-z ,:+-]?")),
        ) {
            for mut form in forms(seconds, weekday, day) {
                if let Some((at, by)) = &spoilt && let Some((begin, c)) = form.char_indices().nth(*at) {
                    form.replace_range(begin..begin + c.len_utf8(), by);
                }
                // httpdate lets some separators be any character.
                if spoilt.is_none() || date(&form).is_some() {
                    prop_assert_eq!(date(&form), by_httpdate(&form), "{}", form);
                }
            }
        }

        #[test]
        fn no_text_stops_the_reading(text in any::<String>()) {
            if let Some(read) = date(&text) {
                prop_assert_eq!(Some(read), by_httpdate(&text));
            }
        }
    }
}
