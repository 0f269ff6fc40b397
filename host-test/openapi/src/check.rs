//! One request and its answer, against the document.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::document::{Document, Operation, parameter};
use crate::schema;
use crate::version::Version;

/// A request, and what was answered.
pub struct Exchange {
    /// What a person calls it.
    pub name: String,
    pub method: String,
    /// Without `/v2`.
    pub path: String,
    /// `None`: it has no body. A body that is not JSON is a text here, which no schema allows.
    pub body: Option<Value>,
    pub status: u16,
    /// `None`: the answer is not known.
    pub answer: Option<Reply>,
}

pub struct Reply {
    pub content_type: String,
    pub body: Vec<u8>,
}

/// What is wrong, by kinds that an exception can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The document has no such operation, and the cluster does not answer 404 or 405.
    UnknownOperation,
    /// The case expects another status.
    Unexpected,
    /// The document forbids the request, and the cluster accepts it.
    Accepted,
    /// The document forbids the request, and the worker sends it.
    Sent,
    /// The document does not declare the status.
    Status,
    /// The document does not declare the content type.
    ContentType,
    /// The answer's body breaks its schema.
    Body,
    /// The problem document names another status or path than the answer's own.
    Problem,
    /// The cluster is never seen to give this answer, which the document declares.
    NeverSeen,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// An operation and a status, such as `POST /jobs/{jobKey}/completion 409`.
    pub at: String,
    pub kind: Kind,
    pub version: Version,
    pub text: String,
}

pub struct Check<'a> {
    document: &'a Document,
    validators: BTreeMap<(Version, String), Validator>,
    /// The statuses that were seen.
    seen: BTreeMap<(Version, Operation), BTreeSet<u16>>,
    pub findings: Vec<Finding>,
    /// How many bodies were held against a schema.
    pub bodies: usize,
}

impl<'a> Check<'a> {
    pub fn new(document: &'a Document) -> Self {
        Self {
            document,
            validators: BTreeMap::new(),
            seen: BTreeMap::new(),
            findings: Vec::new(),
            bodies: 0,
        }
    }

    /// What the cluster answers: to a request that the document forbids, a refusal.
    pub fn exchange(&mut self, version: Version, exchange: &Exchange) -> Result<()> {
        let Some(operation) = self.document.operation(&exchange.method, &exchange.path, version) else {
            if ![404, 405].contains(&exchange.status) {
                let text = format!("{}: answered {}", exchange.name, exchange.status);
                let at = format!("{} {}", exchange.method, exchange.path);
                self.find(at, Kind::UnknownOperation, version, text);
            }
            return Ok(());
        };
        let at = format!("{operation} {}", exchange.status);
        self.seen
            .entry((version, operation.clone()))
            .or_default()
            .insert(exchange.status);
        if exchange.status < 300 {
            for wrong in self.wrong_request(version, &operation, exchange)? {
                self.find(
                    at.clone(),
                    Kind::Accepted,
                    version,
                    format!("{}: {wrong}", exchange.name),
                );
            }
        }
        self.answer(version, &operation, exchange, &at)
    }

    /// The case expects another status than this answer's.
    pub fn unexpected(&mut self, version: Version, exchange: &Exchange, expected: u16) {
        let body = exchange
            .answer
            .as_ref()
            .map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
        let at = format!("{} {} {}", exchange.method, exchange.path, exchange.status);
        let text = format!(
            "{}: in place of {expected}: {}",
            exchange.name,
            body.unwrap_or_default()
        );
        self.find(at, Kind::Unexpected, version, text);
    }

    /// What the worker sends.
    pub fn sent(&mut self, version: Version, exchange: &Exchange) -> Result<()> {
        let Some(operation) = self.document.operation(&exchange.method, &exchange.path, version) else {
            let at = format!("{} {}", exchange.method, exchange.path);
            self.find(at, Kind::UnknownOperation, version, exchange.name.clone());
            return Ok(());
        };
        for wrong in self.wrong_request(version, &operation, exchange)? {
            let text = format!("{}: {wrong}", exchange.name);
            self.find(operation.to_string(), Kind::Sent, version, text);
        }
        Ok(())
    }

