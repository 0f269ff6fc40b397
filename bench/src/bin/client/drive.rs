//! Runs of many calls, and their figures.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use flow_starter_bench::call::{self, Call};
use flow_starter_bench::os;
use flow_starter_bench::protocol::{Options, Ready, Report, Run};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Something that makes calls. Cheap to clone; clones share their connections.
pub(crate) trait Contender: Clone + Send + Sync + 'static {
    /// JSON in, JSON out.
    fn call(&self, input: &str) -> impl Future<Output = Result<String>> + Send;
}

/// Makes one call, prints that it is ready, and then makes the runs that standard input asks for.
pub(crate) fn drive(runtime: &Runtime, contender: &impl Contender, options: &Options, start: Instant) -> Result<()> {
    let call = Arc::new(Call::new(&options.url, &options.username, &options.password)?);
    let output = runtime.block_on(contender.call(&call.input(0)))?;
    let ready = Ready {
        ready: true,
        start_ms: start.elapsed().as_secs_f64() * 1e3,
    };
    say(&serde_json::to_string(&ready)?)?;
    call::check_output(&output, 0)?;

    let mut first = 1;
    for line in std::io::stdin().lock().lines() {
        let run: Run = serde_json::from_str(&line?).context("a line of standard input is not a run")?;
        let report = runtime.block_on(many(contender, &call, first, run));
        first += run.calls;
        say(&serde_json::to_string(&report)?)?;
    }
    Ok(())
}

/// Makes one call and prints its output.
pub(crate) fn print(runtime: &Runtime, contender: &impl Contender, options: &Options) -> Result<()> {
    let call = Call::new(&options.url, &options.username, &options.password)?;
    let output = runtime.block_on(contender.call(&call.input(0)))?;
    call::check_output(&output, 0)?;
    say(&output)
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// What one task of a run saw.
#[derive(Default)]
struct Seen {
    latencies_ns: Vec<u64>,
    failed: u64,
    error: Option<String>,
}

async fn many(contender: &impl Contender, call: &Arc<Call>, first: u64, run: Run) -> Report {
    let next = Arc::new(AtomicU64::new(first));
    let end = first + run.calls;
    os::reset_peak();
    let (begin, cpu) = (Instant::now(), os::cpu_time());
    let mut tasks = JoinSet::new();
    for _ in 0..run.in_flight {
        let (contender, call, next) = (contender.clone(), Arc::clone(call), Arc::clone(&next));
        tasks.spawn(async move { some(&contender, &call, &next, end).await });
    }
    let mut all = Seen::default();
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(seen) => {
                all.latencies_ns.extend(seen.latencies_ns);
                all.failed += seen.failed;
                all.error = all.error.or(seen.error);
            }
            Err(error) => {
                all.failed += 1;
                all.error = Some(error.to_string());
            }
        }
    }
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), os::cpu_time() - cpu);
    let rss_kib = os::peak_kib().unwrap_or_default();
    all.latencies_ns.sort_unstable();
    let percentile = |percent: usize| {
        let at = (all.latencies_ns.len() * percent / 100).min(all.latencies_ns.len().saturating_sub(1));
        all.latencies_ns.get(at).map_or(0.0, |ns| *ns as f64 / 1e3)
    };
    Report {
        calls: run.calls,
        failed: all.failed,
        seconds,
        cpu_us: cpu.as_secs_f64() * 1e6,
        p50_us: percentile(50),
        p99_us: percentile(99),
        rss_kib,
        error: all.error,
    }
}

/// One call after another, until the run has enough.
async fn some(contender: &impl Contender, call: &Call, next: &AtomicU64, end: u64) -> Seen {
    let mut seen = Seen::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return seen;
        }
        let begin = Instant::now();
        let output = contender.call(&call.input(number)).await;
        seen.latencies_ns
            .push(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let wrong = match output {
            Ok(output) if call::is_answer(&output, number) => continue,
            Ok(output) => format!("the output has another execution ID: {output}"),
            Err(error) => format!("{error:#}"),
        };
        seen.failed += 1;
        seen.error.get_or_insert(wrong);
    }
}
