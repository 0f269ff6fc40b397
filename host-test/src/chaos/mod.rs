//! `make chaos`: many jobs, workers that are killed, paused past their locks and stopped, a cluster and an instance that fail; and the
//! judge, who compares what the engine was told with what the instance saw.
//!
//! # What a seed repeats
//!
//! The seed decides the plan: the jobs, what the instance does with each request, and what happens to workers and cluster after how many
//! hand-outs. It does not decide the interleaving, which is that of real processes: the same seed brings the same kinds of trouble at about
//! the same points, not the same schedule.
//!
//! # Locks pass in real time
//!
//! A paused worker must not be trusted with its lock because the test has moved a clock: the worker's own clock has to have moved as well.
//! So nobody moves the cluster's clock here. A worker stands still for as long as the cluster needs to hand all its jobs to others, which is
//! 72 s with the shortest lock that a worker takes. Only the jobs of dead workers are freed at once: whoever is dead sends nothing.
//!
//! | file | what it holds |
//! |---|---|
//! | `plan`, `random` | what is drawn from the seed |
//! | `jobs` | jobs, the instance, the workers' settings |
//! | `run` | one run |
//! | `board` | what happens to jobs, while it happens |
//! | `fleet`, `trouble` | what is done to workers; what is done to the cluster |
//! | `rival` | Camunda's connector runtime in place of ours |
//! | `facts`, `judge` | what is known of a job afterwards; which promises it breaks |
//! | `report` | the figures |

pub mod board;
pub mod facts;
pub mod fleet;
pub mod jobs;
pub mod judge;
pub mod plan;
pub mod random;
pub mod report;
pub mod rival;
pub mod run;
pub mod trouble;
