//! The bodies of the calls, as the cluster's OpenAPI document has them. A cluster of 8.8 refuses fields that it does not know: `tenantIds`,
//! `withLease` and `jobLeaseToken` are sent only where a setting needs them.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Call;
use super::answer::WORDS;
use super::connection::Request;
use crate::engine::{ActivationRequest, Job, Report};

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Activation<'a> {
    #[serde(rename = "type")]
    job_type: &'a str,
    worker: &'a str,
    timeout: i64,
    max_jobs_to_activate: i32,
    fetch_variable: &'a [String],
    request_timeout: i64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tenant_ids: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    with_lease: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Completion<'a> {
    variables: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_lease_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    retries: i32,
    error_message: &'a str,
    retry_back_off: i64,
    variables: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_lease_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Error<'a> {
    error_code: &'a str,
    error_message: &'a str,
    variables: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_lease_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    changeset: Changeset,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_lease_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Changeset {
    timeout: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation<'a> {
    expression: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<&'a RawValue>,
    /// A cluster with multi-tenancy refuses an evaluation without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
}

#[derive(Serialize)]
struct SetVariables<V> {
    variables: V,
    local: bool,
}

/// A mark: the outcome is cleared with it, in the same request.
#[derive(Serialize)]
struct Mark<'a> {
    #[serde(rename = "flowStarterAttempt")]
    attempt: &'a RawValue,
    #[serde(rename = "flowStarterOutcome")]
    outcome: (),
}

#[derive(Serialize)]
struct Record<'a> {
    #[serde(rename = "flowStarterOutcome")]
    outcome: &'a RawValue,
}

pub(super) fn topology() -> Request {
    Request {
        call: Call::Topology,
        method: Method::GET,
        path: "/topology".to_owned(),
        body: None,
        longer: Duration::ZERO,
        echo: None,
    }
}

pub(super) fn activation(request: &ActivationRequest, worker: &str, tenants: &[String], lease: bool) -> Request {
    let body = Activation {
        job_type: &request.job_type,
        worker,
        timeout: milliseconds(request.timeout),
        max_jobs_to_activate: i32::try_from(request.max_jobs).unwrap_or(i32::MAX),
        fetch_variable: &request.fetch,
        // 0 stands for the cluster's own default, which the time limit here does not know.
        request_timeout: request
            .request_timeout
            .map_or(-1, |timeout| milliseconds(timeout).max(1)),
        tenant_ids: tenants,
        with_lease: lease.then_some(true),
    };
    Request {
        longer: request.request_timeout.unwrap_or_default(),
        ..with_body(Call::Activation, Method::POST, "/jobs/activation".to_owned(), &body)
    }
}

pub(super) fn report(job: &Job, report: Report<'_>) -> Request {
    let job_lease_token = lease(job);
    let path = |end: &str| format!("/jobs/{}/{end}", segment(&job.key));
    match report {
        Report::Complete { variables } => {
            let body = Completion {
                variables,
                job_lease_token,
            };
            with_body(Call::Completion, Method::POST, path("completion"), &body)
        }
        Report::Fail {
            retries,
            back_off,
            message,
            variables,
        } => {
            let body = Failure {
                retries: i32::try_from(retries).unwrap_or(i32::MAX),
                error_message: message,
                retry_back_off: milliseconds(back_off),
                variables,
                job_lease_token,
            };
            with_body(Call::Failure, Method::POST, path("failure"), &body)
        }
        Report::Throw {
            code,
            message,
            variables,
        } => {
            let body = Error {
                error_code: code,
                error_message: message,
                variables,
                job_lease_token,
            };
            with_body(Call::Error, Method::POST, path("error"), &body)
        }
    }
}

pub(super) fn update(job: &Job, timeout: Duration) -> Request {
    let body = Update {
        changeset: Changeset {
            timeout: milliseconds(timeout),
        },
        job_lease_token: lease(job),
    };
    let path = format!("/jobs/{}", segment(&job.key));
    with_body(Call::Update, Method::PATCH, path, &body)
}

pub(super) fn mark(job: &Job, attempt: &RawValue) -> Request {
    variables(job, Mark { attempt, outcome: () })
}

pub(super) fn record(job: &Job, outcome: &RawValue) -> Request {
    variables(job, Record { outcome })
}

fn variables(job: &Job, variables: impl Serialize) -> Request {
    let path = format!("/element-instances/{}/variables", segment(&job.element_instance_key));
    let body = SetVariables { variables, local: true };
    with_body(Call::Variables, Method::PUT, path, &body)
}

pub(super) fn evaluation(job: &Job, expression: &str, variables: Option<&RawValue>) -> Request {
    let body = Evaluation {
        expression,
        variables,
        tenant_id: job.tenant.as_deref(),
    };
    let text = expression.strip_prefix('=');
    Request {
        echo: text.filter(|text| text.len() > WORDS).map(str::to_owned),
        ..with_body(
            Call::Evaluation,
            Method::POST,
            "/expression/evaluation".to_owned(),
            &body,
        )
    }
}

/// A token that is empty is none: a cluster of an older version in the middle of an upgrade.
pub(super) fn lease(job: &Job) -> Option<&str> {
    job.lease.as_deref().filter(|token| !token.is_empty())
}

fn segment(key: &str) -> impl std::fmt::Display {
    utf8_percent_encode(key, SEGMENT)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn with_body(call: Call, method: Method, path: String, body: &impl Serialize) -> Request {
    Request {
        call,
        method,
        path,
        // No map with keys that are no text, and no value whose serialization fails.
        body: Some(Zeroizing::new(serde_json::to_vec(body).unwrap_or_default())),
        longer: Duration::ZERO,
        echo: None,
    }
}
