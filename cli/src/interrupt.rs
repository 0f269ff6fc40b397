//! Signals during a call: the first one cancels the call, and the flow's state is reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

use crate::exit::Exit;

/// Listens on its own thread, since the call's thread may be busy. The first signal cancels the call; another one, or one during the final
/// output, ends the process.
pub(crate) struct Interrupts {
    first: Arc<Notify>,
    /// The exit code for the next signal; 0 while the call runs.
    code: Arc<AtomicU8>,
}

impl Interrupts {
    pub(crate) fn listen() -> std::io::Result<Self> {
        let own = Self {
            first: Arc::new(Notify::new()),
            code: Arc::new(AtomicU8::new(0)),
        };
        let (first, code) = (Arc::clone(&own.first), Arc::clone(&own.code));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Before the call begins: a signal that comes while a handler is being set up would be lost.
        let mut signals = {
            let _runtime = runtime.enter();
            Signals::listen()?
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                loop {
                    signals.next().await;
                    match code.compare_exchange(0, Exit::Unknown as u8, Ordering::SeqCst, Ordering::SeqCst) {
                        Ok(_) => first.notify_one(),
                        Err(code) => std::process::exit(code.into()),
                    }
                }
            });
        })?;
        Ok(own)
    }

    /// Waits for the first signal.
    pub(crate) async fn first(&self) {
        self.first.notified().await;
    }

    /// The call has ended with this code: from now on a signal ends the process with it.
    pub(crate) fn ended(&self, exit: Exit) {
        // If the process ends before the response is written, the response is lost.
        let exit = if exit == Exit::Success { Exit::AnswerLost } else { exit };
        self.code.store(exit as u8, Ordering::SeqCst);
    }
}

/// Ctrl-C, the supervisor's termination signal, and the end of the terminal: none is missed between two calls of [`Self::next`].
#[cfg(unix)]
pub(crate) struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    /// From now on.
    pub(crate) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let [interrupt, terminate, hangup] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Ok(Self([signal(interrupt)?, signal(terminate)?, signal(hangup)?]))
    }

    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
