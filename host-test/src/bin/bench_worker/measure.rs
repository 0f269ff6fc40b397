//! One worker, measured once: started, warmed, and then timed over a number of jobs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cluster::Cluster;
use crate::contender::{Contender, ca_file};
use crate::process;
use crate::stand_in::StandIn;

/// What is the same for all workers.
pub struct Plan {
    /// `camunda-test-cluster`
    pub cluster: PathBuf,
    /// `servicenow-stand-in`
    pub stand_in: PathBuf,
    /// Jobs that are measured.
    pub jobs: u64,
    /// How long a worker that compiles itself gets jobs before that.
    pub warm_up: Duration,
    /// HTTPS to the stand-in.
    pub tls: bool,
}

/// The figures of one worker.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// From the start of its process to the first completed job, in ms.
    pub start_ms: f64,
    /// Jobs per second, from the creation of the first one to the completion of the last one.
    pub rate: f64,
    /// CPU time of its process for a job, in ms.
    pub cpu_ms: f64,
    /// Its resident memory afterwards, in MiB.
    pub resident_mib: f64,
    /// The most that it ever was, in MiB.
    pub peak_mib: f64,
    /// Connections to ServiceNow for a job, since the start of its process.
    pub connections: f64,
    /// Share of one core that each process used meanwhile.
    pub cores: Cores,
}

/// Shares of one core.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    pub worker: f64,
    pub cluster: f64,
    pub stand_in: f64,
    /// The bench itself, which creates the jobs and reads the journals.
    pub bench: f64,
    /// All processes of the machine.
    pub machine: f64,
}

impl Cores {
    /// Of processes that have nothing to do with the bench.
    pub fn others(&self) -> f64 {
        (self.machine - self.worker - self.cluster - self.stand_in - self.bench).max(0.0)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, .. } = self;
        write!(
            f,
            "{:.0} jobs/s, {:.2} ms CPU a job, {:.0} MiB (peak {:.0}), {:.4} connections a job, start {:.0} ms; cores: worker {:.2}, cluster {:.2}, stand-in {:.2}, bench {:.2}, others {:.2}",
            self.rate,
            self.cpu_ms,
            self.resident_mib,
            self.peak_mib,
            self.connections,
            self.start_ms,
            cores.worker,
            cores.cluster,
            cores.stand_in,
            cores.bench,
            cores.others()
        )
    }
}

/// Measures the worker, and checks that each job was done once.
pub fn measure(contender: &Contender, plan: &Plan, folder: &Path) -> Result<Measured> {
    let mut cluster = Cluster::start(&plan.cluster)?;
    let mut stand_in = StandIn::start(&plan.stand_in, &ca_file(folder))?;
    let origin = stand_in.origin(plan.tls);
    let job = |number| contender.job(number, &origin);

    let begun = Instant::now();
    let worker = contender.start(&cluster, &stand_in, plan.tls, folder)?;
    let started = cluster.work(job, |created| created < 1)?;

    let warm_up = match contender.warms_up() {
        true => plan.warm_up,
        false => plan.warm_up / 10,
    };
    let warm = Instant::now() + warm_up;
    cluster.work(job, |_| Instant::now() < warm)?;

    let ids = Ids {
        worker: worker.id(),
        cluster: cluster.id(),
        stand_in: stand_in.id(),
    };
    let (from, before) = (Instant::now(), Spent::now(&ids)?);
    let ended = cluster.work(job, |created| created < plan.jobs)?;
    let after = Spent::now(&ids)?;
    let connections = stand_in.connections()?;
    let (resident, peak) = process::memory(worker.id())?;

    cluster.check()?;
    if contender.calls() {
        stand_in.check(cluster.created())?;
    } else {
        ensure!(connections == 0, "the empty worker has made calls");
    }
    let (jobs, seconds) = (plan.jobs as f64, (ended - from).as_secs_f64());
    let cores = after.since(&before, seconds);
    Ok(Measured {
        start_ms: (started - begun).as_secs_f64() * 1e3,
        rate: jobs / seconds,
        cpu_ms: cores.worker * seconds / jobs * 1e3,
        resident_mib: resident as f64 / 1024.0,
        peak_mib: peak as f64 / 1024.0,
        connections: connections as f64 / cluster.created() as f64,
        cores,
    })
}

struct Ids {
    worker: u32,
    cluster: u32,
    stand_in: u32,
}

/// CPU time so far.
struct Spent {
    worker: Duration,
    cluster: Duration,
    stand_in: Duration,
    bench: Duration,
    machine: Duration,
}

impl Spent {
    fn now(ids: &Ids) -> Result<Self> {
        Ok(Self {
            worker: process::cpu(ids.worker)?,
            cluster: process::cpu(ids.cluster)?,
            stand_in: process::cpu(ids.stand_in)?,
            bench: process::cpu(std::process::id())?,
            machine: process::machine()?,
        })
    }

    fn since(&self, before: &Self, seconds: f64) -> Cores {
        let share = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() / seconds;
        Cores {
            worker: share(self.worker, before.worker),
            cluster: share(self.cluster, before.cluster),
            stand_in: share(self.stand_in, before.stand_in),
            bench: share(self.bench, before.bench),
            machine: share(self.machine, before.machine),
        }
    }
}
