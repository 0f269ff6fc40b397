//! What a worker says about a job: completion, failure, error, and new retries or a new timeout.
//!
//! Any of them is accepted for an activatable job as well as for an active one, and no worker is checked unless the job is
//! leased: the first that arrives wins.

use std::time::Duration;

use crate::job::{Failure, IncidentKind, JobState, Thrown, Variables};
use crate::journal::What;
use crate::keys::JobKey;
use crate::scopes;
use crate::state::{Job, State};

/// Why a command was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404: there is no such job, or it has ended.
    #[error("there is no such job")]
    NotFound,
    /// 409: the job's state does not allow it.
    #[error("the job is in the wrong state: {0}")]
    Conflict(&'static str),
    /// 400: a value is out of range.
    #[error("a value is out of range: {0}")]
    Invalid(&'static str),
}

/// A PATCH of a job: what is `None` stays.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changeset {
    pub retries: Option<i32>,
    pub timeout: Option<Duration>,
}

impl State {
    fn live(&mut self, key: JobKey) -> Result<&mut Job, Refusal> {
        self.jobs
            .get_mut(&key)
            .filter(|job| !job.state.has_ended())
            .ok_or(Refusal::NotFound)
    }

    /// The job, if a worker may settle it with this lease.
    fn settleable(&mut self, key: JobKey, lease: Option<&str>) -> Result<&mut Job, Refusal> {
        let instance = self.live(key)?.instance;
        let suspended = self.is_suspended(instance);
        let job = self.live(key)?;
        match job.state {
            JobState::BackingOff => Err(Refusal::Conflict("failed, waiting for its back-off")),
            JobState::Incident {
                kind: IncidentKind::JobNoRetries,
                ..
            } => Err(Refusal::Conflict("failed, no retries left")),
            JobState::Incident { .. } => Err(Refusal::Conflict("an error was thrown")),
            _ if suspended => Err(Refusal::Conflict("its process instance is suspended")),
            _ if job.lease.as_deref() != lease => Err(Refusal::Conflict("the lease is not the current one")),
            _ => Ok(job),
        }
    }

    pub fn complete(&mut self, key: JobKey, variables: Variables, lease: Option<&str>) -> Result<(), Refusal> {
        let instance = self.settleable(key, lease)?.instance;
        let mut process = std::mem::take(&mut self.instances.entry(instance).or_default().variables);
        if let Some(job) = self.jobs.get_mut(&key) {
            scopes::complete(&mut process, &mut job.local, &job.spec.outputs, variables.clone());
            job.end(JobState::Completed);
            job.completed_with = Some(variables.clone());
        }
        self.instances.entry(instance).or_default().variables = process;
        self.note(key, What::Completed(variables));
        Ok(())
    }

    /// The variables stay on the task, whatever becomes of the job.
    pub fn fail(&mut self, key: JobKey, failure: Failure, lease: Option<&str>) -> Result<(), Refusal> {
        let now = self.clock.now();
        let job = self.settleable(key, lease)?;
        let Failure {
            retries,
            ref message,
            back_off,
            ref variables,
        } = failure;
        let message = message.clone();
        job.retries = retries;
        job.local.extend(variables.clone());
        job.extra_hand_outs = 0;
        job.until = None;
        job.failures.push(failure);
        let kind = IncidentKind::JobNoRetries;
        if retries <= 0 {
            job.state = JobState::Incident {
                kind,
                message: message.clone(),
            };
        } else if back_off.is_zero() {
            job.state = JobState::Activatable;
        } else {
            job.state = JobState::BackingOff;
            job.until = Some(now + back_off);
        }
        let failed = What::Failed {
            retries,
            message: message.clone(),
            back_off,
        };
        self.note(key, failed);
        if retries <= 0 {
            self.note(key, What::IncidentRaised { kind, message });
        }
        Ok(())
    }

    /// An error that nothing catches is accepted as well, and leaves an incident.
    pub fn throw(&mut self, key: JobKey, thrown: Thrown, lease: Option<&str>) -> Result<(), Refusal> {
        let job = self.settleable(key, lease)?;
        let code = thrown.code.clone();
        let caught = job.spec.catches.catches(&code);
        let kind = IncidentKind::UnhandledErrorEvent;
        let message = format!("no boundary event catches the error {code:?}: {}", thrown.message);
        let variables = thrown.variables.clone();
        job.errors.push(thrown);
        if caught {
            job.end(JobState::Thrown { code: code.clone() });
            let instance = job.instance;
            self.instances.entry(instance).or_default().variables.extend(variables);
        } else {
            job.end(JobState::Incident {
                kind,
                message: message.clone(),
            });
        }
        self.note(key, What::ErrorThrown { code, caught });
        if !caught {
            self.note(key, What::IncidentRaised { kind, message });
        }
        Ok(())
    }

    /// New retries for any job that has not ended; a new timeout for one that a worker has.
    pub fn update(&mut self, key: JobKey, changeset: &Changeset, lease: Option<&str>) -> Result<(), Refusal> {
        let now = self.clock.now();
        let job = self.live(key)?;
        // Without a token an update always applies: a person has none.
        if lease.is_some() && job.lease.as_deref() != lease {
            return Err(Refusal::Conflict("the lease is not the current one"));
        }
        if changeset.retries.is_some_and(|retries| retries < 1) {
            return Err(Refusal::Invalid("retries must be 1 or more"));
        }
        let mut extended = None;
        if let Some(timeout) = changeset.timeout {
            match job.state {
                JobState::Active { .. } => {
                    job.until = Some(now + timeout);
                    extended = Some(timeout);
                }
                // Its lock has ended, and nobody has it since: accepted, without effect.
                JobState::Activatable if lease.is_none() => {}
                _ => return Err(Refusal::Conflict("no worker has it")),
            }
        }
        if let Some(retries) = changeset.retries {
            job.retries = retries;
            self.note(key, What::RetriesSet(retries));
        }
        if let Some(timeout) = extended {
            self.note(key, What::TimeoutSet(timeout));
        }
        Ok(())
    }

    /// What a person does with an incident, in Operate or by the API.
    pub fn resolve(&mut self, key: JobKey, retries: Option<i32>) -> Result<(), Refusal> {
        let JobState::Incident { kind, .. } = self.live(key)?.state else {
            return Err(Refusal::Conflict("it has no incident"));
        };
        if retries.is_some() {
            self.update(key, &Changeset { retries, timeout: None }, None)?;
        }
        let job = self.live(key)?;
        if kind == IncidentKind::JobNoRetries && job.retries < 1 {
            return Err(Refusal::Conflict("set its retries to 1 or more first"));
        }
        job.state = JobState::Activatable;
        self.note(key, What::IncidentResolved);
        Ok(())
    }
}

impl Job {
    pub(crate) fn end(&mut self, state: JobState) {
        self.state = state;
        self.until = None;
        self.extra_hand_outs = 0;
    }
}
