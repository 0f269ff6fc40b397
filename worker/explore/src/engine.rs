//! The job in the engine: its state, its variables, and how each request is answered.

use crate::attempt::{AttemptId, OutcomeVariable, Time};
use crate::config::{Config, EngineKind};
use crate::facts::Answer;
use crate::outcome::OutcomeState;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    Activatable,
    Active {
        until: Time,
    },
    /// Failed, with retries left: waits for its back-off.
    BackOff,
    /// Failed without retries. `says` is the state in the incident's message.
    Incident {
        says: OutcomeState,
    },
    /// Threw an error that nothing caught. `beside`: an earlier holder threw it while a later one had the job.
    Thrown {
        says: OutcomeState,
        beside: bool,
    },
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Done,
    Conflict,
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Engine {
    pub job: JobState,
    pub retries: u32,
    pub suspended: bool,
    pub attempt: Option<AttemptId>,
    pub outcome: Option<OutcomeVariable<Answer>>,
    /// Of the last hand-out; also its number.
    pub token: u8,
}

impl Engine {
    pub fn new(retries: u32) -> Self {
        Self {
            job: JobState::Activatable,
            retries,
            suspended: false,
            attempt: None,
            outcome: None,
            token: 0,
        }
    }

    /// Would a report with this token be taken? `None` if so.
    fn refusal(&self, token: u8, config: &Config) -> Option<Reply> {
        match self.job {
            JobState::Ended => Some(Reply::Gone),
            JobState::BackOff | JobState::Incident { .. } | JobState::Thrown { .. } => Some(Reply::Conflict),
            _ if self.suspended => Some(Reply::Conflict),
            _ if config.engine != EngineKind::Camunda8 && token != self.token => Some(Reply::Conflict),
            JobState::Activatable | JobState::Active { .. } => None,
        }
    }

    pub fn complete(&mut self, token: u8, config: &Config) -> Reply {
        if let Some(refusal) = self.refusal(token, config) {
            return refusal;
        }
        self.job = JobState::Ended;
        Reply::Done
    }

    pub fn fail(
        &mut self,
        token: u8,
        retries: u32,
        at_once: bool,
        outcome: &OutcomeVariable<Answer>,
        config: &Config,
    ) -> Reply {
        if let Some(refusal) = self.refusal(token, config) {
            return refusal;
        }
        self.retries = retries;
        self.job = match retries {
            0 => JobState::Incident { says: outcome.state },
            _ if at_once => JobState::Activatable,
            _ => JobState::BackOff,
        };
        self.outcome = Some(outcome.clone());
        Reply::Done
    }

    pub fn throw(&mut self, token: u8, says: OutcomeState, config: &Config) -> Reply {
        if let Some(refusal) = self.refusal(token, config) {
            return refusal;
        }
        self.job = if config.caught || config.engine == EngineKind::Operaton {
            JobState::Ended
        } else {
            JobState::Thrown {
                says,
                beside: token != self.token,
            }
        };
        Reply::Done
    }

    /// The timeout of the job, from now on.
    pub fn extend(&mut self, token: u8, until: Time, config: &Config) -> Reply {
        match &mut self.job {
            JobState::Ended => Reply::Gone,
            _ if config.engine != EngineKind::Camunda8 && token != self.token => Reply::Conflict,
            JobState::Active { until: lock } => {
                *lock = until;
                Reply::Done
            }
            JobState::Activatable if config.engine == EngineKind::Camunda8 => Reply::Done,
            _ => Reply::Conflict,
        }
    }

    pub fn mark(&mut self, attempt: &AttemptId, config: &Config) -> Reply {
        if self.job == JobState::Ended {
            return Reply::Gone;
        }
        self.attempt = Some(attempt.clone());
        if !config.mark_keeps_outcome {
            self.outcome = None;
        }
        Reply::Done
    }

    pub fn record(&mut self, outcome: &OutcomeVariable<Answer>) -> Reply {
        if self.job == JobState::Ended {
            return Reply::Gone;
        }
        self.outcome = Some(outcome.clone());
        Reply::Done
    }
}
