//! The machine, for the reader of the tables.

use std::fs::read_to_string;

use time::OffsetDateTime;

/// Programs that wanted a core during the last minute: proc_loadavg(5).
pub(crate) fn load() -> Option<f64> {
    let text = read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// For example `AMD EPYC, 2 cores, Linux 6.18.0, 2026-11-30`.
pub(crate) fn description(cores: usize) -> String {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |model| model.trim_start_matches([' ', '\t', ':']));
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let date = OffsetDateTime::now_utc().date();
    format!("{model}, {cores} cores, Linux {}, {date}", kernel.trim())
}
