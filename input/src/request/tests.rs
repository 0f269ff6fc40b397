//! Inputs and the bytes of their requests, through both exports.

use super::*;
use crate::{ApiKey, Credentials, DEFAULT_LIMITS, Sensitive, template};

/// `POST /api/x/flow` to acme with nothing else.
pub fn config() -> FlowConfig {
    FlowConfig {
        instance: "acme".to_owned(),
        domain: None,
        endpoint: None,
        path: "/api/x/flow".into(),
        method: Method::Post,
        headers: Vec::new(),
        query: Vec::new(),
        body: None,
        authentication: Authentication::None,
        limits: None,
    }
}

pub fn client() -> ClientCredentials {
    ClientCredentials {
        token_url: None,
        client_id: "the-client".into(),
        client_secret: "s3cr3t/+".into(),
        audience: None,
        scopes: Vec::new(),
        client_authentication: ClientAuthentication::RequestBody,
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, Sensitive)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect()
}

/// A request as it would stand on the wire of HTTP/1.1, with the whole URL in its first line.
fn wire(request: &Request) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let scheme = if request.tls() { "https" } else { "http" };
    let mut text = format!(
        "{method} {scheme}://{}{}\n",
        request.authority(),
        request.path_with_query()
    );
    for (name, value) in request.headers() {
        let value: String = value.iter().copied().map(char::from).collect();
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.push_str(std::str::from_utf8(request.body()).unwrap());
    text.replace(USER_AGENT, "flow-starter/VERSION")
}

fn wires(config: FlowConfig) -> String {
    match plan(&config) {
        Ok(plan) => plan
            .token
            .iter()
            .chain([&plan.flow])
            .map(wire)
            .collect::<Vec<_>>()
            .join("\n---\n"),
        Err(Invalid { sentence, .. }) => format!("refused: {sentence}"),
    }
}

struct Sent {
    promise: &'static str,
    /// What follows `"restApiTriggerPath": "/api/x/flow"` at the JSON door, with its instance and method where it needs others.
    json: &'static str,
    typed: fn(&mut FlowConfig),
    wire: &'static str,
}

const POST: &str = r#""snInstance":"acme","method":"POST""#;

