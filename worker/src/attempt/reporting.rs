//! After the call: the expressions, the report to the engine, and the record.

use super::Rule;
use super::job::{OutcomeVariable, Time};
use super::life::{Actions, Attempt, Name, Report, State};
use super::step::{Action, Event, ForgetReason};
use crate::outcome::{CallOutcome, OutcomeState, Settlement, settle, settle_failed_evaluation};
use crate::rules::holds;

impl<A: Clone> Attempt<A> {
    pub(super) fn evaluate(&mut self, call: CallOutcome<A>, name: Name, now: Time) -> Actions<A> {
        self.wake = None;
        self.state = State::Evaluating {
            call: call.clone(),
            name,
            since: now,
            tries: 0,
        };
        vec![Action::Evaluate(call)]
    }

    pub(super) fn evaluating(&mut self, event: Event<A>, now: Time) -> Actions<A> {
        let State::Evaluating {
            call,
            name,
            since,
            tries,
        } = &mut self.state
        else {
            return Vec::new();
        };
        let settlement = match event {
            Event::Evaluated(verdict) => settle(call, verdict, &self.task, self.retries),
            Event::EvaluatorAway if now < since.saturating_add(self.limits.evaluation) => {
                *tries += 1;
                let tries = *tries;
                let mut actions = self.sleep(tries, None, now);
                if now < self.deadline && self.deadline < now.saturating_add(self.lock.timeout / 2) {
                    actions.push(Action::Extend {
                        timeout: self.lock.timeout,
                    });
                }
                return actions;
            }
            Event::EvaluatorAway | Event::EvaluationFailed => settle_failed_evaluation(call),
            _ => return Vec::new(),
        };
        let (call, name) = (call.clone(), name.clone());
        self.settle(call, name, settlement, false, now)
    }

    pub(super) fn settle(
        &mut self,
        call: CallOutcome<A>,
        name: Name,
        settlement: Settlement,
        given_back: bool,
        now: Time,
    ) -> Actions<A> {
        self.wake = None;
        self.state = State::Settling(Report {
            call,
            name,
            settlement,
            given_back,
            rejected: false,
            without_body: false,
            tries: 0,
        });
        self.report(now)
    }

    pub(super) fn report(&mut self, now: Time) -> Actions<A> {
        let State::Settling(report) = &mut self.state else {
            return Vec::new();
        };
        // The next holder finds the same attempt, and reports it. A completion stays true.
        let earlier = matches!(report.name, Name::Earlier(_));
        if earlier && report.settlement != Settlement::Complete && now >= self.deadline {
            return self.forget(ForgetReason::OutOfTime);
        }
        // Once the lock has passed, an error would reach the job under the hands of its next holder. That one evaluates the
        // recorded answer, or finds the attempt, and throws the error then.
        let passed = now >= self.deadline && matches!(report.settlement, Settlement::Throw { .. });
        if passed && matches!(report.call, CallOutcome::Started { .. }) {
            let outcome = report.outcome(OutcomeState::Answered, None);
            return self.begin_record(outcome);
        }
        if passed && matches!(report.call, CallOutcome::Unknown) {
            return self.forget(ForgetReason::OutOfTime);
        }
        report.tries += 1;
        match report.settlement {
            Settlement::Complete => vec![Action::Complete {
                answer: report.answer(),
            }],
            Settlement::Fail {
                retries,
                back_off,
                state,
            } => {
                let outcome = report.outcome(state, None);
                let mut actions = Vec::new();
                if !holds(Rule::OutcomeWithFailure) {
                    actions.push(Action::Record(outcome.clone()));
                }
                actions.push(if report.given_back {
                    Action::GiveBack {
                        retries,
                        back_off,
                        outcome,
                    }
                } else {
                    Action::Fail {
                        retries,
                        back_off,
                        outcome,
                        without_body: report.without_body,
                    }
                });
                actions
            }
            Settlement::Throw { state } if !holds(Rule::RecordAfterThrow) => {
                vec![Action::Record(report.outcome(state, Some(self.retries))), Action::Throw]
            }
            Settlement::Throw { .. } => vec![Action::Throw],
        }
    }

    pub(super) fn settling(&mut self, event: Event<A>, now: Time) -> Actions<A> {
        let State::Settling(report) = &mut self.state else {
            return Vec::new();
        };
        let tries = report.tries;
        match (event, report.settlement) {
            (Event::Settled, Settlement::Throw { state }) => {
                let outcome = report.outcome(state, Some(self.retries));
                self.begin_record(outcome)
            }
            (Event::Settled, _) => self.forget(ForgetReason::Settled),
            (Event::Gone, _) => self.forget(ForgetReason::Gone),
            (Event::TakenOver, settlement) => match (report.answer(), settlement) {
                (Some(_), _) => {
                    let outcome = report.outcome(OutcomeState::Answered, None);
                    self.begin_record(outcome)
                }
                (
                    None,
                    Settlement::Fail {
                        state: state @ OutcomeState::NotStarted,
                        ..
                    },
                ) if !holds(Rule::NoPermissionAfterRefusal) => {
                    let outcome = report.outcome(state, None);
                    self.begin_record(outcome)
                }
                _ => self.forget(ForgetReason::Refused),
            },
            (Event::SettleDeferred(after), _) => self.sleep(tries, after, now),
            (Event::SettleUnanswered, Settlement::Complete) => self.sleep(tries, None, now),
            (Event::SettleUnanswered, _) if !holds(Rule::FailOnce) => self.sleep(tries, None, now),
            (Event::SettleUnanswered, _) => self.forget(ForgetReason::Unanswered),
            (Event::SettleRejected { too_large }, _) if !report.rejected => {
                report.rejected = true;
                report.given_back = false;
                report.without_body = too_large;
                report.settlement = settle_failed_evaluation(&report.call);
                self.report(now)
            }
            (Event::SettleRejected { .. }, _) => self.forget(ForgetReason::Refused),
            _ => Vec::new(),
        }
    }

    fn begin_record(&mut self, outcome: OutcomeVariable<A>) -> Actions<A> {
        self.wake = None;
        self.state = State::Recording { outcome, tries: 0 };
        self.record()
    }

    pub(super) fn record(&mut self) -> Actions<A> {
        let State::Recording { outcome, tries } = &mut self.state else {
            return Vec::new();
        };
        *tries += 1;
        vec![Action::Record(outcome.clone())]
    }
}

impl<A: Clone> Report<A> {
    fn answer(&self) -> Option<A> {
        match &self.call {
            CallOutcome::Started { answer, .. } => Some(answer.clone()),
            CallOutcome::NotStarted { .. } | CallOutcome::Unknown => None,
        }
    }

    /// `retries` where a PUT writes a permission: see `HandedOut`.
    fn outcome(&self, state: OutcomeState, retries: Option<u32>) -> OutcomeVariable<A> {
        let answered = state == OutcomeState::Answered;
        OutcomeVariable {
            attempt: self.name.id().clone(),
            state,
            retries: retries.filter(|_| !answered),
            response: if answered { self.answer() } else { None },
        }
    }
}
