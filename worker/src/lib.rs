//! The job worker: a job in, exactly one outcome out.
//!
//! This crate holds the decisions of the worker as pure code, without IO and without a clock:
//!
//! | module | takes | gives |
//! |---|---|---|
//! | [`attempt`] | what happens to one handed-out job, with the time | what to do next |
//! | [`outcome`] | what a call came to, and the task's settings | complete, fail or BPMN error |
//! | [`pace`] | jobs in hand, how polls end | how many jobs to take, when to poll again, who may call an instance |
//!
//! `worker/explore` includes these modules as they are, and explores them against models of the engine, of ServiceNow and of the
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
