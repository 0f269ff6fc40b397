//! Inspects a component, as text or JSON, and writes its machine code atomically.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use flow_starter_host::Engine;
use flow_starter_host::component::LoadError;
use flow_starter_host::inspect::Inspection;
use serde_json::json;

use crate::terminal::{escaped, printable as shown};

/// Prints what the file is, what it imports and exports, and whether this host accepts it; `true` if it does.
pub(crate) fn inspect(
    engine: &Engine,
    file: &Path,
    wasm: &[u8],
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let inspection = engine.inspect(wasm);
    let name = shown(&file.to_string_lossy());
    if json {
        writeln!(out, "{}", escaped(&format!("{:#}", as_json(&name, &inspection))))?;
    } else {
        print(&name, &inspection, out)?;
    }
    Ok(inspection.refusal.is_none())
}

/// Writes a component's machine code to a file; returns its size in bytes.
pub(crate) fn compile(engine: &Engine, wasm: &[u8], to: &Path) -> anyhow::Result<u64> {
    let machine_code = engine.compile(wasm)?;
    replace(to, &machine_code).context("cannot write the --to file")?;
    Ok(machine_code.len() as u64)
}

/// Replaces the file atomically: a reader sees the old one or the new one, never a part.
fn replace(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = to.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
    let beside = to.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    // A new file: never write through a link that somebody else placed at this name.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, to));
    if written.is_err() {
        // Only the first error is reported.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn as_json(name: &str, inspection: &Inspection) -> serde_json::Value {
    let imports = inspection.imports.iter().map(|import| {
        json!({
            "name": shown(&import.name),
            "given": import.denied.is_none(),
            "why": import.denied.map(|why| why.to_string()),
        })
    });
    let contract = inspection.functions.iter().map(|door| {
        json!({
            "interface": door.interface,
            "function": door.function,
            "exported": door.present,
        })
    });
    json!({
        "file": name,
        "kind": inspection.kind.as_str(),
        "bytes": inspection.bytes,
        "imports": imports.collect::<Vec<_>>(),
        "exports": inspection.exports.iter().map(|export| shown(export)).collect::<Vec<_>>(),
        "contract": contract.collect::<Vec<_>>(),
        "accepted": inspection.refusal.is_none(),
        "reasons": inspection.refusal.iter().flat_map(LoadError::reasons).map(|reason| shown(&reason)).collect::<Vec<_>>(),
    })
}

fn print(name: &str, inspection: &Inspection, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{name}: {}, {} bytes", inspection.kind.as_str(), inspection.bytes)?;
    if !inspection.imports.is_empty() {
        writeln!(out, "\nimports")?;
    }
    for import in &inspection.imports {
        match import.denied {
            None => writeln!(out, "  allowed  {}", shown(&import.name))?,
            Some(why) => writeln!(out, "  denied   {}: {why}", shown(&import.name))?,
        }
    }
    if !inspection.exports.is_empty() {
        writeln!(out, "\nexports")?;
    }
    for export in &inspection.exports {
        writeln!(out, "  {}", shown(export))?;
    }
    if !inspection.functions.is_empty() {
        writeln!(out, "\nthe contract")?;
    }
    for door in &inspection.functions {
        let present = if door.present { "present" } else { "missing" };
        writeln!(out, "  {present}    {} of {}", door.function, door.interface)?;
    }
    match &inspection.refusal {
        None => writeln!(out, "\nThis host accepts it."),
        Some(refusal) => {
            writeln!(out, "\nThis host does not accept it:")?;
            for reason in refusal.reasons() {
                writeln!(out, "  - {}", shown(&reason))?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use flow_starter_host::Limits;

    fn engine() -> Engine {
        Engine::new(Limits {
            concurrent_calls: 1,
            ..Limits::default()
        })
        .unwrap()
    }

    fn inspected(file: &str, wasm: &[u8], json: bool) -> (bool, String) {
        let mut out = Vec::new();
        let taken = inspect(&engine(), Path::new(file), wasm, json, &mut out).unwrap();
        (taken, String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_reason_against_a_component_is_shown() {
        let wasm = wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.6" (instance (export "f" (func)))))"#);
        let (taken, text) = inspected("some.wasm", &wasm.unwrap(), false);
        assert!(!taken);
        for line in [
            "some.wasm: component, ",
            "  denied   wasi:sockets/tcp@0.2.6: sockets are never allowed",
            "  missing    trigger-flow of connectors:servicenow-flow-starter/flow-starter@0.1.0",
            "This host does not accept it:\n  - it imports wasi:sockets/tcp@0.2.6: sockets",
            "  - it does not export connectors:servicenow-flow-starter/connector@0.1.0, with execute",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn json_output_has_the_same_content() {
        let wasm = wat::parse_str(r#"(component (import "wasi:cli/exit@0.2.6" (instance (export "f" (func)))))"#);
        let (taken, text) = inspected("some.wasm", &wasm.unwrap(), true);
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!taken && report["accepted"] == false);
        assert_eq!(
            (&report["file"], &report["kind"]),
            (&json!("some.wasm"), &json!("component"))
        );
        assert_eq!(report["imports"][0]["given"], false);
        assert_eq!(report["contract"][2]["function"], "execute");
        assert_eq!(report["reasons"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn a_file_that_is_not_a_component_gets_one_sentence() {
        let (taken, text) = inspected("index.html", b"<!DOCTYPE html>", false);
        assert!(!taken);
        assert_eq!(
            text,
            "index.html: something else, 15 bytes\n\nThis host does not accept it:\n  \
             - this is not a WebAssembly component: it does not start like one\n"
        );
    }

    #[test]
    fn no_name_steers_the_terminal() {
        for json in [false, true] {
            let (_, text) = inspected("a\x1b[2Jb\u{9b}c\u{202e}d", b"", json);
            assert!(text.contains("a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"), "{text}");
        }
    }

    #[test]
    fn a_refused_component_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.cwasm");
        let error = compile(&engine(), b"<!DOCTYPE html>", &file).unwrap_err();
        assert!(error.to_string().contains("does not start like one"), "{error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_replaced_whole_or_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a folder");
        fs::create_dir(&inner).unwrap();
        let file = folder.path().join("some.cwasm");
        fs::write(&file, "the old one").unwrap();
        replace(&file, b"new").unwrap();
        assert!(replace(&inner, b"new").is_err() && replace(Path::new(".."), b"new").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, 2, "and nothing is left beside them");
    }
}
