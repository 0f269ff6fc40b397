//! A person or a supervisor who ends a call while it waits: what became of the flow is unknown then, and that is told.

use flow_starter_host::{ErrorKind, FlowState, TriggerError};

/// Waits for Ctrl-C, or for the signal by which supervisors end a process.
pub(crate) async fn interrupted() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be waited for, and ends the process as it always does.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = ctrl_c => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// What is known of a call that was given up.
pub(crate) fn error() -> TriggerError {
    TriggerError {
        kind: ErrorKind::Internal,
        message: "The call was interrupted. It is unknown whether the flow started: look for its execution in ServiceNow before you start \
                  it again."
            .to_owned(),
        flow: FlowState::Unknown,
        retryable: false,
        retry_after_ms: None,
        response: None,
    }
}
