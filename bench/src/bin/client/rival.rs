//! A component under wasmtime's default settings and wasmtime-wasi-http's default sender: a fresh instance for each call, too.

use std::path::Path;
use std::sync::Arc;

use flow_starter_bench::protocol::Options;
use flow_starter_host::TriggerError;
use http::Request;
use rustls::RootCertStore;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, ResourceTable, TypedFunc};
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::drive::Contender;
use crate::sender::{self, Io};

/// A loaded component.
#[derive(Clone)]
pub(crate) struct Rival {
    instance: InstancePre<State>,
    execute: ComponentExportIndex,
    error: ErrorType,
    roots: Arc<RootCertStore>,
}

/// The error type of `execute`.
#[derive(Clone, Copy)]
enum ErrorType {
    Contract,
    Text,
}

/// A call's store data.
struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    sender: DefaultSender,
}

struct DefaultSender {
    roots: Arc<RootCertStore>,
}

/// Core instances of the component; the pool's default is one for each of 1,000 calls.
const CORE_INSTANCES: u32 = 4;
const POOL_DEFAULT: u32 = 1000;

fn config(pooling: bool, in_flight_max: u32) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    if pooling {
        let mut pool = PoolingAllocationConfig::new();
        // Only the totals differ from the default, where they would not be enough.
        let calls = in_flight_max.max(POOL_DEFAULT);
        pool.total_component_instances(calls)
            .total_core_instances(calls * CORE_INSTANCES)
            .total_memories(calls)
            .total_tables(calls * CORE_INSTANCES)
            .total_stacks(calls);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Compiles a component for one of these rivals.
pub(crate) fn compile(wasm: &[u8], pooling: bool) -> Result<Vec<u8>> {
    let engine = Engine::new(&config(pooling, 1))?;
    engine.precompile_component(wasm)
}

impl Rival {
    /// Our component: what the host library adds is left out.
    pub(crate) fn default_sender(options: &Options, component: &Path) -> Result<Self> {
        let engine = Engine::new(&config(true, options.in_flight_max))?;
        let component = load(&engine, component)?;
        let interface = component
            .get_export_index(None, "connectors:servicenow-flow-starter/connector@0.1.0")
            .context("the component has no connector interface")?;
        let execute = component.get_export_index(Some(&interface), "execute");
        let mut linker = Linker::new(&engine);
        // With the interfaces that components of wasi:http usually have.
        wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
        Self::new(options, &component, &linker, execute, ErrorType::Contract)
    }

    /// The component in `waki-guest`, with all of WASI, which the standard library asks for.
    pub(crate) fn waki(options: &Options, component: &Path) -> Result<Self> {
        let engine = Engine::new(&config(false, options.in_flight_max))?;
        let component = load(&engine, component)?;
        let execute = component.get_export_index(None, "execute");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        Self::new(options, &component, &linker, execute, ErrorType::Text)
    }

    fn new(
        options: &Options,
        component: &Component,
        linker: &Linker<State>,
        execute: Option<ComponentExportIndex>,
        error: ErrorType,
    ) -> Result<Self> {
        let roots = match &options.ca {
            Some(file) => sender::roots(file).map_err(|error| wasmtime::format_err!("{error:#}"))?,
            None => RootCertStore::empty(),
        };
        Ok(Self {
            instance: linker.instantiate_pre(component)?,
            execute: execute.context("the component has no function execute")?,
            error,
            roots: Arc::new(roots),
        })
    }
}

fn load(engine: &Engine, file: &Path) -> Result<Component> {
    // SAFETY: `bench` had the file compiled into a directory of its own.
    let component = unsafe { Component::deserialize_file(engine, file) };
    component.with_context(|| format!("cannot load {}", file.display()))
}

impl Contender for Rival {
    async fn call(&self, input: &str) -> anyhow::Result<String> {
        self.execute(input).await.map_err(anyhow_error)
    }
}

/// The two are different types.
pub(crate) fn anyhow_error(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

impl Rival {
    async fn execute(&self, input: &str) -> Result<String> {
        let state = State {
            table: ResourceTable::new(),
            wasi: WasiCtx::default(),
            http: WasiHttpCtx::new(),
            sender: DefaultSender {
                roots: Arc::clone(&self.roots),
            },
        };
        let mut store = Store::new(self.instance.engine(), state);
        let instance = self.instance.instantiate_async(&mut store).await?;
        match self.error {
            ErrorType::Contract => {
                let execute: TypedFunc<(&str,), (Result<String, TriggerError>,)> =
                    instance.get_typed_func(&mut store, self.execute)?;
                let (output,) = execute.call_async(&mut store, (input,)).await?;
                Ok(output?)
            }
            ErrorType::Text => {
                let execute: TypedFunc<(&str,), (Result<String, String>,)> =
                    instance.get_typed_func(&mut store, self.execute)?;
                let (output,) = execute.call_async(&mut store, (input,)).await?;
                output.map_err(wasmtime::Error::msg)
            }
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.sender,
        }
    }
}

impl WasiHttpHooks for DefaultSender {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send> {
        Box::new(sender::send(request, options, Arc::clone(&self.roots)))
    }
}
