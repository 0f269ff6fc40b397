//! What a job waits for besides its requests.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Executor;
use crate::engine::Engine;
use crate::pace::Entry;

pub(super) async fn sleep_until(wake: Option<std::time::Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(Instant::from_std(at)).await,
        None => std::future::pending().await,
    }
}

/// The wait for a permit to call an instance.
pub(super) enum Wait {
    NotAsked,
    Queued(oneshot::Receiver<()>),
    Granted,
}

impl Wait {
    /// Whether there is a permit now. Never ends where none is waited for.
    pub(super) async fn granted(&mut self) -> bool {
        match self {
            Self::Queued(receiver) => receiver.await.is_ok(),
            Self::NotAsked | Self::Granted => std::future::pending().await,
        }
    }
}

impl<E: Engine> Executor<'_, E> {
    pub(super) fn ask_for_permit(&self) -> Wait {
        // A job that calls nobody needs no permit.
        let Some(instance) = &self.instance else {
            return Wait::Granted;
        };
        let mut permits = self.shared.permits();
        match permits.enter(self.id, instance.clone()) {
            Entry::Permit => Wait::Granted,
            Entry::Wait => {
                let (sender, receiver) = oneshot::channel();
                permits.wake(self.id, sender);
                Wait::Queued(receiver)
            }
        }
    }
}
