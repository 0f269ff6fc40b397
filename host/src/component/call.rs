//! The host side of one call: streams, a monotonic clock, and HTTP through [`EgressHooks`]. No files, no environment, no sockets; the
//! interfaces that the engine adds are empty.

use std::sync::Arc;

use http::HeaderName;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime::{ResourceLimiter, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};
use wasmtime_wasi_io::IoView;

use super::cpu_time::CpuTime;
use super::limits::{HANDLES, Limits, REQUESTS, TABLE_ENTRIES};
use crate::egress::EgressHooks;

/// A call's store data.
pub(super) struct Call {
    table: ResourceTable,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    hooks: Counted,
    /// Created on first use: most components never need it, and it costs 4,000 instructions.
    empty: Option<Box<WasiCtx>>,
    memory_left: usize,
    memory_bytes: usize,
}

impl Call {
    fn new(hooks: EgressHooks, memory_bytes: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            table,
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            hooks: Counted { hooks, asked: 0 },
            empty: None,
            memory_left: memory_bytes,
            memory_bytes,
        }
    }

    /// Creates a call's store, with all limits set.
    pub(super) fn store(
        engine: &wasmtime::Engine,
        limits: &Limits,
        hooks: EgressHooks,
        cpu_time: Arc<CpuTime>,
    ) -> Store<Self> {
        let mut store = Store::new(engine, Self::new(hooks, limits.memory_bytes));
        store.limiter(|call| call);
        limits.apply(&mut store);
        store.set_epoch_deadline(1);
        let most = limits.cpu_time;
        // A busy guest yields at each tick; otherwise no timeout could end it.
        store.epoch_deadline_callback(move |store| {
            wasmtime::ensure!(
                store.data().hooks.asked <= REQUESTS,
                "exceeded the limit of {REQUESTS} requests"
            );
            wasmtime::ensure!(
                cpu_time.so_far() <= most,
                "exceeded the CPU limit of {} s",
                most.as_secs_f64()
            );
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }

    /// Separate from [`WasiView`]'s clocks, so that the contract's clock needs nothing else.
    pub(super) fn monotonic_clock(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView {
            ctx: &mut self.clocks,
            table: &mut self.table,
        }
    }
}

impl IoView for Call {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

/// The egress hooks, up to a number of requests: the log keeps each with its URL, which a guest may make 64 KiB long.
struct Counted {
    hooks: EgressHooks,
    asked: usize,
}

impl WasiHttpHooks for Counted {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        received: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Worker), Error>> + Send> {
        self.asked = self.asked.saturating_add(1);
        if self.asked > REQUESTS {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        self.hooks.send_request(request, options, received)
    }

    /// The same as by default, which makes the list anew for each header.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        static FORBIDDEN: [HeaderName; 9] = DEFAULT_FORBIDDEN_HEADERS;
        FORBIDDEN.contains(name)
    }

    /// The host buffers this much of each body that nobody reads, and a guest may start a hundred.
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK
    }
}

