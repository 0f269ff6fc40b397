//! How many calls may run at once, in an engine and in all engines of the process.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use super::limits::MOST_CALLS;

/// Mappings belong to the process: two engines of 8,000 places would get it aborted as surely as one of 16,000.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// As many as were asked for are not left.
pub(super) struct TooFew {
    pub(super) left: u32,
}

/// An engine's places; they are the process's again when it is dropped.
pub(super) struct Places {
    free: Semaphore,
    all: u32,
}

impl Places {
    pub(super) fn reserve(wanted: u32) -> Result<Self, TooFew> {
        let taken = TAKEN.fetch_update(Relaxed, Relaxed, |taken| {
            taken.checked_add(wanted).filter(|all| *all <= MOST_CALLS)
        });
        taken.map_err(|taken| TooFew {
            left: MOST_CALLS.saturating_sub(taken),
        })?;
        Ok(Self {
            free: Semaphore::new(wanted as usize),
            all: wanted,
        })
    }

    /// Waits for so many of them.
    pub(super) async fn take(&self, places: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.free.acquire_many(places).await
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.all, Relaxed);
    }
}
