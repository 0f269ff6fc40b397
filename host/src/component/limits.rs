//! The limits of a call, and the message for each.

use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, Trap};

/// How often a busy guest yields to the runtime; also the resolution of the wall-clock limit.
pub(super) const EPOCH: Duration = Duration::from_millis(10);

/// Each running call needs six of the 65,530 mappings that Linux grants a process (`vm.max_map_count`); beyond them the process aborts.
pub(super) const MOST_CALLS: u32 = 8_000;

/// How many host resources (requests, bodies, headers) a guest may hold at a time: each takes a few hundred bytes, headers up to 128 KiB.
/// A normal call has about ten.
pub(super) const HANDLES: usize = 256;

/// Handles of all kinds, including the component's own resources; each takes host memory.
const ALL_HANDLES: usize = 1_000;

/// Per call, including denied ones. A normal call makes at most two.
pub(super) const REQUESTS: usize = 128;

/// More entries than such a component has functions.
pub(super) const TABLE_ENTRIES: usize = 20_000;

/// Per component. Composed components have several of each; the flow starter has three, one and two.
const CORE_INSTANCES: u32 = 32;
const MEMORIES: u32 = 4;
const TABLES: u32 = 8;

/// All that a 32-bit address can reach. With so much address space for each memory, compiled code needs no check before each access: what is
/// beyond a memory's end faults. It saves a fifth of the guest's instructions.
pub(super) const ADDRESSABLE: u64 = 4 << 30;

/// The host's own data for an instance: a few bytes for each function and global.
const INSTANCE_BYTES: usize = 1 << 20;

const STACK_BYTES: usize = 512 << 10;

/// The fraction of an instance's memory that it may pass to the host at once, above all its result. Without this limit, a list that
/// repeats one string many times would become many strings in the host.
const ANSWER_PART: usize = 2;

/// The limits of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The linear memory of an instance in bytes; the total if it has several memories. The default, 64 MiB, is enough for ServiceNow's 10
    /// MB body and a response of some megabytes.
    pub memory_bytes: usize,
    /// The CPU time of a guest; waiting for the network does not count. 10 s by default, a thousand times what a call needs.
    pub cpu_time: Duration,
    /// From a call's start to its end, including the wait for a permit. A call's own timeouts never extend it. 300 s by default.
    pub wall_clock: Duration,
    /// Calls that run at the same time; more calls wait for a permit. 256 by default. Each reserves address space for its memory, and
    /// Linux grants a process about 65,000 mappings, of which a running call takes six: the maximum is 8,000 in all engines of a process.
    pub concurrent_calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            cpu_time: Duration::from_secs(10),
            wall_clock: Duration::from_secs(300),
            concurrent_calls: 256,
        }
    }
}

impl Limits {
    pub(super) fn apply<T>(&self, store: &mut wasmtime::Store<T>) {
        store.set_hostcall_fuel(self.memory_bytes / ANSWER_PART);
        store.set_max_component_handles(ALL_HANDLES);
    }

    /// Each memory of a component takes a permit, so that no mix of components can need more than there are.
    fn memories(&self) -> u32 {
        MEMORIES.min(self.concurrent_calls)
    }

    /// The reservation is a memory's address space, in bytes; a smaller one than the limit counts as the limit.
    pub(super) fn config(&self, reservation: u64) -> Config {
        let calls = self.concurrent_calls;
        let memory_bytes = self.memory_bytes.next_multiple_of(64 << 10);
        let mut pool = PoolingAllocationConfig::new();
        // The totals are large enough that every running call can use its maximum.
        pool.total_component_instances(calls)
            .max_core_instances_per_component(CORE_INSTANCES)
            .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
            .max_core_instance_size(INSTANCE_BYTES)
            .max_component_instance_size(INSTANCE_BYTES)
            .max_memories_per_module(self.memories())
            .max_memories_per_component(self.memories())
            .total_memories(calls)
            .max_tables_per_module(TABLES)
            .max_tables_per_component(TABLES)
            .total_tables(calls.saturating_mul(TABLES))
            .table_elements(TABLE_ENTRIES)
            .total_stacks(calls)
            .max_memory_size(memory_bytes)
            .linear_memory_keep_resident(1 << 20)
            .table_keep_resident(64 << 10)
            // Linux 6.7 and later; elsewhere the two above alone do no harm.
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            // Another dependency of an embedder may compile it in; the contract's components do not need it, and it makes each call dearer.
            .concurrency_support(false)
            .epoch_interruption(true)
            .max_wasm_stack(STACK_BYTES)
            .memory_reservation(reservation.max(memory_bytes as u64))
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        config
    }
}

