//! The component's file: what it may import, what it offers, and how large it is.
//!
//! A component can do no more than it imports. With only the six WASI interfaces below it can read no file, no environment
//! variable and no clock's date, print nothing and listen nowhere, whatever its code or its dependencies try.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;

use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{Parser, Payload, Validator};

/// `make build` writes it.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist/servicenow-flow-starter.wasm");

/// Hosts compile it at start, and people download it: this is the size it may have, in bytes.
const LARGEST: usize = 310_000;

/// Hosts link WASI 0.2 by this track: the number after it only says which release of 0.2 an interface was last touched in.
const WASI_TRACK: &str = "0.2.";

const WASI: [&str; 6] = [
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:clocks/monotonic-clock",
    "wasi:http/types",
    "wasi:http/outgoing-handler",
];

/// The contract's types, which its two doors share: an import with nothing in it that could be called.
const TYPES: &str = "connectors:servicenow-flow-starter/types@0.1.0";

/// The two doors and what is behind each.
const DOORS: [(&str, &[&str]); 2] = [
    (
        "connectors:servicenow-flow-starter/flow-starter@0.1.0",
        &["trigger-flow", "request-token"],
    ),
    ("connectors:servicenow-flow-starter/connector@0.1.0", &["execute"]),
];

/// The names of a component's imports or exports, and the functions that each of them holds.
type Interfaces = BTreeMap<String, Vec<String>>;

#[test]
fn the_component_imports_http_and_its_clock_and_nothing_else() {
    let (imports, _) = interfaces(&built());
    assert_eq!(import_faults(&imports), Vec::<String>::new());
}

#[test]
fn the_component_exports_its_two_interfaces_and_nothing_else() {
    let (_, exports) = interfaces(&built());
    assert_eq!(export_faults(&exports), Vec::<String>::new());
}

#[test]
fn the_component_is_at_most_310_kilobytes() {
    assert_eq!(size_fault(&built()), None);
}

#[test]
fn the_component_holds_no_path_of_the_machine_that_built_it() {
    // Where a crate could panic, rustc writes the path of its source into the file, unless it is told another name for it.
    let home = std::env::home_dir().expect("a home directory");
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout");
    assert_eq!(path_fault(&built(), &home), None);
    assert_eq!(path_fault(&built(), checkout), None);
}

#[test]
fn a_component_as_it_should_be_passes() {
    let (imports, exports) = interfaces(&component(|_| ()));
    assert_eq!(import_faults(&imports), Vec::<String>::new());
    assert_eq!(export_faults(&exports), Vec::<String>::new());
}

#[test]
fn another_import_is_reported_by_its_name() {
    let environment = "wasi:cli/environment@0.2.6";
    let (imports, _) = interfaces(&component(|shape| shape.import(environment, &["get-environment"])));
    assert_eq!(
        import_faults(&imports),
        [format!("imports {environment}, which it must not")]
    );
}

#[test]
fn a_missing_import_is_reported_by_its_name() {
    let (imports, _) = interfaces(&component(|shape| {
        shape.imports.retain(|(name, _)| !name.contains("clock"))
    }));
    assert_eq!(import_faults(&imports), ["does not import wasi:clocks/monotonic-clock"]);
}

#[test]
fn an_import_of_another_wasi_track_is_reported_by_its_name() {
    let (imports, _) = interfaces(&component(|shape| {
        shape.imports[0].0 = "wasi:io/error@0.3.0".to_owned()
    }));
    assert_eq!(
        import_faults(&imports),
        [
            "imports wasi:io/error@0.3.0, which it must not",
            "does not import wasi:io/error"
        ],
    );
}

#[test]
fn a_function_among_the_imported_types_is_reported_by_its_name() {
    let (imports, _) = interfaces(&component(|shape| shape.imports[6].1.push("call-home".to_owned())));
    assert_eq!(
        import_faults(&imports),
        [format!(
            "imports the function call-home of {TYPES}, which has only types"
        )]
    );
}

#[test]
fn another_export_is_reported_by_its_name() {
    let start = "wasi:cli/run@0.2.6";
    let (_, exports) = interfaces(&component(|shape| shape.export(start, &["run"])));
    assert_eq!(export_faults(&exports), [format!("exports {start}, which it must not")]);
}

