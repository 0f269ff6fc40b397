//! What one call's instance may see: streams, a monotonic clock, and HTTP through [`Gate`]. No files, no environment, no sockets.

use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView, WasiClocksView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_io::IoView;

use crate::egress::Gate;

/// The data of a call's store.
pub(super) struct Call {
    table: ResourceTable,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    gate: Gate,
    pub(super) limits: StoreLimits,
}

impl Call {
    pub(super) fn new(gate: Gate, memory_bytes: usize) -> Self {
        Self {
            table: ResourceTable::new(),
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            gate,
            limits: StoreLimitsBuilder::new().memory_size(memory_bytes).build(),
        }
    }
}

impl IoView for Call {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiClocksView for Call {
    fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView {
            ctx: &mut self.clocks,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Call {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.gate,
        }
    }
}
