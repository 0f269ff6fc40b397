//! What a person or the process does with an instance: suspend, resume, cancel.

use crate::job::JobState;
use crate::journal::What;
use crate::keys::{JobKey, ProcessInstanceKey};
use crate::options::Version;
use crate::settle::Refusal;
use crate::state::State;

impl State {
    /// Suspends or resumes. Jobs in hand stay in hand until their lock ends.
    pub fn suspend(&mut self, version: Version, instance: ProcessInstanceKey, suspended: bool) -> Result<(), Refusal> {
        if version < Version::V8_10 {
            return Err(Refusal::Invalid("suspension exists from 8.10 on"));
        }
        let Some(found) = self.instances.get_mut(&instance) else {
            return Err(Refusal::NotFound);
        };
        if found.suspended == suspended {
            return Err(Refusal::Conflict("it is so already"));
        }
        found.suspended = suspended;
        for key in self.live_jobs_of(instance) {
            let what = if suspended { What::Suspended } else { What::Resumed };
            self.note(key, what);
        }
        self.revision += 1;
        Ok(())
    }

    /// Cancels the instance: every job of it ends.
    pub fn cancel(&mut self, instance: ProcessInstanceKey) -> Result<(), Refusal> {
        let jobs = self.live_jobs_of(instance);
        if jobs.is_empty() {
            return Err(Refusal::NotFound);
        }
        for key in jobs {
            if let Some(job) = self.jobs.get_mut(&key) {
                job.end(JobState::Cancelled);
            }
            self.note(key, What::Cancelled);
        }
        Ok(())
    }

    /// One more hand-out of a job that a worker has.
    pub fn hand_out_twice(&mut self, key: JobKey) -> Result<(), Refusal> {
        let job = self.jobs.get_mut(&key).ok_or(Refusal::NotFound)?;
        match job.state {
            JobState::Active { .. } => job.extra_hand_outs += 1,
            _ if job.state.has_ended() => return Err(Refusal::NotFound),
            _ => return Err(Refusal::Conflict("no worker has it")),
        }
        self.revision += 1;
        Ok(())
    }
}
