//! Every way a call can go wrong, made on purpose, and told apart.
//!
//! Each case is the built component under wasmtime against real sockets. Whatever the fault, the stand-in knows whether it had the
//! whole request, and so whether the call's word about the flow is true.

mod connecting;
mod host;
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_starter_host::egress::{ConnectTo, EgressBuilder, Pattern, Progress, Purpose};
use flow_starter_host::{Egress, ErrorKind, FlowState, Outcome, Policy, TriggerError};
use host_test::rig::Rig;
use servicenow_stand_in::{Instance, StandIn};

/// A call may take its own limits, and on a slow machine a good deal more.
const GENEROUS: Duration = Duration::from_secs(30);

/// The blueprint's input with these members over it.
fn input(over: serde_json::Value) -> String {
    let mut input: serde_json::Value = serde_json::from_str(host_test::conformance::BASE).unwrap();
    for (name, value) in over.as_object().unwrap() {
        input[name] = value.clone();
    }
    input.to_string()
}

/// Runs a call and sees that it ends.
fn in_time<T>(call: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let begun = Instant::now();
    let outcome = call();
    assert!(begun.elapsed() < GENEROUS, "the call took {:?}", begun.elapsed());
    outcome
}

/// What every call must keep to: the record, the stand-in and the component's word agree.
fn honest<T>(outcome: &Outcome<T>, stand_in: &StandIn) -> Result<(), String> {
    let flows = outcome
        .requests
        .iter()
        .filter(|request| request.purpose == Purpose::Flow);
    let status = flows.clone().find_map(|request| match request.progress {
        Progress::Answered(status) => Some(status),
        _ => None,
    });
    let (flow, kind) = match &outcome.result {
        Ok(_) => (FlowState::Started, None),
        Err(error) => (error.flow, Some(error.kind)),
    };
    let refused = status.is_some_and(|status| matches!(status, 300..=499) && !matches!(status, 303 | 408))
        || matches!(kind, Some(ErrorKind::NotServicenow | ErrorKind::Unavailable))
        // An alert about the client's certificate is a refusal below HTTP, where the host has noted it as one.
        || (kind == Some(ErrorKind::Tls) && flows.clone().all(|request| request.progress == Progress::Unsent));
    let arrived = stand_in
        .requests()
        .iter()
        .any(|request| request.complete && request.path() != "/oauth_token.do");
    if flow == FlowState::NotStarted && arrived && !refused {
        return Err("it says not-started, but the whole request arrived and was not refused".to_owned());
    }
    if flow == FlowState::NotStarted && !stand_in.starts().is_empty() {
        return Err("it says not-started, but a flow was started".to_owned());
    }
    if flow == FlowState::Started && !status.is_some_and(|status| (200..=299).contains(&status)) {
        return Err("it says started without a 2xx".to_owned());
    }
    if stand_in.starts().len() > 1 {
        return Err("more than one flow was started".to_owned());
    }
    Ok(())
}

fn failure<T: std::fmt::Debug>(outcome: Outcome<T>) -> TriggerError {
    outcome.result.unwrap_err()
}

fn stand_in() -> StandIn {
    StandIn::start(Instance::demo()).unwrap()
}

/// A way out to `acme` alone, which trusts this stand-in, with everything else still to be said.
fn to_acme(stand_in: &StandIn) -> EgressBuilder {
    Egress::builder()
        .extra_ca_pem(stand_in.ca_pem())
        .policy(Policy::new([acme()]))
}

fn acme() -> Pattern {
    "acme.service-now.com".parse().unwrap()
}

/// `acme` is at this address.
fn at(address: std::net::SocketAddr) -> ConnectTo {
    format!("acme.service-now.com:443:{address}").parse().unwrap()
}

fn rig(stand_in: StandIn, egress: EgressBuilder) -> Rig {
    Rig::start_with(stand_in, egress.build().unwrap()).unwrap()
}

/// A resolver of the test's own: what it answers, and how often it was asked.
#[derive(Debug, Default)]
struct Names {
    answers: std::collections::HashMap<String, Vec<std::net::IpAddr>>,
    never_answers: bool,
    asked: std::sync::Mutex<Vec<String>>,
}

impl Names {
    fn knowing(name: &str, addresses: &[&str]) -> Arc<Self> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self {
            answers: [(name.to_owned(), addresses)].into(),
            ..Self::default()
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl flow_starter_host::egress::Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> flow_starter_host::egress::Resolving<'a> {
        self.asked.lock().unwrap().push(name.to_owned());
        Box::pin(async move {
            if self.never_answers {
                std::future::pending::<()>().await;
            }
            self.answers
                .get(name)
                .cloned()
                .ok_or(flow_starter_host::egress::ResolveError::NoSuchName)
        })
    }
}
