//! The executor's reports: which message and which variables go with what was decided.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use super::Executor;
use super::ends::{Done, settled};
use crate::answer::Answer;
use crate::attempt::{ForgetReason, OutcomeVariable};
use crate::engine::{Engine, Report};
use crate::expression::result::Said;
use crate::fault::{FLOW_UNKNOWN, Fault};
use crate::metrics::JobAction;
use crate::outcome::{OutcomeState, cut};
use crate::report::{self, Next};

impl<'a, E: Engine> Executor<'a, E> {
    /// Code, message and variables of a BPMN error: the author's own, or those of an unknown outcome.
    pub(super) fn thrown(&mut self) -> (String, String, Box<RawValue>) {
        if let Said::BpmnError {
            code,
            message,
            variables,
        } = &self.spoken.said
        {
            return (code.clone(), cut(message).to_owned(), report::author(variables));
        }
        let fault = self.intake.fault.take().unwrap_or_else(Fault::of_lost_call);
        let message = report::message(&fault, OutcomeState::Reported, &self.ids, Next::Error, false);
        let variables = report::variables(&fault, None, None, false, false);
        self.intake.fault = Some(fault);
        (FLOW_UNKNOWN.to_owned(), message, variables)
    }

    pub(super) fn fault_for(&mut self, outcome: &OutcomeVariable<Arc<Answer>>) -> Fault {
        let fault = self.judged();
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

    /// The fault after the author's expressions had their say: `jobError` has words of its own, and an expression that failed explains
    /// why the job did.
    fn judged(&mut self) -> Option<Fault> {
        let fault = self.intake.fault.take();
        let what = match (&self.not_evaluated, &self.spoken.said) {
            (Some(why), _) => why,
            (None, Said::JobError { message, .. }) => message,
            (None, Said::Nothing | Said::BpmnError { .. } | Said::IgnoreError { .. }) => return fault,
        };
        if let Some(answer) = &self.answer {
            return Some(Fault::of_started(what.clone(), answer));
        }
        let mut fault = fault.unwrap_or_else(Fault::of_lost_call);
        match self.not_evaluated {
            // A report may be made twice.
            Some(_) if !fault.what.starts_with(what.as_str()) => fault.what = format!("{what} {}", fault.what),
            Some(_) => {}
            None => fault.what.clone_from(what),
        }
        Some(fault)
    }

    pub(super) fn fail(
        &mut self,
        fault: Fault,
        retries: u32,
        back_off: Duration,
        outcome: &OutcomeVariable<Arc<Answer>>,
        without_body: bool,
    ) -> BoxFuture<'a, Done> {
        let (shared, job) = (self.shared, self.job);
        let own = match &self.spoken.said {
            Said::JobError { variables, .. } => Some(variables),
            Said::Nothing | Said::BpmnError { .. } | Said::IgnoreError { .. } => None,
        };
        let judged = self.not_evaluated.is_some() || own.is_some();
        let next = match retries {
            0 if judged && outcome.state == OutcomeState::Answered => Next::Expressions,
            0 if self.intake.refused_expressions => Next::Task,
            0 => Next::Incident,
            retries => Next::Retry(retries),
        };
        let message = report::message(&fault, outcome.state, &self.ids, next, self.intake.earlier);
        let variables = report::variables(&fault, Some(outcome), own, without_body, self.intake.earlier);
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

    pub(super) fn forget(&self, reason: ForgetReason) {
        // Any text may have stood in the variable.
        let attempt = self
            .attempt
            .as_ref()
            .map(|id| flow_starter_input::message::cut(id.as_str(), 100));
        // A job that is completed from a kept answer came with an attempt that was not its own.
        let fault = self
            .intake
            .fault
            .as_ref()
            .filter(|_| self.reported != Some(JobAction::Completed) || self.answer.is_none());
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
