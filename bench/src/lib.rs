//! `make bench`: what a call costs in the sandbox, against a native client and other sandboxed ones, all in one run.
//! | program | job |
//! |---|---|
//! | `bench` | starts the others, measures in interleaved rounds, writes the tables and the picture |
//! | `bench-server` | the ServiceNow that everybody calls, on a core of its own |
//! | `bench-client` | the contenders: one process each, driven over standard input |
//!
//! This library is what the three share: the [`protocol`] between them, the [`call`] that every contender makes, and what the
//! [`os`] knows about processes and cores.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod call;
pub mod os;
pub mod protocol;
