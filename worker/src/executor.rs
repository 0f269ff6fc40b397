//! One handed-out job, from its arrival to its end: carries out what [`Attempt`] decides.

mod ends;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use self::ends::{Done, log_extension, log_put, lost, now_for_people, of_call, settled};
use crate::answer::{Answer, Ids};
use crate::attempt::{Action, Attempt, AttemptId, Event, ForgetReason, OutcomeVariable};
use crate::clock::wake_after;
use crate::engine::{Engine, ExtendAnswer, Job, PutAnswer, Report};
use crate::fault::{FLOW_UNKNOWN, Fault};
use crate::intake::{self, Call, Handover, Intake};
use crate::metrics::JobAction;
use crate::outcome::{CallOutcome, OutcomeState, Verdict};
use crate::pace::Entry;
use crate::random;
use crate::report::{self, MAX_BYTES, Next};
use crate::shared::{HandOutId, Shared};
use crate::stop::Stop;

type Ended = Event<Arc<Answer>>;
type Step = Action<Arc<Answer>>;

/// A request on its way, or the call. It ends in one event.
type Pending<'a> = FuturesUnordered<BoxFuture<'a, Done>>;

/// Runs the job to its end. Returns only then.
pub(crate) async fn run<E: Engine>(
    shared: &Arc<Shared<E>>,
    job: Job,
    id: HandOutId,
    handover: Handover,
    mut stop: watch::Receiver<Stop>,
) {
    let intake = intake::read(&job, handover, &shared.starter).await;
    let mut executor = Executor::new(shared, &job, id, intake);
    let (mut attempt, steps) = Attempt::new(
        executor.take_handed_out(),
        Arc::clone(&shared.limits),
        shared.clock.now(),
    );
    let mut pending = Pending::new();
    let mut wake = None;
    let mut permit = Wait::NotAsked;
    executor.begin(steps, &mut pending, &mut wake);
    // A worker that was told to stop before this job arrived gives it back.
    let mut stopping = Stop::Run;
    while !attempt.is_done() {
        let asked = *stop.borrow_and_update();
        let event = if asked > stopping {
            stopping = asked;
            executor.stopping = true;
            match asked {
                Stop::Now => Ended::StopNow,
                Stop::Gently | Stop::Run => Ended::Stop,
            }
        } else if attempt.waits_for_permit() && matches!(permit, Wait::NotAsked) {
            permit = executor.ask_for_permit();
            match permit {
                Wait::Granted => Ended::Permit,
                Wait::NotAsked | Wait::Queued(_) => continue,
            }
        } else {
            tokio::select! {
                biased;
                Some(done) = pending.next() => executor.keep(done),
                granted = permit.granted() => {
                    permit = Wait::Granted;
                    if granted { Ended::Permit } else { continue }
                }
                () = sleep_until(wake) => {
                    wake = None;
                    Ended::Tick
                }
                // A sender that is gone has nothing more to say.
                Ok(()) = stop.changed() => continue,
            }
        };
        let steps = attempt.handle(event, shared.clock.now());
        executor.begin(steps, &mut pending, &mut wake);
    }
    shared.leave(id);
}

async fn sleep_until(wake: Option<std::time::Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(Instant::from_std(at)).await,
        None => std::future::pending().await,
    }
}

/// The wait for a permit to call an instance.
enum Wait {
    NotAsked,
    Queued(oneshot::Receiver<()>),
    Granted,
}

impl Wait {
    /// Whether there is a permit now. Never ends where none is waited for.
    async fn granted(&mut self) -> bool {
        match self {
            Self::Queued(receiver) => receiver.await.is_ok(),
            Self::NotAsked | Self::Granted => std::future::pending().await,
        }
    }
}

struct Executor<'a, E> {
    shared: &'a Arc<Shared<E>>,
    job: &'a Job,
    id: HandOutId,
    intake: Intake,
    /// Where the call goes, for its permit.
    instance: Option<String>,
    /// What is known of the flow, for messages.
    ids: Ids,
    /// What the engine said when it rejected a report.
    rejection: Option<String>,
    attempt: Option<AttemptId>,
    reported: Option<JobAction>,
    stopping: bool,
    /// The engine has refused the report: the job is suspended, or another's.
    superseded: bool,
    /// Whether a call was made.
    called: bool,
    /// Whether a report waits for an engine that was too busy to take it.
    deferred: bool,
}

