//! Until the call: the lock, the wait for a permit, the mark and the check.

use std::time::Duration;

use super::Rule;
use super::job::{AttemptId, Time};
use super::life::{Actions, Attempt, Extension, Name, Plan, State};
use super::step::{Action, Event, ForgetReason};
use crate::outcome::{CallOutcome, OutcomeState, Settlement};
use crate::rules::holds;

impl<A: Clone> Attempt<A> {
    /// Is enough of the lock left for this plan?
    fn has_time(&self, plan: Plan, now: Time) -> bool {
        !holds(Rule::Check) || now <= self.not_after(plan)
    }

    fn not_after(&self, plan: Plan) -> Time {
        let call = match plan {
            Plan::Send => self.lock.call,
            Plan::GiveBack | Plan::Refuse | Plan::Spend => Duration::ZERO,
        };
        self.deadline.saturating_sub(call).saturating_sub(self.limits.margin)
    }

    pub(super) fn extended(&mut self, asked_at: Time, now: Time) -> Actions<A> {
        let deadline = asked_at.saturating_add(self.lock.timeout);
        self.deadline = if now < self.deadline || !holds(Rule::ExtendedInTime) {
            deadline
        } else {
            // The lock may have passed and be another's since.
            self.deadline.min(deadline)
        };
        self.extension_ended(now)
    }

    /// With enough time left the job goes on; else the extension is asked for again, while there is hope.
    pub(super) fn extension_ended(&mut self, now: Time) -> Actions<A> {
        let enough = self.has_time(Plan::Send, now);
        let State::Waiting {
            until,
            permit,
            extension,
        } = &mut self.state
        else {
            return Vec::new();
        };
        if enough {
            *extension = Extension::Settled;
            return self.leave_waiting(now);
        }
        *extension = Extension::Failed;
        let until = if *permit { Time::MAX } else { *until };
        let again = now.saturating_add(self.limits.back_off.delay(1, self.random));
        self.wake_at(again.min(until))
    }

    pub(super) fn extend(&mut self, now: Time) -> Actions<A> {
        let State::Waiting {
            until,
            permit,
            extension,
        } = &mut self.state
        else {
            return Vec::new();
        };
        if now >= self.deadline {
            return self.forget(ForgetReason::OutOfTime);
        }
        *extension = Extension::Out;
        let until = (!*permit).then_some(*until);
        let mut actions = vec![Action::Extend {
            timeout: self.lock.timeout,
        }];
        if let Some(until) = until {
            actions.extend(self.wake_at(until));
        }
        actions
    }

    pub(super) fn wait(&mut self, timeout: Duration, now: Time) -> Actions<A> {
        let until = now.saturating_add(self.limits.permit_wait);
        self.state = State::Waiting {
            until,
            permit: false,
            extension: Extension::Settled,
        };
        // Time to wait, and to mark, and to look at the clock, without a second extension.
        let ready = until.saturating_add(self.limits.margin);
        if self.lock.timeout > timeout || !self.has_time(Plan::Send, ready) {
            self.extend(now)
        } else {
            self.wake_at(until)
        }
    }

    /// To the mark, if the job has its permit and its lock.
    pub(super) fn leave_waiting(&mut self, now: Time) -> Actions<A> {
        match self.state {
            State::Waiting {
                permit: true,
                extension: Extension::Settled,
                ..
            } => self.mark(Plan::Send, now),
            _ => Vec::new(),
        }
    }

    /// Marks, for the first time or once more: always with a new identifier.
    pub(super) fn mark(&mut self, plan: Plan, now: Time) -> Actions<A> {
        if !self.has_time(plan, now) {
            return self.forget(ForgetReason::OutOfTime);
        }
        self.wake = None;
        self.marks += 1;
        let id = AttemptId::new(&format!("{}-{}", self.stem, self.marks));
        if plan == Plan::GiveBack && !holds(Rule::MarkBeforeGiveBack) {
            return self.checked(plan, id, now);
        }
        if !holds(Rule::MarkFirst) {
            return self.check(plan, id);
        }
        self.state = State::Marking { plan, id: id.clone() };
        vec![Action::Mark(id)]
    }

    pub(super) fn marking(&mut self, event: Event<A>, now: Time) -> Actions<A> {
        let State::Marking { plan, id } = &self.state else {
            return Vec::new();
        };
        let (plan, id) = (*plan, id.clone());
        match event {
            Event::MarkAcked(acked) if acked == id && self.has_time(plan, now) => self.check(plan, id),
            Event::MarkAcked(acked) if acked == id => self.forget(ForgetReason::OutOfTime),
            Event::MarkRefused(refused) if refused == id => self.forget(ForgetReason::Refused),
            Event::MarkUnanswered(unanswered) if unanswered == id => self.sleep(self.marks, None, now),
            _ => Vec::new(),
        }
    }

    fn check(&mut self, plan: Plan, id: AttemptId) -> Actions<A> {
        self.state = State::Checking { plan, id };
        vec![Action::Check {
            timeout: self.lock.timeout,
        }]
    }

    pub(super) fn checked(&mut self, plan: Plan, id: AttemptId, now: Time) -> Actions<A> {
        if !self.has_time(plan, now) {
            return self.forget(ForgetReason::OutOfTime);
        }
        let not_started = |may_pass| CallOutcome::NotStarted {
            may_pass,
            retry_after: None,
        };
        match plan {
            Plan::Send => {
                let not_after = self.not_after(plan);
                self.state = State::Sending { id: id.clone() };
                vec![Action::Send { attempt: id, not_after }]
            }
            Plan::Refuse => self.evaluate(not_started(false), Name::Own(id), now),
            Plan::GiveBack => {
                let settlement = Settlement::Fail {
                    retries: self.retries,
                    back_off: self.limits.give_back.delay(1, self.random),
                    state: OutcomeState::NotStarted,
                };
                self.settle(not_started(true), Name::Own(id), settlement, true, now)
            }
            Plan::Spend => {
                let settlement = Settlement::Fail {
                    retries: self.retries.saturating_sub(1),
                    back_off: Duration::ZERO,
                    state: OutcomeState::NotStarted,
                };
                self.settle(not_started(true), Name::Own(id), settlement, false, now)
            }
        }
    }
}
