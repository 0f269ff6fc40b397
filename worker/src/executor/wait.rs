//! What a job waits for besides its requests.

use tokio::sync::oneshot;
use tokio::time::Instant;

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
