//! From a configuration to checked HTTP requests. Every error in the input is found here, before anything is sent.

mod content_type;
pub mod encode;
mod header;
mod origin;
mod target;

use std::borrow::Cow;

use zeroize::{Zeroize, Zeroizing};

use crate::{
    ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, FlowConfig, Invalid, Limits, Method,
    TokenRequest,
};
pub(crate) use content_type::{ContentType, Kind};
use encode::{base64, form, push_form};
use header::Headers;
use target::Target;

pub use origin::{Origin, PLACEHOLDER};

/// One HTTP request, ready to be sent. The parts that can be credentials are zeroized on drop.
pub struct Request<'a> {
    origin: Origin,
    target: Target,
    /// The method.
    pub method: Method,
    headers: Headers,
    body: Cow<'a, [u8]>,
    /// How long to wait, and how much of a response to read.
    pub limits: Limits,
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(body) = &mut self.body {
            body.zeroize();
        }
    }
}

impl Request<'_> {
    /// Where it goes.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it goes over TLS.
    pub fn tls(&self) -> bool {
        self.origin.tls
    }

    /// Host, and a port where one was given: also how a message names the origin.
    pub fn authority(&self) -> &str {
        &self.origin.authority
    }

    /// The path with the query, as it is sent.
    pub fn path_with_query(&self) -> &str {
        self.target.as_str()
    }

    /// Names in lower case, in the order in which they are sent.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        self.headers.list()
    }

    /// The body, empty for none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Puts in the access token of the token endpoint, whose characters ([`is_token`]) and size were checked.
    pub fn authorize_bearer(&mut self, token: &str) {
        self.headers.add("authorization", &bearer(token));
    }

    /// What every request says, and a length wherever a body is or could be (RFC 9110, section 8.6); a GET has none.
    fn finished(mut self) -> Self {
        self.headers.add_default("accept", JSON);
        // Said, since a proxy may take silence for any coding.
        self.headers.add_default("accept-encoding", "identity");
        self.headers.add_default("user-agent", USER_AGENT);
        if self.method != Method::Get {
            let length = self.body.len().to_string();
            self.headers.add("content-length", &length);
        }
        self
    }
}

/// What requests say they come from, unless the user says otherwise. Some firewalls and proxies block a request without it.
pub const USER_AGENT: &str = concat!("flow-starter/", env!("CARGO_PKG_VERSION"));

/// What a call sends: the flow's request, and before it a token request where the authentication needs one.
pub struct Plan<'a> {
    /// The token request.
    pub token: Option<Request<'a>>,
    /// The flow's request. With a token request, the token is still to be put in.
    pub flow: Request<'a>,
}

/// Checks the whole input and makes the requests of it.
///
/// # Errors
/// The first field that cannot be sent.
pub fn plan(config: &FlowConfig) -> Result<Plan<'_>, Invalid> {
    let limits = Limits::or_default(config.limits);
    let origin = Origin::of_instance(&config.instance, config.domain.as_deref(), config.endpoint.as_deref())?;
    let key = match &config.authentication {
        Authentication::ApiKey(key) if key.location == ApiKeyLocation::Query => Some((key.name(), &*key.value)),
        _ => None,
    };
    let mut target = Target::with_query(&config.path, &config.query, key)?;
    let mut headers = Headers::default();
    for (name, value) in &config.headers {
        headers.add_users(name, value)?;
    }
    let token = authenticate(config, &origin, limits, &mut headers, &mut target)?;
    let body = body(config, &mut headers)?;
    let flow = Request {
        origin,
        target,
        method: config.method,
        headers,
        body: Cow::Borrowed(body.as_bytes()),
        limits,
    }
    .finished();
    Ok(Plan { token, flow })
}

/// Checks the whole input.
///
/// # Errors
/// As [`plan`].
pub fn check(config: &FlowConfig) -> Result<(), Invalid> {
    plan(config).map(drop)
}

