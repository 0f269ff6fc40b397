//! The instance at work: a request comes in, an answer goes out, and a flow may have started.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::behaviour::Behaviour;
use crate::http1::Head;
use crate::instance::{Flavour, Flow, Instance, Method, User};
use crate::record::{Log, Start};
use crate::{random, table, token};

/// What all connections share.
pub(crate) struct State {
    pub instance: Instance,
    pub log: Log,
    desk: Mutex<Desk>,
}

/// What the instance remembers from one request to the next.
#[derive(Default)]
pub(crate) struct Desk {
    behaviours: BTreeMap<String, Behaviour>,
    once: BTreeMap<String, VecDeque<Behaviour>>,
    pub hibernating: bool,
    pub incidents: Vec<Map<String, Value>>,
    tokens: BTreeMap<String, IssuedToken>,
}

struct IssuedToken {
    user: String,
    until: Instant,
}

/// A whole request.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub number: usize,
    pub head: &'a Head,
    pub body: &'a [u8],
}

impl State {
    pub fn new(instance: Instance, log: Log) -> Self {
        let desk = Desk {
            behaviours: instance.behaviours.clone(),
            hibernating: instance.hibernating,
            ..Desk::default()
        };
        Self {
            instance,
            log,
            desk: Mutex::new(desk),
        }
    }

    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do with a request whose head has arrived. A behaviour for one time only is used up by it.
    pub fn plan(&self, head: &Head) -> Behaviour {
        let path = head.path();
        let declared = self.flows_at(path).next().map(|flow| flow.path.as_str());
        let mut desk = self.desk();
        if desk.hibernating {
            return Behaviour::Hibernating;
        }
        let keys = || std::iter::once(path).chain(declared);
        keys()
            .find_map(|key| desk.once.get_mut(key)?.pop_front())
            .or_else(|| keys().find_map(|key| desk.behaviours.get(key).cloned()))
            .unwrap_or(Behaviour::Normal)
    }

    /// The instance's own answer.
    pub fn answer(&self, request: Request<'_>) -> Answer {
        let path = request.head.path();
        let mut desk = self.desk();
        if path == token::PATH {
            return token::issue(&self.instance, &mut desk, &request);
        }
        let user = self.instance.user_of(&desk, &request);
        if let Some(rest) = path.strip_prefix(table::PATH) {
            return match user {
                Some(user) if user.roles.is_empty() => not_authorized(),
                Some(_) => table::answer(&self.instance, &mut desk, &request, rest),
                None => not_authenticated(),
            };
        }
        drop(desk);
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
            method_not_allowed(&allowed.join(", "))
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

impl Desk {
    pub fn behave(&mut self, path: String, behaviour: Behaviour) {
        self.behaviours.insert(path, behaviour);
    }

    pub fn behave_once(&mut self, path: String, behaviour: Behaviour) {
        self.once.entry(path).or_default().push_back(behaviour);
    }

    pub fn behave_well(&mut self) {
        self.behaviours.clear();
        self.once.clear();
        self.hibernating = false;
    }

    /// A new token of this user.
    pub fn issue(&mut self, user: &str, expires_in: u64) -> String {
        let now = Instant::now();
        let a_year = Duration::from_secs(365 * 24 * 3600);
        let life = Duration::from_secs(expires_in).min(a_year);
        let token = random::token();
        let issued = IssuedToken {
            user: user.to_owned(),
            until: now + life,
        };
        self.tokens.retain(|_, issued| issued.until > now);
        self.tokens.insert(token.clone(), issued);
        token
    }

    /// The user of an issued token that has not expired.
    pub fn owner_of(&self, token: &str) -> Option<String> {
        let issued = self.tokens.get(token)?;
        (issued.until > Instant::now()).then(|| issued.user.clone())
    }

    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }
}

impl Head {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl<'a> Request<'a> {
    /// Names and values of the query, decoded.
    pub fn query(&self) -> impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)> {
        let query = self.head.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes())
    }

    /// Whatever its parameters and letter case.
    pub fn has_media_type(&self, wanted: &str) -> bool {
        self.head.values("content-type").next().is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(wanted)
        })
    }

    /// 415 and 400 for a body that is not JSON. A request without a body may come without a content type.
    pub fn refuse_body(&self) -> Option<Answer> {
        let carries_body = matches!(self.head.method.as_str(), "POST" | "PUT" | "PATCH");
        let nothing = self.body.is_empty() && self.head.values("content-type").next().is_none();
        if !carries_body || nothing {
            return None;
        }
        if !self.has_media_type("application/json") {
            return Some(Answer::failure(
                415,
                "Unsupported media type",
                Some("The Content-Type of the request is not application/json"),
            ));
        }
        let json = self.body.is_empty() || serde_json::from_slice::<IgnoredAny>(self.body).is_ok();
        (!json).then(|| {
            Answer::failure(
                400,
                "Exception while reading request",
                Some("The payload is not valid JSON"),
            )
        })
    }

    fn accepts_json(&self) -> bool {
        let mut ranges = self
            .head
            .values("accept")
            .flat_map(|value| value.split(','))
            .map(|range| range.split(';').next().unwrap_or_default().trim())
            .peekable();
        ranges.peek().is_none()
            || ranges.any(|range| {
                ["application/json", "application/*", "*/*"]
                    .iter()
                    .any(|known| range.eq_ignore_ascii_case(known))
            })
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

pub(crate) fn method_not_allowed(allowed: &str) -> Answer {
    Answer::failure(
        405,
        "Method not supported",
        Some(&format!("This resource supports {allowed}")),
    )
    .header("Allow", allowed)
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
