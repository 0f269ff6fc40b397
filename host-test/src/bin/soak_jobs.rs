//! `make soak BY=jobs`: thousands of jobs through one worker process, after which its memory, files and sockets must not have grown.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use camunda_test_cluster::{Change, Cluster, JobKey, JobSpec, Options, Version, What};
use clap::Parser;
use host_test::worker_program::{Held, Setup, WorkerProgram};
use serde_json::json;
use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, Instance, StandIn};

/// Runs jobs through one worker against a test cluster and a stand-in with faults, and measures the worker's process.
#[derive(Debug, Parser)]
#[command(name = "soak-jobs")]
struct Arguments {
    /// The program `flow-starter`
    #[arg(long, value_name = "FILE", default_value = "flow-starter")]
    flow_starter: PathBuf,

    /// Number of jobs
    #[arg(long, default_value_t = 100_000)]
    jobs: usize,
}

/// Jobs that are neither done nor wait for a person.
const WINDOW: usize = 128;
/// The worker's jobs at a time, and its calls.
const AT_ONCE: usize = 64;
/// One call of so many meets a fault, and the connections to the cluster are dropped once for so many jobs.
const FAULT_EVERY: usize = 50;
const CUT_EVERY: usize = 2_500;
/// The first jobs get responses without an end. The host keeps up to 1 MiB of each instance that has needed it, so memory would otherwise grow
/// until the last of the instances has met one by chance.
const LARGE_FIRST: usize = 4 * AT_ONCE;
const FAULTS: [Fault; 6] = [
    Fault::Reset,
    Fault::CloseWithinBody,
    Fault::LengthTooLong,
    Fault::Garbage,
    Fault::EndlessBody,
    Fault::Gzip,
];
/// Nothing has ended for so long. A job whose activation was lost with a connection stands still until its lock has passed, after six minutes.
const PATIENCE: Duration = Duration::from_secs(480);

/// Connections to the cluster count as idle after 30 s, and the client looks for idle ones every 30 s. Those to ServiceNow are closed sooner.
const IDLE: Duration = Duration::from_secs(70);

/// What the allocator may keep beyond what was there after the first tenth, until it has seen everything once.
const MEMORY_SLACK: usize = 16 << 20;
/// A poll of more or less.
const FILES_SLACK: usize = 4;
/// And of memory for each job after it: less than any job holds.
const MEMORY_PER_JOB: usize = 64;

fn main() -> ExitCode {
    match soak(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the cluster says of its jobs.
#[derive(Default)]
struct Ends {
    state: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Default)]
struct Counts {
    completed: usize,
    cancelled: usize,
    incidents: BTreeSet<JobKey>,
}

impl Ends {
    fn note(&self, change: &Change) {
        let mut counts = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match change.what {
            What::Completed(_) => counts.completed += 1,
            What::Cancelled => counts.cancelled += 1,
            What::IncidentRaised { .. } => {
                counts.incidents.insert(change.job);
            }
            _ => return,
        }
        self.changed.notify_all();
    }

    /// How many jobs have ended, and the incidents since the last look. Waits for one of them.
    fn look(&self, seen: usize) -> (usize, BTreeSet<JobKey>) {
        let counts = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing = |counts: &mut Counts| counts.completed + counts.cancelled <= seen && counts.incidents.is_empty();
        let waited = self.changed.wait_timeout_while(counts, PATIENCE, nothing);
        let mut counts = waited.unwrap_or_else(PoisonError::into_inner).0;
        (
            counts.completed + counts.cancelled,
            std::mem::take(&mut counts.incidents),
        )
    }

    fn completed(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).completed
    }
}

struct Soak {
    cluster: Cluster,
    stand_in: StandIn,
    ends: Arc<Ends>,
    created: usize,
    ended: usize,
    forgotten: usize,
}

