//! The engine: one compiler and one set of limits for all the components it loads.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};

use super::call::Call;
use super::connector::Connector;

/// How often a busy guest gives way to the rest of the runtime, and so the finest grain of the wall clock over it.
pub(super) const EPOCH: Duration = Duration::from_millis(10);

/// Six mappings for each running call, of the 65,530 that Linux grants a process (`vm.max_map_count`); beyond them it would be aborted.
const MOST_CALLS: u32 = 8_000;

/// What a component may import; a version of the 0.2 track stands behind each.
const ALLOWED_IMPORTS: [&str; 6] = [
    "wasi:clocks/monotonic-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// What a call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest linear memory of an instance, in bytes. The default, 64 MiB, lets ServiceNow's 10 MB body and an answer of some
    /// megabytes pass.
    pub memory_bytes: usize,
    /// How long a guest may compute in all; waiting for the network does not count. 10 s by default, a thousand times what a call needs.
    pub computing: Duration,
    /// From a call's start to its end, waiting for a free place included. A call's own time limits never extend it. 300 s by default.
    pub wall_clock: Duration,
    /// Calls that run at the same time; more wait for a place. 256 by default. Each place keeps address space for its memory, and
    /// Linux grants a process about 65,000 mappings, of which a running call takes six.
    pub concurrent_calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            computing: Duration::from_secs(10),
            wall_clock: Duration::from_secs(300),
            concurrent_calls: 256,
        }
    }
}

/// Loads components and runs their calls within [`Limits`]. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    pub(super) limits: Limits,
    pub(super) places: Arc<Semaphore>,
    linker: Arc<Linker<Call>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A limit that cannot be kept.
    #[error("{0}")]
    Limit(&'static str),
    /// The WebAssembly runtime refuses its settings on this machine.
    #[error("the WebAssembly runtime cannot start: {0}")]
    Runtime(String),
    /// No thread for the clock.
    #[error("cannot start the engine's clock: {0}")]
    Clock(#[from] std::io::Error),
}

/// Why a file is not taken as a connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not a WebAssembly component at all.
    #[error("this is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// It asks for more than a connector gets.
    #[error(
        "the component imports {}, which a connector may not have: only HTTP, its streams and a monotonic clock are given",
        .0.join(", ")
    )]
    Imports(Vec<String>),
    /// It does not export the contract.
    #[error("the component does not keep the contract connectors:servicenow-flow-starter@0.1.0: {0}")]
    Contract(String),
    /// A fresh instance of it did not come up within the limits.
    #[error("the component cannot be instantiated: {0}")]
    Instantiate(String),
}

impl Engine {
    /// Sets up the compiler and the pool of instances.
    ///
    /// # Errors
    /// Where a limit is 0, or the machine does not give what the pool needs.
    pub fn new(limits: Limits) -> Result<Self, EngineError> {
        if limits.concurrent_calls == 0
            || limits.memory_bytes == 0
            || limits.wall_clock.is_zero()
            || limits.computing.is_zero()
        {
            return Err(EngineError::Limit(
                "a limit of 0 would let no call run: for example 64 MiB, 10 s of computing, 300 s in all and 256 calls",
            ));
        }
        if limits.concurrent_calls > MOST_CALLS {
            return Err(EngineError::Limit(
                "more than 8000 calls at a time would use up the memory mappings that a process may have: for example 256",
            ));
        }
        let runtime = |error: wasmtime::Error| EngineError::Runtime(format!("{error:#}"));
        let wasmtime = wasmtime::Engine::new(&config(&limits)).map_err(runtime)?;
        let linker = linker(&wasmtime).map_err(runtime)?;
        start_clock(&wasmtime)?;
        Ok(Self {
            wasmtime,
            limits,
            places: Arc::new(Semaphore::new(limits.concurrent_calls as usize)),
            linker: Arc::new(linker),
        })
    }

