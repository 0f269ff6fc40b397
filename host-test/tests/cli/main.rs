//! The program `flow-starter` itself: each exit code, each source of a setting, and no credential in anything that it writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod codes;
mod component;
mod dry_run;
mod inputs;
mod logs;
mod manual;
mod place;
mod precedence;
mod proxies;
mod readme;
mod secrets;
mod settings;
mod terminal;

/// The flow that every user of the demo but the guest may start.
const FLOW: &str = host_test::stand_in::DEMO_FLOW;
