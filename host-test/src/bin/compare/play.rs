//! Plays the cases on one side: a cluster, stand-ins, the program between them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use camunda_test_cluster::{Call, Cluster, Fault, FaultHandle, JobKey, JobSnapshot, JobState, Options, Times, Version};
use host_test::feel::Feel;
use servicenow_stand_in::{Instance, StandIn};

use crate::cases::{Case, Killed, Table};
use crate::facts::Facts;
use crate::side::Side;

/// Cases at a time.
const LANES: usize = 8;
/// A case that takes so long has failed.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longer than any lock.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// A job that was failed more often than this is in a loop.
const MOST_FAILURES: usize = 20;

/// The cases of one side.
pub struct Stage<'a> {
    pub side: &'a Side,
    pub table: &'a Table,
    pub feel: &'a Feel,
}

type Played<'a> = Vec<(&'a Case, Facts)>;

impl<'a> Stage<'a> {
    /// Plays all of them; the order of the result is theirs.
    pub fn play(&self, cases: &[&'a Case]) -> Result<Played<'a>> {
        let (apart, ordinary): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.is_apart());
        let mut played = Vec::new();
        if !ordinary.is_empty() {
            played.extend(self.ordinary(&ordinary)?);
        }
        if !apart.is_empty() {
            played.extend(self.apart(&apart)?);
        }
        let place = |case: &Case| cases.iter().position(|it| std::ptr::eq(*it, case));
        played.sort_by_key(|(case, _)| place(case));
        Ok(played)
    }

    /// One cluster and one worker for all of them, a stand-in for each lane.
    fn ordinary(&self, cases: &[&'a Case]) -> Result<Played<'a>> {
        let cluster = self.cluster()?;
        let lanes = stand_ins(LANES.min(cases.len()))?;
        let _worker = self.start(&cluster, &lanes, "ordinary")?;
        let (next, played) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            let lanes = lanes.iter().map(|stand_in| {
                scope.spawn(|| -> Result<()> {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let facts = self.one(case, &cluster, stand_in);
                        let facts = facts.with_context(|| format!("{}: {}", self.side.name(), case.name))?;
                        played
                            .lock()
                            .map_err(|_| anyhow!("a lane has panicked"))?
                            .push((*case, facts));
                    }
                    Ok(())
                })
            });
            let lanes: Vec<_> = lanes.collect();
            lanes.into_iter().try_for_each(joined)
        })?;
        Ok(played.into_inner().unwrap_or_default())
    }

    fn one(&self, case: &Case, cluster: &Cluster, stand_in: &StandIn) -> Result<Facts> {
        prepare(stand_in, case);
        let key = cluster.create_job(self.side.job(case, self.table, &origin(stand_in)));
        let job = to_its_end(cluster, key)?;
        Ok(Facts::of(&job, stand_in))
    }

