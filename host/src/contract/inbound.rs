//! A component's arguments. Values are moved in from the input crate's types, never out again, and zeroized on drop.

use flow_starter_input as input;
use wasmtime::component::{ComponentType, Lower};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The contract's `flow-config`.
#[derive(ComponentType, Lower, Zeroize, ZeroizeOnDrop)]
#[component(record)]
pub(crate) struct FlowConfigRecord {
    instance: String,
    domain: Option<String>,
    endpoint: Option<String>,
    path: String,
    #[zeroize(skip)]
    method: Method,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Option<String>,
    authentication: Authentication,
    #[zeroize(skip)]
    limits: Option<Limits>,
}

/// The contract's `token-request`.
#[derive(ComponentType, Lower, Zeroize, ZeroizeOnDrop)]
#[component(record)]
pub(crate) struct TokenRequestRecord {
    instance: String,
    domain: Option<String>,
    endpoint: Option<String>,
    credentials: ClientCredentials,
    #[zeroize(skip)]
    limits: Option<Limits>,
}

#[derive(Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Method {
    #[component(name = "get")]
    Get,
    #[component(name = "post")]
    Post,
    #[component(name = "put")]
    Put,
    #[component(name = "patch")]
    Patch,
    #[component(name = "delete")]
    Delete,
}

#[derive(ComponentType, Lower, Zeroize, ZeroizeOnDrop)]
#[component(record)]
pub(crate) struct Credentials {
    username: String,
    password: String,
}

#[derive(Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum ApiKeyLocation {
    #[component(name = "header")]
    Header,
    #[component(name = "query")]
    Query,
}

#[derive(ComponentType, Lower, Zeroize, ZeroizeOnDrop)]
#[component(record)]
pub(crate) struct ApiKey {
    #[zeroize(skip)]
    location: ApiKeyLocation,
    name: String,
    value: String,
}

#[derive(Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum ClientAuthentication {
    #[component(name = "request-body")]
    RequestBody,
    #[component(name = "basic-header")]
    BasicHeader,
}

#[derive(ComponentType, Lower, Zeroize, ZeroizeOnDrop)]
#[component(record)]
pub(crate) struct ClientCredentials {
    #[component(name = "token-url")]
    token_url: Option<String>,
    #[component(name = "client-id")]
    client_id: String,
    #[component(name = "client-secret")]
    client_secret: String,
    audience: Option<String>,
    scopes: Vec<String>,
    #[component(name = "client-authentication")]
    #[zeroize(skip)]
    client_authentication: ClientAuthentication,
}

#[derive(ComponentType, Lower, Zeroize, ZeroizeOnDrop)]
#[component(variant)]
pub(crate) enum Authentication {
    #[component(name = "none")]
    None,
    #[component(name = "basic")]
    Basic(Credentials),
    #[component(name = "bearer")]
    Bearer(String),
    #[component(name = "api-key")]
    ApiKey(ApiKey),
    #[component(name = "oauth-client-credentials")]
    OauthClientCredentials(ClientCredentials),
}

#[derive(Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(crate) struct Limits {
    #[component(name = "connect-timeout-ms")]
    connect_timeout_ms: u32,
    #[component(name = "first-byte-timeout-ms")]
    first_byte_timeout_ms: u32,
    #[component(name = "between-bytes-timeout-ms")]
    between_bytes_timeout_ms: u32,
    #[component(name = "max-response-bytes")]
    max_response_bytes: u32,
}

impl From<input::FlowConfig> for FlowConfigRecord {
    fn from(config: input::FlowConfig) -> Self {
        Self {
            instance: config.instance,
            domain: config.domain,
            endpoint: config.endpoint.map(input::Sensitive::into_string),
            path: config.path.into_string(),
            method: match config.method {
                input::Method::Get => Method::Get,
                input::Method::Post => Method::Post,
                input::Method::Put => Method::Put,
                input::Method::Patch => Method::Patch,
                input::Method::Delete => Method::Delete,
            },
            headers: pairs(config.headers),
            query: pairs(config.query),
            body: config.body.map(input::Sensitive::into_string),
            authentication: config.authentication.into(),
            limits: config.limits.map(Limits::from),
        }
    }
}

impl From<input::TokenRequest> for TokenRequestRecord {
    fn from(request: input::TokenRequest) -> Self {
        Self {
            instance: request.instance,
            domain: request.domain,
            endpoint: request.endpoint.map(input::Sensitive::into_string),
            credentials: request.credentials.into(),
            limits: request.limits.map(Limits::from),
        }
    }
}

impl From<input::Authentication> for Authentication {
    fn from(authentication: input::Authentication) -> Self {
        match authentication {
            input::Authentication::None => Self::None,
            input::Authentication::Basic(basic) => Self::Basic(Credentials {
                username: basic.username.into_string(),
                password: basic.password.into_string(),
            }),
            input::Authentication::Bearer(token) => Self::Bearer(token.into_string()),
            input::Authentication::ApiKey(key) => Self::ApiKey(ApiKey {
                location: match key.location {
                    input::ApiKeyLocation::Header => ApiKeyLocation::Header,
                    input::ApiKeyLocation::Query => ApiKeyLocation::Query,
                },
                name: key.name,
                value: key.value.into_string(),
            }),
            input::Authentication::OauthClientCredentials(client) => Self::OauthClientCredentials(client.into()),
        }
    }
}

impl From<input::ClientCredentials> for ClientCredentials {
    fn from(client: input::ClientCredentials) -> Self {
        Self {
            token_url: client.token_url.map(input::Sensitive::into_string),
            client_id: client.client_id.into_string(),
            client_secret: client.client_secret.into_string(),
            audience: client.audience,
            scopes: client.scopes,
            client_authentication: match client.client_authentication {
                input::ClientAuthentication::RequestBody => ClientAuthentication::RequestBody,
                input::ClientAuthentication::BasicHeader => ClientAuthentication::BasicHeader,
            },
        }
    }
}

impl From<input::Limits> for Limits {
    fn from(limits: input::Limits) -> Self {
        Self {
            connect_timeout_ms: limits.connect_timeout_ms,
            first_byte_timeout_ms: limits.first_byte_timeout_ms,
            between_bytes_timeout_ms: limits.between_bytes_timeout_ms,
            max_response_bytes: limits.max_response_bytes,
        }
    }
}

fn pairs(pairs: Vec<(String, input::Sensitive)>) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name, value.into_string()))
        .collect()
}
