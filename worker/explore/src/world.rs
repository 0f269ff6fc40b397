//! Everything at one moment: the engine, the workers, what is on its way, what has been spent.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::attempt::{Action, Attempt, AttemptId, Event, Limits, Time};
use crate::config::{Bounds, Config};
use crate::engine::{Engine, JobState};
use crate::facts::{Answer, Facts};
use crate::hash;
use crate::outcome::OutcomeState;
use crate::pace::BackOff;

pub const TIMEOUT: Duration = Duration::from_secs(100);
pub const LONG_TIMEOUT: Duration = Duration::from_secs(200);
pub const CALL: Duration = Duration::from_secs(10);

/// No back-off and no wait but for permits: a pause is an order of events here, and needs no time.
pub fn limits() -> Limits {
    let none = BackOff::new(Duration::ZERO, Duration::ZERO);
    let second = BackOff::new(Duration::from_secs(1), Duration::from_secs(1));
    Limits {
        permit_wait: Duration::from_secs(2),
        margin: Duration::from_secs(10),
        evaluation: Duration::from_secs(1),
        back_off: none,
        give_back: second,
        record_tries: 3,
    }
}

/// A worker with a job in hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hand {
    pub life: Attempt<Answer>,
    /// What the executor has yet to do, and when the machine asked for it.
    pub todo: VecDeque<(Action<Answer>, Time)>,
    /// What the executor has yet to pass on.
    pub news: Option<Event<Answer>>,
    pub wake: Option<Time>,
    /// The name of this hand-out, which leases carry.
    pub token: u8,
    /// What its attempt identifiers begin with: the same, but for a mutation.
    pub stem: u8,
    /// Retries that the job came with.
    pub retries: u32,
    /// The job came with `answered` for its attempt.
    pub answered: bool,
    /// The attempt that the job came with.
    pub found: Option<AttemptId>,
    /// What the machine reports.
    pub says: OutcomeState,
}

/// Something that arrives later, or never.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Flight {
    Request {
        action: Action<Answer>,
        token: u8,
        says: OutcomeState,
    },
    Call(AttemptId),
}

#[derive(Clone, Debug)]
pub struct World {
    pub now: Time,
    pub engine: Engine,
    pub hands: Vec<Option<Hand>>,
    pub flights: Vec<Flight>,
    pub spent: Bounds,
    pub facts: Facts,
    /// A person has resolved the incident of a BPMN error before the worker could record the outcome. The next holder finds an
    /// attempt without an outcome, although nothing went wrong.
    pub hasty: bool,
    pub limits: Arc<Limits>,
}

impl World {
    pub fn new(config: &Config) -> Self {
        Self {
            now: Duration::ZERO,
            engine: Engine::new(config.retries),
            hands: vec![None; config.workers],
            flights: Vec::new(),
            spent: Bounds::default(),
            facts: Facts::new(),
            hasty: false,
            limits: Arc::new(limits()),
        }
    }

    /// Forgets what can matter no more, so that states that differ in it alone are one.
    pub fn tidy(&mut self) {
        if self.engine.job == JobState::Ended {
            // Requests to the engine are answered 404. Only calls can still do harm.
            self.flights.retain(|flight| matches!(flight, Flight::Call(_)));
            for hand in &mut self.hands {
                let calls =
                    |hand: &Hand| matches!(hand.todo.front(), Some((Action::Send { .. } | Action::Check { .. }, _)));
                if !hand.as_ref().is_some_and(calls) {
                    *hand = None;
                }
            }
        }
        if self.hands.iter().all(Option::is_none) && !matches!(self.engine.job, JobState::Active { .. }) {
            self.now = Duration::ZERO;
        }
        let mut facts = std::mem::replace(&mut self.facts, Facts::new());
        facts.keep(|attempt| self.knows(attempt));
        self.facts = facts;
    }

    /// The attempts that anything but a hand-out of their own mentions.
    fn mentioned(&self) -> impl Iterator<Item = &AttemptId> {
        let engine = [
            self.engine.attempt.as_ref(),
            self.engine.outcome.as_ref().map(|outcome| &outcome.attempt),
        ];
        let found = self.hands.iter().flatten().map(|hand| hand.found.as_ref());
        let flights = self.flights.iter().map(|flight| match flight {
            Flight::Call(attempt) => Some(attempt),
            Flight::Request { action, .. } => match action {
                Action::Mark(id) => Some(id),
                Action::Complete { answer } => answer.as_ref(),
                Action::Fail { outcome, .. } | Action::GiveBack { outcome, .. } | Action::Record(outcome) => {
                    Some(&outcome.attempt)
                }
                _ => None,
            },
        });
        engine.into_iter().chain(found).chain(flights).flatten()
    }

    fn knows(&self, attempt: &AttemptId) -> bool {
        let own = number(attempt);
        self.hands.iter().flatten().any(|hand| hand.stem == own) || self.mentioned().any(|known| known == attempt)
    }

    /// A name for a hand-out that nothing in this world refers to: as good as one that was never used.
    pub fn fresh_token(&self) -> u8 {
        let mut used = [0; 32];
        let mut count = 0;
        let tokens = self.hands.iter().flatten().map(|hand| hand.token);
        let leases = self.flights.iter().filter_map(|flight| match flight {
            Flight::Request { token, .. } => Some(*token),
            Flight::Call(_) => None,
        });
        for name in tokens
            .chain(leases)
            .chain(self.mentioned().map(number))
            .chain([self.engine.token])
        {
            used[count] = name;
            count += 1;
        }
        (1..=u8::MAX)
            .find(|token| !used[..count].contains(token))
            .expect("few names are in use")
    }

    /// Of everything but what has been spent. Workers are alike, and so is the order of what is on its way.
    pub fn fingerprint(&self) -> u64 {
        hash::of(self)
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.now, &self.engine, &self.facts, self.hasty).hash(state);
        for group in [
            self.hands.iter().map(hash::of).collect::<Vec<_>>(),
            self.flights.iter().map(hash::of).collect(),
        ] {
            let mut group = group;
            group.sort_unstable();
            group.hash(state);
        }
    }
}

/// The hand-out that an attempt belongs to: the model names them by numbers.
fn number(attempt: &AttemptId) -> u8 {
    let (hand_out, _) = attempt.as_str().split_once('-').expect("the model's own identifier");
    hand_out.parse().expect("a number")
}
