//! The tests of whole calls: the component, its host and the program `flow-starter`, against the stand-in and servers of the tests' own.
//!
//! They are one program, so that wasmtime is linked once and the component compiled once ([`host_test::rig::connector`]). They share a
//! process: none of them changes its environment or its working directory, and none measures the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod chaos;
mod check;
mod cli;
mod conformance;
mod containment;
mod egress;
mod export_parity;
mod faults;
mod secret_fields;
mod security_document;
mod starter;
mod templates;
mod worker;
