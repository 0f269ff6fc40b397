//! From a configuration to a checked HTTP request: everything that can be wrong with the input is found here, before anything is sent.

pub mod encode;
mod header;
mod origin;
mod target;

use crate::error::Invalid;
use crate::types::{
    self, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, FlowConfig, Method, TokenRequest,
};
use encode::{base64, form};
use header::Headers;
use origin::Origin;
use target::Target;

/// How long to wait, in milliseconds (0: for ever), and how much of an answer to take, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub connect_timeout_ms: u32,
    pub first_byte_timeout_ms: u32,
    pub between_bytes_timeout_ms: u32,
    pub max_response_bytes: u32,
}

/// The official connector's 20 seconds, and 1 MiB, which a Camunda variable still carries.
pub const DEFAULT_LIMITS: Limits = Limits {
    connect_timeout_ms: 20_000,
    first_byte_timeout_ms: 20_000,
    between_bytes_timeout_ms: 20_000,
    max_response_bytes: 1024 * 1024,
};

impl From<Option<types::Limits>> for Limits {
    fn from(limits: Option<types::Limits>) -> Self {
        limits.map_or(DEFAULT_LIMITS, |limits| Self {
            connect_timeout_ms: limits.connect_timeout_ms,
            first_byte_timeout_ms: limits.first_byte_timeout_ms,
            between_bytes_timeout_ms: limits.between_bytes_timeout_ms,
            max_response_bytes: match limits.max_response_bytes {
                0 => DEFAULT_LIMITS.max_response_bytes,
                bytes => bytes,
            },
        })
    }
}

/// One HTTP request, ready to be handed over.
pub struct Request {
    origin: Origin,
    target: Target,
    pub method: Method,
    headers: Headers,
    pub body: Vec<u8>,
    pub limits: Limits,
}

impl Request {
    pub fn tls(&self) -> bool {
        self.origin.tls
    }

    /// Host, and a port where one was given: also how a message names the origin.
    pub fn authority(&self) -> &str {
        &self.origin.authority
    }

    pub fn path_with_query(&self) -> &str {
        self.target.as_str()
    }

    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        self.headers.list()
    }

    /// Puts in the token that the token endpoint gave, whose characters and size `response::token` has checked.
    pub fn authorize_bearer(&mut self, token: &str) {
        self.headers.add("authorization", &format!("Bearer {token}"));
    }

    /// RFC 9110, section 8.6: a length wherever a body is or could be; a GET has none.
    fn with_length(mut self) -> Self {
        if self.method != Method::Get {
            self.headers.add("content-length", &self.body.len().to_string());
        }
        self
    }
}

/// What a call will send: the flow's request, and before it a token's where the authentication needs one.
pub struct Plan {
    pub token: Option<Request>,
    pub flow: Request,
}

/// Checks the whole input and makes the requests of it.
pub fn plan(config: FlowConfig) -> Result<Plan, Invalid> {
    let limits = Limits::from(config.limits);
    let origin = Origin::of_instance(&config.instance, config.domain.as_deref(), config.endpoint.as_deref())?;
    let mut target = Target::parse(&config.path, "The trigger path (restApiTriggerPath)")?;
    for (name, value) in &config.query {
        target.add_query(name, value);
    }
    let mut headers = Headers::default();
    for (name, value) in &config.headers {
        headers.add_users(name, value)?;
    }
    let token = authenticate(&config, &origin, limits, &mut headers, &mut target)?;
    let body = body(config.body, config.method, &mut headers)?;
    if !headers.has("accept") {
        headers.add("accept", JSON);
    }
    let flow = Request {
        origin,
        target,
        method: config.method,
        headers,
        body,
        limits,
    }
    .with_length();
    Ok(Plan { token, flow })
}

const JSON: &str = "application/json";

fn body(body: Option<String>, method: Method, headers: &mut Headers) -> Result<Vec<u8>, Invalid> {
    let Some(body) = body.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    if matches!(method, Method::Get | Method::Delete) {
        return Invalid::new("A body cannot be sent with GET or DELETE: leave it out, or use POST, PUT or PATCH.");
    }
    if !headers.has("content-type") {
        headers.add("content-type", JSON);
    }
    if headers.get("content-type").is_some_and(is_json)
        && let Err(at) = crate::json::parse(&body)
    {
        return Invalid::new(format!(
            "The body is not JSON (line {}, column {}), which its content type promises: for example {{\"correlationValue\": \"cam-id-1\"}}; for another format set the header `content-type`.",
            at.line, at.column
        ));
    }
    Ok(body.into_bytes())
}

/// `application/json` and its kin (`application/problem+json`), whatever parameters follow.
fn is_json(content_type: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content_type).to_ascii_lowercase();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence == JSON || essence == "text/json" || essence.ends_with("+json")
}