/// Puts a limit on a request's method, the one string that `wasmtime-wasi-http` keeps at any length (the parts of a URL end at 64 KiB,
/// headers at 128): a guest could fill the host's memory with a few requests that it never sends.
pub(super) fn bound_methods(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(HTTP_TYPES)?.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, Call>, (request, method): (Resource<HostOutgoingRequest>, Method)| {
            if matches!(&method, Method::Other(name) if name.len() > METHOD_BYTES) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_method(request, method)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// As `wasmtime-wasi-http` links it; components ask for it at any 0.2.
const HTTP_TYPES: &str = "wasi:http/types@0.2.12";

/// Longer than any method that is registered.
const METHOD_BYTES: usize = 64;

const BODY_CHUNK: usize = 64 << 10;

type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// No environment, no arguments, no files, standard input closed, and what is printed goes nowhere.
impl WasiView for Call {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self
            .empty
            .get_or_insert_with(|| Box::new(WasiCtx::builder().max_random_size(RANDOM_BYTES).build()));
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Call {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

/// Per call: the host generates them byte by byte while it blocks the thread.
const RANDOM_BYTES: u64 = 64 << 10;

/// Exceeding a limit ends the call with that limit's name; a mere refusal would let the guest trap without a reason.
impl ResourceLimiter for Call {
    /// `now` is 0 for a new memory; all memories of the instance count together.
    fn memory_growing(&mut self, now: usize, wanted: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = wanted.saturating_sub(now);
        let Some(left) = self.memory_left.checked_sub(more) else {
            wasmtime::bail!("exceeded the memory limit of {} MiB", self.memory_bytes >> 20);
        };
        self.memory_left = left;
        Ok(true)
    }

    fn table_growing(&mut self, _now: usize, wanted: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        wasmtime::ensure!(
            wanted <= TABLE_ENTRIES,
            "exceeded the limit of {TABLE_ENTRIES} table entries"
        );
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;
    use crate::component::limits::why;
    use wasmtime::component::Component;

    /// They belong to the connection, which is the host's: a guest that sets one could smuggle a second request.
    #[test]
    fn headers_of_the_connection_are_forbidden() {
        let mut hooks = Counted {
            hooks: EgressHooks::closed(),
            asked: 0,
        };
        for name in [
            "connection",
            "host",
            "keep-alive",
            "proxy-authorization",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(hooks.is_forbidden_header(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["authorization", "content-length", "content-type", "x-transfer-encoding"] {
            assert!(!hooks.is_forbidden_header(&HeaderName::from_static(name)), "{name}");
        }
    }

    /// Resources of its own are the one thing that a component can pile up in the host without asking it for anything.
    #[tokio::test]
    async fn handles_that_a_component_gives_out_to_itself_are_counted_too() {
        let engine = Engine::new(Limits {
            concurrent_calls: 1,
            ..Limits::default()
        })
        .unwrap();
        let wasm = wat::parse_str(
            r#"(component
                (type $own (resource (rep i32)))
                (core func $new (canon resource.new $own))
                (core module $m
                    (import "" "new" (func $new (param i32) (result i32)))
                    (func $f (local $left i32)
                        (local.set $left (i32.const 1001))
                        (loop
                            (drop (call $new (i32.const 0)))
                            (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
                    (start $f))
                (core instance (instantiate $m (with "" (instance (export "new" (func $new)))))))"#,
        );
        let component = Component::from_binary(&engine.wasmtime, &wasm.unwrap()).unwrap();
        let mut store = engine.store(EgressHooks::closed(), Arc::new(CpuTime::new()));
        let error = engine
            .linker
            .instantiate_async(&mut store, &component)
            .await
            .unwrap_err();
        assert!(why(&error).ends_with("handle limit exceeded"), "{error:?}");
    }

    /// Compiled code checks no address where a memory has all the address space that it can name: what is beyond its end must fault.
    #[tokio::test]
    async fn an_access_beyond_the_memory_ends_the_call() {
        let engine = Engine::new(Limits {
            concurrent_calls: 2,
            ..Limits::default()
        })
        .unwrap();
        for (address, offset) in [
            ("0x10000", "0"),
            ("0xfffd", "0"),
            ("0x4000000", "0"),
            ("0x7fffffff", "0"),
            ("0xffffffff", "0"),
            ("0xffffffff", "0xffffffff"),
        ] {
            for access in ["(drop (i32.load", "(drop (i32.load8_u"] {
                let is_inside = access.ends_with("8_u") && address == "0xfffd";
                let wasm = wat::parse_str(format!(
                    "(component (core module $m (memory 1) (func $f {access} offset={offset} (i32.const {address})))) (start $f))
                        (core instance (instantiate $m)))"
                ));
                let component = Component::from_binary(&engine.wasmtime, &wasm.unwrap()).unwrap();
                let mut store = engine.store(EgressHooks::closed(), Arc::new(CpuTime::new()));
                let ended = engine.linker.instantiate_async(&mut store, &component).await;
                match ended {
                    Ok(_) => assert!(is_inside, "{access} {address}+{offset}"),
                    Err(error) => assert!(
                        !is_inside && why(&error).contains("out of bounds memory access"),
                        "{error:?}"
                    ),
                }
            }
        }
    }
}
