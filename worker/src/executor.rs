//! One handed-out job, from its arrival to its end: carries out what [`Attempt`] decides.

mod ends;
mod expressions;
mod reporting;
mod wait;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;

use self::ends::{Done, log_extension, log_put, lost, now_for_people, of_call, settled};
use self::expressions::check_expressions;
use self::wait::{Wait, sleep_until};
use crate::answer::{Answer, Ids};
use crate::attempt::{Action, Attempt, AttemptId, Event};
use crate::clock::wake_after;
use crate::engine::{Engine, ExtendAnswer, Job, PutAnswer, Report};
use crate::expression::evaluate::Spoken;
use crate::expression::result::Said;
use crate::fault::Fault;
use crate::intake::{self, Call, Handover, Intake};
use crate::metrics::JobAction;
use crate::outcome::CallOutcome;
use crate::random;
use crate::report::{self, MAX_BYTES};
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
    let mut intake = intake::read(&job, handover, &shared.starter).await;
    let away = check_expressions(shared, &job, &mut intake, &stop).await;
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
    if away.is_some() {
        executor.away = away;
        let steps = attempt.handle(Ended::Stop, shared.clock.now());
        executor.begin(steps, &mut pending, &mut wake);
    }
    // A worker that was told to stop before this job arrived gives it back.
    let mut stopping = Stop::Run;
    while !attempt.is_done() {
        let asked = *stop.borrow_and_update();
        let event = if asked > stopping {
            stopping = asked;
            executor.stopping = true;
            match asked {
                Stop::Now => Ended::StopNow,
                // Nobody waits for an evaluator until the shutdown timeout: what is known would be lost.
                Stop::Gently | Stop::Run if executor.evaluator_away => Ended::EvaluationFailed,
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
    /// Why the engine evaluates no expressions, where it did not before the call.
    away: Option<String>,
    /// What is known of a started flow.
    answer: Option<Arc<Answer>>,
    /// What the author's expressions gave.
    spoken: Spoken,
    /// Why they gave nothing.
    not_evaluated: Option<String>,
    /// Another evaluation follows: the last one had no answer.
    evaluator_away: bool,
    /// The engine has refused the report: the job is suspended, or another's.
    superseded: bool,
    /// Whether the call's outcome was counted.
    counted: bool,
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
            away: None,
            answer: None,
            spoken: Spoken::default(),
            not_evaluated: None,
            evaluator_away: false,
            superseded: false,
            counted: false,
            deferred: false,
        }
    }

    fn take_handed_out(&self) -> crate::attempt::HandedOut<Arc<Answer>> {
        self.intake.handed_out.clone()
    }

    /// What is kept of a step that ended.
    fn keep(&mut self, done: Done) -> Ended {
        let Done {
            event,
            fault,
            said,
            spoken,
        } = done;
        if fault.is_some() {
            self.intake.fault = fault;
        }
        match spoken {
            Some(Ok(spoken)) => {
                self.not_evaluated = None;
                self.spoken = spoken;
            }
            Some(Err(why)) => self.not_evaluated = Some(why),
            None => {}
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
            // The author's own words and variables may be what the engine rejects.
            self.spoken.said = Said::Nothing;
        }
        self.evaluator_away = matches!(event, Event::EvaluatorAway);
        match event {
            Event::EvaluatorAway if self.stopping => Event::EvaluationFailed,
            event => event,
        }
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
                let variables = match &self.spoken.said {
                    Said::IgnoreError { variables } => report::author(variables),
                    Said::Nothing | Said::BpmnError { .. } | Said::JobError { .. } => report::result(
                        self.intake.result_variable.as_deref(),
                        answer.as_deref(),
                        self.spoken.result.as_ref(),
                    ),
                };
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
                let why = match (&self.away, self.stopping) {
                    (Some(away), _) => format!("The worker gave the job back. {away}"),
                    (None, true) => "The worker is shutting down and has given the job back.".to_owned(),
                    (None, false) => {
                        "The worker gave the job back: it already runs as many calls to this ServiceNow instance as worker.max-jobs-per-instance allows."
                            .to_owned()
                    }
                };
                self.fail(Fault::of_delay(&why), retries, back_off, &outcome, false)
            }
            Action::Throw => {
                let (code, message, variables) = self.thrown();
                self.reported = Some(JobAction::Error);
                Box::pin(async move {
                    let report = Report::Throw {
                        code: &code,
                        message: &message,
                        variables: &variables,
                    };
                    settled(job, shared.engine.settle(job, report).await)
                })
            }
            Action::Record(outcome) => {
                let variable = report::outcome_variable(&outcome, false, self.intake.earlier);
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
                self.counted = true;
                // Without a result variable and expressions, nobody gets the response.
                let most = match &self.intake.result_variable {
                    Some(name) => MAX_BYTES.saturating_sub(name.len() + 8),
                    None if self.intake.expressions.is_empty() => usize::MAX,
                    None => MAX_BYTES,
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
                        fault: Some(Fault::of_lost_call()),
                        ..Event::Outcome(CallOutcome::Unknown).into()
                    });
                    shared.metrics.outcome(&done.event, done.fault.as_ref());
                    done
                })
            }
            Call::Impossible(fault) => Box::pin(async move {
                Done {
                    fault: Some(fault),
                    ..Event::Outcome(CallOutcome::NotStarted {
                        may_pass: true,
                        retry_after: None,
                    })
                    .into()
                }
            }),
            // The machine sends once, and only where the variables permit it.
            Call::None => Box::pin(async { Event::Checked(false).into() }),
        }
    }
}
