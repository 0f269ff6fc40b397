//! Everything at one moment: the engine, the workers, what is on its way, what has been spent.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::attempt::{Action, Attempt, AttemptId, Event, Limits, Time};
use crate::config::{Bounds, Config};
use crate::engine::Engine;
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
    pub token: u8,
    /// Retries that the job came with.
    pub retries: u32,
    /// The job came with `answered` for its attempt.
    pub answered: bool,
    /// What the machine reports.
    pub says: OutcomeState,
}

/// Something that arrives later, or never.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Flight {
    Request {
        action: Action<Answer>,
        token: u8,
        asked_at: Time,
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
            facts: Facts::default(),
            limits: Arc::new(limits()),
        }
    }

    /// Workers are alike, and so is the order of what is on its way.
    pub fn fingerprint(&self) -> u64 {
        hash::of(self)
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.now, &self.engine, &self.spent, &self.facts).hash(state);
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
