//! What the run knows of its jobs at this moment: who has which, which wait for nobody, and which a disturbance has touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use camunda_test_cluster::{Change, JobKey, What};

/// Written by the cluster's observer, read by the conductor.
#[derive(Debug, Default)]
pub struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

/// A moment.
#[derive(Debug, Default)]
pub struct State {
    /// How often a job was handed out since the start.
    pub hand_outs: usize,
    /// The jobs that are neither completed nor thrown, nor wait for a person.
    pub open: BTreeSet<JobKey>,
    /// The jobs that a worker has, by the cluster's account.
    held: BTreeMap<JobKey, String>,
    /// The workers that were ever handed a job: they have started, and take signals.
    pub seen: BTreeSet<String>,
    /// Until then, connections that were lost may still be in the workers' pools.
    unsteady_until: Option<Instant>,
    /// Workers that were stopped or killed: every job that they had then, or were handed since, is touched.
    disturbed: BTreeSet<String>,
    /// The jobs whose attempts a disturbance may have cut short.
    pub touched: BTreeSet<JobKey>,
    /// How many jobs were in the hands of a worker when it was stopped or killed, or came to it since.
    pub interrupted: usize,
}

impl State {
    /// The jobs that this worker has.
    #[must_use]
    pub fn held_by(&self, worker: &str) -> Vec<JobKey> {
        let held = self.held.iter().filter(|(_, holder)| *holder == worker);
        held.map(|(key, _)| *key).collect()
    }

    /// The worker stands still, or is gone.
    pub fn disturb(&mut self, worker: &str) {
        let held = self.held_by(worker);
        if self.disturbed.insert(worker.to_owned()) {
            self.interrupted += held.len();
        }
        self.touched.extend(held);
    }

    /// It goes on.
    pub fn goes_on(&mut self, worker: &str) {
        self.touched.extend(self.held_by(worker));
        self.disturbed.remove(worker);
    }

    /// All connections are lost at once. For so long, workers may still meet one of them.
    pub fn disturb_all(&mut self, lasting: Duration) {
        self.touched.extend(self.held.keys());
        self.unsteady_until = self.unsteady_until.max(Some(Instant::now() + lasting));
    }

    fn note(&mut self, change: &Change) {
        let key = change.job;
        match &change.what {
            What::Created { .. } | What::IncidentResolved => {
                self.open.insert(key);
            }
            What::Activated { worker, .. } => {
                self.hand_outs += 1;
                if self.unsteady_until.is_some_and(|until| Instant::now() < until) {
                    self.touched.insert(key);
                }
                if !self.seen.contains(worker) {
                    self.seen.insert(worker.clone());
                }
                if self.disturbed.contains(worker) {
                    self.touched.insert(key);
                    self.interrupted += 1;
                }
                self.held.insert(key, worker.clone());
            }
            What::TimedOut | What::Failed { .. } => {
                self.held.remove(&key);
            }
            What::Completed(_) | What::Cancelled | What::ErrorThrown { .. } => {
                self.held.remove(&key);
                self.open.remove(&key);
            }
            What::IncidentRaised { .. } => {
                self.open.remove(&key);
            }
            What::BackOffEnded
            | What::RetriesSet(_)
            | What::TimeoutSet(_)
            | What::VariablesSet { .. }
            | What::Suspended
            | What::Resumed => {}
        }
    }
}

impl Board {
    /// For the cluster's observer.
    pub fn note(&self, change: &Change) {
        self.lock().note(change);
        self.changed.notify_all();
    }

    /// This moment. The cluster waits meanwhile: call it for nothing else.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next change, but no longer than this.
    pub fn wait(&self, at_most: Duration) {
        let waited = self.changed.wait_timeout(self.lock(), at_most);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
