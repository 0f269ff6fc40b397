//! The call as a first component usually has it: waki's client, `serde_json::Value` in and out, the default release profile.
#![cfg(target_arch = "wasm32")]

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use waki::header::HeaderName;
use waki::{Client, Method};

wit_bindgen::generate!({ path: "wit", world: "rival" });

struct Rival;

export!(Rival);

impl Guest for Rival {
    fn execute(input: String) -> Result<String, String> {
        execute(&input).map_err(|error| error.to_string())
    }
}

fn execute(input: &str) -> Result<String, Box<dyn Error>> {
    let input: Value = serde_json::from_str(input)?;
    let url = format!(
        "{}{}",
        text(&input, "/snEndpoint")?,
        text(&input, "/restApiTriggerPath")?
    );
    let method = match text(&input, "/method")? {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let credentials = format!(
        "{}:{}",
        text(&input, "/authentication/username")?,
        text(&input, "/authentication/password")?
    );
    let authorization = format!("Basic {}", STANDARD.encode(credentials));
    let mut headers = Vec::new();
    for (name, value) in pairs(&input, "/headers") {
        headers.push((HeaderName::try_from(name)?, value));
    }
    let query = pairs(&input, "/queryParameters");
    let response = Client::new()
        .request(method, &url)
        .query(query)
        .headers([
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", "flow-starter-bench"),
            ("content-type", "application/json"),
            ("authorization", authorization.as_str()),
        ])
        .headers(headers)
        .body(serde_json::to_vec(&input.get("body"))?)
        .send()?;
    let status = response.status_code();
    let mut headers = Map::new();
    for (name, value) in response.headers() {
        let value = value.to_str()?;
        headers.insert(name.as_str().to_owned(), value.into());
        headers.insert(usual_spelling(name.as_str()), value.into());
    }
    let body: Value = response.json()?;
    let id = |name: &str| body.pointer(&format!("/result/{name}")).cloned();
    if !(200..300).contains(&status) {
        return Err(format!("status {status}").into());
    }
    Ok(json!({
        "status": status,
        "reason": if status == 200 { "OK" } else { "" },
        "headers": headers,
        "executionId": id("executionId"),
        "sysId": id("sys_id"),
        "body": body,
    })
    .to_string())
}

fn text<'a>(input: &'a Value, pointer: &str) -> Result<&'a str, String> {
    let found = input.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| format!("{pointer} is missing"))
}

fn pairs(input: &Value, pointer: &str) -> Vec<(String, String)> {
    let members = input.pointer(pointer).and_then(Value::as_object);
    members
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// `content-type` → `Content-Type`.
fn usual_spelling(name: &str) -> String {
    let mut starts = true;
    name.chars()
        .map(|c| {
            let spelled = if starts { c.to_ascii_uppercase() } else { c };
            starts = c == '-';
            spelled
        })
        .collect()
}
