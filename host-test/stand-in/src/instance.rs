//! What an instance is made of. The same types describe it in code and in a file (TOML).

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::behaviour::Behaviour;
use crate::port::FaultyPort;
use crate::tls_fault::TlsFault;

/// An instance: who may enter it, and the flows it has. Its checks are made by [`StandIn::start`](crate::StandIn::start).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Instance {
    /// The names it is served under: `acme` stands for `acme.service-now.com`, one with a dot for itself.
    /// The certificate names them all, and `localhost`, `127.0.0.1` and `::1`.
    pub hosts: Vec<String>,
    /// 400 or 404: instances differ.
    pub unknown_path_status: u16,
    /// A larger request body is refused with 400 before it is read to its end. 10 MiB, as by default.
    pub max_request_bytes: usize,
    /// Every route answers 200 with an HTML page.
    pub hibernating: bool,
    /// May use basic authentication.
    #[serde(rename = "user")]
    pub users: Vec<User>,
    /// Keys of inbound REST integrations.
    #[serde(rename = "api-key")]
    pub api_keys: Vec<ApiKey>,
    /// May fetch tokens at `/oauth_token.do`.
    #[serde(rename = "oauth-client")]
    pub oauth_clients: Vec<OAuthClient>,
    /// Tokens that are valid from the start and never expire.
    #[serde(rename = "bearer-token")]
    pub bearer_tokens: Vec<BearerToken>,
    /// The flows with a REST trigger, and the Scripted REST APIs that take their place.
    #[serde(rename = "flow")]
    pub flows: Vec<Flow>,
    /// What a path does instead of [`Behaviour::Normal`]; a flow's path or any other, `/oauth_token.do` included.
    pub behaviours: BTreeMap<String, Behaviour>,
    /// Host names whose handshakes go wrong, written as in `hosts`; they need not be among those.
    pub tls_faults: BTreeMap<String, TlsFault>,
    /// More ports, which go wrong.
    #[serde(rename = "faulty-port")]
    pub faulty_ports: Vec<FaultyPort>,
}

/// A user of the instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// Its name in basic authentication.
    pub name: String,
    /// Its password, in the clear: a stand-in has no secrets.
    pub password: String,
    /// What its requests may do. Without any role it may not use the Table API.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// An API key: accepted in a header, in a query parameter, or in either.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiKey {
    /// The key.
    pub value: String,
    /// The user whose roles it has.
    pub user: String,
    /// The header it may come in; without `header` and `query` it is `x-sn-apikey`.
    #[serde(default)]
    pub header: Option<String>,
    /// The query parameter it may come in.
    #[serde(default)]
    pub query: Option<String>,
}

/// A client of the OAuth client credentials grant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OAuthClient {
    /// `client_id`
    pub id: String,
    /// `client_secret`
    pub secret: String,
    /// The user whose roles its tokens have.
    pub user: String,
    /// How long its tokens live, in seconds. 1799, as on a real instance.
    #[serde(default = "token_life")]
    pub expires_in: u64,
}

/// A token that is valid from the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BearerToken {
    /// The token.
    pub value: String,
    /// The user whose roles it has.
    pub user: String,
}

/// A flow that can be started over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flow {
    /// Begins with `/`. A segment `{name}` is a path parameter and takes any one segment.
    pub path: String,
    /// A REST trigger has one method; a Scripted REST API may have several.
    #[serde(default = "only_post")]
    pub methods: Vec<Method>,
    /// What its answer looks like.
    #[serde(default)]
    pub flavour: Flavour,
    /// The status of a start: 200, or another 2xx, since ServiceNow does not document which.
    #[serde(default = "ok")]
    pub status: u16,
    /// Without one, anybody may start it.
    #[serde(default = "yes")]
    pub authentication: bool,
    /// The role that its caller must have, if any.
    #[serde(default)]
    pub role: Option<String>,
    /// Headers without which it answers 400.
    #[serde(default)]
    pub required_headers: Vec<String>,
    /// Query parameters without which it answers 400.
    #[serde(default)]
    pub required_query: Vec<String>,
}

