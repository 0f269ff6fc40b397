//! What has really happened, and the invariants that must hold.

use std::fmt;

use crate::attempt::{AttemptId, OutcomeVariable};
use crate::outcome::OutcomeState;

/// What ServiceNow answers: the identifier of the attempt whose request started the flow.
pub type Answer = AttemptId;

/// A broken invariant, by its name in `docs/worker.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

pub fn broken<T>(invariant: &'static str, what: String) -> Result<T, Violation> {
    Err(Violation { invariant, what })
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Fact {
    attempt: AttemptId,
    started: bool,
    /// Somebody has said that it started nothing.
    denied: bool,
}

/// Only what can still matter: how many starts the decisions allow beyond those that were made, and the attempts that anybody still knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    starts_left: i8,
    attempts: Vec<Fact>,
}

impl Facts {
    pub fn new() -> Self {
        Self {
            starts_left: 1,
            attempts: Vec::new(),
        }
    }

    fn of(&mut self, attempt: &AttemptId) -> &mut Fact {
        let place = self.attempts.iter().position(|fact| fact.attempt == *attempt);
        let place = place.unwrap_or_else(|| {
            self.attempts.push(Fact {
                attempt: attempt.clone(),
                started: false,
                denied: false,
            });
            self.attempts.len() - 1
        });
        &mut self.attempts[place]
    }

    /// Forgets the attempts that nobody knows any more.
    pub fn keep(&mut self, known: impl Fn(&AttemptId) -> bool) {
        self.attempts.retain(|fact| known(&fact.attempt));
        self.attempts
            .sort_unstable_by(|one, other| one.attempt.cmp(&other.attempt));
    }

    fn started(&self, attempt: &AttemptId) -> bool {
        self.attempts
            .iter()
            .any(|fact| fact.attempt == *attempt && fact.started)
    }

    /// A person has resolved an incident that said that nobody knows, or an author has asked for a retry.
    pub fn decide(&mut self) {
        self.starts_left += 1;
    }

    /// ServiceNow has started a flow for this attempt's request.
    pub fn start(&mut self, attempt: &AttemptId) -> Result<(), Violation> {
        self.starts_left -= 1;
        let fact = self.of(attempt);
        fact.started = true;
        if fact.denied {
            return broken(
                "I3",
                format!("{attempt} starts a flow after `not-started` was reported for it"),
            );
        }
        if self.starts_left < 0 {
            return broken(
                "I1",
                format!("{attempt} starts the flow once more, and nobody has decided so"),
            );
        }
        Ok(())
    }

    /// The engine is told the end of an attempt.
    pub fn told(&mut self, outcome: &OutcomeVariable<Answer>) -> Result<(), Violation> {
        let attempt = &outcome.attempt;
        match outcome.state {
            OutcomeState::NotStarted => {
                let fact = self.of(attempt);
                fact.denied = true;
                if fact.started {
                    return broken("I3", format!("`not-started` for {attempt}, which started a flow"));
                }
            }
            OutcomeState::Answered if !self.started(attempt) => {
                return broken("I4", format!("`answered` for {attempt}, which started nothing"));
            }
            OutcomeState::Answered if outcome.response.as_ref() != Some(attempt) => {
                return broken("I2", format!("{attempt} keeps the answer {:?}", outcome.response));
            }
            _ => {}
        }
        Ok(())
    }

    /// A job was completed with this result.
    pub fn completed(&self, answer: &Answer) -> Result<(), Violation> {
        if !self.started(answer) {
            return broken(
                "I2",
                format!("completed with the answer of {answer}, which started nothing"),
            );
        }
        Ok(())
    }
}
