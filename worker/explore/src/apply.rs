//! What a step does.

use std::collections::VecDeque;
use std::time::Duration;

use crate::attempt::{Action, Attempt, Event, HandedOut, Lock, OutcomeVariable, Rule, Time};
use crate::config::{Config, EngineKind};
use crate::engine::{JobState, Reply};
use crate::facts::{Answer, Violation, broken};
use crate::outcome::{CallOutcome, OutcomeState, Task, Verdict, tries};
use crate::rules::holds;
use crate::step::{Step, Way};
use crate::world::{CALL, Flight, Hand, LONG_TIMEOUT, TIMEOUT, World};

type Checked = Result<(), Violation>;

impl World {
    /// The world after `step`, or the invariant that it breaks.
    pub fn after(&self, step: Step, config: &Config) -> Result<Self, Violation> {
        let mut world = self.clone();
        world.apply(step, config)?;
        world.tidy();
        Ok(world)
    }

    fn apply(&mut self, step: Step, config: &Config) -> Checked {
        match step {
            Step::HandOut => self.hand_out(false, config),
            Step::HandOutRefused => {
                self.spent.verdicts += 1;
                self.hand_out(true, config)
            }
            Step::HandOutLost => {
                self.spent.messages += 1;
                self.lock();
                Ok(())
            }
            Step::Permit(place) => self.tell(place, Event::Permit, config),
            Step::NoPermit(place) => {
                self.spent.give_backs += 1;
                self.wake(place, config)
            }
            Step::Stop(place) => {
                self.spent.give_backs += 1;
                self.tell(place, Event::Stop, config)
            }
            Step::Do(place, way) => self.carry_out(place, way, config),
            Step::Hear(place) => {
                let news = self.hands[place].as_mut().and_then(|hand| hand.news.take());
                self.tell(place, news.expect("a step for news needs news"), config)
            }
            Step::Wake(place) => self.wake(place, config),
            Step::Deliver(place) => match self.flights.swap_remove(place) {
                Flight::Call(attempt) => self.facts.start(&attempt),
                Flight::Request { action, token, says } => self.request(&action, token, says, config).map(drop),
            },
            Step::Expire => {
                self.spent.expiries += 1;
                self.expire();
                Ok(())
            }
            Step::Kill(place) => {
                self.spent.kills += 1;
                self.hands[place] = None;
                Ok(())
            }
            Step::Suspend => {
                self.spent.suspensions += 1;
                self.engine.suspended = true;
                Ok(())
            }
            Step::Resume => {
                self.engine.suspended = false;
                Ok(())
            }
            Step::BackOffPasses => {
                self.engine.job = JobState::Activatable;
                Ok(())
            }
            Step::Resolve(retries) => {
                self.spent.resolves += 1;
                self.resolve(retries, config);
                Ok(())
            }
        }
    }

    pub(crate) fn expire(&mut self) {
        if let JobState::Active { until } = self.engine.job {
            self.now = self.now.max(until);
            self.engine.job = JobState::Activatable;
        }
    }

    pub(crate) fn resolve(&mut self, retries: u32, config: &Config) {
        if let JobState::Incident { says } | JobState::Thrown { says, .. } = self.engine.job {
            let beside = matches!(self.engine.job, JobState::Thrown { beside: true, .. });
            if says == OutcomeState::Reported || (beside && !config.strict) {
                self.facts.decide();
            }
            let records = |hand: &Hand| matches!(hand.todo.front(), Some((Action::Record(_), _)));
            self.hasty |= self.hands.iter().flatten().any(records);
            self.engine.retries = retries;
            self.engine.job = JobState::Activatable;
        }
    }

    fn lock(&mut self) {
        self.engine.token = self.fresh_token();
        self.engine.job = JobState::Active {
            until: self.now + TIMEOUT,
        };
    }

