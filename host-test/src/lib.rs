//! The proof: a stand-in ServiceNow, and (in `tests/`) what the component and its host do when they meet it.
//!
//! The stand-in is of use by itself to anyone who has no instance: run `servicenow-stand-in --help`,
//! or start one inside a test with [`stand_in::StandIn::start`].
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod conformance;
pub mod rig;
pub mod spellings;
pub mod stand_in;
