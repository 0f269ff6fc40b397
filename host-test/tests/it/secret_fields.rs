//! Inputs with a secret in each field that a message could name, and what must not come out of them.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// The name of the one secret.
pub const NAME: &str = "ODD";

/// A field, as members of an input, and the values of its secret.
pub struct Case {
    pub field: &'static str,
    /// In place of the blueprint's own members.
    pub members: Value,
    pub values: &'static [&'static str],
}

const HOSTS: &[&str] = &[
    "https://Quetzal-Two2024x.example.com",
    "HTTPS://Quetzal-Two2024x.example.com:443",
    "https://quetzal:Two2024x@h.example",
    "https://Quetzal-Two2024x.example.com/Two2024x-path",
    "https://Quetzal-Two2024x.example.com?Two2024x=1#Two2024x",
    "http://Quetzal-Two2024x.example.com",
    "ftp://Quetzal-Two2024x.example.com",
    "https://Quetzal-Two2024x.example.com:66666",
    "https://quétzal-Two2024x.example.com",
    "https://[fd00:0:0:2024:0:0:0:77aa]",
    "https://10.77.88.99:8443",
    "Quetzal-Two2024x",
    "quetzal.two2024x:Quetzal",
];

const NAMES: &[&str] = &[
    "Quetzal-Two2024x",
    "quetzal-horse.battery-2024x",
    "QuetzalTwo2024x.service-now.com",
    "https://QuetzalTwo2024x.service-now.com/nav_to.do",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJRdWV0emFsIn0.c2lnbmF0dXJl",
    "quétzal-Two2024x",
    "Quetzal two2024x",
    "Quetzal_two2024x\n",
    "-quetzaltwo2024x",
    "Quetzal/two2024x?key=quetzal#two",
];

const WORDS: &[&str] = &[
    "QUETZAL-2024x",
    "quétzal two2024x",
    "quetzal\two2024x\n",
    "quetzal\r\n \ttwo2024x",
    "{\"quetzal\":\"two2024x\"}",
];

const PATHS: &[&str] = &[
    "quetzal-two2024x",
    "//quetzal-two2024x/api",
    "/api/Quetzal-Two2024x",
    "/api/quétzal-two2024x/ñandu",
    "/api/quetzal two2024x",
    "/api/../quetzal-two2024x",
    "/api/quetzal-two2024x/%2e%2E;x/y",
    "/api/quetzal-two2024x#quetzal",
    "/api/quetzal-two2024x\\quetzal",
    "/api/quetzal-two2024x{quetzal}",
    "/api/quetzal%two2024x",
    "/api/quetzal-two2024x?quetzal=two%2Dtwo2024x&two2024x",
    "/api/quetzal\r\ntwo2024x",
];

fn key(name: &str, location: &str) -> Value {
    json!({ "authentication": { "type": "apiKey", "apiKeyLocation": location, "name": name, "value": "the-keys-value" } })
}

fn client(member: &str, value: &str) -> Value {
    let mut client =
        json!({ "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": "demo-secret" });
    client[member] = value.into();
    json!({ "authentication": client })
}

pub fn cases() -> Vec<Case> {
    let case = |field, members, values| Case { field, members, values };
    let all = "{{secrets.ODD}}";
    vec![
        case("snInstance", json!({ "snInstance": all }), NAMES),
        case("snInstance", json!({ "snInstance": "dev-{{secrets.ODD}}" }), NAMES),
        case("snDomain", json!({ "snDomain": all }), NAMES),
        case("snEndpoint", json!({ "snInstance": null, "snEndpoint": all }), HOSTS),
        case("snTarget", json!({ "snTarget": all }), WORDS),
        case("oauthTokenEndpoint", client("oauthTokenEndpoint", all), HOSTS),
        case("clientAuthentication", client("clientAuthentication", all), WORDS),
        case("scopes", client("scopes", all), WORDS),
        case("audience", client("audience", all), WORDS),
        case("clientId", client("clientId", all), WORDS),
        case("authentication.name", key(all, "headers"), NAMES),
        case("authentication.name", key(all, "query"), NAMES),
        case("apiKeyLocation", key("x-key", all), WORDS),
        case(
            "authentication.type",
            json!({ "authentication": { "type": all } }),
            WORDS,
        ),
        case(
            "username",
            json!({ "authentication": { "type": "basic", "username": all, "password": "the-password" } }),
            WORDS,
        ),
        case(
            "password",
            json!({ "authentication": { "type": "basic", "username": "camunda", "password": all } }),
            WORDS,
        ),
        case(
            "token",
            json!({ "authentication": { "type": "bearer", "token": all } }),
            WORDS,
        ),
        case("method", json!({ "method": all }), WORDS),
        case("restApiTriggerPath", json!({ "restApiTriggerPath": all }), PATHS),
        case("headers", json!({ "headers": { "x-odd": all } }), WORDS),
        case("headers", json!({ "headers": { "accept-encoding": all } }), WORDS),
        case("queryParameters", json!({ "queryParameters": { "odd": all } }), WORDS),
        case("body", json!({ "body": "{{secrets.ODD}}" }), WORDS),
        case(
            "connectionTimeoutInSeconds",
            json!({ "connectionTimeoutInSeconds": all }),
            WORDS,
        ),
        case("maxResponseBytes", json!({ "maxResponseBytes": all }), WORDS),
    ]
}

/// Shorter parts stand in ordinary words.
const PART: usize = 6;
/// Fewer letters and digits in a part are punctuation, which JSON and URLs have as well.
const LETTERS: usize = 4;

/// What stands in every message about a URL, and in the names of the fields.
const ORDINARY: [&str; 8] = [
    "https://[",
    "http://",
    ".service-now.com/nav_to.do",
    ".service-now.com/api/",
    ".example.com",
    ".example",
    "/nav_to.do",
    "/api/",
];

const PERCENT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'{').add(b'}').add(b'#').add(b'\\');

/// No part of the value stands in the text: in any letter case, percent-encoded more or less, as JSON.
pub fn assert_unsaid(value: &str, text: &str, whose: &str) {
    let text = text.to_lowercase();
    let ordinary = |part: &str| {
        let letters = part.chars().filter(|c| c.is_alphanumeric()).count();
        letters < LETTERS || ORDINARY.iter().any(|known| known.contains(part))
    };
    for form in [
        value.to_owned(),
        utf8_percent_encode(value, PERCENT).to_string(),
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        json!(value).to_string().trim_matches('"').to_owned(),
        // The address that the value names, as it is written.
        "fd00:0:0:2024::77aa".to_owned(),
    ] {
        let chars: Vec<char> = form.to_lowercase().chars().collect();
        for part in chars.windows(PART) {
            let part: String = part.iter().collect();
            assert!(
                ordinary(&part) || !text.contains(&part),
                "{whose}: `{part}` of `{value}` came out: {text}"
            );
        }
    }
}