    /// Every status that the document declares for an operation that the cluster serves.
    pub fn never_seen(&mut self) {
        let mut missing = Vec::new();
        for ((version, operation), seen) in &self.seen {
            if *version != Version::NEWEST {
                continue;
            }
            let declared = self.document.statuses(operation).into_iter();
            missing.extend(
                declared
                    .filter(|status| !seen.contains(status))
                    .map(|status| format!("{operation} {status}")),
            );
        }
        for at in missing {
            self.find(
                at,
                Kind::NeverSeen,
                Version::NEWEST,
                "no case gets this answer".to_owned(),
            );
        }
    }

    fn find(&mut self, at: String, kind: Kind, version: Version, text: String) {
        self.findings.push(Finding {
            at,
            kind,
            version,
            text,
        });
    }

    fn wrong_request(&mut self, version: Version, operation: &Operation, exchange: &Exchange) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for (name, schema) in self.document.path_parameters(operation) {
            let value = parameter(&operation.template, &exchange.path, &name).unwrap_or_default();
            let errors = self.errors(version, format!("{operation} {name}"), &schema, &json!(value))?;
            wrong.extend(errors.into_iter().map(|error| format!("path: {error}")));
        }
        match (self.document.request(operation), &exchange.body) {
            (None, Some(_)) => wrong.push("the operation has no body".to_owned()),
            (Some((_, true)), None) => wrong.push("the body is missing".to_owned()),
            (None | Some(_), None) => {}
            (Some((schema, _)), Some(body)) => {
                let schema = schema.clone();
                wrong.extend(self.errors(version, format!("{operation} request"), &schema, body)?);
            }
        }
        Ok(wrong)
    }

    fn answer(&mut self, version: Version, operation: &Operation, exchange: &Exchange, at: &str) -> Result<()> {
        let Some(reply) = &exchange.answer else { return Ok(()) };
        // Where the status is not declared, the body must still be an error's.
        let declared = self.document.response(operation, exchange.status);
        if declared.is_none() {
            self.find(at.to_owned(), Kind::Status, version, exchange.name.clone());
        }
        let problem = || {
            vec![(
                "application/problem+json".to_owned(),
                json!({ "$ref": "#/components/schemas/ProblemDetail" }),
            )]
        };
        let declared = declared.unwrap_or_else(problem);
        let kind = reply
            .content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        if declared.is_empty() {
            if !reply.body.is_empty() {
                let text = format!("{}: there is a body", exchange.name);
                self.find(at.to_owned(), Kind::Body, version, text);
            }
            return Ok(());
        }
        let Some((_, schema)) = declared.iter().find(|(own, _)| *own == kind) else {
            let text = format!("{}: {kind:?}", exchange.name);
            self.find(at.to_owned(), Kind::ContentType, version, text);
            return Ok(());
        };
        let body: Value = match serde_json::from_slice(&reply.body) {
            Ok(body) => body,
            Err(error) => {
                self.find(
                    at.to_owned(),
                    Kind::Body,
                    version,
                    format!("{}: not JSON: {error}", exchange.name),
                );
                return Ok(());
            }
        };
        for error in self.errors(version, at.to_owned(), schema, &body)? {
            self.find(
                at.to_owned(),
                Kind::Body,
                version,
                format!("{}: {error}", exchange.name),
            );
        }
        if kind == "application/problem+json" {
            let path = format!("/v2{}", exchange.path);
            for (member, own) in [("status", json!(exchange.status)), ("instance", json!(path))] {
                if body.get(member) != Some(&own) {
                    let text = format!(
                        "{}: its {member} is {}",
                        exchange.name,
                        body.get(member).unwrap_or(&Value::Null)
                    );
                    self.find(at.to_owned(), Kind::Problem, version, text);
                }
            }
        }
        Ok(())
    }

    fn errors(&mut self, version: Version, name: String, schema: &Value, value: &Value) -> Result<Vec<String>> {
        self.bodies += 1;
        let key = (version, name);
        if !self.validators.contains_key(&key) {
            let whole = schema::whole(self.document, schema, version);
            let validator = jsonschema::options().should_validate_formats(true).build(&whole);
            let validator = validator.map_err(|error| anyhow::anyhow!("{}: {error}", key.1))?;
            self.validators.insert(key.clone(), validator);
        }
        let validator = self.validators.get(&key).context("it was put there")?;
        let errors = validator.iter_errors(value);
        Ok(errors
            .map(|error| format!("at {:?}: {error}", error.instance_path().to_string()))
            .collect())
    }
}