impl<E> Drop for Executor<'_, E> {
    fn drop(&mut self) {
        if self.deferred {
            self.shared.defer(false);
        }
    }
}

impl<'a, E: Engine> Executor<'a, E> {
    fn new(shared: &'a Arc<Shared<E>>, job: &'a Job, id: HandOutId, intake: Intake) -> Self {
        let instance = match &intake.call {
            Call::Ready(call) => call.destinations().flow().map(ToString::to_string),
            Call::Impossible(_) | Call::None => None,
        };
        Self {
            shared,
            job,
            id,
            instance,
            ids: Ids::default(),
            rejection: None,
            attempt: intake.handed_out.attempt.clone(),
            intake,
            reported: None,
            stopping: false,
            superseded: false,
            called: false,
            deferred: false,
        }
    }

    fn take_handed_out(&self) -> crate::attempt::HandedOut<Arc<Answer>> {
        self.intake.handed_out.clone()
    }

    fn ask_for_permit(&self) -> Wait {
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

    /// What is kept of a step that ended.
    fn keep(&mut self, done: Done) -> Ended {
        let Done { event, fault, said } = done;
        if fault.is_some() {
            self.intake.fault = fault;
        }
        if let Event::Outcome(CallOutcome::Started { answer, .. }) = &event {
            self.ids = answer.ids().clone();
        }
        match (&event, self.reported) {
            (Event::Settled, Some(action)) => self.shared.metrics.job(&self.job.job_type, action),
            (Event::TakenOver, _) => self.superseded = true,
            _ => {}
        }
        let defers = matches!(event, Event::SettleDeferred(_));
        if defers != self.deferred {
            self.deferred = defers;
            self.shared.defer(defers);
        }
        if let (Event::SettleRejected { .. }, Some(said)) = (&event, said) {
            self.rejection = Some(said);
        }
        event
    }

    fn begin(&mut self, steps: Vec<Step>, pending: &mut Pending<'a>, wake: &mut Option<std::time::Instant>) {
        for step in steps {
            match step {
                Action::WakeAt(at) => *wake = Some(wake_after(self.shared.clock.now(), at)),
                Action::Forget(reason) => self.forget(reason),
                step => {
                    let lost = lost(&step, self.shared.clock.now());
                    let step = AssertUnwindSafe(self.request(step)).catch_unwind();
                    pending.push(Box::pin(async move { step.await.unwrap_or(lost) }));
                }
            }
        }
    }

    fn request(&mut self, step: Step) -> BoxFuture<'a, Done> {
        let (shared, job) = (self.shared, self.job);
        match step {
            Action::Mark(id) => {
                self.attempt = Some(id.clone());
                let variable = report::attempt_variable(id.as_str(), &shared.settings.name, &now_for_people());
                Box::pin(async move {
                    let answer = shared.engine.mark(job, &variable).await;
                    log_put(job, "the attempt was not written", &answer);
                    match answer {
                        PutAnswer::Done => Event::MarkAcked(id),
                        PutAnswer::Refused { .. } => Event::MarkRefused(id),
                        PutAnswer::Unanswered { .. } => Event::MarkUnanswered(id),
                    }
                    .into()
                })
            }
            Action::Check { timeout } => Box::pin(async move {
                let answer = shared.engine.check(job, timeout).await.unwrap_or(ExtendAnswer::Done);
                log_extension(job, &answer);
                Event::Checked(answer == ExtendAnswer::Done).into()
            }),
            Action::Extend { timeout } => Box::pin(async move {
                let asked_at = shared.clock.now();
                let answer = shared.engine.extend(job, timeout).await;
                log_extension(job, &answer);
                match answer {
                    ExtendAnswer::Done => Event::Extended { asked_at },
                    ExtendAnswer::Refused { .. } => Event::ExtendRefused,
                    ExtendAnswer::Unanswered { .. } => Event::ExtendUnanswered { asked_at },
                }
                .into()
            }),
            Action::Send { not_after, .. } => self.send(not_after),
            Action::Evaluate(call) => self.evaluate(&call),
            Action::Complete { answer } => {
                let variables = report::result(self.intake.result_variable.as_deref(), answer.as_deref());
                self.reported = Some(JobAction::Completed);
                Box::pin(async move {
                    settled(
                        job,
                        shared
                            .engine
                            .settle(job, Report::Complete { variables: &variables })
                            .await,
                    )
                })
            }
            Action::Fail {
                retries,
                back_off,
                outcome,
                without_body,
            } => {
                let fault = self.fault_for(&outcome);
                self.fail(fault, retries, back_off, &outcome, without_body)
            }
            Action::GiveBack {
                retries,
                back_off,
                outcome,
            } => {
                let why = match self.stopping {
                    true => "The worker is shutting down and has given the job back.",
                    false => {
                        "The worker gave the job back: it already runs as many calls to this ServiceNow instance as worker.max-jobs-per-instance allows."
                    }
                };
                self.fail(Fault::of_delay(why), retries, back_off, &outcome, false)
            }
            Action::Throw => {
                let fault = self.intake.fault.take().unwrap_or_else(Fault::of_lost_call);
                let message = report::message(&fault, OutcomeState::Reported, &self.ids, Next::Error);
                let variables = report::variables(&fault, None, false);
                self.intake.fault = Some(fault);
                self.reported = Some(JobAction::Error);
                Box::pin(async move {
                    let report = Report::Throw {
                        code: FLOW_UNKNOWN,
                        message: &message,
                        variables: &variables,
                    };
                    settled(job, shared.engine.settle(job, report).await)
                })
            }
            Action::Record(outcome) => {
                let variable = report::outcome_variable(&outcome, false);
                Box::pin(async move {
                    let answer = shared.engine.record(job, &variable).await;
                    log_put(job, "the outcome was not recorded", &answer);
                    match answer {
                        PutAnswer::Done => Event::Recorded,
                        PutAnswer::Refused { .. } => Event::RecordRefused,
                        PutAnswer::Unanswered { .. } => Event::RecordUnanswered,
                    }
                    .into()
                })
            }
            // Carried out in `begin`.
            Action::WakeAt(_) | Action::Forget(_) => Box::pin(async { Event::Tick.into() }),
        }
    }