    fn hand_out(&mut self, refused: bool, config: &Config) -> Checked {
        let place = self.hands.iter().position(Option::is_none).expect("an idle worker");
        self.lock();
        let stem = if config.shared_ids { 1 } else { self.engine.token };
        let retries = tries(Some(self.engine.retries.into()));
        let job = HandedOut {
            stem: format!("{stem}").into(),
            asked_at: self.now,
            timeout: TIMEOUT,
            retries,
            attempt: self.engine.attempt.clone(),
            outcome: self.engine.outcome.clone(),
            lock: Lock {
                call: CALL,
                timeout: if config.extends { LONG_TIMEOUT } else { TIMEOUT },
            },
            task: Task {
                on_unknown: config.on_unknown,
                retry_back_off: Duration::from_secs(1),
            },
            refused,
            random: 0,
        };
        let answered = matches!((&job.attempt, &job.outcome), (Some(attempt), Some(outcome))
            if outcome.state == OutcomeState::Answered && outcome.attempt == *attempt);
        let found = job.attempt.clone();
        let (life, actions) = Attempt::new(job, self.limits.clone(), self.now);
        self.hands[place] = Some(Hand {
            life,
            todo: VecDeque::new(),
            news: None,
            wake: None,
            token: self.engine.token,
            stem,
            retries,
            answered,
            found,
            says: OutcomeState::NotStarted,
        });
        self.plan(place, actions, config)
    }

    fn wake(&mut self, place: usize, config: &Config) -> Checked {
        let wake = self.hands[place].as_mut().and_then(|hand| hand.wake.take());
        self.now = self.now.max(wake.unwrap_or_default());
        self.tell(place, Event::Tick, config)
    }

    fn tell(&mut self, place: usize, event: Event<Answer>, config: &Config) -> Checked {
        let Some(hand) = &mut self.hands[place] else {
            return Ok(());
        };
        let actions = hand.life.handle(event, self.now);
        self.plan(place, actions, config)
    }

    /// Takes what the machine wants to be done, and looks at it.
    fn plan(&mut self, place: usize, actions: Vec<Action<Answer>>, config: &Config) -> Checked {
        let Some(hand) = &mut self.hands[place] else {
            return Ok(());
        };
        for action in actions {
            match &action {
                Action::WakeAt(time) => {
                    hand.wake = Some(*time);
                    continue;
                }
                Action::Forget(_) => {
                    self.hands[place] = None;
                    return Ok(());
                }
                Action::Evaluate(call) => hand.says = call.state(),
                Action::Fail { retries, .. } if *retries >= hand.retries => {
                    return broken("I7", format!("{retries} retries after {}", hand.retries));
                }
                Action::GiveBack { retries, .. } if *retries != hand.retries => {
                    return broken(
                        "I7",
                        format!("given back with {retries} retries, came with {}", hand.retries),
                    );
                }
                _ => {}
            }
            let unknown = match &action {
                Action::Fail { outcome, .. } | Action::Record(outcome) => {
                    self.facts.told(outcome)?;
                    hand.says == OutcomeState::Reported
                }
                Action::GiveBack { outcome, .. } => {
                    self.facts.told(outcome)?;
                    false
                }
                Action::Throw => hand.says == OutcomeState::Reported,
                _ => false,
            };
            if unknown && self.spent.is_faultless() && !self.hasty {
                return broken("I4", "an unknown outcome without a fault".to_owned());
            }
            hand.todo.push_back((action, self.now));
        }
        self.hurry(place, config)
    }

    /// Takes the steps that change nothing outside of one hand-out together with the step before them. No behaviour is lost: between
    /// two of them the others see no difference, and where time passes between them the hand-out ends without a trace, which is as if
    /// it had never been.
    fn hurry(&mut self, place: usize, config: &Config) -> Checked {
        let Some(hand) = &self.hands[place] else {
            return Ok(());
        };
        let one_verdict = config.bounds.verdicts == 0;
        if hand.life.waits_for_permit() && config.bounds.give_backs == 0 && !config.extends {
            return self.tell(place, Event::Permit, config);
        }
        if one_verdict && matches!(hand.news, Some(Event::Outcome(_))) {
            return self.apply(Step::Hear(place), config);
        }
        match hand.todo.front() {
            Some((Action::Evaluate(_), _)) if one_verdict => self.carry_out(place, Way::Well, config),
            Some((Action::Check { .. }, _)) if config.engine == EngineKind::Camunda8 => {
                self.carry_out(place, Way::Well, config)
            }
            _ => Ok(()),
        }
    }

