//! When the author's expressions are asked: before the call, whether they can be evaluated at all; after it, what they say.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::Executor;
use super::ends::{Done, concluded};
use crate::answer::Answer;
use crate::attempt::Event;
use crate::engine::{Engine, Job};
use crate::expression::evaluate::{NotEvaluated, Seen, check, conclude};
use crate::fault::Fault;
use crate::intake::{Call, Intake};
use crate::outcome::{CallOutcome, Verdict};
use crate::random;
use crate::report;
use crate::shared::Shared;
use crate::stop::Stop;

/// How often a job's expressions are tried before the job is given back.
const CHECKS: u32 = 3;

/// Before a flow is started, its expressions must be such that the engine evaluates them. Says why the engine does not answer, where it
/// does not.
pub(super) async fn check_expressions<E: Engine>(
    shared: &Shared<E>,
    job: &Job,
    intake: &mut Intake,
    stop: &watch::Receiver<Stop>,
) -> Option<String> {
    if !matches!(intake.call, Call::Ready(_)) || intake.expressions.is_empty() {
        return None;
    }
    let mut tries = 1;
    loop {
        match check(shared, job, &intake.expressions).await {
            Ok(()) => return None,
            Err(NotEvaluated::Failed(what)) => {
                intake.refuse_expressions(what);
                return None;
            }
            Err(NotEvaluated::Away(why)) if tries == CHECKS || *stop.borrow() > Stop::Run => {
                tracing::warn!(jobKey = job.key, "the job is given back. {why}");
                return Some(why);
            }
            Err(NotEvaluated::Away(_)) => {}
        }
        tokio::time::sleep(shared.limits.back_off.delay(tries, random::number())).await;
        tries += 1;
    }
}

impl<'a, E: Engine> Executor<'a, E> {
    /// The author's expressions, over the response of a whole answer or over the error.
    pub(super) fn evaluate(&mut self, call: &CallOutcome<Arc<Answer>>) -> BoxFuture<'a, Done> {
        let (shared, job) = (self.shared, self.job);
        if let CallOutcome::Started { answer, .. } = call {
            self.ids = answer.ids().clone();
            self.answer = Some(Arc::clone(answer));
        } else if !self.counted {
            // Found, or refused: a call of this hand-out's own was counted when it ended.
            self.counted = true;
            let outcome = Event::Outcome(call.clone());
            shared.metrics.outcome(&outcome, self.intake.fault.as_ref());
        }
        if self.intake.expressions.is_empty() {
            return Box::pin(async { Event::Evaluated(Verdict::Default).into() });
        }
        let seen = match (call, &self.intake.fault) {
            (CallOutcome::Started { answer, whole: true }, _) => Seen::Response(Arc::clone(answer)),
            (_, Some(fault)) => Seen::Error(report::error(fault)),
            (_, None) => Seen::Error(report::error(&Fault::of_lost_call())),
        };
        let expressions = self.intake.expressions.clone();
        let result_variable = self.intake.result_variable.clone();
        Box::pin(async move {
            concluded(
                job,
                conclude(shared, job, &expressions, result_variable.as_deref(), seen).await,
            )
        })
    }
}
