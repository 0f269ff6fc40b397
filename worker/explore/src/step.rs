//! What can happen next.

use crate::attempt::{Action, Rule, Time};
use crate::config::{Bounds, Config};
use crate::engine::JobState;
use crate::facts::Answer;
use crate::rules::holds;
use crate::world::{Hand, World};

/// How an action goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As everybody hopes: ServiceNow starts the flow, the engine answers, no expression objects.
    Well,
    /// The worker never hears of it; it arrives at a later step, or never.
    Late,
    /// A PUT that is delivered now, and at a later step once more.
    Twice,
    /// The bytes leave long after the last look at the clock.
    Paused,
    /// ServiceNow: 429.
    Busy,
    /// ServiceNow: 404.
    Refused,
    /// ServiceNow: started, and the answer is cut.
    Cut,
    /// The engine rejects a report: too large, say.
    Rejected,
    EvaluationFails,
    EvaluatorAway,
    JobError,
    BpmnError,
    IgnoreError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    HandOut,
    /// Of a job that the executor refuses: a task header cannot be read.
    HandOutRefused,
    /// The answer to the activation is lost.
    HandOutLost,
    Permit(usize),
    NoPermit(usize),
    Stop(usize),
    Do(usize, Way),
    Hear(usize),
    Wake(usize),
    Deliver(usize),
    Expire,
    Kill(usize),
    Suspend,
    Resume,
    BackOffPasses,
    /// A person resolves the incident, with these retries where it is one that needs them.
    Resolve(u32),
}

impl Bounds {
    fn faults(&self) -> u8 {
        self.expiries + self.messages + self.pauses + self.kills + self.suspensions
    }

    pub fn is_faultless(&self) -> bool {
        self.faults() == 0
    }
}

/// What is left of the bounds.
struct Left<'a> {
    bounds: &'a Bounds,
    spent: &'a Bounds,
}

impl Left<'_> {
    fn fault(&self, of: impl Fn(&Bounds) -> u8) -> bool {
        self.spent.faults() < self.bounds.faults && of(self.spent) < of(self.bounds)
    }

    fn other(&self, of: impl Fn(&Bounds) -> u8) -> bool {
        of(self.spent) < of(self.bounds)
    }
}

impl World {
    /// Every step that the bounds allow. Deliveries come last.
    pub fn steps(&self, config: &Config) -> Vec<Step> {
        let left = Left {
            bounds: &config.bounds,
            spent: &self.spent,
        };
        let mut steps = Vec::with_capacity(16);
        self.engine_steps(&left, &mut steps);
        for (place, hand) in self.hands.iter().enumerate() {
            if let Some(hand) = hand {
                self.hand_steps(place, hand, &left, &mut steps);
            }
        }
        // Two of a kind are one.
        for (place, flight) in self.flights.iter().enumerate() {
            if !self.flights[..place].contains(flight) {
                steps.push(Step::Deliver(place));
            }
        }
        steps
    }

    fn engine_steps(&self, left: &Left, steps: &mut Vec<Step>) {
        match self.engine.job {
            JobState::Activatable if !self.engine.suspended && self.hands.iter().any(Option::is_none) => {
                steps.push(Step::HandOut);
                if left.other(|of| of.verdicts) {
                    steps.push(Step::HandOutRefused);
                }
                if left.fault(|of| of.messages) {
                    steps.push(Step::HandOutLost);
                }
            }
            JobState::Active { .. } if left.fault(|of| of.expiries) => steps.push(Step::Expire),
            JobState::BackOff => steps.push(Step::BackOffPasses),
            JobState::Incident { .. } if left.other(|of| of.resolves) => {
                steps.extend([Step::Resolve(1), Step::Resolve(2)]);
            }
            JobState::Thrown { .. } if left.other(|of| of.resolves) => steps.push(Step::Resolve(self.engine.retries)),
            _ => {}
        }
        if self.engine.suspended {
            steps.push(Step::Resume);
        } else if self.engine.job != JobState::Ended && left.fault(|of| of.suspensions) {
            steps.push(Step::Suspend);
        }
    }

    fn hand_steps(&self, place: usize, hand: &Hand, left: &Left, steps: &mut Vec<Step>) {
        if left.fault(|of| of.kills) {
            steps.push(Step::Kill(place));
        }
        if hand.life.waits_for_permit() {
            steps.push(Step::Permit(place));
            if left.other(|of| of.give_backs) {
                steps.extend([Step::NoPermit(place), Step::Stop(place)]);
            }
        }
        if hand.news.is_some() {
            steps.push(Step::Hear(place));
        } else if let Some((action, _)) = hand.todo.front() {
            let mut ways = Vec::with_capacity(6);
            self.ways(action, left, &mut ways);
            steps.extend(ways.into_iter().map(|way| Step::Do(place, way)));
        } else if hand
            .wake
            .is_some_and(|wake| wake <= self.now || !hand.life.waits_for_permit())
        {
            steps.push(Step::Wake(place));
        }
    }

    fn ways(&self, action: &Action<Answer>, left: &Left, ways: &mut Vec<Way>) {
        let (fault, verdict) = (left.fault(|of| of.messages), left.other(|of| of.verdicts));
        match action {
            Action::Send { not_after, .. } => {
                if self.looks_at_clock(*not_after) {
                    // The executor looks at the clock, and does not send.
                    ways.push(Way::Well);
                    if left.fault(|of| of.pauses) {
                        ways.push(Way::Paused);
                    }
                    return;
                }
                ways.push(Way::Well);
                if left.other(|of| of.refusals) {
                    ways.extend([Way::Busy, Way::Refused]);
                }
                if fault {
                    ways.extend([Way::Late, Way::Cut]);
                }
            }
            Action::Evaluate(_) => {
                ways.push(Way::Well);
                if verdict {
                    ways.extend([Way::EvaluationFails, Way::JobError, Way::BpmnError, Way::IgnoreError]);
                }
                if verdict && fault {
                    ways.push(Way::EvaluatorAway);
                }
            }
            Action::Mark(_) | Action::Record(_) => {
                ways.push(Way::Well);
                if fault {
                    ways.extend([Way::Late, Way::Twice]);
                }
            }
            _ => {
                ways.push(Way::Well);
                if fault {
                    ways.push(Way::Late);
                }
                let report = matches!(
                    action,
                    Action::Complete { .. } | Action::Fail { .. } | Action::GiveBack { .. } | Action::Throw
                );
                if verdict && report {
                    ways.push(Way::Rejected);
                }
            }
        }
    }

    /// Is it too late for a call, and does the executor notice?
    pub fn looks_at_clock(&self, not_after: Time) -> bool {
        self.now > not_after && holds(Rule::Check)
    }
}
