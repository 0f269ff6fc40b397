//! Explores the life of one job in the worker: every order of events within stated bounds, and random orders beyond two workers.
//!
//! The worker's pure modules are included as source, with a [`rules`] of their own: the exploration can turn off one rule of the
//! design at a time, and the worker itself has no such switch.
//!
//! | module | holds |
//! |---|---|
//! | `config` | which engine, which settings of the task, which bounds |
//! | `engine` | the job in the engine, its variables, and how it answers each request |
//! | `world` | the engine, the workers, what is on its way, and what has been spent |
//! | `step` | what can happen next |
//! | `facts` | the invariants |
//! | `explore` | every order |
//! | `random` | random orders |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../src/attempt/mod.rs"]
pub mod attempt;
#[path = "../../src/outcome/mod.rs"]
pub mod outcome;
#[path = "../../src/pace/mod.rs"]
pub mod pace;
pub mod rules;

mod apply;
pub mod config;
mod engine;
pub mod explore;
mod facts;
mod hash;
pub mod random;
mod step;
mod world;

pub use facts::Violation;
pub use step::Step;
pub use world::World;
