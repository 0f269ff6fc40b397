//! A valid component that is newer than this host supports, above all WASI 0.3. Only its names are read.

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::refusal::LoadError;

/// The names of a component's imports and exports, in its order.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

/// For a component that is valid with all WebAssembly features, including future ones; otherwise `None`.
pub(super) fn names(wasm: &[u8]) -> Option<Names> {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(wasm)
        .ok()?;
    let mut names = Names::default();
    // Nested modules and components have their own names.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                let imports = section.into_iter().flatten();
                names.imports.extend(imports.map(|import| import.name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                let exports = section.into_iter().flatten();
                names.exports.extend(exports.map(|export| export.name.name.to_owned()));
            }
            _ => {}
        }
    }
    Some(names)
}

/// The error for a component that wasmtime refuses with this message; `None` if it is not a valid component.
pub(super) fn refusal(wasm: &[u8], words: &str) -> Option<LoadError> {
    let names = names(wasm)?;
    let wasi = names.imports.into_iter().chain(names.exports).find_map(of_other_wasi);
    Some(match wasi {
        Some((name, version)) => LoadError::Wasi { version, name },
        None => LoadError::Newer(words.to_owned()),
    })
}

/// A WASI interface at a version other than 0.2, with the first two numbers of that version.
fn of_other_wasi(name: String) -> Option<(String, String)> {
    let (_, version) = name.strip_prefix("wasi:")?.split_once('@')?;
    let mut numbers = version.splitn(3, '.');
    let version = format!("{}.{}", numbers.next()?, numbers.next()?);
    (version != "0.2").then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::FileKind;
    use crate::{Engine, Limits};

    fn engine() -> Engine {
        Engine::new(Limits {
            concurrent_calls: 1,
            ..Limits::default()
        })
        .unwrap()
    }

    /// As `wit-bindgen` builds one with `async`: functions that are `async` in their type.
    const WASI_03: &str = r#"(component
        (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "wait-for" (func async (param "how-long" u64)))))
        (import "wasi:io/error@0.2.6" (instance)))"#;

    #[test]
    fn a_component_for_wasi_03_is_called_one() {
        let wasm = wat::parse_str(WASI_03).unwrap();
        let inspection = engine().inspect(&wasm);
        assert_eq!(inspection.kind, FileKind::Component);
        let imports: Vec<_> = inspection
            .imports
            .iter()
            .map(|it| (&*it.name, it.denied.is_none()))
            .collect();
        assert_eq!(
            imports,
            [
                ("wasi:clocks/monotonic-clock@0.3.0", false),
                ("wasi:io/error@0.2.6", true)
            ]
        );
        assert_eq!(
            inspection.refusal.unwrap().to_string(),
            "this is a component for WASI 0.3 (it has wasi:clocks/monotonic-clock@0.3.0), but this host runs components for WASI 0.2: build it for WASI 0.2"
        );
    }

    #[test]
    fn a_component_with_newer_features_is_no_other_file() {
        let wasm = wat::parse_str(r#"(component (import "acme:own/call" (func async)))"#).unwrap();
        let inspection = engine().inspect(&wasm);
        assert_eq!(inspection.kind, FileKind::Component);
        let message = inspection.refusal.unwrap().to_string();
        assert!(
            message.starts_with("this component needs a WebAssembly feature"),
            "{message}"
        );
        assert!(message.contains("async"), "{message}");
    }

    #[test]
    fn a_broken_file_is_not_a_component() {
        let mut wasm = wat::parse_str(WASI_03).unwrap();
        wasm.truncate(wasm.len() - 3);
        let message = engine().inspect(&wasm).refusal.unwrap().to_string();
        assert!(
            message.starts_with("this is not a WebAssembly component: "),
            "{message}"
        );
    }

    #[test]
    fn the_names_of_what_is_nested_are_not_its_own() {
        let nested = r#"(component
            (component (import "wasi:http/types@0.3.0" (func async)))
            (core module (import "a" "b" (func)))
            (import "acme:own/call" (func)))"#;
        let names = names(&wat::parse_str(nested).unwrap()).unwrap();
        assert_eq!(names.imports, ["acme:own/call"]);
    }
}
