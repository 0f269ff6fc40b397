//! What one call's instance may see: streams, a monotonic clock, and HTTP through [`Gate`]. No files, no environment, no sockets.

use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
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
    memory_bytes: usize,
    /// Ticks during which the guest computed; waiting does not count.
    pub(super) ticks: u64,
}

impl Call {
    pub(super) fn new(gate: Gate, memory_bytes: usize) -> Self {
        // What a guest may hold of the host's memory beside its own: each entry is a few hundred bytes, and headers up to 128 KiB.
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            table,
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            gate,
            memory_bytes,
            ticks: 0,
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

/// A call of the contract has about ten at a time.
const HANDLES: usize = 256;

/// More entries than any component of this contract has functions.
const TABLE_ENTRIES: usize = 100_000;

/// A limit that is passed ends the call and is named, where a refusal would leave a guest to end itself without a reason.
impl ResourceLimiter for Call {
    fn memory_growing(&mut self, _now: usize, wanted: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        wasmtime::ensure!(
            wanted <= self.memory_bytes,
            "it asked for more memory than its {} MiB",
            self.memory_bytes >> 20
        );
        Ok(true)
    }

    fn table_growing(&mut self, _now: usize, wanted: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        wasmtime::ensure!(
            wanted <= TABLE_ENTRIES,
            "it asked for a table of more than {TABLE_ENTRIES} entries"
        );
        Ok(true)
    }
}
