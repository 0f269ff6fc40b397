//! Random numbers from the operating system.

/// For jitter. Where the system has none, 0: jitter only spreads load.
pub(crate) fn number() -> u64 {
    getrandom::u64().unwrap_or(0)
}

/// 128 random bits: unique over all workers and for ever.
///
/// Without randomness the process and the time have to do; two workers could then only agree if they were started in the same nanosecond
/// under the same process id.
pub(crate) fn stem() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => format!("{:032x}", u128::from_be_bytes(bytes)),
        Err(_) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            format!("{}-{:x}", std::process::id(), now.unwrap_or_default().as_nanos())
        }
    }
}

/// From 0 to 1.
pub(crate) fn fraction() -> f64 {
    f64::from(u32::try_from(number() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}
