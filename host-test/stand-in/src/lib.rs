//! A stand-in for a ServiceNow instance: it answers as an instance with REST-triggered flows does, and fails on demand.
//!
//! It serves HTTPS (with a certificate authority of its own) and plain HTTP on 127.0.0.1, checks basic, bearer, API key and OAuth credentials,
//! starts flows, and records each request byte for byte. A path, a TLS handshake or a port can be made to fail in every way that servers do.
//!
//! # In a test
//!
//! ```no_run
//! use servicenow_stand_in::{Behaviour, Instance, StandIn};
//!
//! # fn main() -> Result<(), servicenow_stand_in::StartError> {
//! let stand_in = StandIn::start(Instance::demo())?;
//! stand_in.behave_once("/api/sn_cico/flow_starter/my_flow", Behaviour::status(503));
//! // … call https://acme.service-now.com at stand_in.https_addr(), trusting stand_in.ca_pem() …
//! assert_eq!(stand_in.requests().len(), 1);
//! assert!(stand_in.starts().is_empty());
//! # Ok(()) }
//! ```
//!
//! Each [`StandIn`] listens on ports of its own, on a thread of its own, and stops when it is dropped: tests can run side by side.
//!
//! # As a program
//!
//! ```console
//! $ cargo run -p servicenow-stand-in
//! ```
//!
//! prints its addresses, its certificate authority, its users and a `curl` line that works, then a line for each request. `--help` lists its
//! options; `--print-config` prints a file with every setting of an instance, for `--config`. A test suite in any language controls it by JSON
//! over HTTP, at the control address that it prints.
//!
//! # Files
//!
//! | file | what it holds |
//! |---|---|
//! | `instance` | what an instance is made of: users, keys, clients, flows |
//! | `check`, `demo` | what an instance must keep to; the one that is ready-made |
//! | `file` | an instance as a file, and what is said of a wrong one |
//! | `behaviour`, `fault`, `step` | how a path may go wrong, as data; the ways that have a name; the steps of a script |
//! | `tls_fault`, `port` | how a handshake may go wrong; how a port may |
//! | `answer`, `gzip` | an answer, and its bytes; the error envelope; a compressed body |
//! | `routes` | the request → the answer, and whether a flow starts |
//! | `request` | a whole request, as the routes read it |
//! | `instance_state` | what the instance remembers |
//! | `access` | who is asking |
//! | `token`, `table` | the token endpoint, the Table API |
//! | `random` | ids and tokens |
//! | `record` | what was received and what was started |
//! | `wire`, `alert` | the connection: bytes in, bytes out; TLS alerts of any number |
//! | `http1`, `body` | a request's head; its body, piece by piece |
//! | `connection` | one connection, request after request |
//! | `exchange`, `script` | one request and its answer on a connection; the steps of one that goes wrong |
//! | `tls`, `handshake` | the certificate authority made at start; the way into a TLS connection |
//! | `serving` | the listeners, and what each does with a connection |
//! | `control` | the faults and the records from outside, as JSON |
//! | `server`, `error` | starts and stops all of them, on a thread of their own; why it cannot |
//!
//! HTTP/1.1 is spoken by hand on `httparse` instead of by a server library: what a test wants to read
//! (order and letter case of headers, a body that broke off) and to write (half an answer, garbage, a reset)
//! is what such a library exists to hide.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod access;
mod alert;
mod answer;
mod behaviour;
mod body;
mod check;
mod connection;
mod control;
mod demo;
mod error;
mod exchange;
mod fault;
mod file;
mod gzip;
mod handshake;
mod http1;
mod instance;
mod instance_state;
mod port;
mod random;
mod record;
mod request;
mod routes;
mod script;
mod server;
mod serving;
mod step;
mod table;
mod tls;
mod tls_fault;
mod token;
mod wire;

pub use answer::Answer;
pub use behaviour::Behaviour;
pub use check::InstanceError;
pub use demo::DEMO_FLOW;
pub use error::StartError;
pub use fault::Fault;
pub use file::{FileError, SAMPLE_FILE};
pub use instance::{ApiKey, BearerToken, Flavour, Flow, Instance, Method, OAuthClient, User};
pub use port::{FaultyPort, PortFault};
pub use record::{Event, FailedHandshake, Recorded, Start, TlsSeen};
pub use server::{Options, StandIn};
pub use step::Step;
pub use tls_fault::TlsFault;
