//! What the fuzz targets share: how their bytes are read, and where a credential must not be.
//!
//! | target   | its bytes                                 | goes through                                  |
//! |----------|-------------------------------------------|-----------------------------------------------|
//! | `input`  | the JSON door's input, or lines of fields | `input::parse`, `request::plan`               |
//! | `answer` | an answer as text                         | `response::flow`, `response::token`, `output` |
//! | `dates`  | three headers as text                     | `response::flow` of a 429 and a 503           |
//! | `masking` | secrets, encodings, and a text            | `Mask::text`, `Mask::cut_text`                |
//!
//! All of them are text that a person can read and write: a seed says what it is about, a crash can be pasted into a test, and libFuzzer's
//! dictionaries fit. [`wire`] and [`fields`] take whatever bytes come, so that no mutation is lost to a syntax of ours.

pub mod credentials;
pub mod fields;
pub mod wire;
