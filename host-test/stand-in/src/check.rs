//! What an instance must keep to, checked once, when it is started.

use std::collections::BTreeSet;

use crate::instance::{Instance, Method};

/// An instance that cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum InstanceError {
    #[error("the instance has no host name: add one, for example \"acme\"")]
    NoHost,
    #[error("{0:?} is not a host name: write the instance's name, for example \"acme\", or a full name")]
    Host(String),
    #[error("unknown-path-status is {0}: write 400 or 404")]
    UnknownPathStatus(u16),
    #[error(
        "{what} belongs to the user {user:?}, which the instance does not have: add [[user]] name = {user:?}, or use an existing user"
    )]
    NoSuchUser { what: String, user: String },
    #[error("the flow's path {0:?} must begin with \"/\" and have no query, for example \"/api/my_scope/my_flow\"")]
    FlowPath(String),
    #[error("the flow {0} has no method: write methods = [\"POST\"] or remove the key")]
    NoMethod(String),
    #[error("the flow {path} has status {status}: it must be from 200 to 299")]
    FlowStatus { path: String, status: u16 },
    #[error("two flows have {method} {path}: change one path or method")]
    Twice { method: Method, path: String },
    #[error("the behaviour's path {0:?} must begin with \"/\" and have no query, for example \"/oauth_token.do\"")]
    BehaviourPath(String),
}

impl Instance {
    pub(crate) fn check(&self) -> Result<(), InstanceError> {
        self.check_hosts()?;
        if !matches!(self.unknown_path_status, 404 | 400) {
            return Err(InstanceError::UnknownPathStatus(self.unknown_path_status));
        }
        self.check_users()?;
        self.check_flows()?;
        match self.behaviours.keys().find(|path| !is_path(path)) {
            Some(path) => Err(InstanceError::BehaviourPath(path.clone())),
            None => Ok(()),
        }
    }

    fn check_hosts(&self) -> Result<(), InstanceError> {
        if self.hosts.is_empty() {
            return Err(InstanceError::NoHost);
        }
        let label =
            |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        match self
            .hosts
            .iter()
            .chain(self.tls_faults.keys())
            .find(|host| !host.split('.').all(label))
        {
            Some(host) => Err(InstanceError::Host(host.clone())),
            None => Ok(()),
        }
    }

    fn check_users(&self) -> Result<(), InstanceError> {
        let keys = self.api_keys.iter().map(|key| ("an API key", &key.user));
        let clients = self
            .oauth_clients
            .iter()
            .map(|client| ("an OAuth client", &client.user));
        let tokens = self.bearer_tokens.iter().map(|token| ("a bearer token", &token.user));
        for (what, user) in keys.chain(clients).chain(tokens) {
            if !self.users.iter().any(|known| known.name == *user) {
                return Err(InstanceError::NoSuchUser {
                    what: what.to_owned(),
                    user: user.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_flows(&self) -> Result<(), InstanceError> {
        let mut seen = BTreeSet::new();
        for flow in &self.flows {
            if !is_path(&flow.path) {
                return Err(InstanceError::FlowPath(flow.path.clone()));
            }
            if flow.methods.is_empty() {
                return Err(InstanceError::NoMethod(flow.path.clone()));
            }
            if !(200..300).contains(&flow.status) {
                return Err(InstanceError::FlowStatus {
                    path: flow.path.clone(),
                    status: flow.status,
                });
            }
            for method in &flow.methods {
                if !seen.insert((*method, flow.path.as_str())) {
                    return Err(InstanceError::Twice {
                        method: *method,
                        path: flow.path.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(['?', '#'])
}
