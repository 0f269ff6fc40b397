//! Waiting without polling: for a job, for a request, for anything.
//!
//! Each comes as `async fn`, for any runtime, and as `block_…`, for a thread that may stand still.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::call::Call;
use crate::cluster::Cluster;
use crate::core::Core;
use crate::error::TimedOut;
use crate::job::{JobSnapshot, JobState};
use crate::keys::JobKey;
use crate::record::Recorded;

/// What the failure of a wait shows of the requests.
const SHOWN_REQUESTS: usize = 20;

/// Looks again after each change, until there is something.
pub(crate) async fn until<T>(core: &Core, mut look: impl FnMut(&Core) -> Option<T>) -> Option<T> {
    let mut changes = core.changes();
    loop {
        changes.mark_unchanged();
        if let Some(found) = look(core) {
            return Some(found);
        }
        if changes.changed().await.is_err() {
            return None;
        }
    }
}

/// The same with an end.
async fn within<T>(core: Arc<Core>, awaited: String, look: impl FnMut(&Core) -> Option<T>) -> Result<T, TimedOut> {
    let patience = core.options.patience;
    match tokio::time::timeout(patience, until(&core, look)).await {
        Ok(Some(found)) => Ok(found),
        _ => Err(timed_out(&core, awaited, patience)),
    }
}

fn timed_out(core: &Core, awaited: String, patience: Duration) -> TimedOut {
    TimedOut {
        awaited,
        patience,
        seen: seen(core),
    }
}

/// The jobs' histories and the latest requests.
fn seen(core: &Core) -> String {
    let histories = core.with(|state| {
        let changes = state.jobs.values().flat_map(|job| &job.history);
        changes.map(|change| format!("  {change}\n")).collect::<String>()
    });
    let mut requests = core.log.requests(Call::Any);
    let old = requests.len().saturating_sub(SHOWN_REQUESTS);
    let lines: String = requests
        .drain(old..)
        .map(|request| {
            let answered = request
                .answered
                .map_or("no answer".to_owned(), |status| status.to_string());
            format!("  {} {} -> {answered}\n", request.method, request.target)
        })
        .collect();
    format!("jobs:\n{histories}the latest requests:\n{lines}")
}

/// On the cluster's runtime, so that any runtime may wait, or none.
pub(crate) async fn wait<T: Send + 'static>(
    core: &Arc<Core>,
    runtime: &Handle,
    awaited: String,
    look: impl FnMut(&Core) -> Option<T> + Send + 'static,
) -> Result<T, TimedOut> {
    let (done, result) = oneshot::channel();
    let (own, name) = (Arc::clone(core), awaited.clone());
    runtime.spawn(async move {
        let _gone_already = done.send(within(own, name, look).await);
    });
    match result.await {
        Ok(result) => result,
        Err(_) => Err(timed_out(core, awaited, Duration::ZERO)),
    }
}

impl Cluster {
    /// Waits until something holds of a job.
    pub async fn wait_until(
        &self,
        key: JobKey,
        holds: impl FnMut(&JobSnapshot) -> bool + Send + 'static,
    ) -> Result<JobSnapshot, TimedOut> {
        let (awaited, look) = job(key, holds);
        wait(self.core(), &self.runtime, awaited, look).await
    }

    /// As [`Self::wait_until`], for a caller that is not asynchronous.
    pub fn block_until(
        &self,
        key: JobKey,
        holds: impl FnMut(&JobSnapshot) -> bool + Send + 'static,
    ) -> Result<JobSnapshot, TimedOut> {
        let (awaited, look) = job(key, holds);
        self.block(awaited, look)
    }

    /// Waits until the job is completed.
    pub async fn completed(&self, key: JobKey) -> Result<JobSnapshot, TimedOut> {
        self.wait_until(key, |job| job.state == JobState::Completed).await
    }

    /// Waits until the job has an incident.
    pub async fn incident(&self, key: JobKey) -> Result<JobSnapshot, TimedOut> {
        self.wait_until(key, |job| matches!(job.state, JobState::Incident { .. }))
            .await
    }

    /// Waits for the `n`-th request of a kind (from 1) since the start or the last [`Self::clear_requests`]. It may not be
    /// answered yet.
    pub async fn nth_request(&self, call: Call, n: usize) -> Result<Recorded, TimedOut> {
        let (awaited, look) = nth(call, n);
        wait(self.core(), &self.runtime, awaited, look).await
    }

    /// As [`Self::nth_request`], for a caller that is not asynchronous.
    pub fn block_nth_request(&self, call: Call, n: usize) -> Result<Recorded, TimedOut> {
        let (awaited, look) = nth(call, n);
        self.block(awaited, look)
    }

    /// Waits until the `n`-th request of a kind is answered.
    pub async fn nth_answer(&self, call: Call, n: usize) -> Result<Recorded, TimedOut> {
        let look = move |core: &Core| core.log.nth(call, n).filter(|request| request.answered.is_some());
        let awaited = format!("answer {n} to {}", call.name());
        wait(self.core(), &self.runtime, awaited, look).await
    }

    /// Waits for the `n`-th connection (from 1) since the start.
    pub async fn nth_connection(&self, n: u64) -> Result<(), TimedOut> {
        let serving = Arc::clone(&self.serving);
        let look = move |_: &Core| (serving.accepted() >= n).then_some(());
        wait(self.core(), &self.runtime, format!("connection {n}"), look).await
    }

    /// Waits until every job has ended.
    pub async fn all_ended(&self) -> Result<(), TimedOut> {
        let look = |core: &Core| core.with(|state| state.live.is_empty()).then_some(());
        wait(self.core(), &self.runtime, "the end of every job".to_owned(), look).await
    }

    /// Waits until something holds of all jobs. With a thousand jobs, [`Self::all_ended`] costs far less.
    pub async fn wait_until_jobs(
        &self,
        mut hold: impl FnMut(&[JobSnapshot]) -> bool + Send + 'static,
    ) -> Result<Vec<JobSnapshot>, TimedOut> {
        let look = move |core: &Core| {
            let jobs: Vec<_> = core.with(|state| {
                let keys = state.jobs.keys();
                keys.filter_map(|key| state.snapshot(*key)).collect()
            });
            hold(&jobs).then_some(jobs)
        };
        wait(self.core(), &self.runtime, "something of all jobs".to_owned(), look).await
    }

    fn block<T: Send + 'static>(
        &self,
        awaited: String,
        look: impl FnMut(&Core) -> Option<T> + Send + 'static,
    ) -> Result<T, TimedOut> {
        let result = self.run(within(Arc::clone(self.core()), awaited.clone(), look));
        result.unwrap_or_else(|| Err(timed_out(self.core(), awaited, Duration::ZERO)))
    }
}

fn job(
    key: JobKey,
    mut holds: impl FnMut(&JobSnapshot) -> bool + Send + 'static,
) -> (String, impl FnMut(&Core) -> Option<JobSnapshot> + Send + 'static) {
    let look = move |core: &Core| core.with(|state| state.snapshot(key)).filter(|job| holds(job));
    (format!("a state of job {key}"), look)
}

fn nth(call: Call, n: usize) -> (String, impl FnMut(&Core) -> Option<Recorded> + Send + 'static) {
    let look = move |core: &Core| core.log.nth(call, n);
    (format!("request {n} of {}", call.name()), look)
}
