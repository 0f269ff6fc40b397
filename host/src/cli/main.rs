//! `flow-starter`: the connector at a terminal.

fn main() {}
