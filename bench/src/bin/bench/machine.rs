//! The machine, for the reader of the tables.

use std::fs::read_to_string;

use time::OffsetDateTime;

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
