//! The engine: one compiler and one set of limits for all components that it loads.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Linker;
use wasmtime_wasi::clocks::WasiClocks;

use super::call::{self, Call};
use super::cpu_time::CpuTime;
use super::imports::Import;
use super::limits::{ADDRESSABLE, EPOCH, Limits};
use super::permits::{Permits, TooFew};
use crate::egress::EgressHooks;

/// In bytes.
const LARGEST_MEMORY: u64 = 1 << 40;

/// Loads components and runs their calls within [`Limits`]. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    /// A memory's address space, in bytes.
    pub(super) reservation: u64,
    pub(super) limits: Limits,
    pub(super) permits: Arc<Permits>,
    pub(super) linker: Arc<Linker<Call>>,
    /// Additional imports that a component may have.
    pub(super) named: Arc<[Import]>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.limits)
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An impossible limit.
    #[error("{0}")]
    Limit(&'static str),
    /// More concurrent calls than the process has memory mappings for: 8,000 in all its engines.
    #[error(
        "{wanted} concurrent calls need more memory mappings than a process may have: {left} of 8000 calls are left across all engines; the default \
         is 256"
    )]
    TooManyCalls {
        /// The number requested.
        wanted: u32,
        /// The number that is left.
        left: u32,
    },
    /// The WebAssembly runtime does not start on this machine.
    #[error("the WebAssembly runtime cannot start: {0}")]
    Runtime(String),
    /// No thread for the clock.
    #[error("cannot start the engine's clock: {0}")]
    Clock(#[from] std::io::Error),
}

impl Engine {
    /// Sets up the compiler and the pool of instances.
    ///
    /// # Errors
    /// If a limit is 0, or the machine cannot provide the pool's address space.
    pub fn new(limits: Limits) -> Result<Self, EngineError> {
        Self::with_imports(limits, [])
    }

    /// The same, but components may also import these interfaces. They are empty: see [`Import`].
    ///
    /// # Errors
    /// As [`Self::new`].
    ///
    /// ```
    /// use flow_starter_host::{Engine, Limits};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let limits = Limits { concurrent_calls: 8, ..Limits::default() };
    /// let engine = Engine::with_imports(limits, ["wasi:random/random".parse()?, "wasi:cli/environment".parse()?])?;
    /// # let _ = engine;
    /// # Ok(()) }
    /// ```
    pub fn with_imports(limits: Limits, imports: impl IntoIterator<Item = Import>) -> Result<Self, EngineError> {
        if limits.memory_bytes as u64 > LARGEST_MEMORY {
            return Err(EngineError::Limit(
                "the memory limit must not exceed 1 TiB: for example 64 MiB",
            ));
        }
        if limits.concurrent_calls == 0
            || limits.memory_bytes == 0
            || limits.wall_clock.is_zero()
            || limits.cpu_time.is_zero()
        {
            return Err(EngineError::Limit(
                "a limit must not be 0: for example 64 MiB, 10 s of CPU time, 300 s in all and 256 calls",
            ));
        }
        let wanted = limits.concurrent_calls;
        let permits = Permits::reserve(wanted).map_err(|TooFew { left }| EngineError::TooManyCalls { wanted, left })?;
        let runtime = |error: wasmtime::Error| {
            EngineError::Runtime(format!(
                "{error:#} (for {} concurrent calls with {} MiB each; fewer calls or less memory need less address space)",
                limits.concurrent_calls,
                limits.memory_bytes >> 20
            ))
        };
        let mut named: Vec<_> = imports.into_iter().collect();
        named.sort();
        named.dedup();
        let reserving = |reservation| Ok((wasmtime::Engine::new(&limits.config(reservation))?, reservation));
        // Where address space is scarce, a memory gets no more than its limit.
        let (wasmtime, reservation) = reserving(ADDRESSABLE).or_else(|_| reserving(0)).map_err(runtime)?;
        let linker = linker(&wasmtime, &named).map_err(runtime)?;
        start_clock(&wasmtime)?;
        Ok(Self {
            wasmtime,
            reservation,
            limits,
            permits: Arc::new(permits),
            linker: Arc::new(linker),
            named: named.into(),
        })
    }

    /// The engine's limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Creates a call's store.
    pub(super) fn store(&self, hooks: EgressHooks, cpu_time: Arc<CpuTime>) -> Store<Call> {
        Call::store(&self.wasmtime, &self.limits, hooks, cpu_time)
    }
}

fn linker(engine: &wasmtime::Engine, named: &[Import]) -> wasmtime::Result<Linker<Call>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi_io::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p2::bindings::clocks::monotonic_clock::add_to_linker::<Call, WasiClocks>(
        &mut linker,
        Call::monotonic_clock,
    )?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    call::bound_methods(&mut linker)?;
    for import in named {
        import.link(&mut linker)?;
    }
    Ok(linker)
}

/// Increments the epoch as long as the engine lives.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because other tests of this process take permits, too.
    #[test]
    fn concurrent_calls_are_limited_across_all_engines() {
        let permits = |concurrent_calls| {
            Engine::new(Limits {
                concurrent_calls,
                ..Limits::default()
            })
        };
        let message = permits(8_001).unwrap_err().to_string();
        assert!(
            message.starts_with("8001 concurrent calls need more memory mappings"),
            "{message}"
        );
        let many = permits(5_000).unwrap();
        let copy = many.clone();
        drop(many);
        assert!(matches!(permits(3_001), Err(EngineError::TooManyCalls { wanted: 3_001, left }) if left <= 3_000));
        drop(copy);
        assert!(permits(7_000).is_ok(), "what an engine had is given back");
    }

    #[test]
    fn a_pool_that_is_too_large_is_refused_with_advice() {
        let vast = Limits {
            memory_bytes: 256 << 30,
            concurrent_calls: 2_000,
            ..Limits::default()
        };
        let message = Engine::new(vast).unwrap_err().to_string();
        assert!(
            message.contains("(for 2000 concurrent calls with 262144 MiB each; fewer"),
            "{message}"
        );
    }

    #[test]
    fn a_limit_of_0_is_refused() {
        let none = Limits {
            concurrent_calls: 0,
            ..Limits::default()
        };
        assert!(Engine::new(none).unwrap_err().to_string().contains("must not be 0"));
    }
}
