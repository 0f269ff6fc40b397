//! `Debug` for those of the contract's types that hold a credential, a header's value or a body.

use std::fmt;

use super::contract::{
    AccessToken, ApiKey, Authentication, ClientCredentials, Credentials, FlowConfig, FlowResponse, TokenRequest,
};

const HIDDEN: &str = "***";

/// The names of name-value pairs, without their values.
struct Names<'a>(&'a [(String, String)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A URL or a path up to its query, and without user information.
struct Bare<'a>(&'a str);

impl fmt::Debug for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        let bare = self.0.get(..end).unwrap_or_default();
        let shown = if bare.contains('@') { HIDDEN } else { bare };
        fmt::Debug::fmt(shown, f)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("location", &self.location)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("token_url", &self.token_url.as_deref().map(Bare))
            .field("audience", &self.audience)
            .field("scopes", &self.scopes)
            .field("client_authentication", &self.client_authentication)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic(_) => f.write_str("Basic(***)"),
            Self::Bearer(_) => f.write_str("Bearer(***)"),
            Self::ApiKey(key) => f.debug_tuple("ApiKey").field(key).finish(),
            Self::OauthClientCredentials(client) => f.debug_tuple("OauthClientCredentials").field(client).finish(),
        }
    }
}

impl fmt::Debug for FlowConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowConfig")
            .field("instance", &Bare(&self.instance))
            .field("domain", &self.domain.as_deref().map(Bare))
            .field("endpoint", &self.endpoint.as_deref().map(Bare))
            .field("path", &Bare(&self.path))
            .field("method", &self.method)
            .field("headers", &Names(&self.headers))
            .field("query", &Names(&self.query))
            .field("body_bytes", &self.body.as_ref().map(String::len))
            .field("authentication", &self.authentication)
            .field("limits", &self.limits)
            .finish()
    }
}

impl fmt::Debug for FlowResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowResponse")
            .field("status", &self.status)
            .field("headers", &Names(&self.headers))
            .field("body_bytes", &self.body.len())
            .field("execution_id", &self.execution_id)
            .field("sys_id", &self.sys_id)
            .finish()
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("instance", &Bare(&self.instance))
            .field("domain", &self.domain.as_deref().map(Bare))
            .field("endpoint", &self.endpoint.as_deref().map(Bare))
            .field("credentials", &self.credentials)
            .field("limits", &self.limits)
            .finish()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("token", &HIDDEN)
            .field("expires_in_s", &self.expires_in_s)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{ApiKeyLocation, ClientAuthentication, Method, TriggerError};
    use super::super::contract::{ErrorKind, FlowState};
    use super::*;

    const SECRET: &str = "s3cr3t-value";

    fn secret() -> String {
        SECRET.to_owned()
    }

    fn client() -> ClientCredentials {
        ClientCredentials {
            token_url: Some(format!("https://{SECRET}:{SECRET}@auth.example/token")),
            client_id: secret(),
            client_secret: secret(),
            audience: None,
            scopes: vec!["useraccount".to_owned()],
            client_authentication: ClientAuthentication::BasicHeader,
        }
    }

    #[test]
    fn no_debug_output_shows_a_credential_a_value_or_a_body() {
        let authentications = [
            Authentication::Basic(Credentials {
                username: secret(),
                password: secret(),
            }),
            Authentication::Bearer(secret()),
            Authentication::ApiKey(ApiKey {
                location: ApiKeyLocation::Query,
                name: "key".to_owned(),
                value: secret(),
            }),
            Authentication::OauthClientCredentials(client()),
        ];
        for authentication in authentications {
            let mut config = FlowConfig::new(Method::Post, "acme", format!("/api/a/b?key={SECRET}"));
            config.endpoint = Some(format!("https://u:{SECRET}@gateway.example"));
            config.headers = vec![("authorization".to_owned(), secret())];
            config.query = vec![("key".to_owned(), secret())];
            config.body = Some(secret());
            config.authentication = authentication;
            let shown = format!("{config:?}{config:#?}");
            assert!(!shown.contains(SECRET), "{shown}");
            assert!(shown.contains("acme"), "{shown}");
        }
        let request = TokenRequest {
            instance: "acme".to_owned(),
            domain: None,
            endpoint: Some(format!("https://u:{SECRET}@gateway.example")),
            credentials: client(),
            limits: None,
        };
        let token = AccessToken {
            token: secret(),
            expires_in_s: Some(1),
        };
        let error = TriggerError {
            kind: ErrorKind::Rejected,
            message: "no".to_owned(),
            flow: FlowState::NotStarted,
            retryable: false,
            retry_after_ms: None,
            response: Some(FlowResponse {
                status: 400,
                headers: vec![("x".to_owned(), secret())],
                body: secret(),
                execution_id: None,
                sys_id: None,
            }),
        };
        let shown = format!("{request:?}{token:?}{error:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}
