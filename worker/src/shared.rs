//! What all jobs and polls of a worker share.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flow_starter_host::FlowStarter;
use tokio::sync::{Notify, oneshot};

use crate::attempt::Limits;
use crate::clock::Clock;
use crate::expression::evaluate::Known;
use crate::metrics::Metrics;
use crate::pace::Permits;
use crate::worker::Settings;

/// Names a hand-out within this process.
pub(crate) type HandOutId = u64;

pub(crate) struct Shared<E> {
    pub(crate) engine: E,
    pub(crate) starter: FlowStarter,
    pub(crate) settings: Settings,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    /// The host's limit on the wall-clock time of a call.
    pub(crate) longest_call: Duration,
    pub(crate) expressions: Known,
    permits: Mutex<Waiting>,
    /// A place has become free.
    pub(crate) freed: Notify,
    /// Reports that the engine has not taken yet.
    deferred: AtomicUsize,
}

/// The permits, and who waits for one.
#[derive(Debug)]
struct Waiting {
    permits: Permits<HandOutId, String>,
    waiting: HashMap<HandOutId, oneshot::Sender<()>>,
}

/// The permits, locked.
pub(crate) struct Locked<'a>(MutexGuard<'a, Waiting>);

impl Deref for Locked<'_> {
    type Target = Permits<HandOutId, String>;

    fn deref(&self) -> &Self::Target {
        &self.0.permits
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0.permits
    }
}

impl Locked<'_> {
    /// Wakes this hand-out when it gets its permit.
    pub(crate) fn wake(&mut self, id: HandOutId, sender: oneshot::Sender<()>) {
        self.0.waiting.insert(id, sender);
    }
}

impl<E> Shared<E> {
    pub(crate) fn new(
        engine: E,
        starter: FlowStarter,
        settings: Settings,
        metrics: Arc<Metrics>,
        longest_call: Duration,
    ) -> Self {
        let permits = Permits::new(settings.max_jobs, settings.max_jobs_per_instance);
        Self {
            engine,
            starter,
            settings,
            limits: Arc::new(Limits::default()),
            clock: Clock::start(),
            metrics,
            longest_call,
            expressions: Known::default(),
            permits: Mutex::new(Waiting {
                permits,
                waiting: HashMap::new(),
            }),
            freed: Notify::new(),
            deferred: AtomicUsize::new(0),
        }
    }

    /// Whether reports wait for an engine that was too busy to take them.
    pub(crate) fn has_deferred_reports(&self) -> bool {
        self.deferred.load(Ordering::Relaxed) > 0
    }

    /// A report waits from now on, or no longer.
    pub(crate) fn defer(&self, waits: bool) {
        if waits {
            self.deferred.fetch_add(1, Ordering::Relaxed);
        } else {
            self.deferred.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn permits(&self) -> Locked<'_> {
        Locked(self.permits.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A hand-out is over: its permit goes to the one that has waited longest for it.
    pub(crate) fn leave(&self, id: HandOutId) {
        let mut permits = self.permits();
        permits.0.waiting.remove(&id);
        let mut next = permits.leave(&id);
        // One that is gone by now passes the permit on.
        while let Some(id) = next {
            let sender = permits.0.waiting.remove(&id);
            next = match sender.map(|sender| sender.send(())) {
                Some(Ok(())) => None,
                Some(Err(())) | None => permits.leave(&id),
            };
        }
        self.metrics.in_flight(permits.in_hand());
        drop(permits);
        self.freed.notify_waiters();
        self.freed.notify_one();
    }
}
