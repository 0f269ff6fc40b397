//! The states of a hand-out, and the way from one to the next.

use std::sync::Arc;
use std::time::Duration;

use super::Rule;
use super::job::{AttemptId, HandedOut, Lock, OutcomeVariable, Permission, Time};
use super::step::{Action, Event, ForgetReason};
use crate::outcome::{CallOutcome, Settlement, Task};
use crate::pace::BackOff;
use crate::rules::holds;

/// The settings that all hand-outs of a worker share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// How long a job waits for a permit before it is given back.
    pub permit_wait: Duration,
    /// What must be left of the lock for a report, beside the call itself.
    pub margin: Duration,
    /// How long an evaluator may be away before its job is an incident.
    pub evaluation: Duration,
    /// Between the tries of a request.
    pub back_off: BackOff,
    /// The back-off of a job that is given back: 5 to 10 s with its jitter.
    pub give_back: BackOff,
    /// How often a record is tried.
    pub record_tries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            permit_wait: Duration::from_secs(2),
            margin: Duration::from_secs(10),
            evaluation: Duration::from_mins(5),
            back_off: BackOff::new(Duration::from_millis(200), Duration::from_secs(30)),
            give_back: BackOff::new(Duration::from_secs(10), Duration::from_secs(10)),
            record_tries: 12,
        }
    }
}

/// What a mark is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Plan {
    Send,
    GiveBack,
    Refuse,
    Spend,
}

/// Whose outcome is reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// This hand-out's own attempt.
    Own(AttemptId),
    /// An attempt that the job came with.
    Earlier(AttemptId),
}

impl Name {
    pub(super) fn id(&self) -> &AttemptId {
        match self {
            Self::Own(id) | Self::Earlier(id) => id,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Report<A> {
    pub(super) call: CallOutcome<A>,
    pub(super) name: Name,
    pub(super) settlement: Settlement,
    pub(super) given_back: bool,
    /// The engine has rejected the first form of this report.
    pub(super) rejected: bool,
    pub(super) without_body: bool,
    pub(super) tries: u32,
}

/// Of the lock, while a job waits for its permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extension {
    /// Not needed, or no longer.
    Settled,
    /// Asked for.
    Out,
    /// Not answered, or too late: another try follows.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State<A> {
    Waiting {
        until: Time,
        permit: bool,
        extension: Extension,
    },
    Marking {
        plan: Plan,
        id: AttemptId,
    },
    Checking {
        plan: Plan,
        id: AttemptId,
    },
    Sending {
        id: AttemptId,
    },
    Evaluating {
        call: CallOutcome<A>,
        name: Name,
        since: Time,
        tries: u32,
    },
    Settling(Report<A>),
    Recording {
        outcome: OutcomeVariable<A>,
        tries: u32,
    },
    Done,
}

/// One hand-out of a job. See the [module's documentation](super).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt<A> {
    pub(super) state: State<A>,
    pub(super) deadline: Time,
    pub(super) wake: Option<Time>,
    pub(super) marks: u32,
    pub(super) stem: Arc<str>,
    pub(super) retries: u32,
    pub(super) lock: Lock,
    pub(super) task: Task,
    pub(super) random: u64,
    pub(super) limits: Arc<Limits>,
}

pub(super) type Actions<A> = Vec<Action<A>>;

impl<A: Clone> Attempt<A> {
    /// Begins with a job that was handed out.
    pub fn new(job: HandedOut<A>, limits: Arc<Limits>, now: Time) -> (Self, Vec<Action<A>>) {
        let permission = job.permission();
        let mut attempt = Self {
            state: State::Done,
            deadline: job.asked_at.saturating_add(job.timeout),
            wake: None,
            marks: 0,
            stem: job.stem,
            retries: job.retries,
            lock: job.lock,
            task: job.task,
            random: job.random,
            limits,
        };
        let actions = match permission {
            Permission::Send if job.refused => attempt.mark(Plan::Refuse, now),
            Permission::Send => attempt.wait(job.timeout, now),
            Permission::Spend => attempt.mark(Plan::Spend, now),
            Permission::Resume(id, answer) => {
                attempt.evaluate(CallOutcome::Started { answer, whole: true }, Name::Earlier(id), now)
            }
            Permission::Found(_) if !holds(Rule::FoundIsReported) => attempt.wait(job.timeout, now),
            Permission::Found(id) => attempt.evaluate(CallOutcome::Unknown, Name::Earlier(id), now),
        };
        (attempt, actions)
    }

