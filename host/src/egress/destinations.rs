//! What an input names: the origin of the flow's request, and the URL of the token's.
//!
//! The component alone decides whether an input is valid. Here only so much of it is read as it takes to
//! know whom the call may speak to, and whatever is not well-formed names nothing: a call whose input the
//! host does not understand reaches nobody.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::origin::{Host, Origin, Scheme, is_label};
use crate::component::{Authentication, ClientCredentials, FlowConfig, TokenRequest};

const DEFAULT_DOMAIN: &str = "service-now.com";
const DEFAULT_TOKEN_PATH: &str = "/oauth_token.do";

/// Whom a call's input names: the instance, and the token endpoint where OAuth asks for one.
///
/// ```
/// use flow_starter_host::Destinations;
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

/// The fields of the JSON door that name a destination.
#[derive(Deserialize)]
struct JsonInput {
    #[serde(rename = "snInstance", default)]
    instance: Text,
    #[serde(rename = "snDomain", default)]
    domain: Text,
    #[serde(rename = "snEndpoint", default)]
    endpoint: Text,
    #[serde(default)]
    authentication: JsonAuthentication,
}

/// An object, or nothing: null, or empty text.
#[derive(Default)]
struct JsonAuthentication {
    kind: Text,
    token_endpoint: Text,
}

/// Its other members are credentials: they are passed over, not so much as copied.
impl<'de> Deserialize<'de> for JsonAuthentication {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        enum Name {
            #[serde(rename = "type")]
            Kind,
            #[serde(rename = "oauthTokenEndpoint")]
            TokenEndpoint,
            #[serde(other)]
            Other,
        }
        struct Given;
        impl<'de> Visitor<'de> for Given {
            type Value = JsonAuthentication;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<JsonAuthentication, E> {
                Ok(JsonAuthentication::default())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<JsonAuthentication, E> {
                if text.is_empty() {
                    self.visit_unit()
                } else {
                    Err(E::custom("not an object"))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<JsonAuthentication, A::Error> {
                let (mut kind, mut token_endpoint) = (None, None);
                while let Some(name) = members.next_key()? {
                    let twice = match name {
                        Name::Kind => kind.replace(members.next_value()?).is_some(),
                        Name::TokenEndpoint => token_endpoint.replace(members.next_value()?).is_some(),
                        Name::Other => {
                            members.next_value::<IgnoredAny>()?;
                            false
                        }
                    };
                    if twice {
                        return Err(A::Error::custom("a name is given twice"));
                    }
                }
                Ok(JsonAuthentication {
                    kind: kind.unwrap_or_default(),
                    token_endpoint: token_endpoint.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_any(Given)
    }
}

/// A field as the component reads it: empty text and null are nothing, and a number is its digits.
#[derive(Default)]
struct Text(Option<String>);

impl Text {
    fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self(None)),
            Value::String(text) => Ok(Self(Some(text).filter(|text| !text.is_empty()))),
            Value::Number(number) => Ok(Self(Some(number.to_string()))),
            _ => Err(Error::custom("not text")),
        }
    }
}

impl Destinations {
    /// What the JSON door's input names; nothing where it is not a JSON object of the door's kind.
    pub fn of_json(input: &str) -> Self {
        let Ok(input) = serde_json::from_str::<JsonInput>(input) else {
            return Self::default();
        };
        let flow = instance_origin(
            input.instance.as_deref().unwrap_or_default(),
            input.domain.as_deref(),
            input.endpoint.as_deref(),
        );
        let token = match input.authentication.kind.as_deref() {
            Some("oauth-client-credentials-flow") => {
                token_url(input.authentication.token_endpoint.as_deref(), flow.as_ref())
            }
            _ => None,
        };
        Self { flow, token }
    }

    /// What the typed door's input names.
    pub fn of_config(config: &FlowConfig) -> Self {
        let flow = instance_origin(&config.instance, config.domain.as_deref(), config.endpoint.as_deref());
        let token = match &config.authentication {
            Authentication::OauthClientCredentials(client) => token_of(client, flow.as_ref()),
            _ => None,
        };
        Self { flow, token }
    }

    /// What a token request names: its token endpoint, and no flow.
    pub fn of_token_request(request: &TokenRequest) -> Self {
        let instance = instance_origin(
            &request.instance,
            request.domain.as_deref(),
            request.endpoint.as_deref(),
        );
        Self {
            token: token_of(&request.credentials, instance.as_ref()),
            flow: None,
        }
    }

    /// Where the flow's request goes.
    pub fn flow(&self) -> Option<&Origin> {
        self.flow.as_ref()
    }

    /// Where the token's request goes, if there is one.
    pub fn token(&self) -> Option<&Origin> {
        self.token.as_ref().map(|url| &url.origin)
    }

    pub(crate) fn token_url(&self) -> Option<&TokenUrl> {
        self.token.as_ref()
    }
}

/// `https://<instance>.<domain>`, or the endpoint that stands in for it. Empty text is the same as absent.
fn instance_origin(instance: &str, domain: Option<&str>, endpoint: Option<&str>) -> Option<Origin> {
    if let Some(endpoint) = endpoint.filter(|text| !text.is_empty()) {
        return endpoint.parse().ok();
    }
    let domain = domain.filter(|text| !text.is_empty());
    let host = format!("{instance}.{}", domain.unwrap_or(DEFAULT_DOMAIN));
    if !is_label(instance) || !matches!(host.parse(), Ok(Host::Name(_))) {
        return None;
    }
    Origin::new(Scheme::Https, &host).ok()
}

fn token_of(client: &ClientCredentials, instance: Option<&Origin>) -> Option<TokenUrl> {
    token_url(client.token_url.as_deref(), instance)
}

/// The token endpoint's own URL, or the instance's.
fn token_url(written: Option<&str>, instance: Option<&Origin>) -> Option<TokenUrl> {
    let Some(written) = written.filter(|text| !text.is_empty()) else {
        return Some(TokenUrl {
            origin: instance?.clone(),
            path_and_query: DEFAULT_TOKEN_PATH.into(),
        });
    };
    let (origin, tail) = Origin::split(written).ok()?;
    let path_and_query = match tail.chars().next() {
        None => "/".into(),
        Some('/') if !tail.contains('#') => tail.into(),
        Some('?') if !tail.contains('#') => format!("/{tail}").into(),
        _ => return None,
    };
    Some(TokenUrl { origin, path_and_query })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{ClientAuthentication, Method};

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
                r#"{"snEndpoint":"https://gateway.example:8443/","body":{"deep":[1,{"x":null}]},"url":7}"#,
                "https://gateway.example:8443",
            ),
        ] {
            assert_eq!(flow_of(input).as_deref(), Some(origin), "{input}");
        }
    }

    #[test]
    fn what_is_odd_names_nothing() {
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
    fn both_doors_name_the_same() {
        let client = ClientCredentials {
            token_url: None,
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
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
