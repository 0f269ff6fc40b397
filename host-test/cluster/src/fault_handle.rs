//! A fault that was set: counted, released, removed, its requests delivered.

use std::sync::{Arc, mpsc};

use tokio::runtime::Handle;

use crate::core::Core;
use crate::error::TimedOut;
use crate::faults::FaultId;
use crate::process::process;
use crate::wait::wait;

/// A fault that was set. Dropping it changes nothing.
#[derive(Clone)]
pub struct FaultHandle {
    core: Arc<Core>,
    runtime: Handle,
    id: FaultId,
}

impl FaultHandle {
    pub(crate) fn new(core: Arc<Core>, runtime: Handle, id: FaultId) -> Self {
        Self { core, runtime, id }
    }

    /// As in [`crate::Recorded::fault`].
    #[must_use]
    pub fn id(&self) -> FaultId {
        self.id
    }

    /// How many requests have met it.
    #[must_use]
    pub fn hits(&self) -> usize {
        self.core.faults.hits(self.id)
    }

    /// Waits until so many requests have met it.
    pub async fn wait_hits(&self, n: usize) -> Result<(), TimedOut> {
        let id = self.id;
        let look = move |core: &Core| (core.faults.hits(id) >= n).then_some(());
        wait(&self.core, &self.runtime, format!("hit {n} of fault {id}"), look).await
    }

    /// What [`crate::Fault::hold`] holds goes on, now and from now on.
    pub fn release(&self) {
        self.core.faults.release(self.id);
        self.core.wake();
    }

    /// No further request meets it. What it holds stays held.
    pub fn remove(&self) {
        self.core.faults.remove(self.id);
    }

    /// Processes the requests that [`crate::Fault::late`] or [`crate::Fault::replay`] have kept, in their order, and tells the
    /// status that each would have been answered. It waits for that.
    pub fn deliver(&self) -> Vec<u16> {
        let (done, wait) = mpsc::channel();
        let (core, id) = (Arc::clone(&self.core), self.id);
        self.runtime.spawn(async move {
            let _gone_already = done.send(deliver(&core, id).await);
        });
        wait.recv().unwrap_or_default()
    }
}

pub(crate) async fn deliver(core: &Core, id: FaultId) -> Vec<u16> {
    let mut statuses = Vec::new();
    for request in core.faults.take_held(id) {
        statuses.push(process(core, &request, false).await.status);
    }
    statuses
}
