//! A run: the disturbances and the work at the same time, then calm, then a person who resolves incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use camunda_test_cluster::{Call, Change, Cluster, JobKey, JobSnapshot, JobSpec, JobState, Options, Version};
use servicenow_stand_in::StandIn;

use super::board::Board;
use super::facts::{self, JobFacts, worker_header, worker_name};
use super::fleet::{Counts, Crew, Fleet, Starter};
use super::jobs::{LOCK, PASSWORD, flags, instance, path, spec};
use super::judge::{Broken, Violation, judge, judge_any};
use super::plan::{Happening, JobPlan, PLACES, Plan};
use super::random::Random;
use super::rival;
use super::trouble::Troubles;
use crate::java::Java;
use crate::worker_program::Setup;

/// The jobs that are neither done nor wait for a person, at most.
const WINDOW: usize = 600;
/// For what is to be done after a lock has passed.
const AFTER_THE_LOCK: Duration = Duration::from_secs(60);
/// Nothing was handed out for so long: the next event does not wait for hand-outs.
const STILL: Duration = Duration::from_secs(5);
/// A person gives up after so many rounds.
const ROUNDS: usize = 25;

/// What a run was.
pub struct Outcome {
    /// How long it took.
    pub took: Duration,
    /// What was done to workers.
    pub workers: Counts,
    /// How many workers there were in all.
    pub started: usize,
    /// The jobs that stopped and killed workers had, or were handed.
    pub interrupted: usize,
    /// Requests to the cluster that went wrong.
    pub troubled: usize,
    /// How often jobs were handed out.
    pub hand_outs: usize,
    /// How often the connections of all workers were lost.
    pub cuts: usize,
    /// How many incidents a person resolved, round by round.
    pub resolved: Vec<usize>,
    /// The jobs when the disturbances were over, before anything was resolved.
    pub before: Vec<JobFacts>,
    /// The jobs at the end.
    pub after: Vec<JobFacts>,
    /// The promises that were broken, then or at the end.
    pub violations: Vec<Violation>,
    /// What else went wrong.
    pub complaints: Vec<String>,
}

/// Who does the jobs.
#[derive(Debug, Clone)]
pub enum By {
    /// This program, `flow-starter`.
    FlowStarter(PathBuf),
    /// Camunda's connector runtime, for comparison.
    Camunda(Java),
}

/// Everything that a run stands on.
struct Run<'a> {
    by: &'a By,
    plan: &'a Plan,
    board: Arc<Board>,
    cluster: Cluster,
    stand_in: StandIn,
    keys: Vec<JobKey>,
}

/// Plays the plan. Logs go to the folder.
///
/// # Errors
/// Where something does not start, or a job is never done.
pub fn play(plan: &Plan, by: &By, folder: &Path) -> Result<Outcome> {
    let board = Arc::new(Board::default());
    let observer = Arc::clone(&board);
    let options = Options::new(Version::V8_8).observer(Box::new(move |change: &Change| observer.note(change)));
    let mut run = Run {
        by,
        plan,
        board,
        cluster: Cluster::start(options)?,
        stand_in: StandIn::start(instance())?,
        keys: Vec::new(),
    };
    let begun = Instant::now();
    let mut fleet = Fleet::new(by.crew(), run.starter(folder)?)?;
    let cuts = run.disturb(&mut fleet)?;
    run.calm(&mut fleet)?;
    let before = run.facts();
    let resolved = run.resolve(&mut fleet)?;
    let after = run.facts();
    let state = run.board.lock();
    let (hand_outs, interrupted) = (state.hand_outs, state.interrupted);
    drop(state);
    Ok(Outcome {
        took: begun.elapsed(),
        workers: fleet.counts,
        started: fleet.started(),
        interrupted,
        troubled: run.troubled().1,
        hand_outs,
        cuts,
        resolved,
        violations: violations(by, &before, &after),
        before,
        after,
        complaints: fleet.end(folder)?,
    })
}

impl By {
    fn crew(&self) -> Crew {
        match self {
            Self::FlowStarter(_) => Crew {
                places: PLACES,
                named: true,
                lock: LOCK,
                started: "",
                ends_well: true,
            },
            Self::Camunda(_) => Crew {
                places: rival::PLACES,
                named: false,
                lock: rival::LOCK,
                started: rival::STARTED,
                ends_well: false,
            },
        }
    }

    fn judge(&self, job: &JobFacts) -> Vec<Broken> {
        match self {
            Self::FlowStarter(_) => judge(job),
            Self::Camunda(_) => judge_any(job),
        }
    }
}

/// A promise that was broken before the resolves is told once.
fn violations(by: &By, before: &[JobFacts], after: &[JobFacts]) -> Vec<Violation> {
    let mut known = BTreeSet::new();
    let mut violations = Vec::new();
    for job in before.iter().chain(after) {
        for broken in by.judge(job) {
            if known.insert((job.number, broken)) {
                let job = job.clone();
                violations.push(Violation { broken, job });
            }
        }
    }
    violations
}

