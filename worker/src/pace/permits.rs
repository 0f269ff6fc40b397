//! Places for jobs in the worker, and permits to call an instance of ServiceNow.

use std::collections::{BTreeMap, VecDeque};

/// What a job that arrives is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Permit,
    /// Another job's end gives the permit: see [`Permits::leave`].
    Wait,
}

/// Keeps two limits: never more jobs in hand than the worker can run, and never more calls at once to one instance than it allows.
///
/// A job takes a place when it is asked for, not when it arrives: two polls at the same time cannot ask for the same place. `J` names a
/// hand-out, `I` an instance.
#[derive(Clone, Debug)]
pub struct Permits<J, I> {
    max_jobs: usize,
    max_jobs_per_instance: usize,
    asked_for: usize,
    jobs: BTreeMap<J, Option<I>>,
    instances: BTreeMap<I, Instance<J>>,
}

#[derive(Clone, Debug)]
struct Instance<J> {
    calling: usize,
    waiting: VecDeque<J>,
}

impl<J: Ord + Clone, I: Ord + Clone> Permits<J, I> {
    /// Both limits are at least 1.
    pub fn new(max_jobs: usize, max_jobs_per_instance: usize) -> Self {
        Self {
            max_jobs: max_jobs.max(1),
            max_jobs_per_instance: max_jobs_per_instance.max(1),
            asked_for: 0,
            jobs: BTreeMap::new(),
            instances: BTreeMap::new(),
        }
    }

    /// How many jobs the next activation may ask for, `at_most` for this job type. Takes the places. 0: do not poll.
    pub fn ask(&mut self, at_most: usize) -> usize {
        let free = self.max_jobs.saturating_sub(self.asked_for + self.jobs.len());
        let asked = free.min(at_most);
        self.asked_for += asked;
        asked
    }

    /// An activation that had asked for `asked` jobs has ended, whatever ended it, with these hand-outs.
    ///
    /// More jobs than were asked for are taken as well: they are locked for this worker.
    pub fn arrived(&mut self, asked: usize, jobs: impl IntoIterator<Item = J>) {
        self.asked_for = self.asked_for.saturating_sub(asked);
        self.jobs.extend(jobs.into_iter().map(|job| (job, None)));
    }

    /// A job wants to call this instance. A job that calls none needs no permit.
    pub fn enter(&mut self, job: J, instance: I) -> Entry {
        let limit = self.max_jobs_per_instance;
        let state = self.instances.entry(instance.clone()).or_insert(Instance {
            calling: 0,
            waiting: VecDeque::new(),
        });
        self.jobs.insert(job.clone(), Some(instance));
        if state.calling < limit {
            state.calling += 1;
            Entry::Permit
        } else {
            state.waiting.push_back(job);
            Entry::Wait
        }
    }

    /// A job is over, or is given back, with or without a permit. The job that is returned gets a permit now: the one that has
    /// waited longest for this instance.
    pub fn leave(&mut self, job: &J) -> Option<J> {
        let instance = self.jobs.remove(job)??;
        let state = self.instances.get_mut(&instance)?;
        if let Some(place) = state.waiting.iter().position(|waiting| waiting == job) {
            state.waiting.remove(place);
            return None;
        }
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.calling = state.calling.saturating_sub(1);
            if state.calling == 0 {
                // Instance names come from jobs: what is not in use is not kept.
                self.instances.remove(&instance);
            }
        }
        next
    }

    /// Jobs in hand, with a permit or without.
    pub fn in_hand(&self) -> usize {
        self.jobs.len()
    }

    /// Instances with calls at the moment.
    pub fn instances(&self) -> usize {
        self.instances.len()
    }

    /// Jobs with a permit for this instance.
    pub fn calling(&self, instance: &I) -> usize {
        self.instances.get(instance).map_or(0, |state| state.calling)
    }
}
