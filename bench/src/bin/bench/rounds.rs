//! The interleaved rounds: in each, every contender makes every kind of run once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use flow_starter_bench::os;
use flow_starter_bench::protocol::Report;

use crate::contender::Contender;
use crate::process::Process;
use crate::server::{Server, Target};

/// A kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// One call at a time, client and server on one core.
    OneSameCore,
    /// One call at a time, client and server on a core each.
    OneApart,
    /// 32 calls in flight.
    Many,
    /// The same over TLS, with keep-alive.
    ManyTls,
    /// The server answers after 50 ms; so many calls in flight.
    Delayed(u32),
}

/// Calls in flight of [`Kind::Many`].
pub(crate) const IN_FLIGHT: u32 = 32;
/// The server's time in [`Kind::Delayed`].
pub(crate) const DELAY_MS: u32 = 50;

/// How often a process's memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(10);

/// What one run gave.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) report: Report,
    /// Only of [`Kind::Delayed`].
    pub(crate) memory: Memory,
    /// The part of the run's time for which the server's core was busy.
    pub(crate) server_busy: f64,
}

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident, with one call in flight.
    pub(crate) base: u64,
    /// What many calls in flight add to the proportional set size.
    pub(crate) proportional: u64,
}

/// All samples, by kind and contender; one for each round.
#[derive(Default)]
pub(crate) struct Samples(BTreeMap<(Kind, usize), Vec<Sample>>);

impl Samples {
    /// One figure of each round.
    pub(crate) fn figures(&self, kind: Kind, contender: usize, figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
        let samples = self.0.get(&(kind, contender)).map_or(&[][..], Vec::as_slice);
        samples.iter().map(figure).collect()
    }

    fn add(&mut self, kind: Kind, contender: usize, sample: Sample) {
        self.0.entry((kind, contender)).or_default().push(sample);
    }
}

/// Where the processes run.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) client: usize,
}

/// A contender's long-lived processes, and how many calls fill a run.
struct Warm {
    plain: Process,
    tls: Process,
    calls: BTreeMap<Kind, u64>,
}

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Number of rounds.
    pub(crate) rounds: usize,
    /// The duration that a run should have.
    pub(crate) run: Duration,
    /// Calls in flight of [`Kind::Delayed`], in ascending order.
    pub(crate) delayed: Vec<u32>,
    /// Calls in a row.
    pub(crate) sustained: u64,
}

/// Makes all rounds.
pub(crate) fn measure(contenders: &[Contender], server: &Server, cores: &Cores, extent: &Extent) -> Result<Samples> {
    let mut warm = Vec::new();
    for contender in contenders {
        eprintln!("warming up: {}", contender.label);
        warm.push(warm_up(contender, server, cores, extent)?);
    }
    let mut samples = Samples::default();
    for round in 0..extent.rounds {
        eprintln!("round {} of {}", round + 1, extent.rounds);
        for place in 0..contenders.len() {
            let at = (round + place) % contenders.len();
            if let Some(warm) = warm.get_mut(at) {
                warm_runs(warm, at, server, cores, &mut samples)?;
            }
        }
        for in_flight in extent.delayed.iter().copied() {
            for place in 0..contenders.len() {
                let at = (round + place) % contenders.len();
                if let Some(contender) = contenders.get(at) {
                    let sample = delayed(contender, server, cores, in_flight)?;
                    samples.add(Kind::Delayed(in_flight), at, sample);
                }
            }
        }
    }
    Ok(samples)
}

fn warm_up(contender: &Contender, server: &Server, cores: &Cores, extent: &Extent) -> Result<Warm> {
    let home = match contender.warms_up_everywhere {
        true => vec![cores.server, cores.client],
        false => vec![cores.client],
    };
    let start = |target: &Target| -> Result<Process> {
        let (mut process, _) = contender.start(target, IN_FLIGHT, &home)?;
        let begin = Instant::now();
        while begin.elapsed() < contender.warm_up {
            process.run(2_000, IN_FLIGHT)?;
        }
        os::pin_process(process.pid(), &[cores.client])?;
        Ok(process)
    };
    let (mut plain, mut tls) = (start(&server.plain())?, start(&server.tls())?);
    let fill = |report: &Report| (report.rate() * extent.run.as_secs_f64()).ceil() as u64;
    let calls = BTreeMap::from([
        (
            Kind::OneSameCore,
            fill(&server.while_on(cores.client, || plain.run(500, 1))?),
        ),
        (Kind::OneApart, fill(&plain.run(500, 1)?)),
        (Kind::Many, fill(&plain.run(2_000, IN_FLIGHT)?)),
        (Kind::ManyTls, fill(&tls.run(1_000, IN_FLIGHT)?)),
    ]);
    Ok(Warm { plain, tls, calls })
}

/// The runs of the processes that live as long as the bench.
fn warm_runs(warm: &mut Warm, at: usize, server: &Server, cores: &Cores, samples: &mut Samples) -> Result<()> {
    let Warm { plain, tls, calls } = warm;
    for (kind, calls) in calls {
        let (process, in_flight) = match kind {
            Kind::ManyTls => (&mut *tls, IN_FLIGHT),
            Kind::Many => (&mut *plain, IN_FLIGHT),
            _ => (&mut *plain, 1),
        };
        // A pool may have closed its idle connections since the last round.
        process.run(u64::from(4 * in_flight), in_flight)?;
        let mut run = || timed(process, server, *calls, in_flight);
        let sample = match kind {
            Kind::OneSameCore => server.while_on(cores.client, run)?,
            _ => run()?,
        };
        samples.add(*kind, at, sample);
    }
    Ok(())
}

fn timed(process: &mut Process, server: &Server, calls: u64, in_flight: u32) -> Result<Sample> {
    let cpu = server.cpu_time();
    let report = process.run(calls, in_flight)?;
    let busy = server.cpu_time().saturating_sub(cpu).as_secs_f64() / report.seconds;
    Ok(Sample {
        report,
        memory: Memory::default(),
        server_busy: busy,
    })
}

/// A fresh process for each run, because a process seldom returns memory.
fn delayed(contender: &Contender, server: &Server, cores: &Cores, in_flight: u32) -> Result<Sample> {
    let (mut process, _) = contender.start(&server.delayed(DELAY_MS), in_flight, &[cores.client])?;
    let mut memory = Memory {
        base: process.run(10, 1)?.rss_kib,
        proportional: 0,
    };
    if in_flight > 1 {
        // Connects. Not measured otherwise: watching the memory takes time.
        let pid = process.pid();
        let proportional = || os::proportional_kib(pid).unwrap_or_default();
        let (before, mut peak) = (proportional(), 0);
        process.run_watched(in_flight.into(), in_flight, MEMORY_EVERY, || {
            peak = proportional().max(peak);
        })?;
        memory.proportional = peak.saturating_sub(before);
    }
    let calls = match in_flight {
        0..10 => 10,
        10..500 => 20 * in_flight,
        500..5_000 => 5 * in_flight,
        _ => 2 * in_flight,
    };
    let sample = timed(&mut process, server, calls.into(), in_flight)?;
    Ok(Sample { memory, ..sample })
}
