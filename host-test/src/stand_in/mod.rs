//! A ServiceNow instance that is not one: it answers as a real one does, and goes wrong when told to.
//!
//! ```no_run
//! use host_test::stand_in::{Behaviour, Instance, StandIn};
//!
//! # fn main() -> Result<(), host_test::stand_in::StartError> {
//! let stand_in = StandIn::start(Instance::demo())?;
//! stand_in.behave_once("/api/sn_cico/flow_starter/my_flow", Behaviour::status(503));
//! // … call https://acme.service-now.com at stand_in.https_addr(), trusting stand_in.ca_pem() …
//! assert_eq!(stand_in.requests().len(), 1);
//! assert!(stand_in.starts().is_empty());
//! # Ok(()) }
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `instance` | what an instance is made of: users, keys, clients, flows |
//! | `check`, `demo` | what an instance must keep to; the one that is ready-made |
//! | `file` | an instance as a file, and what is said of a wrong one |
//! | `behaviour` | how it may go wrong, as data |
//! | `answer` | an answer, and its bytes; the error envelope |
//! | `desk` | the request → the answer: routes, and what the instance remembers |
//! | `access` | who is asking |
//! | `token`, `table` | the token endpoint, the Table API |
//! | `random` | ids and tokens |
//! | `record` | what was received and what was started |
//! | `wire`, `http1` | the connection: bytes in, bytes out |
//! | `exchange` | one request and its answer on a connection, faults included |
//! | `tls` | the certificate authority made at start |
//! | `server` | the listeners, on a thread of their own |
//!
//! HTTP/1.1 is spoken by hand on `httparse` instead of by a server library: what a test wants to read
//! (order and letter case of headers, a body that broke off) and to write (half an answer, garbage, a reset)
//! is what such a library exists to hide.

mod access;
mod answer;
mod behaviour;
mod check;
mod demo;
mod desk;
mod exchange;
mod file;
mod http1;
mod instance;
mod random;
mod record;
mod server;
mod table;
mod tls;
mod token;
mod wire;

pub use answer::Answer;
pub use behaviour::{Behaviour, Step};
pub use check::InstanceError;
pub use demo::DEMO_FLOW;
pub use file::{FileError, SAMPLE_FILE};
pub use instance::{ApiKey, BearerToken, Flavour, Flow, Instance, Method, OAuthClient, User};
pub use record::{Event, Recorded, Start, TlsSeen};
pub use server::{Options, StandIn, StartError};
