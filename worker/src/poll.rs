//! The loop that takes jobs of one type. Whatever ends a poll, a panic included, there is a next one after a pause.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::engine::{ActivationError, ActivationRequest, Engine, Job};
use crate::executor;
use crate::intake::{Handover, fetched_variables};
use crate::metrics::JobAction;
use crate::pace::{PollEnd, Polling};
use crate::random;
use crate::shared::Shared;
use crate::status::Status;
use crate::stop::Stop;

/// Ids of hand-outs, over all loops of this process.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// How often a loop without a free place looks whether it should stop or report.
const TURN: Duration = Duration::from_secs(30);

/// The same failure is logged at most so often.
const REPEAT: Duration = Duration::from_mins(1);

/// While an overloaded engine has reports outstanding, the next poll waits in steps of this length.
const SETTLING_FIRST: Duration = Duration::from_secs(1);

/// So many steps at most: only a poll shows that the engine has recovered.
const SETTLING_STEPS: u32 = 30;

/// An engine that asks for a longer pause gets this one, and is asked again.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What one activation came to.
struct Poll {
    arrived: usize,
    end: PollEnd,
    error: Option<ActivationError>,
    /// The engine's own wish for the pause.
    at_least: Duration,
}

/// Failures are logged when they begin, when they change, once a minute while they last, and when they end.
#[derive(Default)]
struct FailureLog {
    last: Option<(String, Instant)>,
    failures: u32,
}

impl FailureLog {
    fn note(&mut self, job_type: &str, well: bool, error: Option<&ActivationError>, pause: Duration) {
        let Some(error) = error else {
            if self.failures > 0 {
                tracing::info!(
                    jobType = job_type,
                    "polling for jobs works again; failed polls before: {}",
                    self.failures
                );
            }
            *self = Self::default();
            return;
        };
        // A poll that a proxy has cut is not counted: no jobs were there.
        self.failures += u32::from(!well);
        let words = error.to_string();
        let known = self
            .last
            .as_ref()
            .is_some_and(|(last, at)| *last == words && at.elapsed() < REPEAT);
        if !known {
            let pause = pause.as_millis();
            match well {
                true => tracing::info!(jobType = job_type, "a poll for jobs ended early: {words}"),
                false => tracing::warn!(jobType = job_type, "cannot take jobs: {words}; retrying in {pause} ms"),
            }
            self.last = Some((words, Instant::now()));
        }
    }
}

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopEnd {
    /// Told to stop, or with `once`: a list was empty.
    Done,
    /// With `once`: no activation ended well for 30 s.
    NoEngine,
}

pub(crate) struct PollLoop<E> {
    pub(crate) shared: Arc<Shared<E>>,
    pub(crate) status: Arc<Status>,
    pub(crate) number: usize,
    pub(crate) job_type: String,
    pub(crate) stop: watch::Receiver<Stop>,
}

/// With `once`, how long the engine may be away.
const ONCE_PATIENCE: Duration = Duration::from_secs(30);

impl<E: Engine> PollLoop<E> {
    /// Polls until told to stop, and then waits for the jobs that it has taken.
    pub(crate) async fn run(mut self) -> LoopEnd {
        let mut jobs = JoinSet::new();
        let end = self.poll(&mut jobs).await;
        self.status.stopped(self.number);
        while jobs.join_next().await.is_some() {}
        end
    }

    async fn poll(&mut self, jobs: &mut JoinSet<()>) -> LoopEnd {
        let settings = self.shared.settings.clone();
        let mut polling = Polling::new(settings.request_timeout);
        let at_most = (settings.max_jobs / settings.job_types.len().max(1)).max(1);
        let mut log = FailureLog::default();
        // Since when every activation has failed.
        let mut failing: Option<Instant> = None;
        while *self.stop.borrow() == Stop::Run {
            // What has ended is not kept.
            while jobs.try_join_next().is_some() {}
            let shared = Arc::clone(&self.shared);
            let freed = shared.freed.notified();
            let asked = shared.permits().ask(at_most);
            self.status.turned(self.number, asked == 0);
            if asked == 0 {
                tokio::select! {
                    () = freed => {}
                    () = tokio::time::sleep(TURN) => {}
                    _ = self.stop.changed() => {}
                }
                continue;
            }
            let Poll {
                arrived,
                end,
                error,
                at_least,
            } = self.activate(asked, jobs).await;
            let well = matches!(end, PollEnd::Jobs | PollEnd::Empty { .. });
            self.status.ended(self.number, well);
            failing = match well {
                true => None,
                false => failing.or(Some(Instant::now())),
            };
            if settings.once && well && arrived == 0 {
                return LoopEnd::Done;
            }
            let pause = polling.pause(end, random::number()).max(at_least);
            log.note(&self.job_type, well, error.as_ref(), pause);
            if settings.once && failing.is_some_and(|since| since.elapsed() >= ONCE_PATIENCE) {
                return LoopEnd::NoEngine;
            }
            let pause = match failing {
                // The end of the patience is not to be slept through.
                Some(since) if settings.once => pause.min(ONCE_PATIENCE.saturating_sub(since.elapsed())),
                _ => pause,
            };
            self.rest(pause).await;
            for _ in 0..SETTLING_STEPS {
                if !polling.is_overloaded() || !self.shared.has_deferred_reports() || *self.stop.borrow() != Stop::Run {
                    break;
                }
                // Reports go first: each of them ends a job, where a poll would only bring more.
                self.rest(SETTLING_FIRST).await;
            }
        }
        LoopEnd::Done
    }

