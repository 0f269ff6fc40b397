//! The destinations that an input names: the origin of the flow's request, and the URL of the token request.
//!
//! The input crate reads and checks the fields. Its origin is parsed again by the stricter [`Origin`]; if that fails, the input names
//! nothing and the call reaches no server.

use flow_starter_input::request::{self, Destination};
use flow_starter_input::{FlowConfig, Invalid, TokenRequest, template};

use super::origin::Origin;

/// The destinations that a call's input names: the instance, and the token endpoint for OAuth.
///
/// ```
/// use flow_starter_host::egress::Destinations;
///
/// let named = Destinations::of_json(r#"{"snInstance":"acme","restApiTriggerPath":"/api/x/y"}"#);
/// assert_eq!(named.flow().unwrap().to_string(), "https://acme.service-now.com");
/// assert!(Destinations::of_json("not JSON").flow().is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    flow: Option<Origin>,
    token: Option<TokenUrl>,
}

/// A token endpoint: its origin, and the rest of its URL as a request carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenUrl {
    pub(crate) origin: Origin,
    pub(crate) path_and_query: Box<str>,
}

impl Destinations {
    /// The destinations in an input of the contract's `execute`; none if it is not valid.
    pub fn of_json(input: &str) -> Self {
        Self::parse(template::destination(input))
    }

    /// The destinations in an input of the contract's `trigger-flow`.
    pub fn of_config(config: &FlowConfig) -> Self {
        Self::parse(Destination::of_config(config))
    }

    /// The destination of a token request: its token endpoint, and no flow.
    pub fn of_token_request(request: &TokenRequest) -> Self {
        Self {
            flow: None,
            ..Self::parse(Destination::of_token_request(request))
        }
    }

    fn parse(named: Result<Destination, Invalid>) -> Self {
        let Ok(named) = named else { return Self::default() };
        Self {
            flow: parse(&named.flow),
            token: named.token.and_then(|(origin, path_and_query)| {
                Some(TokenUrl {
                    origin: parse(&origin)?,
                    path_and_query: path_and_query.into(),
                })
            }),
        }
    }

    /// The origin of the flow's request.
    pub fn flow(&self) -> Option<&Origin> {
        self.flow.as_ref()
    }

    /// The origin of the token request, if there is one.
    pub fn token(&self) -> Option<&Origin> {
        self.token.as_ref().map(|url| &url.origin)
    }

    pub(crate) fn token_url(&self) -> Option<&TokenUrl> {
        self.token.as_ref()
    }
}

