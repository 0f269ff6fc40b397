//! The handle that a test holds. The cluster runs on a thread and a runtime of its own.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::call::Call;
use crate::core::Core;
use crate::error::StartError;
use crate::evaluation::{Evaluated, Evaluation};
use crate::fault_handle::FaultHandle;
use crate::faults::{Fault, Times};
use crate::job::{JobSnapshot, JobSpec};
use crate::keys::{JobKey, ProcessInstanceKey};
use crate::options::{Options, Transport, Version};
use crate::record::Recorded;
use crate::serving::Serving;
use crate::settle::Refusal;
use crate::tls::{self, Certificates};

/// A running test cluster. It stops when it is dropped, and with it everything that a client still waits for.
///
/// Every method but those that wait (`async`, or `block_…`) returns at once. None may be called by the observer.
pub struct Cluster {
    pub(crate) serving: Arc<Serving>,
    pub(crate) runtime: Handle,
    certificates: Certificates,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Cluster {
    /// Starts one. It answers from the moment this returns.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let transport = options.transport;
        let (config, certificates) = match transport {
            Transport::Http => (None, Certificates::default()),
            _ => {
                let (config, certificates) = tls::prepare(transport == Transport::MutualTls)?;
                (Some(config), certificates)
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        let core = Arc::new(Core::new(options));
        let serving = Arc::new(Serving::new(Arc::clone(&core), config)?);
        serving.listen()?;
        tokio::spawn(core.keep_time());
        drop(inside);
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("camunda-test-cluster".to_owned())
            .spawn(move || {
                let _either_way_it_ends = runtime.block_on(stopped);
                // An evaluator that never returns must not keep the test from ending.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            serving,
            runtime: handle,
            certificates,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.serving.core
    }

    /// Runs something on the cluster's own thread and waits for it.
    pub(crate) fn run<T: Send + 'static>(&self, act: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (done, wait) = mpsc::channel();
        // Not `block_on`, which panics in a caller that is asynchronous itself.
        self.runtime.spawn(async move {
            let _gone_already = done.send(act.await);
        });
        wait.recv().ok()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.serving.address
    }

    /// The REST address without `/v2`: `http://127.0.0.1:PORT`, with the prefix if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.core().options.prefix)
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/oauth/token", self.origin())
    }

    fn origin(&self) -> String {
        let scheme = match self.core().options.transport {
            Transport::Http => "http",
            _ => "https",
        };
        format!("{scheme}://{}", self.address())
    }

    /// The version that it speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.core().options.version
    }

    /// What a client needs for HTTPS; empty without.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    // Jobs

    /// A token reaches a service task: there is a job.
    pub fn create_job(&self, spec: JobSpec) -> JobKey {
        self.core().with(|state| state.create(spec))
    }

    /// A job as it is now.
    #[must_use]
    pub fn job(&self, key: JobKey) -> Option<JobSnapshot> {
        self.core().with(|state| state.snapshot(key))
    }

    /// All jobs, in the order in which they were made.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobSnapshot> {
        self.core().with(|state| {
            let keys = state.jobs.keys();
            keys.filter_map(|key| state.snapshot(*key)).collect()
        })
    }

    /// Forgets the jobs that have ended, and says how many that were. To a worker they are what they were before: gone (404).
    pub fn forget_ended_jobs(&self) -> usize {
        self.core().with(|state| state.forget_ended())
    }

    /// A person resolves the job's incident, after setting its retries if they are given.
    pub fn resolve_incident(&self, key: JobKey, retries: Option<i32>) -> Result<(), Refusal> {
        self.core().with(|state| state.resolve(key, retries))
    }

    /// A job that a worker has can be handed out once more.
    pub fn hand_out_twice(&self, key: JobKey) -> Result<(), Refusal> {
        self.core().with(|state| state.hand_out_twice(key))
    }

    /// Ends the lock or the back-off of this job alone. False: it has none.
    pub fn expire(&self, key: JobKey) -> bool {
        self.core().with(|state| state.free(key))
    }

    /// Suspends a process instance (8.10).
    pub fn suspend(&self, instance: ProcessInstanceKey) -> Result<(), Refusal> {
        let version = self.version();
        self.core().with(|state| state.suspend(version, instance, true))
    }

    /// Resumes a process instance (8.10).
    pub fn resume(&self, instance: ProcessInstanceKey) -> Result<(), Refusal> {
        let version = self.version();
        self.core().with(|state| state.suspend(version, instance, false))
    }

