//! Tests of the component and its host against a stand-in ServiceNow.
//! | where | contents |
//! |---|---|
//! | [`chaos`] | `make chaos`: jobs, workers and faults from a seed, and the judge |
//! | [`conformance`], `conformance/*.json` | the table of cases that every host must pass |
//! | [`feel`] | Camunda's FEEL engine, for a test cluster that evaluates expressions; the program itself is in `feel/` |
//! | [`java`] | finds Java and Maven, and builds the programs in Java |
//! | [`rig`] | the built component and a stand-in that it reaches, for tests of a whole call |
//! | [`runtime`] | Camunda's own connector runtime as a worker, for comparison; the program itself is in `judge/` |
//! | [`spellings`] | spellings of addresses that must not get past a policy |
//! | [`worker_program`] | `flow-starter worker` as a process that can be stopped, killed and measured |
//! | `stand-in/` | the stand-in ServiceNow: the crate `servicenow-stand-in`, which needs neither the component nor wasmtime |
//! | `tests/it` | the tests of whole calls, one program; each folder is one subject |
//! | `tests/memory_hygiene` | secrets that stay in freed memory: its own program, because its allocator watches the whole process |
//! | `tests/component_file.rs` | the built file: imports, exports, size; its own program, without wasmtime |
//! | `src/bin/compare` | `make compare`; its cases are in `compare/` |
//! | `src/bin/demo` | `make run` |
//! | `src/bin/compare_expressions` | `make compare-expressions` |
//! | `src/bin/soak.rs`, `src/bin/soak_jobs.rs` | `make soak`, by calls and by jobs |
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod chaos;
pub mod conformance;
pub mod feel;
pub mod java;
pub mod rig;
pub mod runtime;
pub mod spellings;
pub mod worker_program;
