//! Decimal numbers read without floats, which would cost a tenth of the component's size.

/// `text`, a decimal number of seconds up to 4,294,967, in milliseconds rounded up: a limit is never made shorter, nor "none" (0).
pub fn milliseconds(text: &str) -> Option<u32> {
    let (value, rest) = scaled(text, 3)?;
    let value = value.saturating_add(rest.into());
    u32::try_from(value).ok().filter(|ms| *ms <= 4_294_967_000)
}

/// `text` as a whole number.
pub fn whole(text: &str) -> Option<u32> {
    let (value, rest) = scaled(text, 0)?;
    u32::try_from(value).ok().filter(|_| !rest)
}

/// The whole part of `text` × 10^`power`, saturating, and whether a fraction is left. None where `text` is negative or no number.
fn scaled(text: &str, power: i32) -> Option<(u64, bool)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| e.abs() < 1000)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || mantissa.ends_with('.') || !digits().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // How many of the digits stand before the point once it has moved.
    let before = i32::try_from(whole.len())
        .ok()?
        .checked_add(exponent)?
        .checked_add(power)?;
    let mut value: u64 = 0;
    let mut rest = false;
    for (at, digit) in (0..).zip(digits()) {
        if at < before {
            value = value.saturating_mul(10).saturating_add((digit - b'0').into());
        } else {
            rest |= digit != b'0';
        }
    }
    let given = i32::try_from(whole.len() + fraction.len()).ok()?;
    for _ in given.max(0)..before {
        value = value.saturating_mul(10);
    }
    Some((value, rest))
}
