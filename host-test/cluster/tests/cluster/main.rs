//! The test cluster, over real sockets: what a cluster does with jobs, and how it goes wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod clock;
mod polls;
mod settling;
mod variables;
