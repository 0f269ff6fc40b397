//! Inspects a file: what it is, and whether it can be loaded.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::engine::Engine;
use super::imports::{self, ImportDenied};
use super::load::is_core_module;
use super::newer;
use super::refusal::LoadError;
use super::typecheck::{CONTRACT_FUNCTIONS, judge_import};

/// What a file is, and whether [`Engine::load`] accepts it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// What kind of file it is.
    pub kind: FileKind,
    /// The file's size in bytes.
    pub bytes: usize,
    /// The component's imports, in its order.
    pub imports: Vec<InspectedImport>,
    /// The names of the component's exports, in its order.
    pub exports: Vec<String>,
    /// The contract's functions, if it is a component.
    pub functions: Vec<InspectedFunction>,
    /// Why it cannot be loaded; `None` if it can.
    pub refusal: Option<LoadError>,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A WebAssembly component.
    Component,
    /// A core module of WebAssembly.
    CoreModule,
    /// Machine code compiled by wasmtime.
    Precompiled,
    /// Anything else, including an invalid component.
    Other,
}

impl FileKind {
    /// In plain words: `component`, `core module`, `precompiled`, `something else`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::CoreModule => "core module",
            Self::Precompiled => "precompiled",
            Self::Other => "something else",
        }
    }
}

/// An import, and whether it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectedImport {
    /// Its name, with its version.
    pub name: String,
    /// Why it is denied; `None` if it is allowed, or contains only types.
    pub denied: Option<ImportDenied>,
}

/// A function of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectedFunction {
    /// The interface's name.
    pub interface: &'static str,
    /// The function's name.
    pub function: &'static str,
    /// Whether the component exports it, whatever its types.
    pub present: bool,
}

impl Engine {
    /// Inspects a file: what it is, what it imports and exports, and whether [`Self::load`] accepts it. Compiles it and creates one
    /// instance under a call's limits, blocking the caller; no request can leave.
    ///
    /// ```
    /// use flow_starter_host::inspect::FileKind;
    /// use flow_starter_host::{Engine, Limits};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::new(Limits { concurrent_calls: 1, ..Limits::default() })?;
    /// let inspection = engine.inspect(b"\0asm\x01\0\0\0");
    /// assert_eq!(inspection.kind, FileKind::CoreModule);
    /// assert_eq!(
    ///     inspection.refusal.map(|refusal| refusal.to_string()).as_deref(),
    ///     Some("this is not a WebAssembly component: it is a core module; build the connector as a component"),
    /// );
    /// # Ok(()) }
    /// ```
    pub fn inspect(&self, wasm: &[u8]) -> Inspection {
        let kind = match wasm {
            _ if is_core_module(wasm) => FileKind::CoreModule,
            _ if wasmtime::Engine::detect_precompiled(wasm).is_some() => FileKind::Precompiled,
            _ => FileKind::Other,
        };
        let unknown = Inspection {
            kind,
            bytes: wasm.len(),
            imports: Vec::new(),
            exports: Vec::new(),
            functions: Vec::new(),
            refusal: None,
        };
        match self.compiled(wasm) {
            Ok(component) => self.inspect_component(component, unknown),
            // Refused for its shape or its version, so it is a component.
            Err(error @ (LoadError::Limit(_) | LoadError::Wasi { .. } | LoadError::Newer(_))) => {
                let newer::Names { imports, exports } = newer::names(wasm).unwrap_or_default();
                let imports = imports.into_iter().map(|name| InspectedImport {
                    denied: imports::judge(&name, &self.named).err(),
                    name,
                });
                Inspection {
                    kind: FileKind::Component,
                    imports: imports.collect(),
                    exports,
                    refusal: Some(error),
                    ..unknown
                }
            }
            Err(error) => Inspection {
                refusal: Some(error),
                ..unknown
            },
        }
    }

    fn inspect_component(&self, component: Component, of: Inspection) -> Inspection {
        let ty = component.component_type();
        let imports = ty.imports(&self.wasmtime).map(|(name, import)| InspectedImport {
            name: name.to_owned(),
            denied: judge_import(self, name, &import.ty).err(),
        });
        let functions = CONTRACT_FUNCTIONS.iter().map(|(interface, function, _)| {
            let export = ty.get_export(&self.wasmtime, interface).map(|export| export.ty);
            let present = match &export {
                Some(ComponentItem::ComponentInstance(instance)) => {
                    let function = instance.get_export(&self.wasmtime, function).map(|export| export.ty);
                    matches!(function, Some(ComponentItem::ComponentFunc(_)))
                }
                _ => false,
            };
            InspectedFunction {
                interface,
                function,
                present,
            }
        });
        Inspection {
            kind: FileKind::Component,
            imports: imports.collect(),
            exports: ty.exports(&self.wasmtime).map(|(name, _)| name.to_owned()).collect(),
            functions: functions.collect(),
            refusal: self.check_at_once(component.clone()).err(),
            ..of
        }
    }
}