const JSON: &str = "application/json";

fn body<'a>(config: &'a FlowConfig, headers: &mut Headers) -> Result<&'a str, Invalid> {
    let content_type = headers.get("content-type").map(String::from_utf8_lossy);
    let content_type = content_type.map(|value| ContentType::of(&value));
    if content_type.is_some_and(|content_type| content_type.has_other_charset) {
        return Invalid::refuse(
            "headers",
            "The header `content-type` names a charset other than UTF-8, but the body is sent in UTF-8: write `charset=utf-8`, or remove the charset.",
        );
    }
    let Some(body) = config.body.as_deref().filter(|text| !text.is_empty()) else {
        return Ok("");
    };
    if matches!(config.method, Method::Get | Method::Delete) {
        return Invalid::refuse(
            "body",
            "A body cannot be sent with GET or DELETE: remove it, or use POST, PUT or PATCH.",
        );
    }
    headers.add_default("content-type", JSON);
    if content_type.is_none_or(|content_type| content_type.kind == Kind::Json)
        && let Err(at) = crate::json::parse(body)
    {
        return Invalid::refuse(
            "body",
            format!(
                "The body is not JSON (line {}, column {}), but its content type says so: for example {{\"correlationValue\": \"cam-id-1\"}}; in Camunda's form a FEEL expression begins with `=`; for another format set the header `content-type`.",
                at.line, at.column
            ),
        );
    }
    Ok(body)
}

fn authenticate(
    config: &FlowConfig,
    origin: &Origin,
    limits: Limits,
    headers: &mut Headers,
    target: &mut Target,
) -> Result<Option<Request<'static>>, Invalid> {
    if !matches!(config.authentication, Authentication::None) && headers.has("authorization") {
        return Invalid::refuse(
            "headers",
            "The headers already contain `authorization`, and the authentication would add a second one: remove one of the two.",
        );
    }
    match &config.authentication {
        Authentication::None => {}
        Authentication::Basic(basic) => {
            let (user, password) = (USER_NAME, "The password (authentication.password)");
            required(&basic.username, user, USER_NAME_FIELD)?;
            required(&basic.password, password, "authentication.password")?;
            let value = basic_header(&basic.username, &basic.password, user, USER_NAME_FIELD)?;
            headers.add_credential("authorization", &value, password, "authentication.password")?;
        }
        Authentication::Bearer(token) => {
            let (source, field) = ("The bearer token (authentication.token)", "authentication.token");
            required(token, source, field)?;
            if !is_token(token) {
                return Invalid::refuse(field, [
                    source,
                    " contains a character that a token cannot have, such as a space or a line break: enter only the token, without `Bearer`.",
                ].concat());
            }
            headers.add_credential("authorization", &bearer(token), source, field)?;
        }
        Authentication::ApiKey(key) => {
            let (source, field) = ("The API key's value (authentication.value)", "authentication.value");
            let (name, value) = (key.name(), &*key.value);
            required(value, source, field)?;
            match key.location {
                ApiKeyLocation::Header => headers.add_credential(name, value, source, field)?,
                ApiKeyLocation::Query => {
                    if target.has_query(name) {
                        return Invalid::refuse(
                            "authentication.name",
                            "The query parameters already contain the API key's name (authentication.name), and the authentication would add a second one: remove one of the two.",
                        );
                    }
                    target.add_query(name, value);
                }
            }
        }
        Authentication::OauthClientCredentials(client) => {
            let request = token_request(client, origin, limits)?;
            let token = (&request.origin, &request.target);
            apart(token, origin, config.endpoint.as_deref(), Some(target))?;
            return Ok(Some(request));
        }
    }
    Ok(None)
}

