//! Puts the built component, if there is one, into the binary, so that the binary is all that a person needs.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = |variable: &str| env::var_os(variable).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let built = folder("CARGO_MANIFEST_DIR")?.join("../dist/servicenow-flow-starter.wasm");
    let out = folder("OUT_DIR")?;
    println!("cargo::rerun-if-changed={}", built.display());
    let inside = match fs::copy(&built, out.join("component.wasm")) {
        Ok(_) => "Some(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/component.wasm\")))",
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // What is not there counts as changed, so that cargo asks again until there is one, however old it is.
            println!("cargo::rerun-if-changed=until-there-is-a-component");
            "None"
        }
        Err(error) => return Err(error),
    };
    fs::write(out.join("embedded.rs"), inside)
}