impl Run<'_> {
    fn starter(&self, folder: &Path) -> Result<Starter<'static>> {
        let secrets = |number| {
            [
                ("SN_PASSWORD", PASSWORD.to_owned()),
                ("SN_WORKER", worker_header(number)),
            ]
        };
        match self.by {
            By::FlowStarter(program) => {
                let mut setup = Setup::new(program, folder, &self.cluster.url(), &self.stand_in)?;
                setup.flags = flags();
                Ok(Box::new(move |number| {
                    setup.start(&worker_name(number), &secrets(number))
                }))
            }
            By::Camunda(java) => {
                let runtime = rival::Runtime::new(java, folder, &self.cluster.url())?;
                Ok(Box::new(move |number| {
                    runtime.start(&worker_name(number), &secrets(number))
                }))
            }
        }
    }

    fn spec(&self, job: &JobPlan) -> JobSpec {
        match self.by {
            By::FlowStarter(_) => spec(job),
            By::Camunda(_) => rival::spec(job, &format!("http://{}{}", self.stand_in.http_addr(), path(job))),
        }
    }

    /// Creates jobs while there is room for them.
    fn feed(&mut self) {
        while let Some(job) = self.plan.jobs.get(self.keys.len()) {
            if self.board.lock().open.len() >= WINDOW {
                return;
            }
            for conduct in &job.conduct {
                self.stand_in.behave_once(path(job), conduct.behaviour());
            }
            self.keys.push(self.cluster.create_job(self.spec(job)));
        }
    }

    /// Everything goes wrong, until every job was created and every event has happened.
    fn disturb(&mut self, fleet: &mut Fleet<'_>) -> Result<usize> {
        let mut troubles = Troubles::default();
        let mut waiting = self.plan.events.clone();
        let mut cuts = 0;
        let (mut last, mut still_since) = (0, Instant::now());
        loop {
            self.feed();
            let hand_outs = self.board.lock().hand_outs;
            if hand_outs != last {
                (last, still_since) = (hand_outs, Instant::now());
            }
            let mut later = Vec::new();
            let mut pushed = still_since.elapsed() > STILL && fleet.is_ready();
            for event in waiting {
                let due = event.after <= hand_outs || pushed;
                let free = match event.what {
                    Happening::Kill(place) | Happening::Terminate(place) => fleet.is_free(place, false),
                    Happening::Pause(place, _) => fleet.is_free(place, true),
                    _ => true,
                };
                if !(due && free) {
                    later.push(event);
                    continue;
                }
                pushed = false;
                match event.what {
                    Happening::Kill(place) => fleet.kill(place, &self.board)?,
                    Happening::Terminate(place) => fleet.terminate(place)?,
                    Happening::Pause(place, ms) => fleet.pause(place, Duration::from_millis(ms), &self.board)?,
                    what => {
                        cuts += usize::from(!matches!(what, Happening::Requests(..)));
                        troubles.begin(what, &self.cluster, &self.board)?;
                    }
                }
            }
            waiting = later;
            troubles.tick(&self.cluster)?;
            fleet.tick(&self.cluster, &self.board)?;
            let all_created = self.keys.len() == self.plan.jobs.len();
            if all_created && (waiting.is_empty() || self.board.lock().open.is_empty()) {
                // Without work, a further disturbance disturbs nothing.
                troubles.end_all(&self.cluster)?;
                return Ok(cuts);
            }
            self.board.wait(Duration::from_millis(20));
        }
    }

    /// Nothing new goes wrong. Waits until nobody works any more.
    fn calm(&self, fleet: &mut Fleet<'_>) -> Result<()> {
        let end = Instant::now() + self.by.crew().lock + AFTER_THE_LOCK;
        loop {
            fleet.tick(&self.cluster, &self.board)?;
            let open = self.board.lock().open.len();
            // What is still open after the longest lock is lost, and the judge says so.
            if open == 0 && fleet.is_calm() || Instant::now() > end {
                return Ok(());
            }
            self.board.wait(Duration::from_millis(20));
        }
    }

    /// A person resolves every incident, until there is none.
    fn resolve(&self, fleet: &mut Fleet<'_>) -> Result<Vec<usize>> {
        let mut resolved = Vec::new();
        loop {
            let incidents: Vec<JobSnapshot> = self.jobs().filter(has_incident).collect();
            if incidents.is_empty() {
                return Ok(resolved);
            }
            ensure!(
                resolved.len() < ROUNDS,
                "{} incidents after {ROUNDS} rounds",
                incidents.len()
            );
            for job in &incidents {
                let mut random = Random::new(self.plan.seed, "resolve", job.failures.len());
                let retries = i32::try_from(random.between(1, 3)).unwrap_or(1);
                self.cluster.resolve_incident(job.key, Some(retries))?;
            }
            resolved.push(incidents.len());
            self.calm(fleet)?;
        }
    }

    fn jobs(&self) -> impl Iterator<Item = JobSnapshot> {
        self.keys.iter().filter_map(|key| self.cluster.job(*key))
    }

    /// The jobs for which a request to the cluster went wrong, and how many requests that were.
    fn troubled(&self) -> (BTreeSet<String>, usize) {
        let all = self.cluster.requests_of(Call::Any).into_iter();
        let wrong: Vec<_> = all.filter(|request| request.fault.is_some()).collect();
        let key = |target: &str| {
            target
                .split('/')
                .find(|part| part.parse::<u64>().is_ok())
                .map(str::to_owned)
        };
        (
            wrong.iter().filter_map(|request| key(&request.target)).collect(),
            wrong.len(),
        )
    }

    fn facts(&self) -> Vec<JobFacts> {
        let mut requests: BTreeMap<_, _> = facts::requests(&self.stand_in, &self.plan.jobs);
        let (troubled, _) = self.troubled();
        let touched = self.board.lock().touched.clone();
        let jobs = self.plan.jobs.iter().zip(self.jobs());
        jobs.map(|(plan, job)| {
            let keys = [job.key.to_string(), job.element_instance.to_string()];
            let touched = touched.contains(&job.key) || keys.iter().any(|key| troubled.contains(key));
            let requests = requests.remove(&plan.number).unwrap_or_default();
            JobFacts::of(plan, &job, requests, touched)
        })
        .collect()
    }
}

fn has_incident(job: &JobSnapshot) -> bool {
    matches!(job.state, JobState::Incident { .. })
}
