//! The program `flow-starter` itself: each exit code, each source of a setting, and no credential in anything that it writes.

mod codes;
mod component;
mod demo;
mod dry_run;
mod inputs;
mod logs;
mod manual;
mod precedence;
mod proxies;
mod readme;
mod secret_fields;
mod secrets;
mod secrets_files;
mod settings;
mod slips;
mod terminal;
mod to_do;
mod trust;
mod unsaid;
pub(crate) mod workspace;

/// The flow that every user of the demo but the guest may start.
const FLOW: &str = servicenow_stand_in::DEMO_FLOW;