    /// A cluster of their own, because the worker is killed there, or the cluster goes wrong. All jobs exist before the worker starts.
    fn apart(&self, cases: &[&'a Case]) -> Result<Played<'a>> {
        let cluster = self.cluster()?;
        let stand_ins = stand_ins(cases.len())?;
        let jobs: Vec<Job> = cases
            .iter()
            .zip(&stand_ins)
            .map(|(case, stand_in)| {
                prepare(stand_in, case);
                let key = cluster.create_job(self.side.job(case, self.table, &origin(stand_in)));
                let fault = fault(case, key).map(|(times, fault)| cluster.fault(Call::Completion, times, fault));
                Job {
                    case,
                    stand_in,
                    key,
                    fault,
                }
            })
            .collect();
        let worker = self.start(&cluster, &stand_ins, "apart")?;
        let mut killed = false;
        for job in &jobs {
            let reached = match job.case.killed {
                None => self.refused(&cluster, job),
                Some(_) => {
                    killed = true;
                    job.reaches_its_point()
                }
            };
            reached.with_context(|| format!("{}: {}", self.side.name(), job.case.name))?;
        }
        worker.kill();
        // A poll of the dead must not take a job once more, and what the dead has sent is not processed any more.
        cluster.drop_connections();
        cluster.clear_faults();
        let _second = match killed {
            true => {
                cluster.advance(AN_HOUR);
                Some(self.start(&cluster, &stand_ins, "apart-2")?)
            }
            false => None,
        };
        let ended = jobs.iter().zip(cases).map(|(job, case)| {
            let end = to_its_end(&cluster, job.key);
            let end = end.with_context(|| format!("{}: {}", self.side.name(), case.name))?;
            Ok((*case, Facts::of(&end, job.stand_in)))
        });
        ended.collect()
    }

    /// Lets the lock pass each time that the worker has given the job up, until the job has ended.
    fn refused(&self, cluster: &Cluster, job: &Job) -> Result<()> {
        let (Some(fault), Some(refused)) = (&job.fault, job.case.completion) else {
            return Ok(());
        };
        if let Some(tries) = self.side.gives_up_after() {
            for given_up in 1..=refused.times / tries {
                met(fault, given_up * tries)?;
                cluster.expire(job.key);
            }
        }
        to_its_end(cluster, job.key).map(drop)
    }

    fn cluster(&self) -> Result<Cluster> {
        // The first version that evaluates expressions.
        let cluster = Cluster::start(Options::new(Version::V8_9).patience(PATIENCE))?;
        cluster.set_evaluator(self.feel.evaluator());
        Ok(cluster)
    }

    fn start(&self, cluster: &Cluster, stand_ins: &[StandIn], log: &str) -> Result<crate::side::Worker> {
        let origins: Vec<String> = stand_ins.iter().map(origin).collect();
        self.side.start(&cluster.url(), self.table, &origins, log)
    }
}

/// A job of a case with a cluster of its own.
struct Job<'a> {
    case: &'a Case,
    stand_in: &'a StandIn,
    key: JobKey,
    fault: Option<FaultHandle>,
}

impl Job<'_> {
    /// Waits for the moment at which the worker is killed.
    fn reaches_its_point(&self) -> Result<()> {
        if let Some(fault) = &self.fault {
            return met(fault, 1);
        }
        let sent = |requests: &[servicenow_stand_in::Recorded]| requests.iter().any(|request| request.complete);
        let reached = self.stand_in.wait_until(PATIENCE, |requests, _| sent(requests));
        ensure!(reached, "no request has reached ServiceNow");
        Ok(())
    }
}

fn fault(case: &Case, key: JobKey) -> Option<(Times, Fault)> {
    if let Some(refused) = case.completion {
        return Some((
            Times::N(refused.times),
            Fault::answer(refused.answer.answer()).for_job(key),
        ));
    }
    let held = case.killed == Some(Killed::BeforeCompletion);
    held.then(|| (Times::Once, Fault::hold().for_job(key)))
}

/// Waits for the end of a job, which is an incident, too. Nobody waits for a back-off.
fn to_its_end(cluster: &Cluster, key: JobKey) -> Result<JobSnapshot> {
    loop {
        let job = cluster.block_until(key, |job| {
            job.state.has_ended() || matches!(job.state, JobState::Incident { .. } | JobState::BackingOff)
        })?;
        if job.state != JobState::BackingOff {
            return Ok(job);
        }
        ensure!(job.failures.len() < MOST_FAILURES, "the job fails without end");
        cluster.expire(key);
    }
}

fn stand_ins(number: usize) -> Result<Vec<StandIn>> {
    (0..number).map(|_| Ok(StandIn::start(Instance::demo())?)).collect()
}

fn origin(stand_in: &StandIn) -> String {
    format!("http://{}", stand_in.http_addr())
}

/// Makes the stand-in forget the last case and behave as this one asks.
fn prepare(stand_in: &StandIn, case: &Case) {
    stand_in.behave_well();
    stand_in.clear();
    let path = case.path();
    for behaviour in &case.once {
        stand_in.behave_once(path, behaviour.clone());
    }
    if let Some(behaviour) = &case.always {
        stand_in.behave(path, behaviour.clone());
    }
    if let Some(behaviour) = &case.token {
        stand_in.behave("/oauth_token.do", behaviour.clone());
    }
}

fn joined(thread: std::thread::ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    thread.join().map_err(|_| anyhow!("a lane has panicked"))?
}

/// Waits until so many completions have met the fault.
fn met(fault: &FaultHandle, times: usize) -> Result<()> {
    let here = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(here.block_on(fault.wait_hits(times))?)
}
