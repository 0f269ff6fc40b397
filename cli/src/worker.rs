//! `worker`: takes jobs until it is told to stop.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use flow_starter_host::FlowStarter;
use flow_starter_worker::management::Management;
use flow_starter_worker::metrics::Metrics;
use flow_starter_worker::{End, Stop, Worker};
use tokio::sync::watch;

use crate::arguments;
use crate::connector;
use crate::exit::{Exit, bad};
use crate::interrupt::Signals;
use crate::settings::{Resolved, Settings};
use crate::terminal::print_stderr;

/// Ends when a signal has come and the jobs in hand are done, or with `--once` when there are none.
pub(crate) async fn work(arguments: &arguments::Worker, settings: &Settings, resolved: &Resolved<'_>) -> Result<Exit> {
    settings.check_policy_is_set()?;
    let signals = Signals::listen()?;
    let management = match settings.management_address()? {
        None => None,
        Some(address) => {
            let bound = Management::bind(address).await;
            let bound = bound.map_err(|error| {
                bad(format!(
                    "cannot listen on worker.management-address {address} ({error}): use --management-address 127.0.0.1:0 for any free port, or `none` to turn it off"
                ))
            })?;
            // The first line, at every log level: who starts a worker with port 0 has to find it.
            print_stderr(&format!(
                "management: http://{}\n",
                bound.address().context("the management address")?
            ));
            Some(bound)
        }
    };
    let own = settings.worker(&resolved.limits, arguments.once)?;
    let metrics = Arc::new(Metrics::new());
    let cluster = settings.cluster(&metrics)?;
    if let Err(missing) = resolved.check_secrets_are_there().await {
        tracing::warn!("{missing:#}; jobs that use it fail until it exists");
    }
    let calls = u32::try_from(own.max_jobs).unwrap_or(u32::MAX);
    let egress = resolved.egress()?;
    let engine = connector::engine_for(resolved, calls)?;
    let component = connector::connector(resolved, &engine).await?;
    let starter = FlowStarter::new(component, egress).secrets(resolved.secrets.clone());
    tracing::info!(
        "taking jobs of {}, {} at a time, {} for each ServiceNow instance",
        own.job_types.join(", "),
        own.max_jobs,
        own.max_jobs_per_instance
    );
    let worker = Worker::new(cluster, starter, own, Arc::clone(&metrics), resolved.limits.wall_clock);
    let (stop, stopped) = watch::channel(Stop::Run);
    let status = worker.status();
    let serving = management.map(|management| tokio::spawn(management.serve(metrics, status)));
    let listening = tokio::spawn(pass_on(signals, stop));
    let end = worker.run(stopped).await;
    listening.abort();
    if let Some(serving) = serving {
        serving.abort();
    }
    Ok(match end {
        End::Stopped => Exit::Success,
        End::Forced => {
            tracing::warn!(
                "ended without waiting for jobs in hand or on their way here: the cluster hands them out again when their timeout has passed"
            );
            Exit::Internal
        }
        End::NoEngine => return Err(anyhow::anyhow!("no poll for jobs succeeded in 30 s: see the log above")),
    })
}

/// The first signal stops the worker gently, the second one at once.
async fn pass_on(mut signals: Signals, stop: watch::Sender<Stop>) {
    signals.next().await;
    stop.send_replace(Stop::Gently);
    signals.next().await;
    stop.send_replace(Stop::Now);
    std::future::pending().await
}

/// A thread for each processor.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
}
