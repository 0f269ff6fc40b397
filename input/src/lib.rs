//! The input, in plain Rust.

pub mod mask;