    /// Cancels a process instance.
    pub fn cancel(&self, instance: ProcessInstanceKey) -> Result<(), Refusal> {
        self.core().with(|state| state.cancel(instance))
    }

    /// Moves the cluster's clock: locks, back-offs and tokens that end by then end at once. Pending polls go on in real time.
    pub fn advance(&self, by: Duration) {
        self.core().with(|state| {
            state.clock.advance(by);
            state.expire();
            // Whoever sleeps until the next expiry has to look again.
            state.revision += 1;
        });
    }

    /// 8.10 during a rolling upgrade: leases that are asked for come as null.
    pub fn set_null_leases(&self, null_leases: bool) {
        self.core().with(|state| state.null_leases = null_leases);
    }

    /// Evaluates expressions with this. It may block.
    pub fn set_evaluator(&self, evaluate: impl Fn(&Evaluation) -> Evaluated + Send + Sync + 'static) {
        self.core().set_evaluator(Some(Arc::new(evaluate)));
    }

    // Faults

    /// The next requests of this kind go wrong. Faults that were set earlier come first.
    pub fn fault(&self, call: Call, times: Times, fault: Fault) -> FaultHandle {
        let id = self.core().faults.set(call, times, fault);
        FaultHandle::new(Arc::clone(self.core()), self.runtime.clone(), id)
    }

    /// No fault is left, and what they hold is released. Requests kept to be delivered later stay.
    pub fn clear_faults(&self) {
        self.core().faults.clear();
        self.core().wake();
    }

    // Connections

    /// Refuses new connections, at the same port, and drops the open ones.
    pub fn stop(&self) {
        let serving = Arc::clone(&self.serving);
        self.run(async move {
            serving.stop_listening().await;
            serving.drop_connections(None).await;
        });
    }

    /// Accepts connections again. Jobs are as they were.
    pub fn resume_listening(&self) -> Result<(), StartError> {
        let serving = Arc::clone(&self.serving);
        let listening = self.run(async move { serving.listen() });
        listening.unwrap_or_else(|| Err(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(())
    }

    /// Drops every connection, the pending polls with them. Jobs are as they were.
    pub fn restart(&self) -> Result<(), StartError> {
        self.stop();
        self.resume_listening()
    }

    /// Drops the open connections; new ones are accepted.
    pub fn drop_connections(&self) {
        let serving = Arc::clone(&self.serving);
        self.run(async move { serving.drop_connections(None).await });
    }

    /// The open connections swallow everything from now on, and are never closed; new ones work.
    pub fn black_hole_connections(&self) {
        self.serving.black_hole();
    }

    /// New connections swallow everything as well, until this is called with false.
    pub fn black_hole_new_connections(&self, deaf: bool) {
        self.serving.set_deaf(deaf);
    }

    /// How many connections were accepted since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.serving.accepted()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.serving.open()
    }

    // Credentials

    /// Every token that was issued is refused from now on.
    pub fn revoke_tokens(&self) {
        self.core().tokens().revoke();
    }

    /// How long the tokens live that are issued from now on (300 s unless set), by the cluster's clock.
    pub fn set_token_life(&self, life: Duration) {
        self.core().tokens().life = life;
    }

    /// The `expires_in` of the token answers, whatever their life; null: none is stated.
    pub fn set_expires_in(&self, expires_in: Value) {
        self.core().tokens().stated = Some(expires_in);
    }

    /// The tenants that the client is assigned to from now on.
    pub fn assign_tenants(&self, tenants: &[&str]) {
        *self.core().tenants() = tenants.iter().map(|&tenant| tenant.to_owned()).collect();
    }

    // The record

    /// Every request received since the start or the last [`Self::clear_requests`], in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        let mut all = self.core().log.requests(Call::Any);
        all.extend(self.core().log.requests(Call::Token));
        all.sort_by_key(|request| request.number);
        all
    }

    /// The requests of one kind.
    #[must_use]
    pub fn requests_of(&self, call: Call) -> Vec<Recorded> {
        self.core().log.requests(call)
    }

    /// How many requests of one kind were received.
    #[must_use]
    pub fn count(&self, call: Call) -> usize {
        self.core().log.count(call)
    }

    /// Forgets the requests.
    pub fn clear_requests(&self) {
        self.core().log.clear();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An observer that panicked has said so already.
            let _panicked = thread.join();
        }
    }
}
