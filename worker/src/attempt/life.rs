//! The states of a hand-out, and the way from one to the next.

use std::sync::Arc;
use std::time::Duration;

use super::Rule;
use super::job::{AttemptId, HandedOut, Lock, OutcomeVariable, Permission, Time};
use super::step::{Action, Event, ForgetReason};
use crate::outcome::{CallOutcome, OutcomeState, Settlement, Task, settle, settle_failed_evaluation};
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
    /// The back-off of a job that is given back.
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
enum Plan {
    Send,
    GiveBack,
    Refuse,
    Spend,
}

/// Whose outcome is reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    /// This hand-out's own attempt.
    Own(AttemptId),
    /// An attempt that the job came with.
    Earlier(AttemptId),
}

impl Name {
    fn id(&self) -> &AttemptId {
        match self {
            Self::Own(id) | Self::Earlier(id) => id,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Report<A> {
    call: CallOutcome<A>,
    name: Name,
    settlement: Settlement,
    given_back: bool,
    /// The engine has rejected the first form of this report.
    rejected: bool,
    without_body: bool,
    tries: u32,
}

/// Of the lock, while a job waits for its permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Extension {
    /// Not needed, or no longer.
    Settled,
    /// Asked for.
    Out,
    /// Not answered, or too late: another try follows.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State<A> {
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
    state: State<A>,
    deadline: Time,
    wake: Option<Time>,
    marks: u32,
    stem: Arc<str>,
    retries: u32,
    lock: Lock,
    task: Task,
    random: u64,
    limits: Arc<Limits>,
}

type Actions<A> = Vec<Action<A>>;

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

    fn forget(&mut self, reason: ForgetReason) -> Actions<A> {
        self.state = State::Done;
        vec![Action::Forget(reason)]
    }

    fn sleep(&mut self, tries: u32, at_least: Option<Duration>, now: Time) -> Actions<A> {
        let random = self.random.rotate_left(tries.wrapping_mul(11));
        let delay = self
            .limits
            .back_off
            .delay(tries, random)
            .max(at_least.unwrap_or_default());
        self.wake_at(now.saturating_add(delay))
    }

    fn wake_at(&mut self, time: Time) -> Actions<A> {
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

    // The lock.

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

    fn extended(&mut self, asked_at: Time, now: Time) -> Actions<A> {
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
    fn extension_ended(&mut self, now: Time) -> Actions<A> {
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

    fn extend(&mut self, now: Time) -> Actions<A> {
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

    // Waiting and marking.

    fn wait(&mut self, timeout: Duration, now: Time) -> Actions<A> {
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
    fn leave_waiting(&mut self, now: Time) -> Actions<A> {
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
    fn mark(&mut self, plan: Plan, now: Time) -> Actions<A> {
        if !self.has_time(plan, now) {
            return self.forget(ForgetReason::OutOfTime);
        }
        self.wake = None;
        if holds(Rule::FreshId) || self.marks == 0 {
            self.marks += 1;
        }
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

    fn marking(&mut self, event: Event<A>, now: Time) -> Actions<A> {
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

    fn checked(&mut self, plan: Plan, id: AttemptId, now: Time) -> Actions<A> {
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

    // Evaluating.

    fn evaluate(&mut self, call: CallOutcome<A>, name: Name, now: Time) -> Actions<A> {
        self.wake = None;
        self.state = State::Evaluating {
            call: call.clone(),
            name,
            since: now,
            tries: 0,
        };
        vec![Action::Evaluate(call)]
    }

    fn evaluating(&mut self, event: Event<A>, now: Time) -> Actions<A> {
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

    // Settling and recording.

    fn settle(
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

    fn report(&mut self, now: Time) -> Actions<A> {
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

    fn settling(&mut self, event: Event<A>, now: Time) -> Actions<A> {
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
                (None, Settlement::Fail { state, .. }) if !holds(Rule::NoPermissionAfterRefusal) => {
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

    fn record(&mut self) -> Actions<A> {
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

    /// `retries` where a PUT writes a permission: see [`HandedOut`].
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