/// What answers at a flow's path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flavour {
    /// The trigger of the Enterprise Pack: `{"result":{"executionId":…}}`.
    #[default]
    RestTrigger,
    /// What people without that pack use: `{"result":{"sys_id":…}}`.
    ScriptedRest,
}

/// A method that a REST trigger can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "their names say it all")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method as it is written in a request.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            hosts: vec!["acme".to_owned()],
            unknown_path_status: 400,
            max_request_bytes: 10 * 1024 * 1024,
            hibernating: false,
            users: Vec::new(),
            api_keys: Vec::new(),
            oauth_clients: Vec::new(),
            bearer_tokens: Vec::new(),
            flows: Vec::new(),
            behaviours: BTreeMap::new(),
            tls_faults: BTreeMap::new(),
            faulty_ports: Vec::new(),
        }
    }
}

impl Instance {
    /// An instance with nothing in it.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            hosts: vec![host.into()],
            ..Self::default()
        }
    }

    /// Adds a user.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Adds an API key.
    #[must_use]
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.api_keys.push(key);
        self
    }

    /// Adds an OAuth client.
    #[must_use]
    pub fn oauth_client(mut self, client: OAuthClient) -> Self {
        self.oauth_clients.push(client);
        self
    }

    /// Adds a fixed bearer token.
    #[must_use]
    pub fn bearer_token(mut self, token: BearerToken) -> Self {
        self.bearer_tokens.push(token);
        self
    }

    /// Adds a flow.
    #[must_use]
    pub fn flow(mut self, flow: Flow) -> Self {
        self.flows.push(flow);
        self
    }

    /// Lets a path go wrong from the start.
    #[must_use]
    pub fn behaviour(mut self, path: impl Into<String>, behaviour: Behaviour) -> Self {
        self.behaviours.insert(path.into(), behaviour);
        self
    }

    /// Lets the handshakes for a host name go wrong from the start.
    #[must_use]
    pub fn tls_fault(mut self, host: impl Into<String>, fault: TlsFault) -> Self {
        self.tls_faults.insert(host.into(), fault);
        self
    }

    /// The host names in full, the first being the one that examples use.
    pub(crate) fn full_hosts(&self) -> Vec<String> {
        self.hosts.iter().map(|host| full_host(host)).collect()
    }
}

/// `acme` stands for `acme.service-now.com`, one with a dot for itself.
pub(crate) fn full_host(host: &str) -> String {
    match host.contains('.') {
        true => host.to_owned(),
        false => format!("{host}.service-now.com"),
    }
}

impl User {
    /// A user without roles.
    #[must_use]
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            password: password.into(),
            roles: Vec::new(),
        }
    }

    /// Gives the user a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }
}

impl OAuthClient {
    /// A client whose tokens live as long as on a real instance: 1799 s.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            user: user.into(),
            expires_in: token_life(),
        }
    }
}

impl Flow {
    /// A REST trigger for POST that asks for some authentication, and for nothing else.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            methods: vec![Method::Post],
            flavour: Flavour::RestTrigger,
            status: 200,
            authentication: true,
            role: None,
            required_headers: Vec::new(),
            required_query: Vec::new(),
        }
    }

    /// Sets its methods.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// Sets what its answer looks like.
    #[must_use]
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// Sets the status of a start.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Lets anybody start it.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.authentication = false;
        self
    }

    /// Asks for a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Asks for a header.
    #[must_use]
    pub fn required_header(mut self, name: impl Into<String>) -> Self {
        self.required_headers.push(name.into());
        self
    }

    /// Asks for a query parameter.
    #[must_use]
    pub fn required_query(mut self, name: impl Into<String>) -> Self {
        self.required_query.push(name.into());
        self
    }
}

fn token_life() -> u64 {
    1799
}

fn only_post() -> Vec<Method> {
    vec![Method::Post]
}

fn ok() -> u16 {
    200
}

fn yes() -> bool {
    true
}