fn authenticate(
    config: &FlowConfig,
    origin: &Origin,
    limits: Limits,
    headers: &mut Headers,
    target: &mut Target,
) -> Result<Option<Request>, Invalid> {
    if !matches!(config.authentication, Authentication::None) && headers.has("authorization") {
        return Invalid::new(
            "The headers hold `authorization` already, and the authentication would add a second one: leave one of the two out.",
        );
    }
    match &config.authentication {
        Authentication::None => {}
        Authentication::Basic(basic) => {
            required(&basic.username, "The user name (authentication.username)")?;
            required(&basic.password, "The password (authentication.password)")?;
            let value = basic_header(
                &basic.username,
                &basic.password,
                "The user name (authentication.username)",
            )?;
            headers.add_credential("authorization", value, "The password (authentication.password)")?;
        }
        Authentication::Bearer(token) => {
            let field = "The bearer token (authentication.token)";
            required(token, field)?;
            if !is_token(token) {
                return Invalid::new(format!(
                    "{field} holds a character that no token has, such as a space or a line break: give the token alone, without `Bearer`."
                ));
            }
            headers.add_credential("authorization", format!("Bearer {token}"), field)?;
        }
        Authentication::ApiKey(key) => {
            let field = "The API key's value (authentication.value)";
            required(&key.name, "The API key's name (authentication.name)")?;
            required(&key.value, field)?;
            match key.location {
                ApiKeyLocation::Header => headers.add_credential(&key.name, key.value.clone(), field)?,
                ApiKeyLocation::Query => {
                    if target.has_query(&key.name) {
                        return Invalid::new(
                            "The query parameters hold the API key's name (authentication.name) already, and the authentication would add a second one: leave one of the two out.",
                        );
                    }
                    target.add_query(&key.name, &key.value);
                }
            }
        }
        Authentication::OauthClientCredentials(client) => {
            return Ok(Some(token_request(client, origin, limits)?));
        }
    }
    Ok(None)
}

/// The request for a token alone.
pub fn token(request: TokenRequest) -> Result<Request, Invalid> {
    let origin = Origin::of_instance(
        &request.instance,
        request.domain.as_deref(),
        request.endpoint.as_deref(),
    )?;
    token_request(&request.credentials, &origin, Limits::from(request.limits))
}

/// OAuth 2.0 client credentials, RFC 6749, section 4.4.
fn token_request(client: &ClientCredentials, instance: &Origin, limits: Limits) -> Result<Request, Invalid> {
    required(&client.client_id, "The client id (authentication.clientId)")?;
    required(&client.client_secret, "The client secret (authentication.clientSecret)")?;
    let field = "The token endpoint (authentication.oauthTokenEndpoint)";
    let (origin, target) = match client.token_url.as_deref().filter(|url| !url.is_empty()) {
        None => (instance.clone(), Target::parse("/oauth_token.do", field)?),
        Some(url) => {
            let (origin, target) = Origin::split(url, field)?;
            (
                origin,
                Target::parse(if target.is_empty() { "/" } else { target }, field)?,
            )
        }
    };
    let mut headers = Headers::default();
    headers.add("accept", JSON);
    headers.add("content-type", "application/x-www-form-urlencoded");
    let mut body = String::from("grant_type=client_credentials");
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            body.push('&');
            body.push_str(name);
            body.push('=');
            body.push_str(&form(value));
        }
    };
    match client.client_authentication {
        ClientAuthentication::RequestBody => {
            add("client_id", &client.client_id);
            add("client_secret", &client.client_secret);
        }
        // RFC 6749, section 2.3.1: both are form-encoded first, so a colon in the id does no harm.
        ClientAuthentication::BasicHeader => {
            let value = basic_header(&form(&client.client_id), &form(&client.client_secret), "The client id")?;
            headers.add_credential("authorization", value, "The client secret")?;
        }
    }
    add("audience", client.audience.as_deref().unwrap_or_default());
    let mut scopes = String::new();
    for scope in client.scopes.iter().filter(|scope| !scope.is_empty()) {
        if !scopes.is_empty() {
            scopes.push(' ');
        }
        scopes.push_str(scope);
    }
    add("scope", &scopes);
    Ok(Request {
        origin,
        target,
        method: Method::Post,
        headers,
        body: body.into_bytes(),
        limits,
    }
    .with_length())
}

/// RFC 7617: the user's name ends at the first colon, and neither part holds a control character.
fn basic_header(user: &str, password: &str, user_field: &str) -> Result<String, Invalid> {
    if user.as_bytes().contains(&b':') {
        return Invalid::new(format!(
            "{user_field} holds a colon, which basic authentication cannot send."
        ));
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Invalid::new(
            "The user name or the password holds a control character, such as a line break at its end.",
        );
    }
    Ok(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
}

fn required(value: &str, field: &str) -> Result<(), Invalid> {
    if value.is_empty() {
        return Invalid::new(format!("{field} is missing."));
    }
    Ok(())
}

/// What a bearer token may hold: the visible characters of ASCII (RFC 6750, section 2.1, is stricter than the servers are).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
pub mod tests;