/// A token request is a POST. Where it would go to the trigger's path, or to what an instance keeps under `/api/`, it could start a
/// flow, and nobody would look for one.
fn apart(
    (origin, target): (&Origin, &Target),
    flow: &Origin,
    endpoint: Option<&str>,
    trigger: Option<&Target>,
) -> Result<(), Invalid> {
    let path = target.segments();
    // Whatever the host: one machine may have several names.
    let is_trigger = trigger.is_some_and(|trigger| *trigger.segments() == *path);
    let is_instance = origin.is_servicenows() || (origin.is_same(flow) && endpoint.is_none_or(str::is_empty));
    if is_trigger || (is_instance && path.first().is_some_and(|first| first == b"api")) {
        return Invalid::refuse(TOKEN_ENDPOINT_FIELD, [
            TOKEN_ENDPOINT,
            " points to a path where a request could start a flow: use, for example, `https://acme.service-now.com/oauth_token.do`.",
        ].concat());
    }
    Ok(())
}

const USER_NAME: &str = "The user name (authentication.username)";
const USER_NAME_FIELD: &str = "authentication.username";

/// The token request alone.
///
/// # Errors
/// The first field that cannot be sent.
pub fn token(request: &TokenRequest) -> Result<Request<'static>, Invalid> {
    let origin = Origin::of_instance(
        &request.instance,
        request.domain.as_deref(),
        request.endpoint.as_deref(),
    )?;
    let token = token_request(&request.credentials, &origin, Limits::or_default(request.limits))?;
    apart(
        (&token.origin, &token.target),
        &origin,
        request.endpoint.as_deref(),
        None,
    )?;
    Ok(token)
}

const TOKEN_ENDPOINT: &str = "The token endpoint (authentication.oauthTokenEndpoint)";
const TOKEN_ENDPOINT_FIELD: &str = "authentication.oauthTokenEndpoint";

/// A token endpoint: the URL that was given, or the instance's own.
fn token_endpoint(url: Option<&str>, instance: &Origin) -> Result<(Origin, Target), Invalid> {
    let (source, field) = (TOKEN_ENDPOINT, TOKEN_ENDPOINT_FIELD);
    match url.filter(|url| !url.is_empty()) {
        None => Ok((instance.clone(), Target::parse("/oauth_token.do", source, field)?)),
        Some(url) => {
            let (origin, target) = Origin::split(url, source, field)?;
            let target = if target.is_empty() { "/" } else { target };
            Ok((origin, Target::parse(target, source, field)?))
        }
    }
}

/// OAuth 2.0 client credentials, RFC 6749, section 4.4.
fn token_request(client: &ClientCredentials, instance: &Origin, limits: Limits) -> Result<Request<'static>, Invalid> {
    required(
        &client.client_id,
        "The client id (authentication.clientId)",
        "authentication.clientId",
    )?;
    let (source, field) = (
        "The client secret (authentication.clientSecret)",
        "authentication.clientSecret",
    );
    required(&client.client_secret, source, field)?;
    let (origin, target) = token_endpoint(client.token_url.as_deref(), instance)?;
    let mut headers = Headers::default();
    headers.add("content-type", content_type::FORM);
    let mut scopes = String::new();
    for several in &client.scopes {
        for scope in several.split_whitespace() {
            scopes.push_str(if scopes.is_empty() { "" } else { " " });
            scopes.push_str(scope);
        }
    }
    let audience = client.audience.as_deref().unwrap_or_default();
    let (mut id, mut secret) = (&*client.client_id, &*client.client_secret);
    if client.client_authentication == ClientAuthentication::BasicHeader {
        // RFC 6749, section 2.3.1: both are form-encoded first, so a colon in the id does no harm.
        let (form_id, form_secret) = (Zeroizing::new(form(id)), Zeroizing::new(form(secret)));
        let value = basic_header(&form_id, &form_secret, "The client id", "authentication.clientId")?;
        headers.add_credential("authorization", &value, "The client secret", field)?;
        (id, secret) = ("", "");
    }
    let parameters = [
        ("client_id", id),
        ("client_secret", secret),
        ("audience", audience),
        ("scope", &scopes),
    ];
    let room = parameters.iter().map(|(name, value)| name.len() + value.len() * 3 + 2);
    let grant = "grant_type=client_credentials";
    let mut body = String::with_capacity(grant.len() + room.sum::<usize>());
    body.push_str(grant);
    for (name, value) in parameters {
        if !value.is_empty() {
            body.push('&');
            body.push_str(name);
            body.push('=');
            push_form(&mut body, value);
        }
    }
    Ok(Request {
        origin,
        target,
        method: Method::Post,
        headers,
        body: Cow::Owned(body.into_bytes()),
        limits,
    }
    .finished())
}