    /// The limits it was made with.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Compiles a component, once for all its calls, and checks that it keeps the contract and asks for nothing more than HTTP.
    ///
    /// # Errors
    /// [`LoadError`] says what is missing or too much.
    pub async fn load(&self, wasm: &[u8]) -> Result<Connector, LoadError> {
        if !is_component(wasm) {
            return Err(LoadError::NotAComponent(what_else(wasm).to_owned()));
        }
        let component = Component::from_binary(&self.wasmtime, wasm)
            .map_err(|error| LoadError::NotAComponent(format!("{:#}", error.root_cause())))?;
        let foreign = self.foreign_imports(&component);
        if !foreign.is_empty() {
            return Err(LoadError::Imports(foreign));
        }
        let instance = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Contract(format!("{error:#}")))?;
        Connector::new(self.clone(), instance).await
    }

    /// Imports beyond the six, and instances that hold more than types.
    fn foreign_imports(&self, component: &Component) -> Vec<String> {
        let ty = component.component_type();
        let foreign = ty.imports(&self.wasmtime).filter(|(name, import)| {
            let (interface, version) = name.split_once('@').unwrap_or((name, "0.2.0"));
            if ALLOWED_IMPORTS.contains(&interface) {
                return !version.starts_with("0.2.");
            }
            !self.holds_only_types(&import.ty)
        });
        foreign.map(|(name, _)| name.to_owned()).collect()
    }

    fn holds_only_types(&self, item: &ComponentItem) -> bool {
        match item {
            ComponentItem::Type(_) => true,
            ComponentItem::ComponentInstance(instance) => instance
                .exports(&self.wasmtime)
                .all(|(_, export)| matches!(export.ty, ComponentItem::Type(_))),
            _ => false,
        }
    }
}

fn config(limits: &Limits) -> Config {
    let calls = limits.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    // A component is a few core modules: the guest, and the adapters that the component model puts around it.
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(4))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(4))
        .total_stacks(calls)
        .max_memory_size(limits.memory_bytes.next_multiple_of(64 << 10))
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        // Linux 6.7 and later; elsewhere the two above alone do no harm.
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .memory_reservation(limits.memory_bytes.next_multiple_of(64 << 10) as u64)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Call>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi_io::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p2::bindings::clocks::monotonic_clock::add_to_linker::<Call, WasiClocks>(&mut linker, Call::clocks)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Ok(linker)
}

/// Ticks for as long as the engine lives.
fn start_clock(engine: &wasmtime::Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("flow-starter-epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(EPOCH);
            }
        })
        .map(drop)
}

/// The component model's preamble: `\0asm`, version 13, layer 1.
fn is_component(wasm: &[u8]) -> bool {
    wasm.starts_with(b"\0asm\x0d\0\x01\0")
}

fn what_else(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        "it is a core module; build the connector as a component"
    } else if bytes.starts_with(b"\0asm") {
        "it is of another version of the component model"
    } else if bytes.starts_with(b"\x7fELF") {
        "it is precompiled for some version of wasmtime; give the WebAssembly file itself"
    } else if bytes.is_empty() {
        "it is empty"
    } else {
        "it does not begin as one"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Engine {
        Engine::new(Limits {
            concurrent_calls: 4,
            ..Limits::default()
        })
        .unwrap()
    }

    async fn refusal(engine: &Engine, wasm: &[u8]) -> String {
        engine.load(wasm).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_is_no_component_is_told_apart() {
        let engine = small();
        for (wasm, what) in [
            (&b""[..], "it is empty"),
            (b"<!DOCTYPE html>", "does not begin as one"),
            (b"\x7fELF\x02\x01", "it is precompiled"),
            (&wat::parse_str("(module)").unwrap(), "it is a core module"),
            (b"\0asm\x0e\0\x01\0", "another version"),
            (b"\0asm\x0d\0\x01\0\xff\xff\xff", "not a WebAssembly component"),
        ] {
            let told = refusal(&engine, wasm).await;
            assert!(told.contains(what), "{told}");
        }
    }

    #[tokio::test]
    async fn an_import_beyond_http_is_refused_by_name() {
        let wasm = wat::parse_str(
            r#"(component
                (import "wasi:io/error@0.2.6" (instance))
                (import "wasi:cli/environment@0.2.6" (instance (export "get-arguments" (func (result (list string))))))
                (import "wasi:http/types@0.3.0" (instance (export "f" (func))))
                (import "acme:types/only" (instance (type u32) (export "t" (type (eq 0))))))"#,
        );
        let told = refusal(&small(), &wasm.unwrap()).await;
        assert!(
            told.contains("imports wasi:cli/environment@0.2.6, wasi:http/types@0.3.0, which"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_component_without_the_contract_is_refused() {
        let told = refusal(&small(), &wat::parse_str("(component)").unwrap()).await;
        assert!(told.contains("does not keep the contract"), "{told}");
        assert!(
            told.contains("connectors:servicenow-flow-starter/flow-starter@0.1.0"),
            "{told}"
        );
    }

    #[test]
    fn more_calls_than_the_system_has_mappings_for_are_refused() {
        let many = Limits {
            concurrent_calls: 10_000,
            ..Limits::default()
        };
        assert!(
            Engine::new(many)
                .unwrap_err()
                .to_string()
                .contains("more than 8000 calls")
        );
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        let none = Limits {
            concurrent_calls: 0,
            ..Limits::default()
        };
        assert!(
            Engine::new(none)
                .unwrap_err()
                .to_string()
                .contains("would let no call run")
        );
    }
}
