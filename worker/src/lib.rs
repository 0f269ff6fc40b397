//! The job worker: a job in, exactly one outcome out.
//!
//! Three modules decide, as pure code without IO and without a clock:
//!
//! | module | input | output |
//! |---|---|---|
//! | [`attempt`] | what happens to one handed-out job, with the time | what to do next |
//! | [`outcome`] | the result of a call, and the task's settings | complete, fail or BPMN error |
//! | [`pace`] | jobs in hand, how polls end | how many jobs to take, when to poll again, who may call an instance |
//!
//! The others carry it out:
//!
//! | module | content |
//! |---|---|
//! | `worker`, `poll` | the [`Worker`]; one poll loop for each job type |
//! | `executor` | one job from its arrival to its end: requests out, events in |
//! | `intake` | a job's variables and headers → its attempt, its settings, its call |
//! | [`expression`] | the author's FEEL: what the engine is asked, and what its answer means |
//! | `fault`, `report`, [`answer`] | what went wrong; messages and variables for the engine; the response as the process gets it |
//! | [`engine`] | the trait that an engine implements, and the Camunda 8 client |
//! | `shared`, `clock`, `random` | permits, time that never runs behind, randomness |
//! | [`metrics`], [`status`], [`management`] | what operators watch |
//!
//! `worker/explore` includes the first three as they are, and explores them against models of the engine, of ServiceNow and of the
//! people who resolve incidents. `docs/worker.md` describes the states, the invariants and the result.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod answer;
pub mod attempt;
mod clock;
pub mod engine;
mod executor;
pub mod expression;
mod fault;
mod intake;
pub mod management;
pub mod metrics;
pub mod outcome;
pub mod pace;
mod poll;
mod random;
mod report;
mod rules;
mod shared;
pub mod status;
mod stop;
mod worker;

pub use stop::Stop;
pub use worker::{End, Settings, Worker};