#[rustfmt::skip]
const SENT: &[Sent] = &[
    Sent {
        promise: "the least that can be said is enough",
        json: "POST",
        typed: |_| {},
        wire: "POST https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "the blueprint of the documentation",
        json: r#"POST,"headers":{"hello":"header"},"queryParameters":{"hello":"query"},"body":{"correlationValue":"cam-id-1"},"authentication":{"type":"basic","username":"admin","password":"pässword"}"#,
        typed: |c| {
            c.headers = pairs(&[("hello", "header")]);
            c.query = pairs(&[("hello", "query")]);
            c.body = Some(r#"{"correlationValue":"cam-id-1"}"#.into());
            c.authentication = Authentication::Basic(Credentials { username: "admin".into(), password: "pässword".into() });
        },
        wire: "POST https://acme.service-now.com/api/x/flow?hello=query\nhello: header\nauthorization: Basic YWRtaW46cMOkc3N3b3Jk\ncontent-type: application/json\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 31\n\n{\"correlationValue\":\"cam-id-1\"}",
    },
    Sent {
        promise: "a GET has no length and no content type",
        json: r#""snInstance":"acme","method":"GET""#,
        typed: |c| c.method = Method::Get,
        wire: "GET https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\n\n",
    },
    Sent {
        promise: "a DELETE without a body says so",
        json: r#""snInstance":"acme","method":"DELETE""#,
        typed: |c| c.method = Method::Delete,
        wire: "DELETE https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "a PUT takes the user's content type and accept, and a body that is no JSON",
        json: r#""snInstance":"acme","method":"PUT","headers":{"Content-Type":"text/plain","ACCEPT":"text/plain"},"body":"hello""#,
        typed: |c| {
            c.method = Method::Put;
            c.headers = pairs(&[("Content-Type", "text/plain"), ("ACCEPT", "text/plain")]);
            c.body = Some("hello".into());
        },
        wire: "PUT https://acme.service-now.com/api/x/flow\ncontent-type: text/plain\naccept: text/plain\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 5\n\nhello",
    },
    Sent {
        promise: "a body's length is counted in bytes",
        json: r#""snInstance":"acme","method":"PATCH","body":"\"\u00fc\ud83d\ude00\"""#,
        typed: |c| {
            c.method = Method::Patch;
            c.body = Some("\"ü😀\"".into());
        },
        wire: "PATCH https://acme.service-now.com/api/x/flow\ncontent-type: application/json\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 8\n\n\"ü😀\"",
    },
    Sent {
        promise: "a JSON body keeps its key order, its large integers, its decimals and its white space",
        json: r#"POST,"body": { "z":12345678901234567890, "a": 1.10,"e":1E+2 ,"z2":"\ud800" } "#,
        typed: |c| c.body = Some(r#"{ "z":12345678901234567890, "a": 1.10,"e":1E+2 ,"z2":"\ud800" }"#.into()),
        wire: "POST https://acme.service-now.com/api/x/flow\ncontent-type: application/json\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 63\n\n{ \"z\":12345678901234567890, \"a\": 1.10,\"e\":1E+2 ,\"z2\":\"\\ud800\" }",
    },
    Sent {
        promise: "empty text and null are the same as nothing",
        json: r#"POST,"snDomain":"","snEndpoint":null,"headers":"","queryParameters":null,"body":"","authentication":"","connectionTimeoutInSeconds":"","readTimeoutInSeconds":null,"maxResponseBytes":"""#,
        typed: |c| {
            c.domain = Some("".into());
            c.endpoint = Some("".into());
            c.body = Some("".into());
        },
        wire: "POST https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "a domain of its own",
        json: r#"POST,"snDomain":"ServiceNowServices.com""#,
        typed: |c| c.domain = Some("ServiceNowServices.com".to_owned()),
        wire: "POST https://acme.servicenowservices.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an endpoint stands in the place of the instance, over plain http to this machine",
        json: r#""method":"POST","snEndpoint":"http://127.0.0.1:8080""#,
        typed: |c| {
            c.instance = String::new();
            c.endpoint = Some("http://127.0.0.1:8080".into());
        },
        wire: "POST http://127.0.0.1:8080/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an endpoint beside an instance is taken",
        json: r#"POST,"snEndpoint":"HTTPS://Flows.Example.com:8443""#,
        typed: |c| c.endpoint = Some("HTTPS://Flows.Example.com:8443".into()),
        wire: "POST https://flows.example.com:8443/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an endpoint may end with a slash",
        json: r#"POST,"snEndpoint":"https://flows.example.com/""#,
        typed: |c| c.endpoint = Some("https://flows.example.com/".into()),
        wire: "POST https://flows.example.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an IPv6 loopback address is this machine",
        json: r#"POST,"snEndpoint":"http://[::1]:8080""#,
        typed: |c| c.endpoint = Some("http://[::1]:8080".into()),
        wire: "POST http://[::1]:8080/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "query parameters are encoded, a space as `%20`, repeated for a list, JSON for an object, and left out for a null",
        json: r#"POST,"queryParameters":{"a b":"c&d=é+","n":null,"list":[1,null,true,"x"],"o":{"k":[1.50]},"f":false,"big":12345678901234567890}"#,
        typed: |c| c.query = pairs(&[("a b", "c&d=é+"), ("list", "1"), ("list", "true"), ("list", "x"), ("o", r#"{"k":[1.50]}"#), ("f", "false"), ("big", "12345678901234567890")]),
        wire: "POST https://acme.service-now.com/api/x/flow?a%20b=c%26d%3D%C3%A9%2B&list=1&list=true&list=x&o=%7B%22k%22%3A%5B1.50%5D%7D&f=false&big=12345678901234567890\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "headers are treated alike, and their names become small",
        json: r#"POST,"headers":{"X-List":["a","b"],"X-Number":1.50,"X-Null":null,"X-Object":{"a":1},"X-Text":"Müller\tx"}"#,
        typed: |c| c.headers = pairs(&[("X-List", "a"), ("X-List", "b"), ("X-Number", "1.50"), ("X-Object", r#"{"a":1}"#), ("X-Text", "Müller\tx")]),
        wire: "POST https://acme.service-now.com/api/x/flow\nx-list: a\nx-list: b\nx-number: 1.50\nx-object: {\"a\":1}\nx-text: Müller\tx\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an uncompressed answer may be asked for",
        json: r#"POST,"headers":{"Accept-Encoding":"identity"}"#,
        typed: |c| c.headers = pairs(&[("Accept-Encoding", "identity")]),
        wire: "POST https://acme.service-now.com/api/x/flow\naccept-encoding: identity\naccept: application/json\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "the user's own authorization goes out where no authentication is chosen",
        json: r#"POST,"headers":{"Authorization":"Custom abc"},"authentication":{"type":"noAuth"}"#,
        typed: |c| c.headers = pairs(&[("Authorization", "Custom abc")]),
        wire: "POST https://acme.service-now.com/api/x/flow\nauthorization: Custom abc\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "a bearer token",
        json: r#"POST,"authentication":{"type":"bearer","token":"abc.def-1"}"#,
        typed: |c| c.authentication = Authentication::Bearer("abc.def-1".into()),
        wire: "POST https://acme.service-now.com/api/x/flow\nauthorization: Bearer abc.def-1\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an API key in a header",
        json: r#"POST,"authentication":{"type":"apiKey","apiKeyLocation":"headers","name":"X-SN-ApiKey","value":"k3y"}"#,
        typed: |c| c.authentication = Authentication::ApiKey(ApiKey { location: ApiKeyLocation::Header, name: "X-SN-ApiKey".to_owned(), value: "k3y".into() }),
        wire: "POST https://acme.service-now.com/api/x/flow\nx-sn-apikey: k3y\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an API key in the query, after the parameters",
        json: r#"POST,"queryParameters":{"a":"b"},"authentication":{"type":"apiKey","apiKeyLocation":"query","name":"key","value":"k&y"}"#,
        typed: |c| {
            c.query = pairs(&[("a", "b")]);
            c.authentication = Authentication::ApiKey(ApiKey { location: ApiKeyLocation::Query, name: "key".to_owned(), value: "k&y".into() });
        },
        wire: "POST https://acme.service-now.com/api/x/flow?a=b&key=k%26y\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "client credentials ask the instance for a token first, in the body",
        json: r#"POST,"authentication":{"type":"oauth-client-credentials-flow","clientId":"the-client","clientSecret":"s3cr3t/+","scopes":"a  b"}"#,
        typed: |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { scopes: vec!["a".to_owned(), String::new(), "b".to_owned()], ..client() }),
        wire: "POST https://acme.service-now.com/oauth_token.do\ncontent-type: application/x-www-form-urlencoded\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 87\n\ngrant_type=client_credentials&client_id=the-client&client_secret=s3cr3t%2F%2B&scope=a+b\n---\nPOST https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "client credentials in a basic header are form-encoded first (RFC 6749, section 2.3.1), and go to the endpoint given",
        json: r#"POST,"authentication":{"type":"oauth-client-credentials-flow","oauthTokenEndpoint":"https://login.example.com/token?x=1","clientId":"the:client","clientSecret":"s3cr3t/+","audience":"https://a","clientAuthentication":"basicAuthHeader"}"#,
        typed: |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials {
            token_url: Some("https://login.example.com/token?x=1".into()),
            client_id: "the:client".into(),
            audience: Some("https://a".to_owned()),
            client_authentication: ClientAuthentication::BasicHeader,
            ..client()
        }),
        // the%3Aclient:s3cr3t%2F%2B
        wire: "POST https://login.example.com/token?x=1\ncontent-type: application/x-www-form-urlencoded\nauthorization: Basic dGhlJTNBY2xpZW50OnMzY3IzdCUyRiUyQg==\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 54\n\ngrant_type=client_credentials&audience=https%3A%2F%2Fa\n---\nPOST https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "what a URL cannot hold is percent-encoded in a path, and the rest of it stays",
        json: r#""snInstance":"acme","method":"GET","restApiTriggerPath":"/api/Größe/a b%2fc/\"<>[]^{|}`?q=ü x%20&r=[1]""#,
        typed: |c| {
            c.method = Method::Get;
            c.path = "/api/Größe/a b%2fc/\"<>[]^{|}`?q=ü x%20&r=[1]".into();
        },
        wire: "GET https://acme.service-now.com/api/Gr%C3%B6%C3%9Fe/a%20b%2fc/%22%3C%3E%5B%5D%5E%7B%7C%7D%60?q=%C3%BC%20x%20&r=%5B1%5D\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\n\n",
    },
    Sent {
        promise: "the user's own user agent takes the place of ours",
        json: r#"POST,"headers":{"User-Agent":"Müller's own"}"#,
        typed: |c| c.headers = pairs(&[("User-Agent", "Müller's own")]),
        wire: "POST https://acme.service-now.com/api/x/flow\nuser-agent: Müller's own\naccept: application/json\naccept-encoding: identity\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "an object is a form where its content type says so: a space is `+`, a list repeats its name, a null is left out",
        json: r#"POST,"headers":{"content-type":"application/x-www-form-urlencoded;charset=UTF-8"},"body":{"a b":"c&d=é+","n":null,"list":[1,null,true,"x y"],"o":{"k":[1.50]}}"#,
        typed: |c| {
            c.headers = pairs(&[("content-type", "application/x-www-form-urlencoded;charset=UTF-8")]);
            c.body = Some("a+b=c%26d%3D%C3%A9%2B&list=1&list=true&list=x+y&o=%7B%22k%22%3A%5B1.50%5D%7D".into());
        },
        wire: "POST https://acme.service-now.com/api/x/flow\ncontent-type: application/x-www-form-urlencoded;charset=UTF-8\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 76\n\na+b=c%26d%3D%C3%A9%2B&list=1&list=true&list=x+y&o=%7B%22k%22%3A%5B1.50%5D%7D",
    },
    Sent {
        promise: "a form that is given as text is sent as it is",
        json: r#"POST,"headers":{"content-type":"application/x-www-form-urlencoded"},"body":"a=b c&d=%zz""#,
        typed: |c| {
            c.headers = pairs(&[("content-type", "application/x-www-form-urlencoded")]);
            c.body = Some("a=b c&d=%zz".into());
        },
        wire: "POST https://acme.service-now.com/api/x/flow\ncontent-type: application/x-www-form-urlencoded\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 11\n\na=b c&d=%zz",
    },
    Sent {
        promise: "a number is the same text under every content type, and an object is plain text as JSON",
        json: r#"POST,"headers":{"content-type":"text/plain"},"body":{"a":1.50}"#,
        typed: |c| {
            c.headers = pairs(&[("content-type", "text/plain")]);
            c.body = Some("{\"a\":1.50}".into());
        },
        wire: "POST https://acme.service-now.com/api/x/flow\ncontent-type: text/plain\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 10\n\n{\"a\":1.50}",
    },
    Sent {
        promise: "a text is sent as it is under multipart",
        json: r#"POST,"headers":{"content-type":"multipart/form-data; boundary=x"},"body":"--x--""#,
        typed: |c| {
            c.headers = pairs(&[("content-type", "multipart/form-data; boundary=x")]);
            c.body = Some("--x--".into());
        },
        wire: "POST https://acme.service-now.com/api/x/flow\ncontent-type: multipart/form-data; boundary=x\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 5\n\n--x--",
    },
    Sent {
        promise: "an API key without a name goes where ServiceNow looks for it",
        json: r#"POST,"authentication":{"type":"apiKey","value":"schlüssel"}"#,
        typed: |c| c.authentication = api_key(ApiKeyLocation::Header, "", "schlüssel"),
        wire: "POST https://acme.service-now.com/api/x/flow\nx-sn-apikey: schlüssel\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "in the query as well, with `%20` for a space",
        json: r#"POST,"authentication":{"type":"apiKey","apiKeyLocation":"query","name":null,"value":"a b+é"}"#,
        typed: |c| c.authentication = api_key(ApiKeyLocation::Query, "", "a b+é"),
        wire: "POST https://acme.service-now.com/api/x/flow?x-sn-apikey=a%20b%2B%C3%A9\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "scopes are separated by any white space, in a text and in a list of texts",
        json: r#"POST,"authentication":{"type":"oauth-client-credentials-flow","clientId":"the-client","clientSecret":"s3cr3t/+","scopes":["a\n b",null,"\tc",7]}"#,
        typed: |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { scopes: vec!["a\r\nb".to_owned(), " ".to_owned(), "c\u{a0}7".to_owned()], ..client() }),
        wire: "POST https://acme.service-now.com/oauth_token.do\ncontent-type: application/x-www-form-urlencoded\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 91\n\ngrant_type=client_credentials&client_id=the-client&client_secret=s3cr3t%2F%2B&scope=a+b+c+7\n---\nPOST https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "what is not the connector's is ignored: the template's computed url, and a body that GET cannot have",
        json: r#""snInstance":"acme","method":"GET","url":"https://evil.example/","camId":"x","body":{"a":1},"job":{"b":[]}"#,
        typed: |c| c.method = Method::Get,
        wire: "GET https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\n\n",
    },
    Sent {
        promise: "nor DELETE",
        json: r#""snInstance":"acme","method":"DELETE","body":"not JSON""#,
        typed: |c| c.method = Method::Delete,
        wire: "DELETE https://acme.service-now.com/api/x/flow\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
    Sent {
        promise: "numbers are taken where text is asked for",
        json: r#""snInstance":12345,"method":"POST","authentication":{"type":"basic","username":1,"password":2222}"#,
        typed: |c| {
            c.instance = "12345".to_owned();
            c.authentication = Authentication::Basic(Credentials { username: "1".into(), password: "2222".into() });
        },
        wire: "POST https://12345.service-now.com/api/x/flow\nauthorization: Basic MToyMjIy\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 0\n\n",
    },
];

fn json_input(rest: &str) -> String {
    let rest = rest.replacen("POST", POST, usize::from(rest.starts_with("POST")));
    if rest.contains("restApiTriggerPath") {
        return format!("{{{rest}}}");
    }
    format!("{{\"restApiTriggerPath\":\"/api/x/flow\",{rest}}}")
}

#[test]
fn a_typed_input_becomes_exactly_these_bytes() {
    for sent in SENT {
        let mut config = config();
        (sent.typed)(&mut config);
        assert_eq!(wires(config), sent.wire, "{}", sent.promise);
    }
}

#[test]
fn a_json_input_becomes_the_same_bytes() {
    for sent in SENT {
        let config = template::parse(&json_input(sent.json))
            .unwrap_or_else(|error| panic!("{}: {}", sent.promise, error.sentence));
        assert_eq!(wires(config), sent.wire, "{}", sent.promise);
    }
}

#[test]
fn a_path_goes_out_byte_for_byte() {
    for path in [
        "/",
        "/api/x/a%2Fb%2fc",
        "/a//b/",
        "/a;b=c/d,e:f@g!$&'()*+~_-.h",
        "/...",
        "/a..b/.c/d.",
        "/%25%20%7e",
        "/a?",
        "/a?b=c&d=%20+?/",
        "/%252e%252e",
        "/a?b=%0D%0A%FC",
        "/%C2%80%F4%8f%bF%BF",
    ] {
        let config = FlowConfig {
            path: path.into(),
            ..config()
        };
        let request = plan(&config).unwrap().flow;
        assert_eq!(request.path_with_query(), path);
    }
}

#[test]
fn parameters_are_added_to_the_query_that_the_path_has() {
    for (path, target) in [
        ("/a", "/a?q=1"),
        ("/a?", "/a?q=1"),
        ("/a?b", "/a?b&q=1"),
        ("/a?b=%20&", "/a?b=%20&q=1"),
        ("/a?b?c", "/a?b?c&q=1"),
    ] {
        let config = FlowConfig {
            path: path.into(),
            query: pairs(&[("q", "1")]),
            ..config()
        };
        let request = plan(&config).unwrap().flow;
        assert_eq!(request.path_with_query(), target);
    }
}

#[test]
fn a_token_is_put_in_as_the_one_authorization() {
    let authentication = Authentication::OauthClientCredentials(client());
    let config = FlowConfig {
        authentication,
        ..config()
    };
    let mut request = plan(&config).unwrap().flow;
    request.authorize_bearer("t0ken");
    let found: Vec<_> = request
        .headers()
        .iter()
        .filter(|(name, _)| name == "authorization")
        .collect();
    assert_eq!(found, [&("authorization".to_owned(), b"Bearer t0ken".to_vec())]);
}

#[test]
fn a_token_can_be_asked_for_alone() {
    let request = TokenRequest {
        instance: "acme".to_owned(),
        domain: None,
        endpoint: None,
        credentials: client(),
        limits: None,
    };
    assert_eq!(
        wire(&token(&request).unwrap()),
        "POST https://acme.service-now.com/oauth_token.do\ncontent-type: application/x-www-form-urlencoded\naccept: application/json\naccept-encoding: identity\nuser-agent: flow-starter/VERSION\ncontent-length: 77\n\ngrant_type=client_credentials&client_id=the-client&client_secret=s3cr3t%2F%2B"
    );
}

/// A POST that could start a flow, under the name of a token request.
#[test]
fn a_token_endpoint_is_no_trigger() {
    let config = |endpoint: Option<&str>, token_url: &str| FlowConfig {
        endpoint: endpoint.map(Sensitive::from),
        path: "/api/x/My_Flow?a=b".into(),
        authentication: Authentication::OauthClientCredentials(ClientCredentials {
            token_url: Some(token_url.into()),
            ..client()
        }),
        ..config()
    };
    let (acme, gateway) = ("https://acme.service-now.com", Some("https://flows.example.com"));
    for path in [
        "/api/x/my_flow",
        "/%61pi/now/table/incident",
        "/API/x",
        "/;a/api/x",
        "/api;v=1/x",
        "//api/x",
        "/%2561pi/x",
        "/a%2F..%2Fapi",
        "/api%5Cx",
        "/api",
    ] {
        for origin in [acme, "https://ACME.service-now.com:443"] {
            let config = config(None, &format!("{origin}{path}"));
            assert!(plan(&config).is_err(), "{origin}{path}");
            assert!(token(&config.token_request().unwrap()).is_err(), "{origin}{path}");
        }
    }
    for path in [
        "/api/x/my_flow",
        "/api/X/my_flow/?c",
        "/api/x/my%5Fflow;v",
        "/api//x\\my_flow",
    ] {
        let url = format!("https://flows.example.com:443{path}");
        assert!(plan(&config(gateway, &url)).is_err(), "{path}");
    }
    for (endpoint, url) in [
        (None, "https://acme.service-now.com:8443/api/x/my_flow"),
        (None, "https://other-name.example/api/x/my_flow"),
        (gateway, "https://acme.service-now.com/api/now/table/x"),
        (gateway, "https://flows.example.com/api/x/z/%252e%252e/my_flow"),
    ] {
        assert!(plan(&config(endpoint, url)).is_err(), "{url}");
    }
    for (endpoint, url) in [
        (None, "https://acme.service-now.com/oauth_token.do"),
        (None, "https://acme.service-now.com/apix/token"),
        (None, "https://login.example/api/token"),
        (gateway, "https://flows.example.com/api/token"),
        (gateway, "https://login.example/oauth/x/my_flow"),
    ] {
        assert!(plan(&config(endpoint, url)).is_ok(), "{url}");
    }
}

#[test]
fn limits_default_to_twenty_seconds_and_a_mebibyte() {
    let limits = |limits| plan(&FlowConfig { limits, ..config() }).unwrap().flow.limits;
    assert_eq!(limits(None), DEFAULT_LIMITS);
    let none = Limits {
        connect_timeout_ms: 0,
        first_byte_timeout_ms: 0,
        between_bytes_timeout_ms: 0,
        max_response_bytes: 0,
    };
    let given = limits(Some(none));
    assert_eq!(
        (
            given.connect_timeout_ms,
            given.first_byte_timeout_ms,
            given.between_bytes_timeout_ms,
            given.max_response_bytes
        ),
        (0, 0, 0, 1024 * 1024)
    );
}

/// A secret that no message may hold.
const SECRET: &str = "hunter22hunter22";

fn basic(username: &str, password: &str) -> Authentication {
    Authentication::Basic(Credentials {
        username: username.into(),
        password: password.into(),
    })
}

fn api_key(location: ApiKeyLocation, name: &str, value: &str) -> Authentication {
    Authentication::ApiKey(ApiKey {
        location,
        name: name.to_owned(),
        value: value.into(),
    })
}

type Refusal = (&'static str, fn(&mut FlowConfig), &'static str);

#[rustfmt::skip]
const REFUSED: &[Refusal] = &[
    ("no instance", |c| c.instance = String::new(), "The instance name (snInstance) is missing: enter only the name, for example `acme`"),
    ("the placeholder", |c| c.instance = "Your-Instance-Name".to_owned(), "is the placeholder of an example: enter your instance's name"),
    ("a pasted URL", |c| c.instance = "https://acme.service-now.com/".to_owned(), "enter only `acme`, without `https://` and without the domain."),
    ("a pasted host", |c| c.instance = "dev12345.service-now.com".to_owned(), "enter only `dev12345`, "),
    ("a pasted URL with user information", |c| c.instance = "https://hunter22hunter22:hunter22hunter22@acme.service-now.com".to_owned(), "enter only `acme`, "),
    ("a host smuggled in", |c| c.instance = "evil.example/".to_owned(), "is not a name: enter only `acme`"),
    ("a host of another domain", |c| c.instance = "hunter22hunter22.example.com".to_owned(), "enter only `acme`, "),
    ("a credential with a dot", |c| c.instance = "correct-horse.battery-staple".to_owned(), "enter only `acme`, "),
    ("a token", |c| c.instance = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl".to_owned(), "enter only `acme`, "),
    ("a domain that only ends like ServiceNow's", |c| c.instance = "hunter22hunter22.evilservice-now.com".to_owned(), "enter only `acme`, "),
    ("a pasted URL of the government's cloud", |c| c.instance = "HTTPS://Dev12345.ServiceNowServices.com:443/nav_to.do".to_owned(), "enter only `dev12345`, "),
    ("a scheme without a host", |c| c.instance = "https://".to_owned(), "enter only `acme`, "),
    ("a hyphen at the edge", |c| c.instance = "-acme".to_owned(), "is not a name"),
    ("an instance of 64 letters", |c| c.instance = "a".repeat(64), "is not a name"),
    ("an instance beyond ASCII", |c| c.instance = "äcme".to_owned(), "contains `ä`: use only letters"),
    ("an instance with an underscore", |c| c.instance = "acme_dev".to_owned(), "contains `_`: use only letters"),
    ("an instance with a space", |c| c.instance = " acme ".to_owned(), "contains a space or a line break"),
    ("an instance with a line break", |c| c.instance = "acme\r\n".to_owned(), "contains a space or a line break"),
    ("a domain that is none", |c| c.domain = Some("service now.com".to_owned()), "The domain (snDomain) is not a DNS name"),
    ("a domain with a path", |c| c.domain = Some("x.com/y".to_owned()), "The domain (snDomain) is not a DNS name"),
    ("a domain with a port", |c| c.domain = Some("x.com:1".to_owned()), "The domain (snDomain) is not a DNS name"),
    ("an address in two halves", |c| { c.instance = "127".to_owned(); c.domain = Some("0.0.1".to_owned()) }, "The domain (snDomain) is not a DNS name"),
    ("an address in hexadecimal", |c| { c.instance = "127".to_owned(); c.domain = Some("0x1".to_owned()) }, "The domain (snDomain) is not a DNS name"),
    ("a domain that ends with a dot", |c| c.domain = Some("service-now.com.".to_owned()), "The domain (snDomain) is not a DNS name"),
    ("domain and endpoint", |c| { c.domain = Some("x.com".to_owned()); c.endpoint = Some("https://x.com".into()) }, "exclude each other"),
    ("a bad instance beside an endpoint", |c| { c.instance = "a.b".to_owned(); c.endpoint = Some("https://x.com".into()) }, "is not a name"),
    ("plain http to elsewhere", |c| c.endpoint = Some("http://flows.example.com".into()), "plain http is allowed only to this machine"),
    ("plain http to a name that only looks like this machine", |c| c.endpoint = Some("http://localhost.example.com".into()), "plain http is allowed only to this machine"),
    ("another scheme", |c| c.endpoint = Some("ftp://flows.example.com".into()), "must begin with `https://`"),
    ("no scheme", |c| c.endpoint = Some("flows.example.com".into()), "must begin with `https://`"),
    ("an endpoint with a path", |c| c.endpoint = Some("https://flows.example.com/x".into()), "must be an origin without a path"),
    ("an endpoint with user information", |c| c.endpoint = Some("https://u:hunter22hunter22@flows.example.com".into()), "must not contain user information"),
    ("an endpoint with an odd address", |c| c.endpoint = Some("http://127.1".into()), "does not name a valid host"),
    ("an endpoint with a bad IPv6 address", |c| c.endpoint = Some("https://[::x]".into()), "does not name a valid host"),
    ("an endpoint without a host", |c| c.endpoint = Some("https://".into()), "does not name a valid host"),
    ("a port that is none", |c| c.endpoint = Some("https://x.com:http".into()), "a port that is not a number"),
    ("a port of zero", |c| c.endpoint = Some("https://x.com:0".into()), "a port that is not a number"),
    ("a port too large", |c| c.endpoint = Some("https://x.com:65536".into()), "a port that is not a number"),
    ("no path", |c| c.path = "".into(), "The trigger path (restApiTriggerPath) is missing"),
    ("a path without its slash", |c| c.path = "api/x".into(), "must begin with `/`"),
    ("a whole URL as the path", |c| c.path = "https://acme.service-now.com/api/x".into(), "enter only the part of the URL after the host"),
    ("a path that names a host", |c| c.path = "//evil.example/x".into(), "must not begin with `//`"),
    ("a fragment", |c| c.path = "/api#x".into(), "must not contain `#`"),
    ("a backslash", |c| c.path = "/api\\x".into(), "must not contain a backslash"),
    ("a second request line", |c| c.path = "/api/x\r\nhost:evil".into(), "contains a control character"),
    ("a tab", |c| c.path = "/api/\tx".into(), "contains a control character"),
    ("a delete character", |c| c.path = "/api/\x7fx".into(), "contains a control character"),
    ("a lone percent", |c| c.path = "/api/100%".into(), "a `%` without two hexadecimal digits"),
    ("a percent with one digit", |c| c.path = "/api/%2".into(), "a `%` without two hexadecimal digits"),
    ("a percent without digits in the query", |c| c.path = "/api?x=%zz".into(), "a `%` without two hexadecimal digits"),
    ("a path that ends with a space", |c| c.path = "/api/x ".into(), "ends with white space"),
    ("a path whose query ends with white space", |c| c.path = "/api/x?a=b\u{3000}".into(), "ends with white space"),
    ("a path that begins with white space", |c| c.path = " /api/x".into(), "must begin with `/`"),
    ("a control character beyond ASCII", |c| c.path = "/api/\u{85}x".into(), "contains a control character"),
    ("a line separator", |c| c.path = "/api/\u{2028}x".into(), "contains a control character"),
    ("a paragraph separator in the query", |c| c.path = "/api/x?\u{2029}x".into(), "contains a control character"),
    ("an encoded line break in a path", |c| c.path = "/api/x%0d%0Ax".into(), "an encoded control character"),
    ("an encoded NUL in a path", |c| c.path = "/api/x%00".into(), "an encoded control character"),
    ("an encoded delete character in a path", |c| c.path = "/api/%7fx".into(), "an encoded control character"),
    ("half a character of UTF-8", |c| c.path = "/api/%C3/x".into(), "percent-encoded bytes that are not UTF-8"),
    ("half a character of UTF-8 before a whole one", |c| c.path = "/api/%C3ü".into(), "percent-encoded bytes that are not UTF-8"),
    ("ISO-8859-1 in a path", |c| c.path = "/api/M%FCller".into(), "percent-encoded bytes that are not UTF-8"),
    ("a surrogate in a path", |c| c.path = "/api/%ED%A0%80".into(), "percent-encoded bytes that are not UTF-8"),
    ("dots beside a space", |c| c.path = "/api/a b/../c".into(), "the segments `.` and `..`"),
    ("a dot segment", |c| c.path = "/api/./x".into(), "the segments `.` and `..`"),
    ("two dots at the end", |c| c.path = "/api/..".into(), "the segments `.` and `..`"),
    ("encoded dots", |c| c.path = "/api/%2e%2E/x".into(), "the segments `.` and `..`"),
    ("half encoded dots", |c| c.path = "/api/.%2e/x".into(), "the segments `.` and `..`"),
    ("dots between encoded slashes", |c| c.path = "/api/a%2F..%2fb".into(), "the segments `.` and `..`"),
    ("dots between encoded backslashes", |c| c.path = "/api/a%5C..%5cb".into(), "the segments `.` and `..`"),
    ("dots with a parameter", |c| c.path = "/api/..;x/b".into(), "the segments `.` and `..`"),
    ("dots with an encoded parameter", |c| c.path = "/api/..%3Bx/b".into(), "the segments `.` and `..`"),
    ("a second header in a value", |c| c.headers = pairs(&[("x", "hunter22hunter22\r\nhost: evil")]), "The value of the header `x` contains a control character"),
    ("a value beyond ISO-8859-1", |c| c.headers = pairs(&[("x", "hunter22hunter22€")]), "The value of the header `x` contains a character that is not in ISO-8859-1"),
    ("a C1 control character in a value", |c| c.headers = pairs(&[("x", "hunter22hunter22\u{85}")]), "The value of the header `x` contains a control character"),
    ("an API key beyond ISO-8859-1", |c| c.authentication = api_key(ApiKeyLocation::Header, "k", "hunter22hunter22Ž"), "The API key's value (authentication.value) contains a character that is not in ISO-8859-1"),
    ("two user agents", |c| c.headers = pairs(&[("User-Agent", SECRET), ("user-agent", SECRET)]), "The header `user-agent` is given twice"),
    ("a body in another charset", |c| { c.headers = pairs(&[("content-type", "application/json; charset=ISO-8859-1")]); c.body = Some("{}".into()) }, "names a charset other than UTF-8"),
    ("a form in another charset", |c| { c.headers = pairs(&[("Content-Type", "application/x-www-form-urlencoded;charset=\"utf-16\"")]); c.body = Some("a=b".into()) }, "names a charset other than UTF-8"),
    ("another charset without a body", |c| c.headers = pairs(&[("content-type", "text/plain;charset=latin1")]), "names a charset other than UTF-8"),
    ("a NUL in a value", |c| c.headers = pairs(&[("x", "hunter22hunter22\0")]), "The value of the header `x` contains a control character"),
    ("a second header in a name", |c| c.headers = pairs(&[("x: hunter22hunter22\r\ny", "1")]), "`x…` is not a header name"),
    ("no header name", |c| c.headers = pairs(&[("", "hunter22hunter22")]), "`…` is not a header name"),
    ("a header name beyond ASCII", |c| c.headers = pairs(&[("häader", "1")]), "`h…` is not a header name"),
    ("the host header", |c| c.headers = pairs(&[("Host", "evil")]), "The header `host` cannot be set"),
    ("the length", |c| c.headers = pairs(&[("Content-Length", "1")]), "The header `content-length` cannot be set"),
    ("a hop-by-hop header", |c| c.headers = pairs(&[("Transfer-Encoding", "chunked")]), "The header `transfer-encoding` cannot be set"),
    ("the connection", |c| c.headers = pairs(&[("Connection", "close")]), "The header `connection` cannot be set"),
    ("a compressed answer", |c| c.headers = pairs(&[("Accept-Encoding", "gzip")]), "`accept-encoding` can only be `identity`"),
    ("two content types", |c| c.headers = pairs(&[("Content-Type", "text/plain"), ("content-type", "text/plain")]), "The header `content-type` is given twice"),
    ("two authorizations", |c| c.headers = pairs(&[("Authorization", SECRET), ("authorization", SECRET)]), "The header `authorization` is given twice"),
    ("too many bytes of headers", |c| c.headers = pairs(&[("x", &"a".repeat(65_536))]), "larger than 64 KiB"),
    ("too many small headers", |c| c.headers = vec![("x".to_owned(), "".into()); 1000], "larger than 64 KiB"),
    ("authorization beside basic", |c| { c.headers = pairs(&[("Authorization", SECRET)]); c.authentication = basic("u", SECRET) }, "The headers already contain `authorization`"),
    ("authorization beside a bearer token", |c| { c.headers = pairs(&[("AUTHORIZATION", SECRET)]); c.authentication = Authentication::Bearer(SECRET.into()) }, "The headers already contain `authorization`"),
    ("authorization beside an API key", |c| { c.headers = pairs(&[("authorization", SECRET)]); c.authentication = api_key(ApiKeyLocation::Header, "x-sn-apikey", SECRET) }, "The headers already contain `authorization`"),
    ("authorization beside client credentials", |c| { c.headers = pairs(&[("authorization", SECRET)]); c.authentication = Authentication::OauthClientCredentials(client()) }, "The headers already contain `authorization`"),
    ("a user name with a colon", |c| c.authentication = basic("a:b", SECRET), "The user name (authentication.username) contains a colon, which basic authentication cannot send."),
    ("a password with a line break", |c| c.authentication = basic("u", "hunter22hunter22\n"), "contains a control character, such as a line break at its end"),
    ("no user name", |c| c.authentication = basic("", SECRET), "The user name (authentication.username) is missing."),
    ("no password", |c| c.authentication = basic("u", ""), "The password (authentication.password) is missing."),
    ("no token", |c| c.authentication = Authentication::Bearer("".into()), "The bearer token (authentication.token) is missing."),
    ("a token with its scheme", |c| c.authentication = Authentication::Bearer("Bearer hunter22hunter22".into()), "enter only the token, without `Bearer`"),
    ("a token with a line break", |c| c.authentication = Authentication::Bearer("hunter22hunter22\n".into()), "a character that a token cannot have"),
    ("an API key without a value", |c| c.authentication = api_key(ApiKeyLocation::Query, "k", ""), "The API key's value (authentication.value) is missing."),
    ("an API key with a line break", |c| c.authentication = api_key(ApiKeyLocation::Header, "k", "hunter22hunter22\r\nx: y"), "The API key's value (authentication.value) contains a control character"),
    ("an API key's name that is none", |c| c.authentication = api_key(ApiKeyLocation::Header, "k: y", SECRET), "is not a header name"),
    ("an API key as the host", |c| c.authentication = api_key(ApiKeyLocation::Header, "Host", SECRET), "The API key's header cannot be `host`"),
    ("an API key that the headers hold", |c| { c.headers = pairs(&[("K", "1")]); c.authentication = api_key(ApiKeyLocation::Header, "k", SECRET) }, "The headers already contain `k`"),
    ("an API key that the parameters hold", |c| { c.query = pairs(&[("k y", "1")]); c.authentication = api_key(ApiKeyLocation::Query, "k y", SECRET) }, "The query parameters already contain the API key's name"),
    ("an API key that the path's query holds", |c| { c.path = "/a?k=1".into(); c.authentication = api_key(ApiKeyLocation::Query, "k", SECRET) }, "The query parameters already contain the API key's name"),
    ("a client without an id", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { client_id: "".into(), ..client() }), "The client id (authentication.clientId) is missing."),
    ("a client without a secret", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { client_secret: "".into(), ..client() }), "The client secret (authentication.clientSecret) is missing."),
    ("a token endpoint over plain http", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("http://login.example.com/t".into()), ..client() }), "The token endpoint (authentication.oauthTokenEndpoint) must begin with `https://`"),
    ("a token endpoint with user information", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("https://u:hunter22hunter22@login.example.com/t".into()), ..client() }), "must not contain user information"),
    ("a token endpoint with a space", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("https://login.example.com/a t".into()), ..client() }), "The token endpoint (authentication.oauthTokenEndpoint) contains ` `, which a URL cannot"),
    ("a token endpoint beyond ASCII", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("https://login.example.com/ü".into()), ..client() }), "The token endpoint (authentication.oauthTokenEndpoint) contains `ü`, which a URL cannot"),
    ("a token endpoint with a brace in its query", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("https://login.example.com/t?{".into()), ..client() }), "contains `{`, which a URL cannot"),
    ("a token endpoint that is the trigger, encoded", |c| { c.path = "/flows/größe x".into(); c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("https://login.example.com/flows/gr%C3%B6%C3%9Fe%20x".into()), ..client() }) }, "points to a path where a request could start a flow"),
    ("an API key that the path's query holds, encoded", |c| { c.path = "/a?k+%C3%BC=1".into(); c.authentication = api_key(ApiKeyLocation::Query, "k ü", SECRET) }, "The query parameters already contain the API key's name"),
    ("a token endpoint with a fragment", |c| c.authentication = Authentication::OauthClientCredentials(ClientCredentials { token_url: Some("https://login.example.com/t#x".into()), ..client() }), "The token endpoint (authentication.oauthTokenEndpoint) must not contain `#`"),
    ("a body with GET", |c| { c.method = Method::Get; c.body = Some("{}".into()) }, "A body cannot be sent with GET or DELETE"),
    ("a body with DELETE", |c| { c.method = Method::Delete; c.body = Some("{}".into()) }, "A body cannot be sent with GET or DELETE"),
    ("a body that is not the JSON it says", |c| c.body = Some("{\n\"p\": hunter22hunter22}".into()), "The body is not JSON (line 2, column 6)"),
    ("a body that is not the kind of JSON it says", |c| { c.headers = pairs(&[("content-type", "application/merge-patch+JSON; charset=utf-8")]); c.body = Some("x".into()) }, "The body is not JSON (line 1, column 1)"),
];

#[test]
fn an_input_is_refused_with_a_sentence_that_says_what_to_do() {
    for (input, change, part) in REFUSED {
        let mut config = config();
        change(&mut config);
        let Err(Invalid { sentence, .. }) = plan(&config) else {
            panic!("{input} was taken")
        };
        assert!(sentence.contains(part), "{input}: {sentence}");
        assert!(sentence.ends_with('.'), "{input}: {sentence}");
    }
}

#[test]
fn no_refusal_repeats_a_secret() {
    for (input, change, _) in REFUSED {
        let mut config = config();
        change(&mut config);
        let Err(Invalid { sentence, .. }) = plan(&config) else {
            panic!("{input} was taken")
        };
        assert!(!sentence.contains("hunter22"), "{input}: {sentence}");
    }
}