#[test]
fn an_export_with_another_function_is_reported_by_name() {
    let (_, exports) = interfaces(&component(|shape| shape.exports[1].1 = vec!["run".to_owned()]));
    assert_eq!(
        export_faults(&exports),
        [r#"exports connectors:servicenow-flow-starter/connector@0.1.0 with ["run"], not ["execute"]"#],
    );
}

#[test]
fn a_missing_export_is_reported_by_name() {
    let (_, exports) = interfaces(&component(|shape| shape.exports.truncate(1)));
    assert_eq!(
        export_faults(&exports),
        ["does not export connectors:servicenow-flow-starter/connector@0.1.0"]
    );
}

#[test]
fn one_byte_too_many_is_reported_with_both_sizes() {
    assert_eq!(size_fault(&vec![0; LARGEST]), None);
    assert_eq!(
        size_fault(&vec![0; LARGEST + 1]).unwrap(),
        "is 310001 bytes long: 310000 is the most it may be"
    );
}

#[test]
fn a_path_of_the_building_machine_is_reported() {
    let file = b"\0asm .. /home/ada/.cargo/registry/src/serde_json/src/de.rs ..";
    assert_eq!(
        path_fault(file, Path::new("/home/ada")).unwrap(),
        "holds a path below /home/ada"
    );
    assert_eq!(path_fault(file, Path::new("/home/ad")), None);
}

fn built() -> Vec<u8> {
    std::fs::read(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}; run `make build` first"))
}

fn import_faults(imports: &Interfaces) -> Vec<String> {
    let (wasi, others): (Vec<_>, Vec<_>) = imports.keys().partition(|name| wasi_interface(name).is_some());
    let foreign = others
        .iter()
        .filter(|name| **name != TYPES)
        .map(|name| format!("imports {name}, which it must not"));
    let missing = WASI
        .iter()
        .filter(|interface| !wasi.iter().any(|name| wasi_interface(name) == Some(*interface)))
        .map(|interface| format!("does not import {interface}"));
    let callable = imports
        .get(TYPES)
        .into_iter()
        .flatten()
        .map(|function| format!("imports the function {function} of {TYPES}, which has only types"));
    foreign.chain(missing).chain(callable).collect()
}

/// The one of [`WASI`] that an import's name stands for, if it does.
fn wasi_interface(name: &str) -> Option<&'static str> {
    let (interface, version) = name.split_once('@')?;
    let interface = WASI.into_iter().find(|allowed| *allowed == interface)?;
    version.starts_with(WASI_TRACK).then_some(interface)
}

fn export_faults(exports: &Interfaces) -> Vec<String> {
    let foreign = exports
        .keys()
        .filter(|name| !DOORS.iter().any(|(door, _)| door == name))
        .map(|name| format!("exports {name}, which it must not"));
    let doors = DOORS.iter().filter_map(|(door, functions)| match exports.get(*door) {
        None => Some(format!("does not export {door}")),
        Some(found) if found == functions => None,
        Some(found) => Some(format!("exports {door} with {found:?}, not {functions:?}")),
    });
    foreign.chain(doors).collect()
}

fn size_fault(component: &[u8]) -> Option<String> {
    let size = component.len();
    (size > LARGEST).then(|| format!("is {size} bytes long: {LARGEST} is the most it may be"))
}

fn path_fault(component: &[u8], folder: &Path) -> Option<String> {
    let start = format!("{}/", folder.display()).into_bytes();
    component
        .windows(start.len())
        .any(|bytes| bytes == start)
        .then(|| format!("holds a path below {}", folder.display()))
}

/// The imports and the exports of a component, which must be a valid one.
fn interfaces(component: &[u8]) -> (Interfaces, Interfaces) {
    let types = Validator::new().validate_all(component).expect("a valid component");
    let (mut imports, mut exports) = (Interfaces::new(), Interfaces::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            // A component holds others, and modules, with imports and exports of their own that no host sees.
            Payload::ComponentSection { .. } | Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let name = import.unwrap().name.name;
                    let item = types.component_item_for_import(name).expect("an import has a type");
                    imports.insert(name.to_owned(), functions(&types, item.ty));
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let name = export.unwrap().name.name;
                    let item = types.component_item_for_export(name).expect("an export has a type");
                    exports.insert(name.to_owned(), functions(&types, item.ty));
                }
            }
            _ => (),
        }
    }
    (imports, exports)
}

fn functions(types: &Types, item: ComponentEntityType) -> Vec<String> {
    let ComponentEntityType::Instance(instance) = item else {
        return Vec::new();
    };
    let exports = types[instance].exports.iter();
    exports
        .filter(|(_, item)| matches!(item.ty, ComponentEntityType::Func(_)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// A component in outline: each interface with its functions, which take and give nothing.
struct Shape {
    imports: Vec<(String, Vec<String>)>,
    exports: Vec<(String, Vec<String>)>,
}

impl Shape {
    fn import(&mut self, name: &str, functions: &[&str]) {
        self.imports.push((name.to_owned(), owned(functions)));
    }

    fn export(&mut self, name: &str, functions: &[&str]) {
        self.exports.push((name.to_owned(), owned(functions)));
    }

    fn text(&self) -> String {
        let imports = self.imports.iter().map(|(name, functions)| {
            let functions: String = functions
                .iter()
                .map(|name| format!(r#"(export "{name}" (func))"#))
                .collect();
            format!(r#"(import "{name}" (instance {functions}))"#)
        });
        let exports = self.exports.iter().map(|(name, functions)| {
            let functions: String = functions
                .iter()
                .map(|name| format!(r#"(export "{name}" (func $f))"#))
                .collect();
            format!(r#"(instance $"{name}" {functions}) (export "{name}" (instance $"{name}"))"#)
        });
        let function = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))"#;
        format!(
            "(component {} {function} {})",
            imports.collect::<String>(),
            exports.collect::<String>()
        )
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A component as it should be, but for one change.
fn component(change: impl FnOnce(&mut Shape)) -> Vec<u8> {
    let mut shape = Shape {
        imports: Vec::new(),
        exports: Vec::new(),
    };
    for interface in WASI {
        shape.import(&format!("{interface}@0.2.6"), &["f"]);
    }
    shape.import(TYPES, &[]);
    for (door, functions) in DOORS {
        shape.export(door, functions);
    }
    change(&mut shape);
    wat::parse_str(shape.text()).unwrap()
}
