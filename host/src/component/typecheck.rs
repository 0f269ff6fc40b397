//! Compares a component with the contract: what is missing, differs, or is not allowed.

use wasmtime::component::types::{self, ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentNamedList, Lift, Lower};

use super::engine::Engine;
use super::imports::{self, ImportDenied};
use crate::contract::{AccessToken, FlowConfigRecord, FlowResponse, TokenRequestRecord, TriggerError};

pub(super) const CONTRACT: &str = "connectors:servicenow-flow-starter@0.1.0";
pub(super) const FLOW_STARTER: &str = "connectors:servicenow-flow-starter/flow-starter@0.1.0";
pub(super) const CONNECTOR: &str = "connectors:servicenow-flow-starter/connector@0.1.0";

/// What each of the contract's functions returns.
pub(super) type Answer<R> = (Result<R, TriggerError>,);

type Typecheck = fn(&ComponentFunc, &types::Component) -> wasmtime::Result<()>;

/// The contract's functions, each with its own types.
pub(super) const CONTRACT_FUNCTIONS: [(&str, &str, Typecheck); 3] = [
    (
        FLOW_STARTER,
        "trigger-flow",
        typecheck::<(FlowConfigRecord,), FlowResponse>,
    ),
    (
        FLOW_STARTER,
        "request-token",
        typecheck::<(TokenRequestRecord,), AccessToken>,
    ),
    (CONNECTOR, "execute", typecheck::<(String,), String>),
];

/// One reason why a component cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// It imports something that is not allowed.
    #[error("it imports {name}: {why}")]
    Import {
        /// The import's name, as the component has it.
        name: String,
        /// Why it is not given.
        why: ImportDenied,
    },
    /// It imports an allowed interface with different types.
    #[error("an import differs from WASI 0.2: {0}")]
    ImportType(String),
    /// An interface of the contract is not exported.
    #[error("it does not export {interface}, with {}", .functions.join(" and "))]
    Interface {
        /// The interface's name.
        interface: &'static str,
        /// The functions it would have.
        functions: Vec<&'static str>,
    },
    /// A function of the contract is not exported.
    #[error("it does not export {function} of {interface}")]
    Function {
        /// The function's name.
        function: &'static str,
        /// The interface's name.
        interface: &'static str,
    },
    /// A function of the contract has other types.
    #[error("its {function} of {interface} differs from the contract's types: {why}")]
    Type {
        /// The function's name.
        function: &'static str,
        /// The interface's name.
        interface: &'static str,
        /// The difference.
        why: String,
    },
}

/// All mismatches, imports first.
pub(super) fn mismatches(engine: &Engine, component: &Component) -> Vec<Mismatch> {
    let ty = component.component_type();
    let imports = ty
        .imports(&engine.wasmtime)
        .filter_map(|(name, import)| judge_import(engine, name, &import.ty).err().map(|why| (name, why)))
        .map(|(name, why)| Mismatch::Import {
            name: name.to_owned(),
            why,
        });
    let mut found: Vec<_> = imports.collect();
    for interface in [FLOW_STARTER, CONNECTOR] {
        let functions = || CONTRACT_FUNCTIONS.iter().filter(move |(of, ..)| *of == interface);
        match ty.get_export(&engine.wasmtime, interface).map(|export| export.ty) {
            Some(ComponentItem::ComponentInstance(instance)) => {
                found.extend(functions().filter_map(|(_, function, typecheck)| {
                    match instance.get_export(&engine.wasmtime, function).map(|export| export.ty) {
                        Some(ComponentItem::ComponentFunc(function_type)) => {
                            let why = typecheck(&function_type, &ty).err()?;
                            Some(Mismatch::Type {
                                function,
                                interface,
                                why: format!("{why:#}"),
                            })
                        }
                        _ => Some(Mismatch::Function { function, interface }),
                    }
                }));
            }
            _ => found.push(Mismatch::Interface {
                interface,
                functions: functions().map(|(_, function, _)| *function).collect(),
            }),
        }
    }
    found
}

/// An import that contains only types gives no access, whatever its name.
pub(super) fn judge_import(engine: &Engine, name: &str, import: &ComponentItem) -> Result<(), ImportDenied> {
    imports::judge(name, &engine.named).or_else(|why| if only_types(engine, import) { Ok(()) } else { Err(why) })
}

fn only_types(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(instance) => instance
            .exports(&engine.wasmtime)
            .all(|(_, export)| matches!(export.ty, ComponentItem::Type(_))),
        _ => false,
    }
}

/// The check that `bindgen!` generates, but before there is an instance.
fn typecheck<P, R>(function: &ComponentFunc, of: &types::Component) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lower,
    Answer<R>: ComponentNamedList + Lift,
{
    function.typecheck::<P, Answer<R>>(&of.instance_type())
}