fn soak(arguments: &Arguments) -> Result<()> {
    let ends = Arc::new(Ends::default());
    let observer = Arc::clone(&ends);
    let options = Options::new(Version::V8_8)
        .keep_requests(AT_ONCE)
        .observer(Box::new(move |change: &Change| observer.note(change)));
    let mut soak = Soak {
        cluster: Cluster::start(options)?,
        stand_in: StandIn::start_with(
            Instance::demo(),
            servicenow_stand_in::Options {
                keep: Some(AT_ONCE),
                ..servicenow_stand_in::Options::default()
            },
        )?,
        ends,
        created: 0,
        ended: 0,
        forgotten: 0,
    };
    let folder = std::env::temp_dir().join(format!("flow-starter-soak-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let mut setup = Setup::new(&arguments.flow_starter, &folder, &soak.cluster.url(), &soak.stand_in)?;
    let at_once = AT_ONCE.to_string();
    let flags = [
        "--max-jobs",
        &at_once,
        "--max-jobs-per-instance",
        &at_once,
        "--log-level",
        "error",
    ];
    setup.flags = flags.map(str::to_owned).to_vec();
    let worker = setup.start("soak", &[("SN_PASSWORD", "demo-password".to_owned())])?;
    let done = soak.run(&worker, arguments.jobs);
    drop(worker);
    // It is in the temporary directory.
    let _removed = std::fs::remove_dir_all(&folder);
    done
}

impl Soak {
    fn run(&mut self, worker: &WorkerProgram, jobs: usize) -> Result<()> {
        let begun = Instant::now();
        self.work(jobs / 10)?;
        let warm = self.settled(worker);
        self.work(jobs)?;
        let seconds = begun.elapsed().as_secs_f64();
        let cold = self.settled(worker);
        let completed = self.ends.completed();
        println!(
            "{} jobs in {seconds:.0} s, {:.0} a second: {completed} completed, {} with an incident and then cancelled",
            self.ended,
            jobs as f64 / seconds,
            self.ended - completed
        );
        ensure!(completed < self.ended, "no call failed, so nothing was tested");
        compare(warm.zip(cold), jobs)
    }

    /// Until so many jobs have ended in all.
    fn work(&mut self, jobs: usize) -> Result<()> {
        while self.ended < jobs {
            while self.created < jobs && self.created - self.ended < WINDOW {
                self.create();
            }
            let (ended, incidents) = self.ends.look(self.ended);
            ensure!(
                ended > self.ended || !incidents.is_empty(),
                "no job has ended for {} s: {} of {}",
                PATIENCE.as_secs(),
                self.ended,
                self.created
            );
            for key in incidents {
                if let Some(job) = self.cluster.job(key) {
                    // Nobody else ends it: it has an incident.
                    self.cluster.cancel(job.instance)?;
                }
            }
            self.ended = ended;
            // What the cluster remembers would grow, in this process, and make it slow.
            if self.ended - self.forgotten >= WINDOW {
                self.forgotten += self.cluster.forget_ended_jobs();
            }
        }
        Ok(())
    }

    fn create(&mut self) {
        if self.created < LARGE_FIRST {
            self.stand_in
                .behave_once(DEMO_FLOW, Behaviour::Fault(Fault::EndlessBody));
        } else if self.created.is_multiple_of(FAULT_EVERY) {
            let fault = FAULTS.get(self.created / FAULT_EVERY % FAULTS.len()).copied();
            let fault = fault.map_or(Behaviour::Normal, Behaviour::Fault);
            self.stand_in.behave_once(DEMO_FLOW, fault);
        }
        if self.created % CUT_EVERY == CUT_EVERY - 1 {
            self.cluster.drop_connections();
        }
        let spec = JobSpec::new("servicenow-flow-starter:1")
            .inputs(json!({
                "snTarget": "instance",
                "snInstance": "acme",
                "restApiTriggerPath": DEMO_FLOW,
                "method": "POST",
                "headers": { "hello": "header" },
                "queryParameters": { "hello": "query" },
                "body": { "correlationValue": format!("job-{}", self.created) },
                "authentication": { "type": "basic", "username": "camunda", "password": "{{secrets.SN_PASSWORD}}" },
            }))
            .header("resultVariable", "result");
        self.cluster.create_job(spec);
        self.created += 1;
    }

    /// What the worker holds when it has nothing to do, and its idle connections have been closed.
    fn settled(&self, worker: &WorkerProgram) -> Option<Held> {
        std::thread::sleep(IDLE);
        worker.held()
    }
}

fn compare(held: Option<(Held, Held)>, jobs: usize) -> Result<()> {
    let Some((before, after)) = held else {
        println!("this system does not report a process's resources; nothing was compared");
        return Ok(());
    };
    let rows = [
        ("memory in kB", before.resident / 1024, after.resident / 1024),
        ("most memory in kB", before.peak / 1024, after.peak / 1024),
        ("open files", before.files, after.files),
        ("of these, sockets", before.sockets, after.sockets),
        ("threads", before.threads, after.threads),
    ];
    for (name, before, after) in rows {
        println!("{name}: {before} after a tenth, {after} at the end");
    }
    ensure!(
        after.resident < before.resident + MEMORY_SLACK + MEMORY_PER_JOB * jobs,
        "memory grows"
    );
    ensure!(after.files <= before.files + FILES_SLACK, "open files grow");
    ensure!(after.sockets <= before.sockets + FILES_SLACK, "sockets grow");
    Ok(())
}
