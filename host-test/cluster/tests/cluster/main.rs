//! The test cluster, over real sockets: what a cluster does with jobs, and how it goes wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod clock;
mod connections;
mod control;
mod credentials;
mod expressions;
mod faults;
mod fields;
mod leases;
mod messages;
mod polls;
mod program;
mod settling;
mod suspension;
mod variables;