fn parse(origin: &request::Origin) -> Option<Origin> {
    origin.url().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_starter_input::{Authentication, ClientAuthentication, ClientCredentials, Method};

    fn flow_of(input: &str) -> Option<String> {
        Destinations::of_json(input).flow().map(Origin::to_string)
    }

    #[test]
    fn the_instance_is_what_the_input_names() {
        for (input, origin) in [
            (r#"{"snInstance":"acme"}"#, "https://acme.service-now.com"),
            (r#"{"snInstance":"ACME"}"#, "https://acme.service-now.com"),
            (r#"{"snInstance":"ac\u006de"}"#, "https://acme.service-now.com"),
            (
                r#"{"snInstance":"acme","snDomain":"servicenowservices.com"}"#,
                "https://acme.servicenowservices.com",
            ),
            (
                r#"{"snInstance":"acme","snDomain":"","snEndpoint":null}"#,
                "https://acme.service-now.com",
            ),
            (
                r#"{"snInstance":"acme","authentication":""}"#,
                "https://acme.service-now.com",
            ),
            (
                r#"{"snInstance":12345,"authentication":null}"#,
                "https://12345.service-now.com",
            ),
            (
                r#"{"snInstance":"","snEndpoint":"http://127.0.0.1:8080"}"#,
                "http://127.0.0.1:8080",
            ),
            (
                r#"{"snEndpoint":"https://gateway.example:8443","body":{"deep":[1,{"x":null}]},"url":7}"#,
                "https://gateway.example:8443",
            ),
        ] {
            assert_eq!(flow_of(input).as_deref(), Some(origin), "{input}");
        }
    }

    #[test]
    fn an_unusual_input_names_no_destination() {
        for input in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"snInstance":null}"#,
            r#"{"snInstance":""}"#,
            r#"{"snInstance":true}"#,
            r#"{"snInstance":"acme","authentication":"basic"}"#,
            r#"{"snInstance":"acme.evil"}"#,
            r#"{"snInstance":"acme.service-now.com"}"#,
            r#"{"snInstance":"https://acme"}"#,
            r#"{"snInstance":"acme/"}"#,
            r#"{"snInstance":"evil.example#"}"#,
            r#"{"snInstance":"user@acme"}"#,
            r#"{"snInstance":"acme:8443"}"#,
            r#"{"snInstance":" acme"}"#,
            r#"{"snInstance":"acme","snDomain":"evil.example/"}"#,
            r#"{"snInstance":"acme","snDomain":"evil.example:8443"}"#,
            r#"{"snInstance":"127","snDomain":"0.0.1"}"#,
            r#"{"snInstance":"acme","snDomain":"example."}"#,
            r#"{"snInstance":"acme","snEndpoint":"http://acme.example"}"#,
            r#"{"snInstance":"acme","snEndpoint":"https://u:p@acme.example"}"#,
            r#"{"snInstance":"acme","snEndpoint":"https://acme.example/path"}"#,
            r#"{"snInstance":"acme","snInstance":"evil"}"#,
            r#"{"snInstance":"acme"} {"#,
        ] {
            assert_eq!(flow_of(input), None, "{input}");
        }
    }

    fn token_of_json(authentication: &str) -> Option<(String, String)> {
        let input = format!(r#"{{"snInstance":"acme","authentication":{authentication}}}"#);
        Destinations::of_json(&input)
            .token_url()
            .map(|url| (url.origin.to_string(), url.path_and_query.to_string()))
    }

    #[test]
    fn only_oauth_names_a_token_endpoint() {
        let oauth = |endpoint: &str| {
            token_of_json(&format!(
                r#"{{"type":"oauth-client-credentials-flow","oauthTokenEndpoint":{endpoint}}}"#
            ))
        };
        let instance = Some(("https://acme.service-now.com".to_owned(), "/oauth_token.do".to_owned()));
        assert_eq!(oauth("null"), instance);
        assert_eq!(oauth(r#""""#), instance);
        assert_eq!(
            oauth(r#""https://login.example/oauth/token?tenant=1""#),
            Some(("https://login.example".to_owned(), "/oauth/token?tenant=1".to_owned()))
        );
        assert_eq!(
            oauth(r#""https://login.example""#),
            Some(("https://login.example".to_owned(), "/".to_owned()))
        );
        for odd in [
            r#""login.example/token""#,
            r#""http://login.example/token""#,
            r#""https://u:p@login.example/token""#,
            r#""https://login.example/token#x""#,
            r#""https://login.example\\token""#,
        ] {
            assert_eq!(oauth(odd), None, "{odd}");
        }
        assert_eq!(token_of_json("null"), None);
        assert_eq!(
            token_of_json(r#"{"type":"bearer","oauthTokenEndpoint":"https://login.example"}"#),
            None
        );
    }

    #[test]
    fn both_exports_name_the_same_destinations() {
        let client = ClientCredentials {
            token_url: None,
            client_id: "id".into(),
            client_secret: "secret".into(),
            audience: None,
            scopes: Vec::new(),
            client_authentication: ClientAuthentication::RequestBody,
        };
        let mut config = FlowConfig::new(Method::Post, "acme", "/api/x/y");
        config.authentication = Authentication::OauthClientCredentials(client.clone());
        let json = r#"{"snInstance":"acme","authentication":{"type":"oauth-client-credentials-flow"}}"#;
        assert_eq!(Destinations::of_config(&config), Destinations::of_json(json));
        let request = TokenRequest {
            instance: "acme".to_owned(),
            domain: None,
            endpoint: None,
            credentials: client,
            limits: None,
        };
        let named = Destinations::of_token_request(&request);
        assert_eq!(named.flow(), None);
        assert_eq!(named.token(), Destinations::of_json(json).token());
    }
}
