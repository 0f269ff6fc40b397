//! What people fill in: one table of the form's fields, and all that is written from it.
//!
//! | room        | what it holds                                                             |
//! |-------------|---------------------------------------------------------------------------|
//! | `fields`    | the table: every field, its binding, default, condition, pattern and words |
//! | `template`  | the table → Camunda's element template                                    |
//! | `reference` | the table → the documentation of every field                              |
//!
//! `cargo run -p flow-starter-templates` writes both files; with `--check` it only compares. The tests walk the same table
//! through `connector.execute`'s reader, so that form, documentation and component cannot drift apart.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod fields;
pub mod reference;
pub mod template;

use std::path::{Path, PathBuf};

/// What the program writes, by its place in the repository.
#[must_use]
pub fn outputs() -> [(PathBuf, String); 2] {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    [
        (
            repository.join("templates/servicenow-flow-starter.json"),
            template::json(),
        ),
        (repository.join("docs/fields.md"), reference::markdown()),
    ]
}
