//! The contract's records, which wit-bindgen generates, as the input crate's types. Inbound only: what goes out is made as a record at once.

use crate::types as wit;
use flow_starter_input::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, FlowConfig, Limits,
    Method, Sensitive, TokenRequest,
};

impl From<wit::FlowConfig> for FlowConfig {
    fn from(config: wit::FlowConfig) -> Self {
        Self {
            instance: config.instance,
            domain: config.domain,
            endpoint: config.endpoint.map(Sensitive::from),
            path: config.path.into(),
            method: match config.method {
                wit::Method::Get => Method::Get,
                wit::Method::Post => Method::Post,
                wit::Method::Put => Method::Put,
                wit::Method::Patch => Method::Patch,
                wit::Method::Delete => Method::Delete,
            },
            headers: pairs(config.headers),
            query: pairs(config.query),
            body: config.body.map(Sensitive::from),
            authentication: config.authentication.into(),
            limits: config.limits.map(Limits::from),
        }
    }
}

impl From<wit::TokenRequest> for TokenRequest {
    fn from(request: wit::TokenRequest) -> Self {
        Self {
            instance: request.instance,
            domain: request.domain,
            endpoint: request.endpoint.map(Sensitive::from),
            credentials: request.credentials.into(),
            limits: request.limits.map(Limits::from),
        }
    }
}

impl From<wit::Authentication> for Authentication {
    fn from(authentication: wit::Authentication) -> Self {
        match authentication {
            wit::Authentication::None => Self::None,
            wit::Authentication::Basic(basic) => Self::Basic(Credentials {
                username: basic.username.into(),
                password: basic.password.into(),
            }),
            wit::Authentication::Bearer(token) => Self::Bearer(token.into()),
            wit::Authentication::ApiKey(key) => Self::ApiKey(ApiKey {
                location: match key.location {
                    wit::ApiKeyLocation::Header => ApiKeyLocation::Header,
                    wit::ApiKeyLocation::Query => ApiKeyLocation::Query,
                },
                name: key.name,
                value: key.value.into(),
            }),
            wit::Authentication::OauthClientCredentials(client) => Self::OauthClientCredentials(client.into()),
        }
    }
}

impl From<wit::ClientCredentials> for ClientCredentials {
    fn from(client: wit::ClientCredentials) -> Self {
        Self {
            token_url: client.token_url.map(Sensitive::from),
            client_id: client.client_id.into(),
            client_secret: client.client_secret.into(),
            audience: client.audience,
            scopes: client.scopes,
            client_authentication: match client.client_authentication {
                wit::ClientAuthentication::RequestBody => ClientAuthentication::RequestBody,
                wit::ClientAuthentication::BasicHeader => ClientAuthentication::BasicHeader,
            },
        }
    }
}

impl From<wit::Limits> for Limits {
    fn from(limits: wit::Limits) -> Self {
        Self {
            connect_timeout_ms: limits.connect_timeout_ms,
            first_byte_timeout_ms: limits.first_byte_timeout_ms,
            between_bytes_timeout_ms: limits.between_bytes_timeout_ms,
            max_response_bytes: limits.max_response_bytes,
        }
    }
}

fn pairs(pairs: Vec<(String, String)>) -> Vec<(String, Sensitive)> {
    pairs.into_iter().map(|(name, value)| (name, value.into())).collect()
}
