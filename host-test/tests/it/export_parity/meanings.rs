//! Things to ask for, each said at both doors.

use flow_starter_host::FlowConfig;
use flow_starter_host::input::{
    ApiKey, ApiKeyLocation, Authentication, CallLimits, ClientAuthentication, ClientCredentials, Credentials, Method,
    Sensitive,
};
use host_test::conformance::patched;
use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour, DEMO_FLOW};

const PUBLIC_FLOW: &str = "/api/sn_cico/flow_starter/public_flow";
pub const TOKEN: &str = "/oauth_token.do";

/// One thing to ask for, said at both doors.
pub struct Meaning {
    pub name: &'static str,
    pub json: String,
    pub typed: FlowConfig,
    pub server: Vec<(&'static str, Behaviour)>,
}

/// The example's input with a change, at both doors.
pub fn meaning(name: &'static str, patch: Value, change: impl FnOnce(&mut FlowConfig)) -> Meaning {
    let mut typed = FlowConfig::new(Method::Post, "acme", DEMO_FLOW);
    typed.headers = pairs([("hello", "header")]);
    typed.query = pairs([("hello", "query")]);
    typed.body = Some(r#"{"correlationValue":"cam-id-1"}"#.into());
    typed.authentication = Authentication::Basic(Credentials {
        username: "camunda".into(),
        password: "demo-password".into(),
    });
    change(&mut typed);
    Meaning {
        name,
        json: patched(&patch).unwrap(),
        typed,
        server: Vec::new(),
    }
}

impl Meaning {
    /// With the server doing so at that path.
    pub fn answered(mut self, path: &'static str, behaviour: impl Into<Behaviour>) -> Self {
        self.server.push((path, behaviour.into()));
        self
    }
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, Sensitive)> {
    let pairs = pairs.into_iter();
    pairs.map(|(name, value)| (name.to_owned(), value.into())).collect()
}

pub fn client(client_authentication: ClientAuthentication) -> ClientCredentials {
    ClientCredentials {
        token_url: None,
        client_id: "demo-client".into(),
        client_secret: "demo-secret".into(),
        audience: Some("https://acme.service-now.com/".to_owned()),
        scopes: vec!["useraccount".to_owned(), "flow:start".to_owned()],
        client_authentication,
    }
}

fn client_json(client_authentication: &str) -> Value {
    json!({"authentication": {
        "type": "oauth-client-credentials-flow",
        "clientId": "demo-client",
        "clientSecret": "demo-secret",
        "audience": "https://acme.service-now.com/",
        "scopes": "useraccount flow:start",
        "clientAuthentication": client_authentication,
    }})
}

/// A token that is the same for every request: those of the stand-in's own making differ.
pub fn fixed_token() -> Behaviour {
    Behaviour::Answer(Answer::new(200).body(r#"{"access_token":"demo-token","token_type":"Bearer","expires_in":1799}"#))
}

pub fn requests(stand_in: &str) -> Vec<Meaning> {
    let large = "0123456789abcdef".repeat(100 * 1024 / 16);
    let mut all = vec![
        meaning("the blueprint", json!({}), |_| ()),
        meaning("no body", json!({"body": null}), |it| it.body = None),
        meaning("an empty body", json!({"body": ""}), |it| {
            it.body = Some(String::new().into())
        }),
        meaning(
            "a body of 100 KiB",
            json!({"body": {"correlationValue": null, "text": large}}),
            |it| it.body = Some(json!({ "text": large }).to_string().into()),
        ),
        meaning(
            "a text body",
            json!({"body": "<a/>", "headers": {"content-type": "text/xml"}}),
            |it| {
                it.body = Some("<a/>".into());
                it.headers = pairs([("content-type", "text/xml"), ("hello", "header")]);
            },
        ),
        meaning(
            "headers of every kind",
            json!({"headers": {"x-list": ["1", "2"], "x-number": 7, "x-text": "grüße\t©"}}),
            |it| {
                it.headers.extend(pairs([
                    ("x-list", "1"),
                    ("x-list", "2"),
                    ("x-number", "7"),
                    ("x-text", "grüße\t©"),
                ]));
            },
        ),
        meaning(
            "a form",
            json!({
                "restApiTriggerPath": PUBLIC_FLOW,
                "body": {"correlationValue": "a b", "list": [1, "ü"], "nothing": null},
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            }),
            |it| {
                it.path = PUBLIC_FLOW.into();
                it.body = Some("correlationValue=a+b&list=1&list=%C3%BC".into());
                it.headers = pairs([
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("hello", "header"),
                ]);
            },
        ),
        meaning(
            "the user's own user agent",
            json!({"headers": {"user-agent": "Müller/7"}}),
            |it| it.headers.extend(pairs([("user-agent", "Müller/7")])),
        ),
        meaning(
            "headers in capitals",
            json!({"headers": {"hello": null, "Accept": "application/*", "HELLO": "header"}}),
            |it| {
                it.headers = pairs([("Accept", "application/*"), ("HELLO", "header")]);
            },
        ),
        meaning(
            "parameters of every kind",
            json!({"queryParameters": {"x list": ["a&b", "c+d"], "x-number": 7, "x-text": "grüße ✓"}}),
            |it| {
                it.query.extend(pairs([
                    ("x list", "a&b"),
                    ("x list", "c+d"),
                    ("x-number", "7"),
                    ("x-text", "grüße ✓"),
                ]));
            },
        ),
        meaning(
            "a path with a query",
            json!({"restApiTriggerPath": format!("{DEMO_FLOW}?a=%2f")}),
            |it| it.path = format!("{}?a=%2f", &*it.path).into(),
        ),
        meaning(
            "a path that an expression made",
            json!({"restApiTriggerPath": "/api/sn_cico/flow_starter/parameter_flow/Grüße {an|J\"}?x=a ü"}),
            |it| {
                it.path = "/api/sn_cico/flow_starter/parameter_flow/Grüße {an|J\"}?x=a ü".into();
            },
        ),
        meaning(
            "an encoded slash",
            json!({"restApiTriggerPath": "/api/sn_cico/flow_starter/parameter_flow/a%2Fb"}),
            |it| {
                it.path = "/api/sn_cico/flow_starter/parameter_flow/a%2Fb".into();
            },
        ),
        meaning(
            "limits",
            json!({"connectionTimeoutInSeconds": "9.5", "readTimeoutInSeconds": 8, "maxResponseBytes": 5000}),
            |it| {
                it.limits = Some(CallLimits {
                    connect_timeout_ms: 9500,
                    first_byte_timeout_ms: 8000,
                    between_bytes_timeout_ms: 8000,
                    max_response_bytes: 5000,
                });
            },
        ),
        meaning("a domain", json!({"snDomain": "service-now.com"}), |it| {
            it.domain = Some("service-now.com".to_owned())
        }),
        meaning(
            "an endpoint",
            json!({"snInstance": null, "snEndpoint": stand_in}),
            |it| {
                it.instance.clear();
                it.endpoint = Some(stand_in.into());
            },
        ),
        meaning(
            "no authentication",
            json!({"restApiTriggerPath": PUBLIC_FLOW, "authentication": null}),
            |it| {
                it.path = PUBLIC_FLOW.into();
                it.authentication = Authentication::None;
            },
        ),
        meaning(
            "a bearer token",
            json!({"authentication": {"type": "bearer", "token": "demo-token"}}),
            |it| {
                it.authentication = Authentication::Bearer("demo-token".into());
            },
        ),
        meaning(
            "credentials beyond ASCII",
            json!({"authentication": {"username": "käthe", "password": "pässwörd"}}),
            |it| {
                it.authentication = Authentication::Basic(Credentials {
                    username: "käthe".into(),
                    password: "pässwörd".into(),
                });
            },
        ),
    ];
    for (method, name) in [
        (Method::Get, "GET"),
        (Method::Put, "PUT"),
        (Method::Patch, "PATCH"),
        (Method::Delete, "DELETE"),
    ] {
        let path = format!("/api/sn_cico/flow_starter/{}_flow", name.to_lowercase());
        let patch = json!({"method": name, "restApiTriggerPath": path, "body": null});
        all.push(meaning(name, patch, |it| {
            (it.method, it.path, it.body) = (method, path.into(), None)
        }));
    }
    for (place, location, name) in [
        (ApiKeyLocation::Header, "headers", "an API key in a header"),
        (ApiKeyLocation::Query, "query", "an API key in the query"),
    ] {
        let patch = json!({"authentication": {"type": "apiKey", "apiKeyLocation": location, "name": "x-sn-apikey", "value": "demo-api-key"}});
        let key = ApiKey {
            location: place,
            name: "x-sn-apikey".to_owned(),
            value: "demo-api-key".into(),
        };
        all.push(meaning(name, patch, |it| {
            it.authentication = Authentication::ApiKey(key)
        }));
    }
    let patch = json!({"authentication": {"type": "apiKey", "value": "demo-api-key"}});
    all.push(meaning("an API key without a name", patch, |it| {
        it.authentication = Authentication::ApiKey(ApiKey {
            location: ApiKeyLocation::Header,
            name: String::new(),
            value: "demo-api-key".into(),
        });
    }));
    let patch = json!({"authentication": {
        "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": "demo-secret", "scopes": ["a\nb", "c"],
    }});
    let scopes = |it: &mut FlowConfig| {
        it.authentication = Authentication::OauthClientCredentials(ClientCredentials {
            audience: None,
            scopes: vec!["a".to_owned(), "b\tc".to_owned()],
            ..client(ClientAuthentication::RequestBody)
        });
    };
    all.push(meaning("scopes", patch, scopes).answered(TOKEN, fixed_token()));
    for (place, location) in [
        (ClientAuthentication::RequestBody, "credentialsBody"),
        (ClientAuthentication::BasicHeader, "basicAuthHeader"),
    ] {
        let oauth = |it: &mut FlowConfig| it.authentication = Authentication::OauthClientCredentials(client(place));
        all.push(meaning(location, client_json(location), oauth).answered(TOKEN, fixed_token()));
    }
    let failing =
        |name: &'static str, behaviour: Behaviour| meaning(name, json!({}), |_| ()).answered(DEMO_FLOW, behaviour);
    let elsewhere = Answer::new(302).header("Location", "https://login.example.com/");
    all.extend([
        failing("a wrong status", Behaviour::status(500)),
        failing("a sleeping instance", Behaviour::Hibernating),
        failing("a redirect", Behaviour::Answer(elsewhere)),
        failing("used up semaphores", Behaviour::Semaphore),
        failing(
            "repeated headers",
            Behaviour::Answer(Answer::new(202).header("X-Twice", "1").header("X-Twice", "2")),
        ),
        failing(
            "an answer that is not JSON",
            Behaviour::Answer(Answer::new(200).header("Content-Type", "text/plain").body("done")),
        ),
    ]);
    all
}

pub fn refused() -> Vec<Meaning> {
    let many: String = "x".repeat(70_000);
    let large = many.clone();
    vec![
        meaning(
            "a whole URL as instance",
            json!({"snInstance": "https://acme.service-now.com"}),
            |it| {
                it.instance = "https://acme.service-now.com".to_owned();
            },
        ),
        meaning(
            "no instance",
            json!({"snInstance": "", "snEndpoint": "http://acme.example"}),
            |it| {
                it.instance.clear();
                it.endpoint = Some("http://acme.example".into());
            },
        ),
        meaning("a path without a slash", json!({"restApiTriggerPath": "api/a"}), |it| {
            it.path = "api/a".into()
        }),
        meaning(
            "a path with a space at its end",
            json!({"restApiTriggerPath": "/api/a "}),
            |it| it.path = "/api/a ".into(),
        ),
        meaning(
            "a path in ISO-8859-1",
            json!({"restApiTriggerPath": "/api/M%FCller"}),
            |it| it.path = "/api/M%FCller".into(),
        ),
        meaning(
            "a header beyond ISO-8859-1",
            json!({"headers": {"x-a": "a secret ✓"}}),
            |it| it.headers.extend(pairs([("x-a", "a secret ✓")])),
        ),
        meaning(
            "a body in another charset",
            json!({"headers": {"hello": null, "content-type": "application/json;charset=latin1"}}),
            |it| it.headers = pairs([("content-type", "application/json;charset=latin1")]),
        ),
        meaning("a dot segment", json!({"restApiTriggerPath": "/api/%2e%2e/a"}), |it| {
            it.path = "/api/%2e%2e/a".into()
        }),
        meaning(
            "a header's line break",
            json!({"headers": {"x-a": "1\r\nx-b: 2"}}),
            |it| it.headers.extend(pairs([("x-a", "1\r\nx-b: 2")])),
        ),
        meaning("a hop-by-hop header", json!({"headers": {"upgrade": "h2c"}}), |it| {
            it.headers.extend(pairs([("upgrade", "h2c")]))
        }),
        meaning(
            "headers of more than 64 KiB",
            json!({"headers": {"x-large": many}}),
            |it| it.headers.extend([("x-large".to_owned(), large.into())]),
        ),
        meaning(
            "two authorizations",
            json!({"headers": {"authorization": "Basic other-secret"}}),
            |it| {
                it.headers = pairs([("authorization", "Basic other-secret"), ("hello", "header")]);
            },
        ),
        meaning(
            "a user's name with a colon",
            json!({"authentication": {"username": "a:b"}}),
            |it| {
                it.authentication = Authentication::Basic(Credentials {
                    username: "a:b".into(),
                    password: "demo-password".into(),
                });
            },
        ),
        meaning(
            "a token with a space",
            json!({"authentication": {"type": "bearer", "token": "a secret token"}}),
            |it| {
                it.authentication = Authentication::Bearer("a secret token".into());
            },
        ),
        meaning("a body that is no JSON", json!({"body": "{ no JSON"}), |it| {
            it.body = Some("{ no JSON".into())
        }),
        meaning(
            "a domain and an endpoint",
            json!({"snDomain": "a.example", "snEndpoint": "https://b.example"}),
            |it| {
                it.domain = Some("a.example".to_owned());
                it.endpoint = Some("https://b.example".into());
            },
        ),
    ]
}
