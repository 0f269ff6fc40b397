//! The program starts. Cargo makes a package's program for that package's own tests alone: without a test here, `host-test` would run
//! whatever an earlier build left.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn the_program_starts() {
    let ran = Command::new(env!("CARGO_BIN_EXE_flow-starter"))
        .arg("--help")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}