    /// True once [`Action::Forget`] was given.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// True while the job needs a permit: ask for one after [`Attempt::new`], and pass [`Event::Permit`] when there is one.
    pub fn waits_for_permit(&self) -> bool {
        matches!(self.state, State::Waiting { permit: false, .. })
    }

    /// Takes an event. One that does not belong to the present state changes nothing.
    pub fn handle(&mut self, event: Event<A>, now: Time) -> Vec<Action<A>> {
        match (&self.state, event) {
            (State::Done, _) => Vec::new(),
            (_, Event::StopNow) => self.forget(ForgetReason::Stopped),
            (_, Event::Tick) => self.tick(now),
            (_, Event::Extended { asked_at }) => self.extended(asked_at, now),
            (_, Event::ExtendUnanswered { asked_at }) => {
                self.deadline = self.deadline.min(asked_at.saturating_add(self.lock.timeout));
                self.extension_ended(now)
            }
            (State::Waiting { .. }, Event::ExtendRefused) => self.forget(ForgetReason::Refused),
            (State::Waiting { .. }, Event::Stop) => self.mark(Plan::GiveBack, now),
            (State::Waiting { until, extension, .. }, Event::Permit) => {
                let (until, extension) = (*until, *extension);
                self.state = State::Waiting {
                    until,
                    permit: true,
                    extension,
                };
                self.leave_waiting(now)
            }
            (State::Marking { .. }, event) => self.marking(event, now),
            (State::Checking { plan, id }, Event::Checked(true)) => {
                let (plan, id) = (*plan, id.clone());
                self.checked(plan, id, now)
            }
            (State::Checking { .. } | State::Sending { .. }, Event::Checked(false)) => {
                self.forget(ForgetReason::OutOfTime)
            }
            (State::Sending { id }, Event::Outcome(call)) => {
                let name = Name::Own(id.clone());
                self.evaluate(call, name, now)
            }
            (State::Evaluating { .. }, event) => self.evaluating(event, now),
            (State::Settling(_), event) => self.settling(event, now),
            (State::Recording { .. }, Event::Recorded) => self.forget(ForgetReason::Settled),
            (State::Recording { .. }, Event::RecordRefused) => self.forget(ForgetReason::Gone),
            (State::Recording { tries, .. }, Event::RecordUnanswered) if *tries < self.limits.record_tries => {
                let tries = *tries;
                self.sleep(tries, None, now)
            }
            (State::Recording { .. }, Event::RecordUnanswered) => self.forget(ForgetReason::Unanswered),
            _ => Vec::new(),
        }
    }

    pub(super) fn forget(&mut self, reason: ForgetReason) -> Actions<A> {
        self.state = State::Done;
        vec![Action::Forget(reason)]
    }

    pub(super) fn sleep(&mut self, tries: u32, at_least: Option<Duration>, now: Time) -> Actions<A> {
        let random = self.random.rotate_left(tries.wrapping_mul(11));
        let delay = self
            .limits
            .back_off
            .delay(tries, random)
            .max(at_least.unwrap_or_default());
        self.wake_at(now.saturating_add(delay))
    }

    pub(super) fn wake_at(&mut self, time: Time) -> Actions<A> {
        self.wake = Some(time);
        vec![Action::WakeAt(time)]
    }

    fn tick(&mut self, now: Time) -> Actions<A> {
        match self.wake {
            Some(wake) if now < wake => return vec![Action::WakeAt(wake)],
            Some(_) => self.wake = None,
            None => return Vec::new(),
        }
        match &self.state {
            State::Waiting {
                until, permit: false, ..
            } if now >= *until => self.mark(Plan::GiveBack, now),
            State::Waiting {
                extension: Extension::Failed,
                ..
            } => self.extend(now),
            State::Marking { plan, .. } => {
                let plan = *plan;
                self.mark(plan, now)
            }
            State::Evaluating { call, .. } => vec![Action::Evaluate(call.clone())],
            State::Settling(_) => self.report(now),
            State::Recording { .. } => self.record(),
            State::Waiting { .. } | State::Checking { .. } | State::Sending { .. } | State::Done => Vec::new(),
        }
    }
}
