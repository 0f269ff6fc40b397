//! Permits for concurrent calls, per engine and for all engines of the process.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use super::limits::MOST_CALLS;

/// Mappings belong to the process: two engines with 8,000 permits would abort it just like one with 16,000.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Fewer permits are left than requested.
pub(super) struct TooFew {
    pub(super) left: u32,
}

/// An engine's permits; they return to the process when it is dropped.
pub(super) struct Permits {
    free: Semaphore,
    all: u32,
}

impl Permits {
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

    /// Waits for this many permits.
    pub(super) async fn take(&self, permits: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.free.acquire_many(permits).await
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.all, Relaxed);
    }
}
