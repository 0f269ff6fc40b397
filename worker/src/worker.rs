//! The worker: polls for jobs, runs them, and stops when it is told to.

use std::sync::Arc;
use std::time::Duration;

use flow_starter_host::FlowStarter;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::poll::{BESIDE_THE_CALL, LoopEnd, PollLoop};
use crate::shared::Shared;
use crate::status::Status;
use crate::stop::Stop;

/// The settings of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The worker's name, in the attempts that it marks.
    pub name: String,
    /// The job types to take. One poll loop for each.
    pub job_types: Vec<String>,
    /// The most jobs in hand.
    pub max_jobs: usize,
    /// The most calls at once to one ServiceNow instance.
    pub max_jobs_per_instance: usize,
    /// How long the engine may hold a poll.
    pub request_timeout: Duration,
    /// For how long jobs are locked at least. Never less than the longest call and a minute.
    pub job_timeout: Duration,
    /// How long jobs in hand may take after [`Stop::Gently`]. Never less than a poll takes.
    pub shutdown_timeout: Duration,
    /// Take jobs until there are none, and end.
    pub once: bool,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As told, with no job in hand.
    Stopped,
    /// With jobs in hand: told so, or the shutdown timeout has passed.
    Forced,
    /// With [`Settings::once`]: no activation ended well for 30 s.
    NoEngine,
}

/// A job worker for one engine.
pub struct Worker<E> {
    shared: Arc<Shared<E>>,
    status: Arc<Status>,
}

/// How long jobs in hand may take to end their hand-outs once the worker's end is forced. They send nothing more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A request to the engine is cut off after its long poll and so much more.
const BESIDE_THE_POLL: Duration = Duration::from_secs(10);

impl<E: Engine> Worker<E> {
    /// `longest_call` is the host's limit on the wall-clock time of a call.
    pub fn new(
        engine: E,
        starter: FlowStarter,
        settings: Settings,
        metrics: Arc<Metrics>,
        longest_call: Duration,
    ) -> Self {
        let status = Status::new(settings.job_types.len(), settings.request_timeout);
        let least = longest_call.saturating_add(BESIDE_THE_CALL);
        if settings.job_timeout < least {
            tracing::info!(
                "jobs are locked for {} s, the longest call plus one minute: the configured {} s are too short",
                least.as_secs(),
                settings.job_timeout.as_secs()
            );
        }
        metrics.begin(&settings.job_types);
        let shared = Shared::new(engine, starter, settings, metrics, longest_call);
        Self {
            shared: Arc::new(shared),
            status,
        }
    }

    /// Whether the worker takes jobs, and whether it is alive.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }

    /// Works until told to stop.
    pub async fn run(self, mut asked: watch::Receiver<Stop>) -> End {
        let mut loops = JoinSet::new();
        // The shutdown timeout tells the jobs, too.
        let (tell, stop) = watch::channel(*asked.borrow());
        for (number, job_type) in self.shared.settings.job_types.iter().enumerate() {
            let poll_loop = PollLoop {
                shared: Arc::clone(&self.shared),
                status: Arc::clone(&self.status),
                number,
                job_type: job_type.clone(),
                stop: stop.clone(),
            };
            loops.spawn(poll_loop.run());
        }
        let greeting = tokio::spawn(greet(Arc::clone(&self.shared)));
        let mut end = End::Stopped;
        let mut deadline = None;
        loop {
            let late = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = loops.join_next() => match ended {
                    None => break,
                    Some(Ok(LoopEnd::Done)) => {}
                    Some(Ok(LoopEnd::NoEngine)) => end = End::NoEngine,
                    Some(Err(error)) => {
                        tracing::error!("a poll loop failed: {error}");
                        end = End::Forced;
                    }
                },
                () = late => {
                    tracing::warn!("the shutdown timeout has passed");
                    end = End::Forced;
                    break;
                }
                Ok(()) = asked.changed() => match *asked.borrow_and_update() {
                    Stop::Run => {}
                    Stop::Gently => {
                        tell.send_replace(Stop::Gently);
                        tracing::info!(jobs = self.shared.permits().in_hand(), "shutting down: no more jobs are taken");
                        let poll = self.shared.settings.request_timeout.saturating_add(BESIDE_THE_POLL);
                        let time = self.shared.settings.shutdown_timeout.max(poll);
                        deadline = Some(tokio::time::Instant::now() + time);
                    }
                    Stop::Now => {
                        end = End::Forced;
                        break;
                    }
                },
            }
        }
        greeting.abort();
        if end == End::Forced {
            self.leave_jobs();
            tell.send_replace(Stop::Now);
            let ended = async { while loops.join_next().await.is_some() {} };
            let _late = tokio::time::timeout(LAST_WORDS, ended).await;
        }
        end
    }

    /// One line for each job, by which a person finds it again.
    fn leave_jobs(&self) {
        for span in self.shared.jobs_in_hand().values() {
            span.in_scope(|| {
                tracing::warn!(
                    "the worker ends with this job in hand: the engine hands it out again when its timeout has passed; if its call was sent, its outcome is then unknown"
                );
            });
        }
    }
}

/// Says once which engine it is. Jobs are asked for meanwhile.
async fn greet<E: Engine>(shared: Arc<Shared<E>>) {
    let mut told = false;
    let mut pause = Duration::from_secs(1);
    loop {
        match shared.engine.version().await {
            Ok(version) => {
                tracing::info!("connected to the engine, version {version}");
                return;
            }
            Err(why) if !told => {
                tracing::warn!("the engine does not answer yet: {why}; retrying");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(Duration::from_mins(1));
    }
}
