//! The instance at work: a request comes in, an answer goes out, and a flow may have started.

use std::sync::{Mutex, MutexGuard, PoisonError};

use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::answer::Answer;
use crate::behaviour::Behaviour;
use crate::http1::Head;
use crate::instance::{Flavour, Flow, Instance, Method, User};
use crate::instance_state::InstanceState;
use crate::record::{Log, Start};
use crate::request::Request;
use crate::{random, table, token};

/// What all connections share.
pub(crate) struct State {
    pub instance: Instance,
    pub log: Log,
    current: Mutex<InstanceState>,
}

impl State {
    pub fn new(instance: Instance, log: Log) -> Self {
        let current = Mutex::new(InstanceState::new(&instance));
        Self { instance, log, current }
    }

    pub fn current(&self) -> MutexGuard<'_, InstanceState> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do with a request whose head has arrived. A behaviour for one time only is used up by it.
    pub fn plan(&self, head: &Head) -> Behaviour {
        let path = head.path();
        let declared = self.flows_at(path).next().map(|flow| flow.path.as_str());
        self.current().plan(path, declared)
    }

    /// The instance's own answer.
    pub fn answer(&self, request: Request<'_>) -> Answer {
        let path = request.head.path();
        let mut current = self.current();
        if path == token::PATH {
            return token::issue(&self.instance, &mut current, &request);
        }
        let user = self.instance.user_of(&current, &request);
        if let Some(rest) = path.strip_prefix(table::PATH) {
            return match user {
                Some(user) if user.roles.is_empty() => not_authorized(),
                Some(_) => table::answer(&self.instance, &mut current, &request, rest),
                None => not_authenticated(),
            };
        }
        drop(current);
        match self.flow(&request) {
            Ok(flow) => refuse(flow, user, &request).unwrap_or_else(|| self.start(flow, user, &request)),
            Err(refusal) => refusal,
        }
    }

    /// The flows at a path; literal ones before those that take parameters.
    fn flows_at<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Flow> {
        let matching = move |flow: &&Flow| matches_path(&flow.path, path);
        let literal = |flow: &&Flow| !flow.path.contains('{');
        let flows = self.instance.flows.iter().filter(matching);
        flows
            .clone()
            .filter(literal)
            .chain(flows.filter(move |flow| !literal(flow)))
    }

    fn flow(&self, request: &Request<'_>) -> Result<&Flow, Answer> {
        let mut allowed = Vec::new();
        for flow in self.flows_at(request.head.path()) {
            if flow.methods.iter().any(|own| own.as_str() == request.head.method) {
                return Ok(flow);
            }
            allowed.extend(flow.methods.iter().map(|method| method.as_str()));
        }
        Err(if allowed.is_empty() {
            Answer::failure(
                self.instance.unknown_path_status,
                "Requested URI does not represent any resource",
                None,
            )
        } else {
            Answer::method_not_allowed(&allowed.join(", "))
        })
    }

    fn start(&self, flow: &Flow, user: Option<&User>, request: &Request<'_>) -> Answer {
        let (id, result) = match flow.flavour {
            Flavour::RestTrigger => {
                let id = random::execution_id();
                let result = json!({ "executionId": id });
                (id, result)
            }
            Flavour::ScriptedRest => {
                let id = random::hexadecimal();
                let result = json!({ "sys_id": id, "state": "queued" });
                (id, result)
            }
        };
        let method = flow
            .methods
            .iter()
            .find(|own| own.as_str() == request.head.method)
            .copied()
            .unwrap_or(Method::Post);
        self.log.started(Start {
            id,
            flavour: flow.flavour,
            method,
            flow: flow.path.clone(),
            user: user.filter(|_| flow.authentication).map(|user| user.name.clone()),
            request: request.number,
        });
        Answer::json(flow.status, &json!({ "result": result }))
    }
}

/// In the order of an instance: who, what kind, and then what is in it.
fn refuse(flow: &Flow, user: Option<&User>, request: &Request<'_>) -> Option<Answer> {
    if flow.authentication && user.is_none() {
        return Some(not_authenticated());
    }
    if let Some(role) = &flow.role
        && !user.is_some_and(|user| user.roles.contains(role))
    {
        return Some(not_authorized());
    }
    if !request.accepts_json() {
        return Some(Answer::failure(
            406,
            "Not acceptable",
            Some("The Accept of the request does not allow application/json"),
        ));
    }
    if let Some(refusal) = request.refuse_body() {
        return Some(refusal);
    }
    let header = flow
        .required_headers
        .iter()
        .find(|name| request.head.values(name).next().is_none())
        .map(|name| format!("Missing required header: {name}"));
    let query = || {
        flow.required_query
            .iter()
            .find(|name| !request.query().any(|(own, _)| own == name.as_str()))
            .map(|name| format!("Missing required query parameter: {name}"))
    };
    header
        .or_else(query)
        .map(|missing| Answer::failure(400, "Bad request", Some(&missing)))
}

fn not_authenticated() -> Answer {
    Answer::failure(
        401,
        "User Not Authenticated",
        Some("Required to provide Auth information"),
    )
    .header("WWW-Authenticate", "BASIC realm=\"Service-now\"")
}

fn not_authorized() -> Answer {
    Answer::failure(403, "User Not Authorized", Some("Failed API level ACL Validation"))
}

/// Segment by segment, so that a `%2F` stays inside its own.
fn matches_path(declared: &str, path: &str) -> bool {
    let mut declared = declared.split('/');
    let mut path = path.split('/');
    loop {
        match (declared.next(), path.next()) {
            (None, None) => return true,
            (Some(own), Some(segment)) => {
                let parameter = own.starts_with('{') && own.ends_with('}') && !segment.is_empty();
                let same = percent_decode_str(segment).eq(own.bytes());
                if !parameter && !same {
                    return false;
                }
            }
            _ => return false,
        }
    }
}