    /// The last look at the clock, and the call.
    fn send(&mut self, not_after: crate::attempt::Time) -> BoxFuture<'a, Done> {
        let shared = self.shared;
        match std::mem::replace(&mut self.intake.call, Call::None) {
            Call::Ready(call) => {
                self.called = true;
                // Without a result variable, nothing of the response is written.
                let most = match &self.intake.result_variable {
                    Some(name) => MAX_BYTES.saturating_sub(name.len() + 8),
                    None => usize::MAX,
                };
                Box::pin(async move {
                    if shared.clock.now() > not_after {
                        return Event::Checked(false).into();
                    }
                    let name = format!("{:016x}", random::number());
                    let span = tracing::error_span!(target: "flow_starter_worker", "call", call = name);
                    // On a task of its own, so that a failure of the host's cannot take the job's end with it.
                    let starter = shared.starter.clone();
                    let calling = tokio::spawn(tracing::Instrument::instrument(
                        async move { of_call(starter.start(*call).await, most).await },
                        span,
                    ));
                    let done = calling.await.unwrap_or_else(|_| Done {
                        event: Event::Outcome(CallOutcome::Unknown),
                        fault: Some(Fault::of_lost_call()),
                        said: None,
                    });
                    shared.metrics.outcome(&done.event, done.fault.as_ref());
                    done
                })
            }
            Call::Impossible(fault) => Box::pin(async move {
                Done {
                    event: Event::Outcome(CallOutcome::NotStarted {
                        may_pass: true,
                        retry_after: None,
                    }),
                    fault: Some(fault),
                    said: None,
                }
            }),
            // The machine sends once, and only where the variables permit it.
            Call::None => Box::pin(async { Event::Checked(false).into() }),
        }
    }

    /// There are no expressions yet. A job that has one and arrives with an answer cannot be completed from it.
    fn evaluate(&mut self, call: &CallOutcome<Arc<Answer>>) -> BoxFuture<'a, Done> {
        if matches!(call, CallOutcome::NotStarted { .. } | CallOutcome::Unknown) && !self.called {
            // Found, or refused: a call of this hand-out's own was counted when it ended.
            self.shared
                .metrics
                .outcome(&Event::Outcome(call.clone()), self.intake.fault.as_ref());
        }
        let event = match (call, self.intake.expression) {
            (CallOutcome::Started { answer, .. }, Some(name)) => {
                self.ids = answer.ids().clone();
                let what = format!("The task has the header `{name}`, and this worker evaluates no expressions yet.");
                self.intake.fault = Some(Fault::of_started(what, answer));
                Event::EvaluationFailed
            }
            (CallOutcome::Started { answer, .. }, None) => {
                self.ids = answer.ids().clone();
                Event::Evaluated(Verdict::Default)
            }
            _ => Event::Evaluated(Verdict::Default),
        };
        Box::pin(async move { event.into() })
    }

    fn fault_for(&mut self, outcome: &OutcomeVariable<Arc<Answer>>) -> Fault {
        let fault = self.intake.fault.take();
        match (fault, self.rejection.take(), &outcome.response) {
            (_, Some(said), Some(answer)) => {
                Fault::of_started(format!("The engine rejected the result: {said}."), answer)
            }
            (Some(mut fault), Some(said), None) => {
                fault.what = format!("The engine rejected the report: {said}. {}", fault.what);
                fault
            }
            (Some(fault), None, _) => fault,
            (None, _, Some(answer)) => Fault::of_started("Its response was lost.".to_owned(), answer),
            (None, _, None) => match outcome.state {
                OutcomeState::NotStarted => Fault::of_delay(
                    "Nothing was sent: this failure only confirms an earlier decision to start the flow again. The next attempt starts it.",
                ),
                OutcomeState::Retry | OutcomeState::Reported | OutcomeState::Answered => Fault::of_lost_call(),
            },
        }
    }

    fn fail(
        &mut self,
        fault: Fault,
        retries: u32,
        back_off: Duration,
        outcome: &OutcomeVariable<Arc<Answer>>,
        without_body: bool,
    ) -> BoxFuture<'a, Done> {
        let (shared, job) = (self.shared, self.job);
        let next = if retries == 0 {
            Next::Incident
        } else {
            Next::Retry(retries)
        };
        let message = report::message(&fault, outcome.state, &self.ids, next);
        let variables = report::variables(&fault, Some(outcome), without_body);
        // The report may be deferred, and then made once more.
        self.intake.fault = Some(fault);
        self.reported = Some(JobAction::Failed);
        Box::pin(async move {
            let report = Report::Fail {
                retries,
                back_off,
                message: &message,
                variables: &variables,
            };
            settled(job, shared.engine.settle(job, report).await)
        })
    }

    fn forget(&self, reason: ForgetReason) {
        let attempt = self.attempt.as_ref().map(AttemptId::as_str);
        // A job that is completed from a kept answer came with an attempt that was not its own.
        let fault = self
            .intake
            .fault
            .as_ref()
            .filter(|_| self.reported != Some(JobAction::Completed));
        let outcome = match (reason, self.reported) {
            (ForgetReason::Settled, _) if self.superseded => "superseded",
            (ForgetReason::Gone, Some(JobAction::Error)) => "bpmn-error",
            (ForgetReason::Settled, Some(JobAction::Completed)) => "completed",
            (ForgetReason::Settled, Some(JobAction::Failed)) => "failed",
            (ForgetReason::Settled, Some(JobAction::Error)) => "bpmn-error",
            (ForgetReason::Settled, _) => "settled",
            (ForgetReason::Gone, _) => "gone",
            (ForgetReason::Refused, _) => "refused",
            (ForgetReason::Unanswered, _) => "unanswered",
            (ForgetReason::OutOfTime, _) => "out of time",
            (ForgetReason::Stopped, _) => "stopped",
        };
        let flow = fault.map_or("started", |fault| fault.flow.as_str());
        let flow = if self.reported.is_none() { None } else { Some(flow) };
        tracing::info!(
            attempt,
            outcome,
            flow,
            kind = fault.map(|fault| fault.kind),
            "the job's hand-out is over"
        );
    }
}