/// RFC 7617: the user's name ends at the first colon, and neither part holds a control character.
fn basic_header(user: &str, password: &str, source: &str, field: &'static str) -> Result<Zeroizing<String>, Invalid> {
    if user.as_bytes().contains(&b':') {
        return Invalid::refuse(
            field,
            [source, " contains a colon, which basic authentication cannot send."].concat(),
        );
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Invalid::refuse(
            field,
            "The user name or the password contains a control character, such as a line break at its end.",
        );
    }
    let pair = Zeroizing::new([user, ":", password].concat());
    let encoded = Zeroizing::new(base64(pair.as_bytes()));
    Ok(Zeroizing::new(["Basic ", &encoded].concat()))
}

fn bearer(token: &str) -> Zeroizing<String> {
    Zeroizing::new(["Bearer ", token].concat())
}

fn required(value: &str, source: &str, field: &'static str) -> Result<(), Invalid> {
    if value.is_empty() {
        return Invalid::refuse(field, [source, " is missing."].concat());
    }
    Ok(())
}

/// Whether a bearer token can hold `text`: the visible characters of ASCII (RFC 6750, section 2.1, is stricter than the servers are).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A call's destinations: the parts of its input that decide where requests go.
pub struct Destination {
    /// The origin of the flow's request.
    pub flow: Origin,
    /// The token endpoint, where the authentication asks for a token: its origin, and its path with the query.
    pub token: Option<(Origin, String)>,
}

impl Destination {
    /// Reads the fields that name an origin; a token endpoint only where `token_url` is one's authentication (`Some`).
    ///
    /// # Errors
    /// Where one of them names none.
    pub(crate) fn of(
        instance: &str,
        domain: Option<&str>,
        endpoint: Option<&str>,
        token_url: Option<Option<&str>>,
        path: Option<&str>,
    ) -> Result<Self, Invalid> {
        let flow = Origin::of_instance(instance, domain, endpoint)?;
        let token = match token_url {
            None => None,
            Some(url) => {
                let (origin, target) = token_endpoint(url, &flow)?;
                let trigger = path.and_then(|path| Target::trigger(path).ok());
                apart((&origin, &target), &flow, endpoint, trigger.as_ref())?;
                Some((origin, target.as_str().to_owned()))
            }
        };
        Ok(Self { flow, token })
    }

    /// Of a call.
    ///
    /// # Errors
    /// As [`plan`], for these fields alone.
    pub fn of_config(config: &FlowConfig) -> Result<Self, Invalid> {
        let token_url = match &config.authentication {
            Authentication::OauthClientCredentials(client) => Some(client.token_url.as_deref()),
            _ => None,
        };
        Self::of(
            &config.instance,
            config.domain.as_deref(),
            config.endpoint.as_deref(),
            token_url,
            Some(&config.path),
        )
    }

    /// Of a token request.
    ///
    /// # Errors
    /// As [`token`], for these fields alone.
    pub fn of_token_request(request: &TokenRequest) -> Result<Self, Invalid> {
        Self::of(
            &request.instance,
            request.domain.as_deref(),
            request.endpoint.as_deref(),
            Some(request.credentials.token_url.as_deref()),
            None,
        )
    }
}

#[cfg(test)]
pub mod tests;
