//! What Linux says of a process, and of the machine.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// `/proc` counts in these for programs, whatever the kernel's own clock (`man 5 proc`, `sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SECOND: u32 = 100;

/// CPU time of a process so far, user and system.
pub fn cpu(id: u32) -> Result<Duration> {
    let stat = of(id, "stat")?;
    // The second field is the program's name, in parentheses, and may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|it| it.parse::<u32>().ok());
    // Fields 14 and 15 of all.
    let used = ticks(11).zip(ticks(12)).context("/proc has no CPU time")?;
    Ok(Duration::from_secs(1) * (used.0 + used.1) / TICKS_PER_SECOND)
}

/// Resident memory in KiB: now, and the most since the start.
pub fn memory(id: u32) -> Result<(u64, u64)> {
    let status = of(id, "status")?;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    number("VmRSS:").zip(number("VmHWM:")).context("/proc has no memory")
}

/// CPU time that all cores together have spent.
pub fn machine() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user already. Steal is what the hypervisor gave to others.
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let used: u64 = [0, 1, 2, 5, 6].iter().filter_map(|at| ticks.get(*at)).sum();
    Ok(Duration::from_millis(used * 1000 / u64::from(TICKS_PER_SECOND)))
}

fn of(id: u32, file: &str) -> Result<String> {
    let path = Path::new("/proc").join(id.to_string()).join(file);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}: the process has ended", path.display()))
}
