//! A call's configuration: the inbound types of the contract (`wit/flow-starter.wit`, interface `types`) in plain Rust.
//!
//! Everything that can be or contain a credential is [`Sensitive`]: `Debug` hides it, and it is zeroized on drop.

use crate::Sensitive;

/// The HTTP methods that ServiceNow's REST trigger takes. Each of them starts a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

/// User name and password for basic authentication (RFC 7617).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name. It cannot hold a colon.
    pub username: Sensitive,
    /// The password.
    pub password: Sensitive,
}

/// Where an API key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiKeyLocation {
    /// In a header. ServiceNow reads `x-sn-apikey`.
    Header,
    /// In the query.
    Query,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Header or query.
    pub location: ApiKeyLocation,
    /// The name of the header or the query parameter. Empty: `x-sn-apikey`.
    pub name: String,
    /// The key.
    pub value: Sensitive,
}

impl ApiKey {
    /// The name that is sent.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { Self::NAME } else { &self.name }
    }

    /// What ServiceNow reads.
    pub(crate) const NAME: &str = "x-sn-apikey";
}

/// Where the client's id and secret go in a token request (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthentication {
    /// In the form that is posted.
    RequestBody,
    /// In an `Authorization: Basic` header.
    BasicHeader,
}

/// OAuth 2.0 client credentials (RFC 6749, section 4.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientCredentials {
    /// The URL of the token endpoint. None or empty: `/oauth_token.do` on the instance.
    pub token_url: Option<Sensitive>,
    /// The client's id.
    pub client_id: Sensitive,
    /// The client's secret.
    pub client_secret: Sensitive,
    /// The `audience` parameter, which some token endpoints need.
    pub audience: Option<String>,
    /// The scopes to ask for; one entry may hold several, separated by white space.
    pub scopes: Vec<String>,
    /// Where id and secret go.
    pub client_authentication: ClientAuthentication,
}

/// How the flow's request authenticates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all.
    None,
    /// With user name and password.
    Basic(Credentials),
    /// With a bearer token (RFC 6750).
    Bearer(Sensitive),
    /// With an API key.
    ApiKey(ApiKey),
    /// With a token that is requested first: one request for the token, one for the flow.
    OauthClientCredentials(ClientCredentials),
}

/// Timeouts in milliseconds, where 0 is no timeout, and the largest response, where 0 is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Name look-up, TCP and TLS together.
    pub connect_timeout_ms: u32,
    /// From the last byte sent to the first byte received.
    pub first_byte_timeout_ms: u32,
    /// Between two pieces of the response.
    pub between_bytes_timeout_ms: u32,
    /// The largest response body that is read, in bytes.
    pub max_response_bytes: u32,
}

/// The official connector's 20 seconds, and 1 MiB, which a Camunda variable still carries.
pub const DEFAULT_LIMITS: Limits = Limits {
    connect_timeout_ms: 20_000,
    first_byte_timeout_ms: 20_000,
    between_bytes_timeout_ms: 20_000,
    max_response_bytes: 1024 * 1024,
};

impl Limits {
    /// The limits in force: the defaults where none were given.
    pub fn or_default(limits: Option<Self>) -> Self {
        match limits {
            None => DEFAULT_LIMITS,
            Some(Self {
                max_response_bytes: 0, ..
            }) => Self {
                max_response_bytes: DEFAULT_LIMITS.max_response_bytes,
                ..limits.unwrap_or(DEFAULT_LIMITS)
            },
            Some(limits) => limits,
        }
    }
}

/// Which flow to start, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowConfig {
    /// The instance's name alone, `acme` for `https://acme.service-now.com`: one DNS label.
    pub instance: String,
    /// None or empty: `service-now.com`. The US government cloud is `servicenowservices.com`.
    pub domain: Option<String>,
    /// An origin to call instead of `https://<instance>.<domain>`, with or without a `/` at its end. Plain http only to loopback.
    pub endpoint: Option<Sensitive>,
    /// The trigger's path, `/api/<scope>/<flow>`. What a URL cannot hold is percent-encoded, and everything else is sent byte for byte.
    pub path: Sensitive,
    /// The method of the flow's request.
    pub method: Method,
    /// Names are case-insensitive; a name may come more than once. Values are sent in ISO-8859-1.
    pub headers: Vec<(String, Sensitive)>,
    /// Query parameters, in order.
    pub query: Vec<(String, Sensitive)>,
    /// Sent as it is, in UTF-8. `content-type` is `application/json` unless `headers` says otherwise.
    pub body: Option<Sensitive>,
    /// How the request authenticates.
    pub authentication: Authentication,
    /// None: 20 s, 20 s, 20 s, 1 MiB.
    pub limits: Option<Limits>,
}

impl FlowConfig {
    /// A request for `path` on `instance`, with nothing else set.
    pub fn new(method: Method, instance: impl Into<String>, path: impl Into<Sensitive>) -> Self {
        Self {
            instance: instance.into(),
            domain: None,
            endpoint: None,
            path: path.into(),
            method,
            headers: Vec::new(),
            query: Vec::new(),
            body: None,
            authentication: Authentication::None,
            limits: None,
        }
    }

    /// The token request of this call, where its authentication needs one.
    pub fn token_request(&self) -> Option<TokenRequest> {
        let Authentication::OauthClientCredentials(client) = &self.authentication else {
            return None;
        };
        Some(TokenRequest {
            instance: self.instance.clone(),
            domain: self.domain.clone(),
            endpoint: self.endpoint.clone(),
            credentials: client.clone(),
            limits: self.limits,
        })
    }
}

/// A request for an access token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenRequest {
    /// As in [`FlowConfig::instance`].
    pub instance: String,
    /// As in [`FlowConfig::domain`].
    pub domain: Option<String>,
    /// As in [`FlowConfig::endpoint`].
    pub endpoint: Option<Sensitive>,
    /// The client, and where its token comes from.
    pub credentials: ClientCredentials,
    /// None: 20 s, 20 s, 20 s, 1 MiB.
    pub limits: Option<Limits>,
}
