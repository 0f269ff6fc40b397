//! The stand-in ServiceNow, over real sockets: what it answers, what it records, and how it goes wrong on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod alerts;
mod client;
mod connection;
mod control;
mod faults;
mod handshakes;
mod instance;
mod meeting;
mod ports;
mod program;
mod spoilt_answers;
