//! The client against a server that answers byte for byte.

mod activation;
mod answers;
mod connections;
mod encryption;
mod requests;
mod server;
mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;

use self::server::*;
use super::*;
use crate::engine::Variables;

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}

fn job() -> Job {
    Job {
        key: "2251799813685249".to_owned(),
        job_type: "t".to_owned(),
        retries: Some(3),
        headers: BTreeMap::new(),
        variables: Variables::default(),
        process_instance_key: "1".to_owned(),
        process_id: "p".to_owned(),
        element_id: "e".to_owned(),
        element_instance_key: "2".to_owned(),
        tenant: None,
        lease: None,
    }
}

fn leased() -> Job {
    Job {
        lease: Some("L-1".to_owned()),
        ..job()
    }
}

fn poll() -> ActivationRequest {
    ActivationRequest {
        job_type: "servicenow-flow-starter:1".to_owned(),
        max_jobs: 16,
        timeout: Duration::from_secs(360),
        request_timeout: Some(Duration::from_secs(10)),
        fetch: vec!["flow".to_owned(), "flowStarterAttempt".to_owned()],
    }
}

fn complete() -> Report<'static> {
    Report::Complete { variables: raw("{}") }
}

fn fail() -> Report<'static> {
    Report::Fail {
        retries: 2,
        back_off: Duration::from_millis(1500),
        message: "no",
        variables: raw(r#"{"error":{}}"#),
    }
}

fn throw() -> Report<'static> {
    Report::Throw {
        code: "E",
        message: "no",
        variables: raw("{}"),
    }
}

fn client(server: &Server) -> Camunda8 {
    Camunda8::builder(&server.address).build().unwrap()
}

/// Moves tokio's clock. Nothing may be under way that has a time limit.
async fn skip(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
