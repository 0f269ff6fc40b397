//! A Camunda 8 Orchestration Cluster over its REST API.
//!
//! | module | subject |
//! |---|---|
//! | `builder`, `address` | the settings |
//! | `tls` | whom the connection trusts, and the certificate it shows |
//! | `connection` | one request, one answer |
//! | `credentials`, `token`, `fetch` | the `Authorization` header, the access token and its endpoint |
//! | `request` | the calls' bodies |
//! | `answer`, `classify` | the answers, and what each means for the job |
//! | `activated` | the jobs in an activation's answer |
//! | `evaluation` | the answers to an evaluation |
//!
//! It is reqwest and these calls, not Camunda's Rust SDK (10.0.0): the SDK ends its worker after four answers of 503, only logs a completion
//! that was not accepted, and sends failures without retries. This worker has to see each answer, and nothing below it may repeat a request.
//!
//! # Time limits
//!
//! A connection is made within 5 s; an activation ends within its request timeout and 10 s, any other call within 10 s. A call that needs a
//! new access token may wait for it 10 s longer, and one that was answered 401 is sent a second time. A connection whose request hit a limit
//! is closed.

mod activated;
mod address;
mod answer;
mod builder;
mod classify;
mod connection;
mod credentials;
mod evaluation;
mod fetch;
mod lease;
mod request;
pub(crate) mod tls;
mod token;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;

pub use builder::{Builder, Call, OAuth, Observer, Proxies, SettingsError, TokenObserver};

use self::answer::{Answer, Ended};
use self::connection::Connection;
use self::lease::Leases;
use super::{
    ActivationError, ActivationRequest, Engine, EvaluateAnswer, ExtendAnswer, Job, PutAnswer, Report, SettleAnswer,
};

/// A client of one cluster. Share it: its connections and its access token are for the whole process.
pub struct Camunda8 {
    connection: Connection,
    worker_name: String,
    tenants: Vec<String>,
    leases: Leases,
}

impl Camunda8 {
    /// The settings of a client for the cluster at this REST address: http or https, with or without `/v2`, a path before it is kept.
    pub fn builder(address: &str) -> Builder {
        Builder::new(address)
    }

    fn new(builder: Builder) -> Result<Self, SettingsError> {
        if builder.tenants.iter().any(|tenant| tenant.trim().is_empty()) {
            return Err(SettingsError::EmptyTenant);
        }
        if builder.worker_name.trim().is_empty() {
            return Err(SettingsError::EmptyWorkerName);
        }
        Ok(Self {
            connection: Connection::new(&builder)?,
            worker_name: builder.worker_name,
            tenants: builder.tenants,
            leases: Leases::new(builder.lease),
        })
    }

    async fn ask(&self, request: &ActivationRequest, lease: bool) -> Ended {
        let request = request::activation(request, &self.worker_name, &self.tenants, lease);
        self.connection.send(request).await
    }
}

impl Engine for Camunda8 {
    async fn activate(&self, request: &ActivationRequest) -> Result<Vec<Job>, ActivationError> {
        let mut lease = self.leases.ask();
        let mut ended = self.ask(request, lease).await;
        if lease && lease::is_refusal(&ended) {
            lease = false;
            let without = self.ask(request, lease).await;
            self.leases.refused(&ended, &without);
            ended = without;
        }
        let body = match ended {
            Ended::Answered(Answer {
                status: 200,
                body: Ok(body),
                ..
            }) => body,
            Ended::Answered(Answer {
                status: 200,
                body: Err(detail),
                ..
            }) => return Err(ActivationError::Failed { detail }),
            ended => return Err(classify::not_activated(ended, request.request_timeout)),
        };
        if lease {
            self.leases.accepted();
        }
        let Some(jobs) = activated::jobs(&body, &request.job_type) else {
            let what = if activated::is_json(&body) {
                "no list of jobs"
            } else {
                "no whole JSON document"
            };
            let detail = format!("the answer to the activation is {what}");
            return Err(ActivationError::Failed { detail });
        };
        let read = jobs.into_iter().filter_map(|job| {
            job.inspect_err(|error| {
                let job_key = error.key.as_deref().unwrap_or("unknown");
                tracing::warn!(jobKey = job_key, %error, "cannot read a job; it stays locked until its timeout");
            })
            .ok()
        });
        Ok(read.collect())
    }

    async fn mark(&self, job: &Job, attempt: &RawValue) -> PutAnswer {
        classify::marked(self.connection.send(request::mark(job, attempt)).await)
    }

    async fn check(&self, job: &Job, timeout: Duration) -> Option<ExtendAnswer> {
        // Without a lease the cluster accepts the request from anybody: a 204 proves nothing.
        request::lease(job)?;
        Some(self.extend(job, timeout).await)
    }

    async fn extend(&self, job: &Job, timeout: Duration) -> ExtendAnswer {
        classify::extended(self.connection.send(request::update(job, timeout)).await)
    }

    async fn settle(&self, job: &Job, report: Report<'_>) -> SettleAnswer {
        classify::settled(self.connection.send(request::report(job, report)).await)
    }

    async fn record(&self, job: &Job, outcome: &RawValue) -> PutAnswer {
        classify::recorded(self.connection.send(request::record(job, outcome)).await)
    }

    async fn evaluate(&self, job: &Job, expression: &str, variables: Option<&RawValue>) -> EvaluateAnswer {
        evaluation::evaluated(
            self.connection
                .send(request::evaluation(job, expression, variables))
                .await,
        )
    }

    async fn version(&self) -> Result<String, String> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Topology {
            gateway_version: String,
        }
        let answer = match self.connection.send(request::topology()).await {
            Ended::Answered(answer) => answer,
            Ended::NotSent { detail, .. } | Ended::Lost { detail, .. } => return Err(detail),
        };
        match (answer.status, &answer.body) {
            (200, Ok(body)) => serde_json::from_slice::<Topology>(body)
                .map(|topology| answer::shown(&topology.gateway_version, &[]))
                .map_err(|_| "the answer to the topology request has no gatewayVersion".to_owned()),
            _ => Err(answer.detail),
        }
    }
}

impl fmt::Debug for Camunda8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camunda8")
            .field("worker_name", &self.worker_name)
            .finish_non_exhaustive()
    }
}
