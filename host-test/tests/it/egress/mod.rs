//! Who may be called, at which address, over which connection: the host's only way out, tried from the outside with real sockets.

mod bypasses;
mod floods;
mod hostile_requests;
mod http2;
mod kept;
mod names;
mod plain_http;
mod probe;
pub mod proxy;
mod tls;
mod tunnels;
mod unasked;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use flow_starter_host::egress::{AddressKind, EgressBuilder, Pattern, Resolve, ResolveError, Resolving};
use flow_starter_host::{Egress, Policy};
use host_test::rig::Rig;
use serde_json::{Value, json};
use servicenow_stand_in::{Instance, StandIn};

/// The blueprint's input with these members over it.
fn input(over: Value) -> String {
    let mut input: Value = serde_json::from_str(host_test::conformance::BASE).unwrap();
    for (name, value) in over.as_object().unwrap() {
        input[name] = value.clone();
    }
    input.to_string()
}

fn stand_in() -> StandIn {
    StandIn::start(Instance::demo()).unwrap()
}

/// `acme` at the port where the stand-in really is.
fn acme_at_port(stand_in: &StandIn) -> String {
    format!("https://acme.service-now.com:{}", stand_in.https_addr().port())
}

fn to_endpoint(endpoint: &str) -> String {
    input(json!({ "snInstance": "", "snEndpoint": endpoint }))
}

/// A way to `acme` at its real port, by name: loopback is open.
fn by_name(stand_in: &StandIn, names: Arc<Names>) -> EgressBuilder {
    let acme: Pattern = acme_at_port(stand_in).parse().unwrap();
    Egress::builder()
        .extra_ca_pem(stand_in.ca_pem())
        .policy(Policy::new([acme]).open(AddressKind::Loopback))
        .resolver(names)
}

fn rig(stand_in: StandIn, egress: EgressBuilder) -> Rig {
    Rig::start_with(stand_in, egress.build().unwrap()).unwrap()
}

/// A resolver of the test's own. It gives a name's answers in turn, the last one for ever, and remembers what it was asked.
#[derive(Debug, Default)]
struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    /// For every other name.
    others: Option<IpAddr>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn answering(name: &str, answers: &[&[&str]]) -> Arc<Self> {
        let parse = |addresses: &&[&str]| addresses.iter().map(|it| it.parse().unwrap()).collect();
        let answers = answers.iter().rev().map(parse).collect();
        Arc::new(Self {
            answers: Mutex::new([(name.to_owned(), answers)].into()),
            ..Self::default()
        })
    }

    /// Every name leads to this machine, where a stand-in counts connections.
    fn all_here() -> Arc<Self> {
        Arc::new(Self {
            others: Some("127.0.0.1".parse().unwrap()),
            ..Self::default()
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let found = match answers.get_mut(name) {
            Some(turns) if turns.len() > 1 => turns.pop(),
            Some(turns) => turns.last().cloned(),
            None => self.others.map(|address| vec![address]),
        };
        Box::pin(std::future::ready(found.ok_or(ResolveError::NoSuchName)))
    }
}