/// The limit that ended a call, or the runtime's message.
pub(super) fn why(error: &wasmtime::Error) -> String {
    if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
        return format!("exceeded the stack limit of {} KiB", STACK_BYTES >> 10);
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return format!("exceeded the limit of {HANDLES} host resources at a time");
    }
    in_its_words(error)
}

/// The runtime's message on one line. It may quote the component, so control characters are escaped for terminals.
pub(super) fn in_its_words(error: &wasmtime::Error) -> String {
    let text = error.root_cause().to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    words.join(" ").chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;
    use crate::component::LoadError;

    /// The shape is checked before the contract.
    async fn shape_refusal(text: &str) -> String {
        let engine = Engine::new(Limits {
            concurrent_calls: 4,
            ..Limits::default()
        })
        .unwrap();
        let wasm = wat::parse_str(text).unwrap();
        let error = engine.load(&wasm).await.unwrap_err();
        assert_eq!(engine.inspect(&wasm).refusal.as_ref(), Some(&error));
        match error {
            LoadError::Limit(limit) => limit,
            other => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_component_whose_shape_exceeds_a_limit_is_refused_by_name() {
        let module = |inside: &str, instances: usize| {
            let instances = "(core instance (instantiate $m))".repeat(instances);
            format!("(component (core module $m {inside}) {instances})")
        };
        for (shape, limit) in [
            (
                module("", 33),
                "33 core module instances, which exceeds the configured maximum of 32",
            ),
            (
                module("(memory 1)", 5),
                "5 Wasm linear memories, which exceeds the configured maximum of 4",
            ),
            (
                module(&"(memory 1)".repeat(5), 1),
                "memories count of 5 exceeds the per-instance limit of 4",
            ),
            (
                module("(table 1 funcref)", 9),
                "9 tables, which exceeds the configured maximum of 8",
            ),
            (
                module(&"(table 1 funcref)".repeat(9), 1),
                "tables count of 9 exceeds the per-instance limit of 8",
            ),
            (
                module("(table 20001 funcref)", 1),
                "a minimum element size of 20001 which exceeds the limit of 20000",
            ),
            (
                module("(memory 1025)", 1),
                "a minimum byte size of 67174400 which exceeds the limit of",
            ),
            (
                module(&"(global (mut i64) (i64.const 0))".repeat(70_000), 1),
                "which exceeds the configured maximum of 1048576 bytes",
            ),
            (
                module(&"(global (mut i64) (i64.const 0))".repeat(5_000), 20),
                "which exceeds the configured maximum of 1048576 bytes",
            ),
        ] {
            let message = shape_refusal(&shape).await;
            assert!(message.contains(limit) && !message.contains('\n'), "{message}");
        }
    }

    #[tokio::test]
    async fn a_component_within_the_shape_limits_fails_only_the_contract() {
        let engine = Engine::new(Limits {
            concurrent_calls: 4,
            ..Limits::default()
        })
        .unwrap();
        for shape in [
            format!(
                "(component (core module $m) {})",
                "(core instance (instantiate $m))".repeat(32)
            ),
            format!(
                "(component (core module $m {}) (core instance (instantiate $m)))",
                "(memory 1)".repeat(4)
            ),
            format!(
                "(component (core module $m {}) (core instance (instantiate $m)))",
                "(table 20000 funcref)".repeat(8)
            ),
            "(component (core module $m (memory 1024)) (core instance (instantiate $m)))".to_owned(),
        ] {
            let error = engine.load(&wat::parse_str(&shape).unwrap()).await.unwrap_err();
            assert!(matches!(error, LoadError::Contract(_)), "{error}");
        }
    }
}
