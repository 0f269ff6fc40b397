//! Lengths of time in task headers: ISO 8601 durations of days or less, as `java.time.Duration` reads them.

use std::fmt;
use std::time::Duration;

/// What every length is capped at, `Retry-After` included.
pub const MAX_LENGTH: Duration = Duration::from_hours(24);

/// Why a header's value is no length of time. The caller names the header and the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvalidLength {
    /// `P1Y`, `P1M`: their length depends on the calendar. Weeks are refused with them, as Java refuses them.
    Calendar,
    Negative,
    /// Zero, where a length is needed.
    Zero,
    Unreadable,
}

impl fmt::Display for InvalidLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Calendar => "years, months and weeks are not allowed; use days, hours, minutes or seconds",
            Self::Negative => "a duration must not be negative",
            Self::Zero => "the duration must be longer than zero",
            Self::Unreadable => "it is not an ISO 8601 duration",
        })
    }
}

impl std::error::Error for InvalidLength {}

/// The task header `retryBackoff`. `None`: blank, which is the same as absent.
pub fn retry_back_off(text: &str) -> Result<Option<Duration>, InvalidLength> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some),
    }
}

/// The task header `jobTimeout`: as [`retry_back_off`], but never zero.
pub fn job_timeout(text: &str) -> Result<Option<Duration>, InvalidLength> {
    match retry_back_off(text)? {
        Some(Duration::ZERO) => Err(InvalidLength::Zero),
        length => Ok(length),
    }
}

/// The units in their order, date before time, with their nanoseconds.
const SECOND: u128 = 1_000_000_000;
const UNITS: [(char, u128); 4] = [
    ('D', 86_400 * SECOND),
    ('H', 3_600 * SECOND),
    ('M', 60 * SECOND),
    ('S', SECOND),
];

fn parse(text: &str) -> Result<Duration, InvalidLength> {
    if text.contains(['-', '\u{2212}']) {
        return Err(InvalidLength::Negative);
    }
    let text = text.to_ascii_uppercase();
    let rest = text.strip_prefix('P').ok_or(InvalidLength::Unreadable)?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return Err(InvalidLength::Unreadable),
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return Err(InvalidLength::Unreadable);
    }
    let (days, clock) = UNITS.split_at(1);
    let nanoseconds = parts(date, days)?.saturating_add(parts(time, clock)?);
    Ok(u64::try_from(nanoseconds)
        .map_or(MAX_LENGTH, Duration::from_nanos)
        .min(MAX_LENGTH))
}

/// Reads `2H30M` by units that must come in their order, each at most once.
fn parts(mut text: &str, mut units: &[(char, u128)]) -> Result<u128, InvalidLength> {
    let mut sum = 0u128;
    while !text.is_empty() {
        let end = text
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or(InvalidLength::Unreadable)?;
        let (number, rest) = text.split_at(end);
        let mut rest = rest.chars();
        let name = rest.next().ok_or(InvalidLength::Unreadable)?;
        let Some(place) = units.iter().position(|(unit, _)| *unit == name) else {
            let calendar = matches!(name, 'Y' | 'W') || (name == 'M' && units.iter().any(|(unit, _)| *unit == 'D'));
            return Err(if calendar {
                InvalidLength::Calendar
            } else {
                InvalidLength::Unreadable
            });
        };
        let (unit, later) = units
            .get(place..)
            .and_then(<[_]>::split_first)
            .ok_or(InvalidLength::Unreadable)?;
        sum = sum.saturating_add(amount(number, unit.1, name == 'S')?);
        units = later;
        text = rest.as_str();
    }
    Ok(sum)
}

/// `number` units in nanoseconds. Seconds alone may have a fraction, of nine digits at most.
fn amount(number: &str, unit: u128, fraction_allowed: bool) -> Result<u128, InvalidLength> {
    let (whole, fraction) = match number.split_once(['.', ',']) {
        Some((whole, fraction)) if fraction_allowed && fraction.len() <= 9 => (whole, fraction),
        Some(_) => return Err(InvalidLength::Unreadable),
        None => (number, ""),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(InvalidLength::Unreadable);
    }
    // More digits than fit are more than any cap.
    let whole = whole.parse::<u64>().unwrap_or(u64::MAX);
    let nanoseconds = format!("{fraction:0<9}").parse::<u128>().unwrap_or(0);
    Ok(u128::from(whole).saturating_mul(unit).saturating_add(nanoseconds))
}
