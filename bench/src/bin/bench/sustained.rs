//! What is measured apart from the rounds: the start, and many calls in a row.

use anyhow::Result;
use flow_starter_bench::os;

use crate::contender::Contender;
use crate::rounds::{Cores, IN_FLIGHT};
use crate::server::{Server, Target};

/// As the host library's default.
const POOL: u32 = 256;

/// Milliseconds from the start of a process to its first answer, by contender.
pub(crate) fn starts(contenders: &[Contender], target: &Target, cores: &Cores) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::new(); contenders.len()];
    let most = contenders
        .iter()
        .map(|contender| contender.starts)
        .max()
        .unwrap_or_default();
    for attempt in 0..most {
        for (contender, times) in contenders.iter().zip(&mut times) {
            if attempt < contender.starts {
                let (_, elapsed) = contender.start(target, POOL, &[cores.client])?;
                times.push(elapsed.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(times)
}

/// A tenth of many calls.
pub(crate) struct Part {
    pub(crate) p50_us: f64,
    pub(crate) rate: f64,
    pub(crate) resident_kib: u64,
    pub(crate) open_files: usize,
}

const PARTS: u64 = 10;

/// Many calls of one process, in ten parts.
pub(crate) fn sustained(contender: &Contender, server: &Server, cores: &Cores, calls: u64) -> Result<Vec<Part>> {
    let (mut process, _) = contender.start(&server.plain(), IN_FLIGHT, &[cores.client])?;
    let mut parts = Vec::new();
    for _ in 0..PARTS {
        let report = process.run(calls / PARTS, IN_FLIGHT)?;
        parts.push(Part {
            p50_us: report.p50_us,
            rate: report.rate(),
            resident_kib: os::resident_kib(process.pid()).unwrap_or_default(),
            open_files: os::open_files(process.pid()).unwrap_or_default(),
        });
    }
    Ok(parts)
}
