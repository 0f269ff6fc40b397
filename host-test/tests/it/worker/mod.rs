//! The job worker: the program `flow-starter worker` between a test cluster and the stand-in ServiceNow.

mod collector;
mod credentials;
mod deploy;
mod error_expressions;
mod expressions;
mod feel;
mod handouts;
mod harness;
mod masking;
mod metrics;
mod operating;
mod outcomes;
mod polling;
mod refusals;
mod settings;
mod settling;
mod traces;
mod unknown;
mod versions;
