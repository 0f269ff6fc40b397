//! The job worker: the program `flow-starter worker` between a test cluster and the stand-in ServiceNow.

mod credentials;
mod expressions;
mod feel;
mod handouts;
mod harness;
mod masking;
mod operating;
mod outcomes;
mod polling;
mod refusals;
mod settings;
mod settling;
mod unknown;
mod versions;