    fn carry_out(&mut self, place: usize, way: Way, config: &Config) -> Checked {
        let Some(hand) = &mut self.hands[place] else {
            return Ok(());
        };
        let (token, says) = (hand.token, hand.says);
        let (action, asked_at) = hand
            .todo
            .pop_front()
            .expect("a step that does something needs something to do");
        match &action {
            Action::Send { attempt, not_after } => {
                let attempt = attempt.clone();
                return self.send(place, way, attempt, *not_after, config);
            }
            Action::Evaluate(_) => return self.evaluate(place, way, config),
            _ if way == Way::Rejected => {
                self.spent.verdicts += 1;
                return self.tell(place, Event::SettleRejected { too_large: true }, config);
            }
            Action::Check { .. } if config.engine == EngineKind::Camunda8 || !holds(Rule::Check) => {
                return self.tell(place, Event::Checked(true), config);
            }
            _ => {}
        }
        let flight = || Flight::Request {
            action: action.clone(),
            token,
            says,
        };
        let reply = match way {
            Way::Late => {
                self.spent.messages += 1;
                self.flights.push(flight());
                None
            }
            Way::Twice => {
                self.spent.messages += 1;
                let reply = self.request(&action, token, says, config)?;
                self.flights.push(flight());
                Some(reply)
            }
            _ => Some(self.request(&action, token, says, config)?),
        };
        self.answer(place, &action, asked_at, reply, config)
    }

    /// Passes on what the engine has answered, or that it has not.
    fn answer(
        &mut self,
        place: usize,
        action: &Action<Answer>,
        asked_at: Time,
        reply: Option<Reply>,
        config: &Config,
    ) -> Checked {
        let event = match (action, reply) {
            (Action::Mark(id), Some(Reply::Done)) => Event::MarkAcked(id.clone()),
            (Action::Mark(id), Some(_)) => Event::MarkRefused(id.clone()),
            (Action::Mark(id), None) => Event::MarkUnanswered(id.clone()),
            (Action::Check { .. }, Some(Reply::Done)) => {
                self.tell(place, Event::Extended { asked_at }, config)?;
                Event::Checked(true)
            }
            (Action::Check { .. }, Some(_)) => Event::Checked(false),
            (Action::Check { .. }, None) => {
                self.tell(place, Event::ExtendUnanswered { asked_at }, config)?;
                Event::Checked(false)
            }
            (Action::Extend { .. }, reply) => {
                // Time may pass before the worker reads this answer.
                if let Some(hand) = &mut self.hands[place] {
                    hand.news = Some(match reply {
                        Some(Reply::Done) => Event::Extended { asked_at },
                        Some(_) => Event::ExtendRefused,
                        None => Event::ExtendUnanswered { asked_at },
                    });
                }
                return Ok(());
            }
            (Action::Record(_), Some(Reply::Done)) => Event::Recorded,
            (Action::Record(_), Some(_)) => Event::RecordRefused,
            (Action::Record(_), None) => Event::RecordUnanswered,
            (_, Some(Reply::Done)) => Event::Settled,
            (_, Some(Reply::Gone)) => Event::Gone,
            (_, Some(Reply::Conflict)) => Event::TakenOver,
            (_, None) => Event::SettleUnanswered,
        };
        self.tell(place, event, config)
    }

