//! The jobs, the process instances they belong to, and time's effect on them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Clock;
use crate::job::{Failure, JobSnapshot, JobSpec, JobState, Thrown, Variables};
use crate::journal::{Change, What};
use crate::keys::{ElementInstanceKey, JobKey, ProcessInstanceKey};
use crate::messages::Message;

/// Keys of a cluster's first partition start here.
const FIRST_KEY: u64 = 2_251_799_813_685_249;

pub(crate) struct State {
    pub clock: Clock,
    pub jobs: BTreeMap<JobKey, Job>,
    pub instances: BTreeMap<ProcessInstanceKey, Instance>,
    /// The jobs that have not ended.
    pub live: BTreeSet<JobKey>,
    /// When each buffered message ends.
    pub messages: BTreeMap<Message, Duration>,
    /// Answers 8.10's `withLease` with a null token, as during a rolling upgrade.
    pub null_leases: bool,
    next_key: u64,
    next_lease: u64,
    /// Changes that were not yet reported.
    journal: Vec<Change>,
    /// Grows with each change.
    pub revision: u64,
}

pub(crate) struct Job {
    pub spec: JobSpec,
    pub instance: ProcessInstanceKey,
    pub element_instance: ElementInstanceKey,
    pub state: JobState,
    /// When the lock or the back-off ends.
    pub until: Option<Duration>,
    pub retries: i32,
    pub local: Variables,
    pub completed_with: Option<Variables>,
    pub failures: Vec<Failure>,
    pub errors: Vec<Thrown>,
    pub times_activated: usize,
    /// The token of the last leased hand-out.
    pub lease: Option<String>,
    /// So many hand-outs while it is active.
    pub extra_hand_outs: u32,
    pub history: Vec<Change>,
}

#[derive(Default)]
pub(crate) struct Instance {
    pub variables: Variables,
    pub suspended: bool,
}

impl State {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            jobs: BTreeMap::new(),
            instances: BTreeMap::new(),
            live: BTreeSet::new(),
            messages: BTreeMap::new(),
            null_leases: false,
            next_key: FIRST_KEY,
            next_lease: 0,
            journal: Vec::new(),
            revision: 0,
        }
    }

    pub fn next_key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    pub fn next_lease(&mut self) -> String {
        self.next_lease += 1;
        format!("lease-{}", self.next_lease)
    }

    pub fn create(&mut self, spec: JobSpec) -> JobKey {
        let instance = match spec.instance {
            Some(instance) => instance,
            None => ProcessInstanceKey(self.next_key()),
        };
        let variables = spec.variables.clone();
        self.instances.entry(instance).or_default().variables.extend(variables);
        let element_instance = ElementInstanceKey(self.next_key());
        let key = JobKey(self.next_key());
        let job_type = spec.job_type.clone();
        let job = Job {
            instance,
            element_instance,
            state: JobState::Activatable,
            until: None,
            retries: spec.retries,
            local: spec.inputs.clone(),
            completed_with: None,
            failures: Vec::new(),
            errors: Vec::new(),
            times_activated: 0,
            lease: None,
            extra_hand_outs: 0,
            history: Vec::new(),
            spec,
        };
        self.jobs.insert(key, job);
        self.live.insert(key);
        self.note(key, What::Created { job_type });
        key
    }

    /// Writes a change down, in the job's history and for the observer.
    pub fn note(&mut self, key: JobKey, what: What) {
        let at_ms = self.clock.wall_ms(self.clock.now());
        let change = Change { at_ms, job: key, what };
        if let Some(job) = self.jobs.get_mut(&key) {
            job.history.push(change.clone());
            if job.state.has_ended() {
                self.live.remove(&key);
            }
        }
        self.journal.push(change);
        self.revision += 1;
    }

    pub fn take_journal(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.journal)
    }

    /// Ends the locks and back-offs whose time is over.
    pub fn expire(&mut self) {
        let now = self.clock.now();
        let over: Vec<JobKey> = self
            .live
            .iter()
            .filter(|key| {
                let until = self.jobs.get(*key).and_then(|job| job.until);
                until.is_some_and(|until| until <= now)
            })
            .copied()
            .collect();
        for key in over {
            self.free(key);
        }
    }

    /// Ends the lock or the back-off of one job. False: it has none.
    pub fn free(&mut self, key: JobKey) -> bool {
        let Some(job) = self.jobs.get_mut(&key) else {
            return false;
        };
        let what = match job.state {
            JobState::Active { .. } => What::TimedOut,
            JobState::BackingOff => What::BackOffEnded,
            _ => return false,
        };
        job.until = None;
        job.extra_hand_outs = 0;
        job.state = JobState::Activatable;
        self.note(key, what);
        true
    }

    /// When the next lock or back-off ends.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.live
            .iter()
            .filter_map(|key| self.jobs.get(key).and_then(|job| job.until))
            .min()
    }

    /// Drops the jobs that have ended, and the process instances that have no other.
    pub fn forget_ended(&mut self) -> usize {
        let before = self.jobs.len();
        let live = &self.live;
        self.jobs.retain(|key, _| live.contains(key));
        let needed: BTreeSet<ProcessInstanceKey> = self.jobs.values().map(|job| job.instance).collect();
        self.instances.retain(|key, _| needed.contains(key));
        before - self.jobs.len()
    }

    pub fn is_suspended(&self, instance: ProcessInstanceKey) -> bool {
        self.instances.get(&instance).is_some_and(|instance| instance.suspended)
    }

    /// The live jobs of a process instance.
    pub fn live_jobs_of(&self, instance: ProcessInstanceKey) -> Vec<JobKey> {
        self.live
            .iter()
            .filter(|key| self.jobs.get(*key).is_some_and(|job| job.instance == instance))
            .copied()
            .collect()
    }

    pub fn snapshot(&self, key: JobKey) -> Option<JobSnapshot> {
        let job = self.jobs.get(&key)?;
        let instance = self.instances.get(&job.instance)?;
        Some(JobSnapshot {
            key,
            element_instance: job.element_instance,
            instance: job.instance,
            spec: job.spec.clone(),
            state: job.state.clone(),
            suspended: instance.suspended,
            retries: job.retries,
            local: job.local.clone(),
            process_variables: instance.variables.clone(),
            completed_with: job.completed_with.clone(),
            failures: job.failures.clone(),
            errors: job.errors.clone(),
            times_activated: job.times_activated,
            lease: job.lease.clone(),
            until_ms: job.until.map(|until| self.clock.wall_ms(until)),
            history: job.history.clone(),
        })
    }
}