    async fn rest(&mut self, pause: Duration) {
        if !pause.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.stop.changed() => {}
            }
        }
    }

    /// One activation: never abandoned, because an engine may have handed out jobs with an answer that is on its way.
    async fn activate(&self, asked: usize, jobs: &mut JoinSet<()>) -> Poll {
        let shared = &self.shared;
        let request = ActivationRequest {
            job_type: self.job_type.clone(),
            max_jobs: asked,
            // A job may come at the end of the poll.
            timeout: (shared.settings.job_timeout)
                .max(shared.longest_call.saturating_add(BESIDE_THE_CALL))
                .saturating_add(shared.settings.request_timeout.saturating_sub(SHORT_POLL)),
            request_timeout: (!shared.settings.once).then_some(shared.settings.request_timeout),
            fetch: fetched_variables(),
        };
        let asked_at = shared.clock.now();
        let began = Instant::now();
        let answer = AssertUnwindSafe(shared.engine.activate(&request)).catch_unwind().await;
        let took = began.elapsed();
        let answer = answer.unwrap_or_else(|_| {
            Err(ActivationError::Failed {
                detail: "the activation failed inside the worker".to_owned(),
            })
        });
        let arrived = match &answer {
            Ok(list) => list.len(),
            Err(_) => 0,
        };
        let first = NEXT.fetch_add(u64::try_from(arrived).unwrap_or(0), Ordering::Relaxed);
        let ids: Vec<u64> = (first..).take(arrived).collect();
        let mut permits = shared.permits();
        permits.arrived(asked, ids.iter().copied());
        shared.metrics.in_flight(permits.in_hand());
        drop(permits);
        // Places that were asked for and not filled are free for the other loops.
        shared.freed.notify_waiters();
        match answer {
            Ok(list) => {
                for (job, id) in list.into_iter().zip(ids) {
                    let handover = Handover {
                        stem: random::stem().into(),
                        asked_at,
                        timeout: request.timeout,
                        longest_call: shared.longest_call.saturating_add(MASKING),
                        random: random::number(),
                    };
                    self.start(job, id, handover, jobs);
                }
                Poll {
                    arrived,
                    end: if arrived == 0 {
                        PollEnd::Empty { took }
                    } else {
                        PollEnd::Jobs
                    },
                    error: None,
                    at_least: Duration::ZERO,
                }
            }
            Err(error) => Poll {
                arrived: 0,
                end: match &error {
                    ActivationError::Cut { .. } => PollEnd::Empty { took },
                    ActivationError::Overloaded { .. } => PollEnd::Overloaded,
                    ActivationError::Denied { .. } | ActivationError::Failed { .. } => PollEnd::Failed,
                },
                at_least: match &error {
                    ActivationError::Overloaded { retry_after, .. } => {
                        retry_after.unwrap_or_default().min(LONGEST_PAUSE)
                    }
                    _ => Duration::ZERO,
                },
                error: Some(error),
            },
        }
    }

    fn start(&self, job: Job, id: u64, handover: Handover, jobs: &mut JoinSet<()>) {
        let span = tracing::error_span!(
            target: "flow_starter_worker",
            "job",
            jobKey = job.key,
            processInstanceKey = job.process_instance_key,
            elementId = job.element_id,
        );
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        shared.jobs_in_hand().insert(id, span.clone());
        shared.metrics.job(&job.job_type, JobAction::Activated);
        let job_type = self.job_type.clone();
        let run = async move {
            let began = Instant::now();
            let run = AssertUnwindSafe(executor::run(&shared, job, id, handover, stop)).catch_unwind();
            if run.await.is_err() {
                tracing::error!(
                    "the worker failed with this job; the engine hands it out again when its timeout has passed"
                );
                shared.leave(id);
            }
            shared.jobs_in_hand().remove(&id);
            shared.metrics.time(&job_type, began.elapsed());
        };
        jobs.spawn(run.instrument(span));
    }
}

/// A poll that is no longer fits into [`BESIDE_THE_CALL`].
const SHORT_POLL: Duration = Duration::from_secs(10);

/// What the host may take beyond its limit to mask a response.
const MASKING: Duration = Duration::from_secs(2);

/// What a job is locked for beside its call: the wait for a permit, the mark, the report.
pub(crate) const BESIDE_THE_CALL: Duration = Duration::from_mins(1);