    /// A request arrives at the engine.
    fn request(
        &mut self,
        action: &Action<Answer>,
        token: u8,
        says: OutcomeState,
        config: &Config,
    ) -> Result<Reply, Violation> {
        Ok(match action {
            Action::Mark(id) => self.engine.mark(id, config),
            Action::Record(outcome) => {
                self.facts.told(outcome)?;
                self.engine.record(outcome)
            }
            Action::Check { timeout } | Action::Extend { timeout } => {
                self.engine.extend(token, self.now + *timeout, config)
            }
            Action::Complete { answer } => {
                let reply = self.engine.complete(token, config);
                if let (Reply::Done, Some(answer)) = (reply, answer) {
                    self.facts.completed(answer)?;
                }
                reply
            }
            Action::Throw => self.engine.throw(token, says, config),
            Action::Fail {
                retries,
                back_off,
                outcome,
                ..
            }
            | Action::GiveBack {
                retries,
                back_off,
                outcome,
            } => {
                self.facts.told(outcome)?;
                let before = tries(Some(self.engine.retries.into()));
                let reply = self.engine.fail(token, *retries, back_off.is_zero(), outcome, config);
                if reply == Reply::Done {
                    self.failed(*retries, before, outcome, config)?;
                }
                reply
            }
            Action::Send { .. } | Action::Evaluate(_) | Action::WakeAt(_) | Action::Forget(_) => {
                unreachable!("no request to the engine")
            }
        })
    }

    fn failed(&mut self, retries: u32, before: u32, outcome: &OutcomeVariable<Answer>, config: &Config) -> Checked {
        if outcome.state == OutcomeState::Retry {
            self.facts.decide();
        }
        // Without leases, a failure that was sent earlier may arrive under the hands of a later holder, once for each hand-out.
        let fenced = config.engine != EngineKind::Camunda8;
        if retries > before && (fenced || self.spent.is_faultless()) {
            return broken("I7", format!("retries grow from {before} to {retries}"));
        }
        Ok(())
    }

    fn send(&mut self, place: usize, way: Way, attempt: Answer, not_after: Time, config: &Config) -> Checked {
        if self.looks_at_clock(not_after) {
            if way != Way::Paused {
                return self.tell(place, Event::Checked(false), config);
            }
            self.spent.pauses += 1;
        }
        let hand = self.hands[place].as_ref().expect("somebody sends");
        if hand.answered {
            return broken("I6", format!("{attempt} sends after `answered`"));
        }
        let not_started = |may_pass| CallOutcome::NotStarted {
            may_pass,
            retry_after: None,
        };
        let call = match way {
            Way::Late => {
                self.spent.messages += 1;
                self.flights.push(Flight::Call(attempt));
                CallOutcome::Unknown
            }
            Way::Busy | Way::Refused => {
                self.spent.refusals += 1;
                not_started(way == Way::Busy)
            }
            _ => {
                self.facts.start(&attempt)?;
                let whole = way != Way::Cut;
                if !whole {
                    self.spent.messages += 1;
                }
                CallOutcome::Started { answer: attempt, whole }
            }
        };
        // The call may take longer than the lock.
        if let Some(hand) = &mut self.hands[place] {
            hand.news = Some(Event::Outcome(call));
        }
        self.hurry(place, config)
    }

    fn evaluate(&mut self, place: usize, way: Way, config: &Config) -> Checked {
        let event = match way {
            Way::Well => Event::Evaluated(Verdict::Default),
            Way::EvaluationFails => Event::EvaluationFailed,
            Way::EvaluatorAway => {
                self.spent.messages += 1;
                Event::EvaluatorAway
            }
            Way::JobError => Event::Evaluated(Verdict::JobError {
                retries: 9,
                back_off: Duration::ZERO,
            }),
            Way::BpmnError => Event::Evaluated(Verdict::BpmnError),
            _ => Event::Evaluated(Verdict::Complete),
        };
        if way != Way::Well {
            self.spent.verdicts += 1;
        }
        self.tell(place, event, config)
    }
}
