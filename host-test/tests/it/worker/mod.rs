//! The job worker: the program `flow-starter worker` between a test cluster and the stand-in ServiceNow.

mod expressions;
mod handouts;
mod harness;
mod outcomes;
mod refusals;
mod settling;
mod unknown;
